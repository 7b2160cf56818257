//! Commands of administrators.

use std::time::Duration;

use crate::chat::{BanSubject, BanTarget, Command, Network, State};
use crate::id::{Seq, UserId};
use crate::name::Address;
use crate::store::generators::{GeneratedCommand, invite_code, name};

impl GeneratedCommand {
    pub(super) fn ban_subject(&self, state: &State) -> BanSubject {
        let realm =
            state.realms().nth(self.other as usize % state.realms().count()).map(|(_, realm)| realm.name.clone());
        match self.number % 4 {
            0 => BanSubject::User(Address { name: name("user", self.other), realm: None }),
            1 => BanSubject::User(Address { name: name("user", self.other), realm }),
            2 => {
                let networks = ["192.0.2.7", "192.0.2.0/24", "2001:db8::7", "0.0.0.0/0"];
                BanSubject::Network(Network::parse(networks[self.other as usize % networks.len()]).unwrap())
            }
            _ => BanSubject::Realm(realm.unwrap()),
        }
    }

    pub(super) fn ban(&self, state: &State) -> Command {
        let lifetime = self.number.is_multiple_of(5).then(|| Duration::from_millis(self.number % 100));
        Command::Ban {
            subject: self.ban_subject(state),
            lifetime,
            reason: format!("reason {}", self.number % 3).into(),
        }
    }

    pub(super) fn lift_ban(&self, state: &State) -> Command {
        let mut banned: Vec<_> = state.bans().iter().map(|(target, _)| *target).collect();
        banned.sort();
        let target = banned.get(self.number as usize % banned.len().max(1)).copied();
        Command::LiftBan { target: target.unwrap_or(BanTarget::User(UserId(0))) }
    }

    pub(super) fn make_invite(&self) -> Command {
        let lifetime = Duration::from_millis(self.number % 1_000);
        Command::MakeInvite { code: invite_code(self.number / 2), uses: 1 + (self.number % 3) as u32, lifetime }
    }

    pub(super) fn revoke_invite(&self, state: &State) -> Command {
        let count = state.invites().count().max(1);
        let invite = state.invites().nth(self.number as usize % count).map_or(Seq(0), |(id, _)| id);
        Command::RevokeInvite { invite }
    }
}
