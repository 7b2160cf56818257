//! One conversation: its messages, and what of them is on the screen.

use kabar::client::{Message, Target};

use crate::cli::chat::read_mark::ReadMark;

/// Messages kept of a conversation; older ones are read again from the server.
const KEPT: usize = 2_000;

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// `None` for what the server has not confirmed, and for notices.
    pub(super) id: Option<u64>,
    /// The server's time.
    pub(super) time: String,
    /// Empty for a notice.
    pub(super) from: String,
    pub(super) text: String,
    pub(super) state: EntryState,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EntryState {
    Stored,
    /// On its way, under a number of this client.
    Pending(u64),
    /// Refused; it can be sent again under its number.
    Failed(u64, String),
    Notice,
}

/// How far the history before the first entry is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Older {
    Unknown,
    Before(u64),
    Nothing,
}

#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) target: Target,
    pub(super) entries: Vec<Entry>,
    pub(super) older: Older,
    /// A page of history is on its way.
    pub(super) is_loading: bool,
    pub(super) members: Vec<String>,
    /// The full name of a user.
    pub(super) name: String,
    pub(super) read: ReadMark,
    /// The newest message that was read when the conversation was opened, if there were unread ones.
    pub(super) ruler: Option<u64>,
    /// Lines between the last one and the bottom of the screen.
    pub(super) scroll: usize,
    /// Entries added at the end since the log was drawn: a scrolled log stays where it is.
    pub(super) added: usize,
    /// Whether the first entry was on the screen.
    pub(super) is_at_top: bool,
}

impl Conversation {
    pub(super) fn new(target: Target) -> Self {
        Self {
            target,
            entries: Vec::new(),
            older: Older::Unknown,
            is_loading: false,
            members: Vec::new(),
            name: String::new(),
            read: ReadMark::default(),
            ruler: None,
            scroll: 0,
            added: 0,
            is_at_top: false,
        }
    }

    /// The newest message, by which conversations are sorted.
    pub(super) fn newest(&self) -> u64 {
        self.entries.iter().rev().find_map(|entry| entry.id).unwrap_or(0)
    }

    /// Adds a message in its place. Returns false if it was there.
    pub(super) fn add(&mut self, message: &Message) -> bool {
        let Err(place) = self.place_of(message.id) else { return false };
        let entry = Entry {
            id: Some(message.id),
            time: message.time.clone(),
            from: message.from.clone(),
            text: message.msg.clone(),
            state: EntryState::Stored,
        };
        self.added += usize::from(place == self.entries.len());
        self.entries.insert(place, entry);
        self.drop_oldest();
        true
    }

    fn drop_oldest(&mut self) {
        if self.entries.len() > KEPT && self.scroll == 0 {
            let gone = self.entries.remove(0);
            self.older = gone.id.map_or(self.older, |id| Older::Before(id.saturating_add(1)));
        }
    }

    /// The messages that may be unread: what a user says to himself is not his own.
    pub(super) fn ids_of_others<'a>(&'a self, me: &'a str) -> impl Iterator<Item = u64> + 'a {
        let is_own = |from: &str| from.eq_ignore_ascii_case(me) && !self.target.to_string().eq_ignore_ascii_case(me);
        self.entries.iter().filter(move |entry| !is_own(&entry.from)).filter_map(|entry| entry.id)
    }

    /// The entry above which the line of what is new is drawn.
    pub(super) fn first_new(&self, me: &str) -> Option<usize> {
        let ruler = self.ruler?;
        let first = self.ids_of_others(me).find(|id| *id > ruler)?;
        self.entries.iter().position(|entry| entry.id == Some(first))
    }

    /// The server was restored from a backup: what came after this message is gone.
    pub(super) fn reset(&mut self, after: u64) {
        self.entries.retain(|entry| entry.id.is_none_or(|id| id <= after));
        self.read.reset(after);
    }

    /// The entry of a message, or the place where it belongs: after everything older.
    fn place_of(&self, id: u64) -> Result<usize, usize> {
        for (place, entry) in self.entries.iter().enumerate().rev() {
            match entry.id {
                Some(found) if found == id => return Ok(place),
                Some(found) if found < id => return Err(self.end_of_stored(place + 1)),
                _ => {}
            }
        }
        let is_message = |entry: &Entry| entry.state != EntryState::Notice;
        Err(self.entries.iter().position(is_message).unwrap_or(self.entries.len()))
    }

    /// Notices after a message were there before the next one came; what is pending stays last.
    fn end_of_stored(&self, from: usize) -> usize {
        let after = self.entries.iter().skip(from).take_while(|entry| entry.state == EntryState::Notice).count();
        from + after
    }

    pub(super) fn add_pending(&mut self, number: u64, me: &str, text: &str) {
        self.push(EntryState::Pending(number), me, text);
    }

    pub(super) fn add_notice(&mut self, text: &str) {
        self.push(EntryState::Notice, "", text);
    }

    fn push(&mut self, state: EntryState, from: &str, text: &str) {
        self.added += 1;
        self.entries.push(Entry { id: None, time: String::new(), from: from.to_owned(), text: text.to_owned(), state });
        self.drop_oldest();
    }

    /// Takes out a message that was pending, and returns its text.
    pub(super) fn take_pending(&mut self, number: u64) -> Option<String> {
        let place = self.entries.iter().position(|entry| entry.state == EntryState::Pending(number))?;
        Some(self.entries.remove(place).text)
    }

    pub(super) fn fail_pending(&mut self, number: u64, reason: &str) {
        let pending = self.entries.iter_mut().find(|entry| entry.state == EntryState::Pending(number));
        if let Some(entry) = pending {
            entry.state = EntryState::Failed(number, reason.to_owned());
        }
    }

    /// Queues refused messages again, behind everything else. Returns the numbers.
    pub(super) fn send_failed_again(&mut self) -> Vec<u64> {
        let is_failed = |entry: &Entry| matches!(entry.state, EntryState::Failed(..));
        let (failed, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.entries).into_iter().partition(is_failed);
        self.entries = others;
        let again = |entry: Entry| match entry.state {
            EntryState::Failed(number, _) => {
                self.add_pending(number, &entry.from, &entry.text);
                Some(number)
            }
            _ => None,
        };
        failed.into_iter().filter_map(again).collect()
    }
}

/// Whether a text contains the name as a word of its own.
pub(super) fn is_named(name: &str, text: &str) -> bool {
    let is_part_of_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let mut words = text.split(|c| !is_part_of_name(c)).map(|word| word.trim_end_matches('.'));
    words.any(|word| word.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: u64) -> Message {
        Message {
            msg_from: String::new(),
            msg_to: String::new(),
            msg: id.to_string(),
            from: "neko".into(),
            to: "messi".into(),
            kind: "direct".into(),
            realm: None,
            id,
            time: String::new(),
        }
    }

    #[test]
    fn messages_stand_in_order_once_however_they_come() {
        let mut conversation = Conversation::new(Target::parse("neko").unwrap());
        conversation.add_pending(1, "messi", "mine");
        for id in [5, 7, 3, 5, 6] {
            conversation.add(&message(id));
        }
        let texts: Vec<_> = conversation.entries.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(texts, ["3", "5", "6", "7", "mine"]);
        assert!(!conversation.add(&message(3)));
        assert_eq!(conversation.take_pending(1).as_deref(), Some("mine"));
        assert_eq!(conversation.newest(), 7);
    }
}
