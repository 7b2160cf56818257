//! Sending (PROTOCOL §4, §6).

use crate::chat::{Command, Outcome, Receipt};
use crate::hub::Executed;
use crate::name::{Address, Name};
use crate::net::session::{Answer, Identity, Session};
use crate::wire::Style;

impl Session {
    pub(super) fn send(&self, who: Identity, to: Address, text: Box<str>) -> Answer {
        Answer::of(self.send_direct(who, to, text), |receipt| Outcome::Sent { receipt, to: None })
    }

    /// The layanan system's answer names the receiver, as registered.
    pub(super) fn chat(&self, who: Identity, to: Address, text: Box<str>) -> Answer {
        let (receiver, _) = self.hub().read(|state| state.user_named(&to.name).map(|(_, user)| user.name.clone()));
        Answer::of(self.send_direct(who, to, text), |receipt| Outcome::Sent { receipt, to: receiver })
    }

    fn send_direct(&self, who: Identity, to: Address, text: Box<str>) -> Executed {
        let online = match self.outbox.style() {
            Style::Json => None,
            Style::Text => Some(self.is_online(&to.name)),
        };
        self.execute(&Command::SendDirect { from: who.user, to, text, online })
    }

    fn is_online(&self, name: &Name) -> bool {
        let (user, _) = self.hub().read(|state| state.user_named(name).map(|(id, _)| id));
        user.is_some_and(|user| self.hub().is_online(user))
    }

    pub(super) fn send_to_group(&mut self, who: Identity, to: Address, text: Box<str>) -> Answer {
        let executed = self.execute(&Command::SendGroup { from: who.user, to, text });
        Answer::of(executed, Outcome::SentToGroup)
    }

    pub(super) fn broadcast(&mut self, who: Identity, text: Box<str>) -> Answer {
        if self.policy().broadcast_restricted
            && let Err(refusal) = self.require_administrator(who)
        {
            return refusal.into();
        }
        let executed = self.execute(&Command::Broadcast { from: who.user, text });
        Answer::of(executed, |receipt| Outcome::Sent { receipt, to: None })
    }

    pub(super) fn send_to_realm(&mut self, who: Identity, realm: Name, user: Name, text: Box<str>) -> Answer {
        let to = Address { name: user, realm: Some(realm) };
        let executed = self.execute(&Command::SendDirect { from: who.user, to, text, online: None });
        Answer::of(executed, |receipt: Receipt| Outcome::SentToRealm { receipt, delivered: true })
    }

    pub(super) fn send_to_realm_group(&mut self, who: Identity, realm: Name, group: Name, text: Box<str>) -> Answer {
        let to = Address { name: group, realm: Some(realm) };
        let executed = self.execute(&Command::SendGroup { from: who.user, to, text });
        Answer::of(executed, |receipt| Outcome::SentToRealmGroup { receipt, delivered: true })
    }
}
