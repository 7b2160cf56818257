//! Realms (PROTOCOL §6): so far the names of this one server.

use crate::chat::{Command, Outcome, RealmStatus, Refusal};
use crate::name::Name;
use crate::net::session::{Answer, Identity, Session};

impl Session {
    pub(super) fn add_realm(&mut self, who: Identity, name: Name, peer: Option<(Box<str>, u16)>) -> Answer {
        if self.policy().realms_restricted
            && let Err(refusal) = self.require_administrator(who)
        {
            return refusal.into();
        }
        if peer.is_some() {
            return Refusal::RealmUnreachable.into();
        }
        let executed = self.execute(&Command::AddRealm { name: name.clone() });
        Answer::of(executed, |_| Outcome::RealmAdded(name))
    }

    pub(super) fn realms(&self) -> Answer {
        let (realms, ticket) = self.hub().read(|state| {
            let status = |(place, name): (usize, &Name)| RealmStatus {
                name: name.clone(),
                state: if place == 0 { "home" } else { "name" },
            };
            state.realms().iter().map(|realm| &realm.name).enumerate().map(status).collect()
        });
        Answer { result: Ok(Outcome::Realms(realms)), ticket }
    }

    pub(super) fn require_administrator(&self, who: Identity) -> Result<(), Refusal> {
        let (name, _) = self.hub().read(|state| state.user(who.user).map(|user| user.name.key()));
        let allowed = name.is_some_and(|name| self.policy().administrators.contains(&name));
        if allowed { Ok(()) } else { Err(Refusal::Forbidden) }
    }
}
