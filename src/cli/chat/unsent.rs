//! Messages that the server has not confirmed, in the order in which they were typed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kabar::client::Target;
use kabar::limits::{CLIENT_REPEAT, CLIENT_UNSENT, CLIENT_UNSENT_BYTES};

use crate::cli::chat::effect::Effect;
use crate::cli::client::unsent_file::UnsentMessage;

#[derive(Debug)]
pub(super) struct Unsent {
    tag_prefix: String,
    next_number: u64,
    messages: BTreeMap<u64, Entry>,
    bytes: usize,
    has_changed: bool,
}

#[derive(Debug)]
struct Entry {
    to: Target,
    message: UnsentMessage,
    /// Refused messages are sent again if the person presses Ctrl-R, and are not kept for the next chat.
    is_refused: bool,
}

impl Entry {
    fn send(&self, number: u64) -> Effect {
        Effect::Send { number, tag: self.message.tag.clone(), to: self.to.clone(), text: self.message.text.clone() }
    }
}

impl Default for Unsent {
    fn default() -> Self {
        let tag_prefix = uuid::Uuid::new_v4().simple().to_string();
        Self { tag_prefix, next_number: 0, messages: BTreeMap::new(), bytes: 0, has_changed: false }
    }
}

impl Unsent {
    /// Whether so many messages with so many bytes of text may be added.
    pub(super) fn has_room(&self, count: usize, bytes: usize) -> bool {
        self.messages.len() + count <= CLIENT_UNSENT && self.bytes + bytes <= CLIENT_UNSENT_BYTES
    }

    /// Returns the number of the message, and what sends it.
    pub(super) fn add(&mut self, to: &Target, text: &str) -> (u64, Effect) {
        let tag = format!("{}-{}", self.tag_prefix, self.next_number + 1);
        let message = UnsentMessage { tag, to: to.to_string(), text: text.to_owned(), tried: None };
        let entry = Entry { to: to.clone(), message, is_refused: false };
        let effect = entry.send(self.next_number + 1);
        (self.push(entry), effect)
    }

    /// Adds a message that an earlier chat left. `None` if this program does not know such receivers.
    pub(super) fn adopt(&mut self, message: UnsentMessage) -> Option<(u64, Target)> {
        let to = Target::of_conversation(&message.to).ok()?;
        Some((self.push(Entry { to: to.clone(), message, is_refused: false }), to))
    }

    fn push(&mut self, entry: Entry) -> u64 {
        self.next_number += 1;
        self.bytes += entry.message.text.len();
        self.has_changed = true;
        self.messages.insert(self.next_number, entry);
        self.next_number
    }

    /// The server has the message.
    pub(super) fn confirmed(&mut self, number: u64) {
        let Some(Entry { message, .. }) = self.messages.remove(&number) else { return };
        self.bytes -= message.text.len();
        self.has_changed = true;
    }

    pub(super) fn set_refused(&mut self, number: u64, is_refused: bool) {
        if let Some(entry) = self.messages.get_mut(&number) {
            entry.is_refused = is_refused;
            self.has_changed = true;
        }
    }

    /// Whether the server may have received the message so long ago that it has forgotten the tag.
    pub(super) fn is_unknown(&self, number: u64, now: Timestamp) -> bool {
        let tried = self.messages.get(&number).and_then(|entry| entry.message.tried);
        tried.is_some_and(|tried| now.as_second().saturating_sub(tried) > CLIENT_REPEAT.as_secs() as i64)
    }

    /// Notes that the server may receive all messages from now on.
    pub(super) fn tried(&mut self, now: Timestamp) {
        for entry in self.messages.values_mut().filter(|entry| entry.message.tried.is_none()) {
            entry.message.tried = Some(now.as_second());
            self.has_changed = true;
        }
    }

    pub(super) fn send(&self, number: u64) -> Option<Effect> {
        Some(self.messages.get(&number)?.send(number))
    }

    /// Everything that was not refused, under the old tags, so that nothing is sent twice.
    pub(super) fn send_all(&self) -> Vec<Effect> {
        let pending = self.messages.iter().filter(|(_, entry)| !entry.is_refused);
        pending.map(|(number, entry)| entry.send(*number)).collect()
    }

    /// The messages that are not refused.
    pub(super) fn pending(&self) -> impl Iterator<Item = &UnsentMessage> {
        self.messages.values().filter(|entry| !entry.is_refused).map(|entry| &entry.message)
    }

    /// Whether they are others than at the last call.
    pub(super) fn take_change(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn neko() -> Target {
        Target::parse("neko").unwrap()
    }

    #[test]
    fn there_is_room_for_so_many_messages_and_bytes() {
        let mut unsent = Unsent::default();
        assert!(unsent.has_room(CLIENT_UNSENT, CLIENT_UNSENT_BYTES));
        let (number, _) = unsent.add(&neko(), "halo");
        assert!(!unsent.has_room(CLIENT_UNSENT, 0) && !unsent.has_room(1, CLIENT_UNSENT_BYTES));
        unsent.confirmed(number);
        assert!(unsent.has_room(CLIENT_UNSENT, CLIENT_UNSENT_BYTES));
    }

    #[test]
    fn what_was_adopted_is_sent_under_its_old_tag_unless_the_server_may_have_forgotten_it() {
        let mut unsent = Unsent::default();
        let now = Timestamp::now();
        let message =
            UnsentMessage { tag: "old-7".into(), to: "neko".into(), text: "halo".into(), tried: Some(now.as_second()) };
        let (number, to) = unsent.adopt(message).unwrap();
        assert_eq!(unsent.send_all(), [Effect::Send { number, tag: "old-7".into(), to, text: "halo".into() }]);
        let late = now + CLIENT_REPEAT + Duration::from_secs(1);
        assert_eq!((unsent.is_unknown(number, now), unsent.is_unknown(number, late)), (false, true));
    }

    #[test]
    fn what_was_refused_is_not_kept_until_it_is_sent_again() {
        let mut unsent = Unsent::default();
        let (number, _) = unsent.add(&neko(), "halo");
        assert!(unsent.take_change() && !unsent.take_change());
        unsent.set_refused(number, true);
        assert!(unsent.take_change() && unsent.pending().next().is_none() && unsent.send_all().is_empty());
        unsent.set_refused(number, false);
        assert_eq!(unsent.pending().count(), 1);
    }
}
