//! The unread count of a conversation: counted by the server, the same on every device, and carried on here as messages
//! come.

use std::time::{Duration, Instant};

/// The server moves a mark once in two seconds. A request that comes earlier holds up those behind it.
const PACE: Duration = Duration::from_millis(2_500);

#[derive(Debug, Default)]
pub(super) struct ReadMark {
    unread: u64,
    /// There are more than the server counts.
    is_more: bool,
    /// Everything up to this message is read.
    mark: u64,
    /// Everything up to this message is counted.
    counted_to: u64,
    /// The mark that the server has.
    stored: u64,
    sent: Option<Instant>,
    is_on_its_way: bool,
}

/// The server's count, up to its newest message.
pub(super) struct Count {
    pub(super) mark: u64,
    pub(super) unread: u64,
    pub(super) is_more: bool,
    pub(super) newest: u64,
}

impl ReadMark {
    pub(super) fn unread(&self) -> u64 {
        self.unread
    }

    /// The count as a person reads it.
    pub(super) fn shown(&self) -> String {
        format!("{}{}", self.unread, if self.is_more { "+" } else { "" })
    }

    pub(super) fn mark(&self) -> u64 {
        self.mark
    }

    /// Takes the server's count. `known` are the messages here that may be unread: those that came since are added.
    pub(super) fn count(&mut self, count: &Count, known: impl Iterator<Item = u64>) {
        // What was read while the line was broken is not known there yet.
        let is_ahead = self.mark > count.mark;
        self.stored = self.stored.max(count.mark);
        self.mark = self.mark.max(count.mark);
        let counted_to = if is_ahead { self.mark } else { count.newest };
        let later: Vec<u64> = known.filter(|id| *id > counted_to).collect();
        self.unread = (later.len() as u64).saturating_add(if is_ahead { 0 } else { count.unread });
        self.is_more = count.is_more && !is_ahead;
        self.counted_to = later.into_iter().fold(counted_to, u64::max);
    }

    /// A message came, live or in a replay.
    pub(super) fn arrived(&mut self, id: u64, is_own: bool) {
        if id > self.counted_to {
            self.counted_to = id;
            self.unread = self.unread.saturating_add(u64::from(id > self.mark && !is_own));
        }
    }

    /// Everything up to this message was on the screen. The mark does not move over one's own messages alone.
    pub(super) fn read(&mut self, newest: u64) {
        if self.unread > 0 {
            self.mark = self.mark.max(newest);
        }
        (self.unread, self.is_more) = (0, false);
    }

    /// The mark moved on another device. Returns false if only the server can tell how many are left.
    pub(super) fn moved(&mut self, mark: u64, newest: u64) -> bool {
        if mark <= self.mark {
            return true;
        }
        (self.mark, self.stored) = (mark, self.stored.max(mark));
        let is_all = mark >= newest;
        if is_all {
            (self.unread, self.is_more) = (0, false);
        }
        is_all
    }

    /// The mark that the server is to be sent now. Nothing is read of a conversation in which there is nothing.
    pub(super) fn due(&mut self, now: Instant) -> Option<u64> {
        let is_early = self.sent.is_some_and(|sent| now.duration_since(sent) < PACE);
        if !self.is_ahead() || self.is_on_its_way || is_early {
            return None;
        }
        (self.sent, self.is_on_its_way) = (Some(now), true);
        Some(self.mark)
    }

    /// Whether the server does not have the mark yet.
    pub(super) fn is_ahead(&self) -> bool {
        self.mark > self.stored
    }

    /// The server answered. A mark that it refused is not sent again, but the next one is.
    pub(super) fn answered(&mut self, mark: u64) {
        self.is_on_its_way = false;
        self.stored = self.stored.max(mark);
    }

    /// The server was restored from a backup: what came after this message is gone.
    pub(super) fn reset(&mut self, after: u64) {
        for id in [&mut self.mark, &mut self.counted_to, &mut self.stored] {
            *id = (*id).min(after);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(mark: u64, unread: u64, newest: u64) -> Count {
        Count { mark, unread, is_more: false, newest }
    }

    #[test]
    fn what_comes_is_added_to_what_the_server_counted_once() {
        let mut read = ReadMark::default();
        read.arrived(12, false);
        read.count(&counted(5, 3, 10), [8, 12].into_iter());
        assert_eq!(read.unread(), 4, "12 came before the answer and is not in it");
        read.arrived(12, false);
        read.arrived(13, true);
        read.arrived(14, false);
        assert_eq!(read.unread(), 5);
    }

    #[test]
    fn a_mark_is_sent_when_it_moved_and_not_too_often() {
        let (mut read, start) = (ReadMark::default(), Instant::now());
        read.count(&counted(5, 3, 10), [].into_iter());
        assert_eq!(read.due(start), None);
        read.read(10);
        assert_eq!((read.due(start), read.due(start + PACE)), (Some(10), None), "it is on its way");
        read.arrived(11, false);
        read.read(11);
        read.answered(10);
        assert_eq!((read.due(start + PACE / 2), read.due(start + PACE)), (None, Some(11)));
        read.answered(11);
        assert!(!read.is_ahead());
    }

    #[test]
    fn what_was_read_while_the_server_was_away_stays_read() {
        let mut read = ReadMark::default();
        read.arrived(10, false);
        read.read(10);
        read.count(&counted(5, 3, 10), [12].into_iter());
        assert_eq!((read.unread(), read.is_ahead()), (1, true));
    }

    #[test]
    fn what_another_device_read_is_read() {
        let mut read = ReadMark::default();
        read.count(&counted(5, 3, 10), [].into_iter());
        assert!(!read.moved(8, 10), "how many of the three is not known here");
        assert!(read.moved(10, 10) && read.unread() == 0 && !read.is_ahead());
        assert!(read.moved(7, 10), "a mark never goes back");
        assert_eq!(read.mark(), 10);
    }

    #[test]
    fn after_a_restore_ids_are_counted_anew() {
        let mut read = ReadMark::default();
        read.arrived(10, false);
        read.read(10);
        read.reset(6);
        read.arrived(7, false);
        assert_eq!(read.unread(), 1);
    }
}
