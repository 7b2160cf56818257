//! Whom a user does not want to hear from (PROTOCOL §7).

use crate::chat::{Command, Response, State, UserRef};
use crate::name::Address;
use crate::net::session::{Answer, Identity, Session};

/// A person as an address: `USER`, or `USER@REALM`.
fn shown(state: &State, person: &UserRef) -> Option<Box<str>> {
    Some(match person {
        UserRef::Local(user) => state.user(*user)?.name.as_str().into(),
        UserRef::Remote(realm, name) => format!("{name}@{}", state.realm(*realm)?.name).into(),
    })
}

impl Session {
    pub(super) fn block(&self, who: Identity, whom: Address) -> Answer {
        let executed = self.execute(&Command::Block { user: who.user, whom });
        Answer::of(executed, |_| Response::Blocked)
    }

    pub(super) fn unblock(&self, who: Identity, whom: Address) -> Answer {
        let executed = self.execute(&Command::Unblock { user: who.user, whom });
        Answer::of(executed, |_| Response::Unblocked)
    }

    pub(super) fn blocks(&self, who: Identity) -> Answer {
        let (names, ticket) = self.hub().read(|state| {
            let blocked = state.user(who.user).map_or(&[][..], |user| &user.blocks);
            blocked.iter().filter_map(|person| shown(state, person)).collect()
        });
        Answer::new(Ok(Response::Blocks(names)), ticket)
    }
}
