//! Sending (PROTOCOL §4, §6).

use crate::chat::{Command, Receipt, Response};
use crate::hub::Executed;
use crate::name::{Address, Name};
use crate::net::session::{Answer, Identity, Session};
use crate::wire::ReplyFormat;

fn sent(receipt: Receipt, to: Option<Name>) -> Response {
    Response::Sent { receipt, to, delivered: None }
}

fn sent_elsewhere(receipt: Receipt, delivered: bool) -> Response {
    Response::Sent { receipt, to: None, delivered: Some(delivered) }
}

impl Session {
    pub(super) fn send(&self, who: Identity, to: Address, text: Box<str>) -> Answer {
        let executed = self.send_direct(who, to, text);
        Answer::of_sending(executed, |receipt| sent(receipt, None), sent_elsewhere)
    }

    /// The layanan system's answer names the receiver, as registered.
    pub(super) fn chat(&self, who: Identity, to: Address, text: Box<str>) -> Answer {
        let (receiver, _) = self.hub().read(|state| state.user_named(&to.name).map(|(_, user)| user.name.clone()));
        let executed = self.send_direct(who, to, text);
        Answer::of_sending(executed, |receipt| sent(receipt, receiver), sent_elsewhere)
    }

    fn send_direct(&self, who: Identity, to: Address, text: Box<str>) -> Executed {
        let online = match self.send_queue.format() {
            ReplyFormat::Json => None,
            ReplyFormat::Text => Some(self.is_online(&to.name)),
        };
        self.execute(&Command::SendDirect { from: who.user, to, text, online })
    }

    fn is_online(&self, name: &Name) -> bool {
        let (user, _) = self.hub().read(|state| state.user_named(name).map(|(id, _)| id));
        user.is_some_and(|user| self.hub().is_online(user))
    }

    pub(super) fn send_to_group(&mut self, who: Identity, to: Address, text: Box<str>) -> Answer {
        let executed = self.execute(&Command::SendGroup { from: who.user, to, text });
        let here = |receipt| Response::SentToGroup { receipt, delivered: None };
        let there = |receipt, delivered| Response::SentToGroup { receipt, delivered: Some(delivered) };
        Answer::of_sending(executed, here, there)
    }

    pub(super) fn broadcast(&mut self, who: Identity, text: Box<str>) -> Answer {
        if self.policy().broadcast_restricted
            && let Err(error) = self.require_administrator(who)
        {
            return error.into();
        }
        let executed = self.execute(&Command::Broadcast { from: who.user, text });
        Answer::of(executed, |receipt| sent(receipt, None))
    }

    pub(super) fn send_to_realm(&mut self, who: Identity, realm: Name, user: Name, text: Box<str>) -> Answer {
        let to = Address { name: user, realm: Some(realm) };
        let executed = self.execute(&Command::SendDirect { from: who.user, to, text, online: None });
        let there = |receipt, delivered| Response::SentToRealm { receipt, delivered };
        Answer::of_sending(executed, |receipt| there(receipt, true), there)
    }

    pub(super) fn send_to_realm_group(&mut self, who: Identity, realm: Name, group: Name, text: Box<str>) -> Answer {
        let to = Address { name: group, realm: Some(realm) };
        let executed = self.execute(&Command::SendGroup { from: who.user, to, text });
        let there = |receipt, delivered| Response::SentToRealmGroup { receipt, delivered };
        Answer::of_sending(executed, |receipt| there(receipt, true), there)
    }
}
