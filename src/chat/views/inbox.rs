//! The inbox: a user's timelines merged by id, from a cursor (PROTOCOL §4).

#[cfg(test)]
mod tests;

use crate::chat::model::body::MessageBody;
use crate::chat::model::conversation::ConversationId;
use crate::chat::model::idempotency::ReadPage;
use crate::chat::model::message::UserRef;
use crate::chat::model::timeline::{Entry, Timeline};
use crate::chat::model::user::User;
use crate::chat::state::State;
use crate::id::{RealmId, Seq, UserId};
use crate::name::Name;

/// Queries of the store for readers: ranges of timelines, merged by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineQuery {
    /// The reading user.
    pub reader: UserId,
    pub spans: Vec<SeqRange>,
    /// Which of their messages.
    pub filter: Filter,
    /// Authors whose group messages and broadcasts are excluded, sorted.
    pub hidden: Vec<UserRef>,
    /// Only one conversation, of those that stand only in the bodies of messages.
    pub only: Option<ConversationId>,
}

/// A range of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeqRange {
    pub timeline: Timeline,
    /// Exclusive start.
    pub after: Seq,
    /// Inclusive end.
    pub upto: Seq,
}

/// Which messages of its ranges a query shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Received by the reader.
    Received,
    /// Received, and crossed realms.
    Crossed,
    /// Received, and came from or went to one of these realms.
    CrossedWith(Vec<RealmId>),
    /// Received or sent by the reader.
    Said {
        /// To and from this user only.
        peer: Option<UserId>,
        /// Crossed this realm only.
        realm: Option<RealmId>,
    },
}

impl Filter {
    /// Messages that crossed the realm, or the realms of servers that call this one by its name; for the home realm any.
    fn of_realm(state: &State, realm: RealmId) -> Self {
        if realm == RealmId::HOME {
            return Self::Crossed;
        }
        let callers = state.peers().filter(|(_, _, peer)| peer.info.our_alias == Some(realm)).map(|(id, ..)| id);
        Self::CrossedWith(callers.chain([realm]).collect())
    }
}

impl TimelineQuery {
    /// The outbox of a realm after `after`.
    #[must_use]
    pub fn outbox(realm: RealmId, after: Seq) -> Self {
        let span = SeqRange { timeline: Timeline::Outbox(realm), after, upto: Seq(u64::MAX) };
        let filter = Filter::Said { peer: None, realm: None };
        Self { reader: UserId::NOBODY, spans: vec![span], filter, hidden: Vec::new(), only: None }
    }

    /// Whether the query shows an entry of one of its timelines, as far as the entry tells: see
    /// [`TimelineQuery::matches_body`].
    #[must_use]
    pub fn matches_entry(&self, timeline: Timeline, entry: &Entry) -> bool {
        let (own, hidden) = match timeline {
            Timeline::User(_) => (entry.sent, false),
            Timeline::Group(_) | Timeline::Broadcast => {
                (entry.peer == self.reader, self.hidden.binary_search(&UserRef::Local(entry.peer)).is_ok())
            }
            Timeline::Outbox(_) => (false, false),
        };
        let wanted = match &self.filter {
            Filter::Received => !own,
            Filter::Crossed => !own && entry.realm.is_some(),
            Filter::CrossedWith(realms) => !own && entry.realm.is_some_and(|realm| realms.contains(&realm)),
            Filter::Said { peer, realm } => {
                peer.is_none_or(|peer| entry.peer == peer) && (realm.is_none() || entry.realm == *realm)
            }
        };
        wanted && !hidden
    }

    /// Whether [`TimelineQuery::matches_body`] needs the body: users of other realms stand only there.
    #[must_use]
    pub fn needs_body(&self, timeline: Timeline, entry: &Entry) -> bool {
        match timeline {
            Timeline::User(_) => self.only.is_some(),
            Timeline::Group(_) => entry.peer == UserId::NOBODY && !self.hidden.is_empty(),
            Timeline::Broadcast | Timeline::Outbox(_) => false,
        }
    }

