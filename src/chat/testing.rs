//! What the tests of the domain share: a log that grows by what people want.

use std::net::IpAddr;

use crate::chat::accounts::PasswordHash;
use crate::chat::command::{Command, NewSession};
use crate::chat::decide::decide;
use crate::chat::event::{Event, Record};
use crate::chat::refusal::Refusal;
use crate::chat::state::State;
use crate::id::{SessionId, TokenHash, UserId};
use crate::name::{Address, Name};
use crate::time::Time;

pub(super) const MESSI: UserId = UserId(0);
pub(super) const PAFF: UserId = UserId(1);
pub(super) const NEKO: UserId = UserId(2);

pub(super) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(super) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub(super) fn hash(text: &str) -> PasswordHash {
    PasswordHash(text.into())
}

/// A server at which messi, paff and neko have registered, each with the password `old`, and the group `fans`, which
/// messi made and all three are in.
pub(super) struct World {
    pub(super) state: State,
}

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self { state: State::new(name("local")) };
        for user in ["messi", "paff", "neko"] {
            let register = Command::Register {
                name: name(user),
                full_name: "".into(),
                country: "".into(),
                password: hash("old"),
                session: None,
            };
            world.does(&register);
        }
        world.does(&Command::CreateGroup { owner: MESSI, name: name("fans"), password: None });
        world.does(&Command::JoinGroup { user: PAFF, group: name("fans"), verified: None });
        world.does(&Command::JoinGroup { user: NEKO, group: name("fans"), verified: None });
        world
    }

    pub(super) fn wants(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        decide(&self.state, Time(0), command)
    }

    #[track_caller]
    pub(super) fn refuses(&self, command: &Command, refusal: Refusal) {
        assert_eq!(self.wants(command), Err(refusal), "{command:?}");
    }

    /// Lets the command happen; gives the events that it came to.
    #[track_caller]
    pub(super) fn does(&mut self, command: &Command) -> Vec<Event> {
        let events = self.wants(command).unwrap();
        for event in &events {
            let record = Record { seq: self.state.head().next(), time: Time(0), event: event.clone() };
            self.state.apply(&record);
        }
        events
    }

    pub(super) fn logs_in(&mut self, user: UserId) -> SessionId {
        let token = TokenHash([u8::try_from(self.state.head().0).unwrap(); 32]);
        let session = NewSession { token, ephemeral: false, origin: IpAddr::from([127, 0, 0, 1]) };
        self.does(&Command::OpenSession { user, verified: hash("old"), session });
        SessionId(self.state.head().0)
    }

    pub(super) fn members(&self, group: &str) -> Vec<UserId> {
        let group = self.state.group_named(&name(group));
        group.map_or(Vec::new(), |(_, group)| group.members.to_vec())
    }
}
