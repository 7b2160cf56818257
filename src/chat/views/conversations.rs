//! The list of a user's conversations, each with its newest message and what is unread in it.
//!
//! Nothing of this is counted as messages are sent: an account that never asks costs nothing. The counts come from the
//! entries of the timelines, newest first, and each is bounded. A message is unread if the inbox still shows it and the
//! mark of its conversation is behind it.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::ControlFlow;

use crate::chat::model::body::MessageBody;
use crate::chat::model::conversation::ConversationId;
use crate::chat::model::message::StoredMessage;
use crate::chat::model::timeline::{Entry, Timeline};
use crate::chat::model::user::User;
use crate::chat::state::State;
use crate::chat::views::history::Conversation;
use crate::chat::views::inbox::{Filter, SeqRange, TimelineQuery};
use crate::id::{GroupId, RealmId, Seq, UserId};
use crate::limits::{CONVERSATION_ENTRIES, SHARED_ENTRIES, UNREAD_COUNTED};
use crate::name::Name;
use crate::time::Time;

/// The store queries of a list of conversations.
#[derive(Clone, Debug)]
pub struct ConversationQuery {
    reader: UserId,
    /// The user's own timeline, each group's, the broadcasts.
    pub timelines: Vec<TimelineQuery>,
    /// The groups that the user is in, listed with or without messages, each with the newest entry of joining.
    groups: Vec<(GroupId, Seq)>,
    read: ReadPositions,
    limit: usize,
}

/// How far a user has read.
#[derive(Clone, Debug)]
struct ReadPositions {
    cursor: Seq,
    ranges: Vec<(Seq, Seq)>,
    marks: HashMap<ConversationId, Seq>,
}

/// A conversation of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationStatus {
    pub conversation: ConversationId,
    /// Read up to here: the mark, or the inbox cursor if that is newer.
    pub read_upto: Seq,
    /// The newest message.
    pub newest: Option<Seq>,
    pub unread: usize,
    /// There are more unread messages than were counted.
    pub unread_more: bool,
    /// The sort key: the newest message, or else the joining of the group.
    place: Seq,
}

/// A list of conversations, those with the newest messages first.
#[derive(Clone, Debug, Default)]
pub struct ConversationPage {
    /// Each with its newest message.
    pub conversations: Vec<(ConversationStatus, Option<StoredMessage>)>,
    /// There may be further ones.
    pub more: bool,
}

impl State {
    /// The query for a user's conversations, at most `limit` of them.
    #[must_use]
    pub fn conversations(&self, id: UserId, limit: usize) -> Option<ConversationQuery> {
        let user = self.user(id)?;
        let groups = self.groups_of(user).map(|(group, _)| (group, joined(user, group))).collect::<Vec<_>>();
        let is_listed = |timeline| match timeline {
            Timeline::Group(group) => groups.iter().any(|(listed, _)| *listed == group),
            Timeline::User(_) | Timeline::Broadcast | Timeline::Outbox(_) => true,
        };
        let mut timelines: Vec<TimelineQuery> = Vec::new();
        for span in self.timelines_of(id, user, Seq(0)).filter(|span| is_listed(span.timeline)) {
            match timelines.last_mut().filter(|query| query.spans.iter().all(|it| it.timeline == span.timeline)) {
                Some(query) => query.spans.push(span),
                None => timelines.push(query(id, user, span)),
            }
        }
        let marks = self.read_marks(id).iter().map(|mark| (mark.conversation, mark.upto)).collect();
        let read = ReadPositions { cursor: user.cursor, ranges: user.read_ranges.clone(), marks };
        Some(ConversationQuery { reader: id, timelines, groups, read, limit })
    }

    /// When the user's mark in a conversation moved last.
    #[must_use]
    pub fn mark_moved(&self, id: UserId, conversation: &Conversation) -> Option<Time> {
        let conversation = self.conversation(self.user(id)?, conversation).ok()?;
        Some(self.read_mark(id, &conversation)?.time)
    }

    /// The conversation as clients name it, and the name to show for it.
    #[must_use]
    pub fn conversation_names(&self, conversation: &ConversationId) -> Option<(Box<str>, Box<str>)> {
        let at_realm = |name: String, realm: RealmId| Some(format!("{name}@{}", self.realm(realm)?.name));
        Some(match conversation {
            ConversationId::User(user) => {
                let user = self.user(*user)?;
                (user.name.as_str().into(), user.shown_name().into())
            }
            ConversationId::Group(group) => {
                let name = &self.group(*group)?.name;
                (format!("group:{name}").into(), name.as_str().into())
            }
            ConversationId::RemoteUser(realm, name) => {
                let address = at_realm(name.to_string(), *realm)?;
                (address.as_str().into(), address.as_str().into())
            }
            ConversationId::RemoteGroup(realm, name) => {
                let address = at_realm(name.to_string(), *realm)?;
                (format!("group:{address}").into(), address.as_str().into())
            }
            ConversationId::Broadcast => ("*".into(), "*".into()),
            ConversationId::Server => {
                let address = at_realm(Name::SERVER.to_owned(), RealmId::HOME)?;
                (address.as_str().into(), address.as_str().into())
            }
        })
    }
}

fn joined(user: &User, group: GroupId) -> Seq {
    let of_group = user.memberships.iter().filter(|membership| membership.group == group);
    of_group.map(|membership| membership.joined).max().unwrap_or(Seq(0))
}