    /// Whether the query shows a message whose entry matches.
    #[must_use]
    pub fn matches_body(&self, timeline: Timeline, entry: &Entry, body: &MessageBody) -> bool {
        if !self.needs_body(timeline, entry) {
            return true;
        }
        if self.only.is_some() {
            return self.only == ConversationId::of(timeline, entry, Some(body));
        }
        let Some((realm, author)) = entry.realm.zip(body.sender()) else { return true };
        let name = author.split_once('@').map_or(author, |(name, _)| name);
        let is_hidden = |name: Name| self.hidden.binary_search(&UserRef::Remote(realm, name.folded())).is_ok();
        !Name::parse(name).is_ok_and(is_hidden)
    }
}

impl State {
    /// The user's inbox past its cursor. No ranges: nothing new.
    #[must_use]
    pub fn inbox(&self, id: UserId) -> Option<TimelineQuery> {
        let user = self.user(id)?;
        let mut spans = Vec::new();
        for span in self.timelines_of(id, user, user.cursor) {
            subtract_ranges(span, &user.read_ranges, &mut spans);
        }
        Some(TimelineQuery { reader: id, spans, filter: Filter::Received, hidden: user.blocks.clone(), only: None })
    }

    /// The user's cursor, if nothing after it is left to read.
    #[must_use]
    pub fn read_upto(&self, id: UserId) -> Option<Seq> {
        let nothing_new = self.inbox(id)?.spans.is_empty();
        nothing_new.then_some(self.user(id)?.cursor)
    }

    /// The view of a realm past the user's cursor in it.
    #[must_use]
    pub fn realm_inbox(&self, id: UserId, realm: RealmId) -> Option<TimelineQuery> {
        let user = self.user(id)?;
        let spans = self.timelines_of(id, user, user.realm_cursor(realm)).collect();
        let filter = Filter::of_realm(self, realm);
        Some(TimelineQuery { reader: id, spans, filter, hidden: user.blocks.clone(), only: None })
    }

    /// A page of the inbox, or of the view of a realm, that was read before. Users who were blocked since then do not change it.
    #[must_use]
    pub fn read_before(&self, id: UserId, realm: Option<RealmId>, page: &ReadPage) -> Option<TimelineQuery> {
        let user = self.user(id)?;
        let mut spans = Vec::new();
        for span in self.timelines_of(id, user, page.after) {
            subtract_ranges(SeqRange { upto: span.upto.min(page.upto), ..span }, &page.read_ranges, &mut spans);
        }
        let filter = realm.map_or(Filter::Received, |realm| Filter::of_realm(self, realm));
        Some(TimelineQuery { reader: id, spans, filter, hidden: Vec::new(), only: None })
    }

    /// Everything received or sent by the user after `after`, read or not.
    #[must_use]
    pub fn conversation_since(&self, id: UserId, after: Seq) -> Option<TimelineQuery> {
        let user = self.user(id)?;
        let spans = self.timelines_of(id, user, after).collect();
        let filter = Filter::Said { peer: None, realm: None };
        Some(TimelineQuery { reader: id, spans, filter, hidden: user.blocks.clone(), only: None })
    }

    /// Ranges of the user's timelines with entries after `after`.
    pub(super) fn timelines_of(&self, id: UserId, user: &User, after: Seq) -> impl Iterator<Item = SeqRange> {
        let own = (user.last > after).then_some(SeqRange { timeline: Timeline::User(id), after, upto: user.last });
        let since = after.max(user.registered);
        let broadcasts = (self.last_broadcast > since).then_some(SeqRange {
            timeline: Timeline::Broadcast,
            after: since,
            upto: self.last_broadcast,
        });
        let groups = user.memberships.iter().filter_map(move |membership| {
            let last = self.group(membership.group)?.last;
            let upto = membership.left.map_or(last, |left| left.min(last));
            let after = after.max(membership.joined);
            (upto > after).then_some(SeqRange { timeline: Timeline::Group(membership.group), after, upto })
        });
        own.into_iter().chain(broadcasts).chain(groups)
    }
}

/// Pushes the parts of a range that lie in none of the sorted ranges.
fn subtract_ranges(span: SeqRange, intervals: &[(Seq, Seq)], parts: &mut Vec<SeqRange>) {
    let mut after = span.after;
    for &(start, end) in intervals {
        if start > after && after < span.upto {
            parts.push(SeqRange { after, upto: start.min(span.upto), ..span });
        }
        after = after.max(end);
    }
    if after < span.upto {
        parts.push(SeqRange { after, ..span });
    }
}
