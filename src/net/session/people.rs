//! Who is there, and what is known of them (PROTOCOL §4).

use crate::chat::{CommandError, Profile, Response, State};
use crate::id::UserId;
use crate::limits::LIST_NAMES;
use crate::name::Name;
use crate::net::session::{Answer, Identity, Session};
use crate::time::Time;

impl Session {
    pub(super) fn active(&self) -> Answer {
        let online = self.hub().online(LIST_NAMES);
        let (names, ticket) = self.hub().read(|state| {
            let name = |id: UserId| Some(state.user(id)?.name.clone());
            online.into_iter().filter_map(name).collect()
        });
        Answer::new(Ok(Response::Active(names)), ticket)
    }

    pub(super) fn whoami(&self, who: Identity) -> Answer {
        let (profile, ticket) = self.hub().read(|state| self.profile(state, who.user));
        Answer::new(profile.map(Response::Whoami).ok_or(CommandError::NoSession), ticket)
    }

    pub(super) fn info(&self, name: &Name) -> Answer {
        let (profile, ticket) = self.hub().read(|state| {
            let (id, _) = state.user_named(name)?;
            self.profile(state, id)
        });
        Answer::new(profile.map(Response::Info).ok_or(CommandError::UserNotFound), ticket)
    }

    fn profile(&self, state: &State, id: UserId) -> Option<Profile> {
        let user = state.user(id)?;
        let online = self.hub().is_online(id);
        let last_seen = if online { Some(Time::now()) } else { self.hub().last_seen(id).max(user.seen) };
        Some(Profile {
            user: user.name.clone(),
            full_name: user.full_name.clone(),
            country: user.country.clone(),
            realm: state.home()?.clone(),
            online,
            last_seen,
        })
    }
}
