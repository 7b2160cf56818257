//! What is unread, by conversation. Counted here, from the inbox and what comes: the server has one cursor for all.

use std::collections::{BTreeMap, BTreeSet};

use kabar::client::Target;

/// The unread messages, and the newest message of all.
#[derive(Debug, Default)]
pub(super) struct Unread {
    by_conversation: BTreeMap<String, BTreeSet<u64>>,
    newest: u64,
    /// What the server was told last.
    acknowledged: u64,
}

impl Unread {
    pub(super) fn add(&mut self, conversation: &Target, id: u64) {
        self.saw(id);
        self.by_conversation.entry(conversation.key()).or_default().insert(id);
    }

    /// A message that is read already, or one's own.
    pub(super) fn saw(&mut self, id: u64) {
        self.newest = self.newest.max(id);
    }

    /// The conversation is on the screen. Returns its first unread message.
    pub(super) fn read(&mut self, conversation: &Target) -> Option<u64> {
        self.by_conversation.remove(&conversation.key())?.first().copied()
    }

    /// Another device has read everything up to here.
    pub(super) fn read_upto(&mut self, cursor: u64) {
        self.acknowledged = self.acknowledged.max(cursor);
        self.by_conversation.values_mut().for_each(|ids| ids.retain(|id| *id > cursor));
        self.by_conversation.retain(|_, ids| !ids.is_empty());
    }

    pub(super) fn count(&self, conversation: &Target) -> usize {
        self.by_conversation.get(&conversation.key()).map_or(0, BTreeSet::len)
    }

    pub(super) fn total(&self) -> usize {
        self.by_conversation.values().map(BTreeSet::len).sum()
    }

    /// The inbox cursor that fits, if the server does not have it yet: everything before the oldest unread message.
    pub(super) fn take_cursor(&mut self) -> Option<u64> {
        let oldest = self.by_conversation.values().filter_map(BTreeSet::first).min();
        let cursor = oldest.map_or(self.newest, |oldest| oldest - 1);
        let is_new = cursor > self.acknowledged;
        self.acknowledged = self.acknowledged.max(cursor);
        is_new.then_some(cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_before_the_oldest_unread_message() {
        let (neko, fans) = (Target::parse("neko").unwrap(), Target::parse("group:fans").unwrap());
        let mut unread = Unread::default();
        unread.add(&neko, 5);
        unread.add(&fans, 7);
        unread.add(&fans, 9);
        assert_eq!((unread.count(&fans), unread.total(), unread.take_cursor()), (2, 3, Some(4)));
        assert_eq!(unread.read(&fans), Some(7));
        assert_eq!(unread.take_cursor(), None, "neko's is older");
        unread.read(&neko);
        assert_eq!((unread.take_cursor(), unread.take_cursor()), (Some(9), None));
    }

    #[test]
    fn what_another_device_read_is_read() {
        let neko = Target::parse("neko").unwrap();
        let mut unread = Unread::default();
        (5..8).for_each(|id| unread.add(&neko, id));
        unread.read_upto(6);
        assert_eq!(unread.count(&neko), 1);
    }
}