/// Everything received and sent in one timeline.
fn query(reader: UserId, user: &User, span: SeqRange) -> TimelineQuery {
    let filter = Filter::Said { peer: None, realm: None };
    TimelineQuery { reader, spans: vec![span], filter, hidden: user.blocks.clone(), only: None }
}

impl ReadPositions {
    fn read_upto(&self, conversation: &ConversationId) -> Seq {
        self.marks.get(conversation).map_or(self.cursor, |mark| self.cursor.max(*mark))
    }

    fn was_pushed(&self, seq: Seq) -> bool {
        self.ranges.iter().any(|(after, upto)| *after < seq && seq <= *upto)
    }
}

/// Counts the entries of a [`ConversationQuery`], which a store reads for it, timeline by timeline, newest first.
pub struct ConversationTally<'a> {
    query: &'a ConversationQuery,
    found: Vec<ConversationStatus>,
    places: HashMap<ConversationId, usize>,
    /// Entries of the current timeline that were visited.
    visited: usize,
    /// Of the user's own timeline, once there are more conversations than are listed: no count needs an entry up to this.
    deepest: Option<Seq>,
    more: bool,
}

impl<'a> ConversationTally<'a> {
    #[must_use]
    pub fn new(query: &'a ConversationQuery) -> Self {
        let (found, places) = (Vec::new(), HashMap::new());
        let mut tally = Self { query, found, places, visited: 0, deepest: None, more: false };
        for (group, joined) in &query.groups {
            tally.insert(ConversationId::Group(*group), None, *joined);
        }
        tally
    }

    /// Begins the next timeline.
    pub fn begin(&mut self) {
        self.visited = 0;
    }

    /// Visits an entry that the timeline's query shows, with its body if [`ConversationId::is_in_body`]. Returns whether
    /// the timeline is to be read on.
    pub fn visit(&mut self, timeline: Timeline, entry: &Entry, body: Option<&MessageBody>) -> ControlFlow<()> {
        self.visited += 1;
        let most = if matches!(timeline, Timeline::User(_)) { CONVERSATION_ENTRIES } else { SHARED_ENTRIES };
        if self.visited > most {
            self.stop_at(timeline, entry.seq);
            return ControlFlow::Break(());
        }
        let Some(conversation) = ConversationId::of(timeline, entry, body) else { return ControlFlow::Continue(()) };
        let Some(place) = self.place_of(conversation, entry.seq) else { return self.flow(entry.seq) };
        let is_read = self.query.read.was_pushed(entry.seq) || self.is_own(timeline, entry);
        let Some(status) = self.found.get_mut(place) else { return ControlFlow::Break(()) };
        if status.newest.is_none() {
            (status.newest, status.place) = (Some(entry.seq), entry.seq);
        }
        if entry.seq > status.read_upto && !is_read {
            status.unread_more = status.unread >= UNREAD_COUNTED;
            status.unread = (status.unread + 1).min(UNREAD_COUNTED);
        }
        let is_shared = !matches!(timeline, Timeline::User(_));
        if is_shared && (entry.seq <= status.read_upto || status.unread_more) {
            return ControlFlow::Break(());
        }
        self.flow(entry.seq)
    }

    fn is_own(&self, timeline: Timeline, entry: &Entry) -> bool {
        match timeline {
            Timeline::User(_) => entry.sent,
            Timeline::Group(_) | Timeline::Broadcast | Timeline::Outbox(_) => entry.peer == self.query.reader,
        }
    }

    fn flow(&self, seq: Seq) -> ControlFlow<()> {
        let is_done = self.deepest.is_some_and(|deepest| seq <= deepest);
        if is_done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// The place of a conversation among those found; `None` if there are as many as are listed without it.
    fn place_of(&mut self, conversation: ConversationId, seq: Seq) -> Option<usize> {
        if let Some(place) = self.places.get(&conversation) {
            return Some(*place);
        }
        let is_full = self.found.len() >= self.query.groups.len() + self.query.limit;
        if is_full && !matches!(conversation, ConversationId::Broadcast) {
            self.more = true;
            let positions = self.found.iter().map(|status| status.read_upto);
            self.deepest = self.deepest.or(positions.min());
            return None;
        }
        Some(self.insert(conversation, Some(seq), seq))
    }

    fn insert(&mut self, conversation: ConversationId, newest: Option<Seq>, place: Seq) -> usize {
        let read_upto = self.query.read.read_upto(&conversation);
        self.places.insert(conversation, self.found.len());
        self.found.push(ConversationStatus { conversation, read_upto, newest, unread: 0, unread_more: false, place });
        self.found.len() - 1
    }

    /// The timeline has an entry more than may be visited, and perhaps older ones.
    fn stop_at(&mut self, timeline: Timeline, seq: Seq) {
        let is_own = matches!(timeline, Timeline::User(_));
        self.more |= is_own;
        for status in &mut self.found {
            let is_here = match status.conversation {
                ConversationId::Group(group) => timeline == Timeline::Group(group),
                ConversationId::Broadcast => timeline == Timeline::Broadcast,
                _ => is_own,
            };
            status.unread_more |= is_here && status.read_upto < seq;
        }
    }

    /// The list, and whether there may be further conversations.
    #[must_use]
    pub fn finish(mut self) -> (Vec<ConversationStatus>, bool) {
        self.found.sort_by_key(|status| Reverse(status.place));
        let more = self.more || self.found.len() > self.query.limit;
        self.found.truncate(self.query.limit);
        (self.found, more)
    }
}
