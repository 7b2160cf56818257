//! A reference model of the list of conversations: counted from the log alone, slow, and without code of the implementation.

use std::collections::{BTreeMap, BTreeSet};

use crate::chat::{Author, ConversationId, Destination, Event, Message, Record, UserRef};
use crate::id::{GroupId, Seq, UserId};

/// The newest message of each conversation that is listed for a user, and how many are unread.
pub(super) fn conversations(log: &[Record], reader: UserId) -> BTreeMap<ConversationId, (Option<Seq>, usize)> {
    let mut reference = Reader { id: reader, ..Reader::default() };
    log.iter().for_each(|record| reference.apply(record));
    reference.list()
}

#[derive(Default)]
struct Reader {
    id: UserId,
    registered: bool,
    cursor: Seq,
    pushed: Vec<(Seq, Seq)>,
    marks: BTreeMap<ConversationId, Seq>,
    groups: BTreeSet<GroupId>,
    blocks: BTreeSet<UserRef>,
    messages: Vec<(Seq, Message)>,
}

impl Reader {
    fn apply(&mut self, Record { seq, event, .. }: &Record) {
        let id = self.id;
        match event {
            Event::UserRegistered { user, .. } if *user == id => (self.registered, self.cursor) = (true, *seq),
            Event::InboxRead { user, upto } if *user == id => self.cursor = *upto,
            Event::PushedRead { user, after, upto } if *user == id => self.pushed.push((*after, *upto)),
            Event::ReadMarked { user, conversation, upto } if *user == id => {
                assert!(self.marks.insert(*conversation, *upto) < Some(*upto), "a mark goes forward");
            }
            Event::UserUnregistered { user } if *user == id => self.marks.clear(),
            Event::GroupJoined { group, user } if *user == id => {
                self.groups.insert(*group);
            }
            Event::GroupLeft { group, user, .. } if *user == id => {
                self.groups.remove(group);
            }
            Event::GroupDeleted { group } => {
                self.groups.remove(group);
            }
            Event::UserBlocked { user, blocked } if *user == id => self.blocks.extend(blocked.user_ref()),
            Event::UserUnblocked { user, blocked } if *user == id => {
                self.blocks.retain(|other| Some(other) != blocked.user_ref().as_ref());
            }
            Event::MessageSent(message) if self.gets(message) => self.messages.push((*seq, message.clone())),
            _ => {}
        }
    }

    fn gets(&self, Message { from, to, .. }: &Message) -> bool {
        let is_own = *from == Author::Local(self.id);
        match to {
            Destination::User(receiver) => *receiver == self.id || is_own,
            Destination::RemoteUser(_) | Destination::RemoteGroup(_) => is_own,
            Destination::Group(group) => self.groups.contains(group),
            Destination::Everyone => self.registered,
        }
    }

    fn list(&self) -> BTreeMap<ConversationId, (Option<Seq>, usize)> {
        let mut list: BTreeMap<_, _> =
            self.groups.iter().map(|group| (ConversationId::Group(*group), (None, 0))).collect();
        for (seq, message) in &self.messages {
            let conversation = self.conversation(message);
            let is_direct = matches!(message.to, Destination::User(_)) || message.to.remote_realm().is_some();
            let is_blocked = message.from.user_ref().is_some_and(|author| self.blocks.contains(&author));
            let is_left = matches!(conversation, ConversationId::Group(group) if !self.groups.contains(&group));
            if is_left || (is_blocked && !is_direct) {
                continue;
            }
            let (newest, unread) = list.entry(conversation).or_default();
            *newest = Some(*seq);
            *unread += usize::from(self.is_unread(*seq, message, &conversation));
        }
        list
    }

    fn is_unread(&self, seq: Seq, message: &Message, conversation: &ConversationId) -> bool {
        let is_received = message.from != Author::Local(self.id) || message.to == Destination::User(self.id);
        let was_pushed = self.pushed.iter().any(|(after, upto)| *after < seq && seq <= *upto);
        let is_marked = self.marks.get(conversation).is_some_and(|mark| seq <= *mark);
        is_received && seq > self.cursor && !was_pushed && !is_marked
    }

    fn conversation(&self, Message { from, to, .. }: &Message) -> ConversationId {
        match (to, from) {
            (Destination::Group(group), _) => ConversationId::Group(*group),
            (Destination::Everyone, _) => ConversationId::Broadcast,
            (Destination::RemoteUser(to), _) => ConversationId::RemoteUser(to.realm, to.name.folded()),
            (Destination::RemoteGroup(to), _) => ConversationId::RemoteGroup(to.realm, to.name.folded()),
            (Destination::User(to), Author::Local(from)) if *from == self.id => ConversationId::User(*to),
            (Destination::User(_), Author::Local(from)) => ConversationId::User(*from),
            (Destination::User(_), Author::Remote(from)) => ConversationId::RemoteUser(from.realm, from.name.folded()),
            (Destination::User(_), Author::Server) => ConversationId::Server,
        }
    }
}
