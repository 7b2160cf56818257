//! Reading: an inbox is the merge of a user's timelines by id, from a cursor (PROTOCOL §4).

#[cfg(test)]
mod tests;

use crate::chat::accounts::User;
use crate::chat::error::CommandError;
use crate::chat::event::Event;
use crate::chat::idempotency::ReadPage;
use crate::chat::message::{Kind, MessageBody, UserRef};
use crate::chat::state::State;
use crate::chat::timeline::{Entry, Timeline};
use crate::id::{RealmId, Seq, UserId};
use crate::limits::LIVE_INTERVALS;
use crate::name::{FoldedName, Name};

/// What a reader wants of the store: some intervals of some timelines, merged by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineQuery {
    /// Who reads.
    pub reader: UserId,
    /// The intervals.
    pub spans: Vec<SeqRange>,
    /// Which of their messages.
    pub which: Filter,
    /// Whose messages to groups and to everyone are left out, ascending.
    pub hidden: Vec<UserRef>,
    /// Of those that crossed realms, only what was said to or by one name there.
    pub only: Option<Counterpart>,
}

/// A user or a group of another realm, of which only the bodies of messages know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counterpart {
    /// A user, or a group.
    pub kind: Kind,
    /// The name there.
    pub name: FoldedName,
}

/// An interval of a timeline, open at its start and closed at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeqRange {
    /// The timeline.
    pub timeline: Timeline,
    /// After this entry …
    pub after: Seq,
    /// … up to and with this one.
    pub upto: Seq,
}

/// Which messages of the spans a view shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All that the reader received.
    Received,
    /// Those that crossed realms.
    Crossed,
    /// Those that came from or went to one of some realms.
    CrossedWith(Vec<RealmId>),
    /// What the reader received and sent.
    Said {
        /// To and from this user, where one is given.
        peer: Option<UserId>,
        /// Of what crossed this realm, where one is given.
        realm: Option<RealmId>,
    },
}

impl Filter {
    /// What crossed realms with the realm, or with those who call this server so; for the home realm with any.
    fn of_realm(state: &State, realm: RealmId) -> Self {
        if realm == RealmId::HOME {
            return Self::Crossed;
        }
        let callers = state.peers().filter(|(_, _, peer)| peer.info.our_alias == Some(realm)).map(|(id, ..)| id);
        Self::CrossedWith(callers.chain([realm]).collect())
    }
}

impl TimelineQuery {
    /// Everything that waits in the outbox of a realm after `after`.
    #[must_use]
    pub fn outbox(realm: RealmId, after: Seq) -> Self {
        let span = SeqRange { timeline: Timeline::Outbox(realm), after, upto: Seq(u64::MAX) };
        let which = Filter::Said { peer: None, realm: None };
        Self { reader: UserId::NOBODY, spans: vec![span], which, hidden: Vec::new(), only: None }
    }

    /// Whether the view shows an entry of one of its timelines, as far as the entry tells: see [`TimelineQuery::admits`].
    #[must_use]
    pub fn matches_entry(&self, timeline: Timeline, entry: &Entry) -> bool {
        let (own, hidden) = match timeline {
            Timeline::User(_) => (entry.sent, false),
            Timeline::Group(_) | Timeline::Broadcast => {
                (entry.peer == self.reader, self.hidden.binary_search(&UserRef::Local(entry.peer)).is_ok())
            }
            Timeline::Outbox(_) => (false, false),
        };
        let wanted = match &self.which {
            Filter::Received => !own,
            Filter::Crossed => !own && entry.realm.is_some(),
            Filter::CrossedWith(realms) => !own && entry.realm.is_some_and(|realm| realms.contains(&realm)),
            Filter::Said { peer, realm } => {
                peer.is_none_or(|peer| entry.peer == peer) && (realm.is_none() || entry.realm == *realm)
            }
        };
        wanted && !hidden
    }

    /// Whether the view shows a message after all. Who of another realm it is from or to stands in its body alone.
    #[must_use]
    pub fn matches_body(&self, timeline: Timeline, entry: &Entry, body: &MessageBody) -> bool {
        let Some(realm) = entry.realm.filter(|_| entry.peer == UserId::NOBODY) else { return self.only.is_none() };
        let in_group = matches!(timeline, Timeline::Group(_));
        if self.only.is_none() && (!in_group || self.hidden.is_empty()) {
            return true;
        }
        let parts = body.read(|parts| {
            let other = if entry.sent { &parts.to } else { &parts.from };
            let name = other.split_once('@').map_or(&**other, |(name, _)| name);
            (parts.kind, Name::parse(name).ok().map(|name| name.folded()))
        });
        let Ok((kind, Some(name))) = parts else { return self.only.is_none() };
        let is_hidden = in_group && self.hidden.binary_search(&UserRef::Remote(realm, name)).is_ok();
        self.only.is_none_or(|only| only == Counterpart { kind, name }) && !is_hidden
    }
}

impl State {
    /// What the user's inbox holds past its cursor. No spans: nothing new.
    #[must_use]
    pub fn inbox(&self, id: UserId) -> Option<TimelineQuery> {
        let user = self.user(id)?;
        let mut spans = Vec::new();
        for span in self.timelines_of(id, user, user.cursor) {
            subtract_ranges(span, &user.read_ranges, &mut spans);
        }
        Some(TimelineQuery { reader: id, spans, which: Filter::Received, hidden: user.blocks.clone(), only: None })
    }

    /// Where the user's cursor stands, if nothing after it is left to read.
    #[must_use]
    pub fn read_upto(&self, id: UserId) -> Option<Seq> {
        let nothing_new = self.inbox(id)?.spans.is_empty();
        nothing_new.then_some(self.user(id)?.cursor)
    }

    /// What crossed realms with the realm, or at all for the home realm, past the user's cursor in that view.
    #[must_use]
    pub fn realm_inbox(&self, id: UserId, realm: RealmId) -> Option<TimelineQuery> {
        let user = self.user(id)?;
        let spans = self.timelines_of(id, user, user.realm_cursor(realm)).collect();
        let which = Filter::of_realm(self, realm);
        Some(TimelineQuery { reader: id, spans, which, hidden: user.blocks.clone(), only: None })
    }

    /// A page of the inbox, or of the view of a realm, that was read before.
    #[must_use]
    pub fn read_before(&self, id: UserId, realm: Option<RealmId>, page: &ReadPage) -> Option<TimelineQuery> {
        let user = self.user(id)?;
        let mut spans = Vec::new();
        for span in self.timelines_of(id, user, page.after) {
            subtract_ranges(SeqRange { upto: span.upto.min(page.upto), ..span }, &page.read_ranges, &mut spans);
        }
        let which = realm.map_or(Filter::Received, |realm| Filter::of_realm(self, realm));
        Some(TimelineQuery { reader: id, spans, which, hidden: user.blocks.clone(), only: None })
    }

    /// Everything that was said to or by the user after `after`, read or not.
    #[must_use]
    pub fn conversation_since(&self, id: UserId, after: Seq) -> Option<TimelineQuery> {
        let user = self.user(id)?;
        let spans = self.timelines_of(id, user, after).collect();
        let which = Filter::Said { peer: None, realm: None };
        Some(TimelineQuery { reader: id, spans, which, hidden: user.blocks.clone(), only: None })
    }

    /// The user's timelines with something after `after`.
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

impl User {
    /// How far the view of a realm is read.
    #[must_use]
    pub fn realm_cursor(&self, realm: RealmId) -> Seq {
        self.realm_cursors.iter().find(|(id, _)| *id == realm).map_or(Seq(0), |(_, cursor)| *cursor)
    }
}

/// Pushes the parts of a span that lie in none of the (ascending) intervals.
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

pub(super) fn decide_read(state: &State, id: UserId, from: Seq, upto: Seq) -> Result<Vec<Event>, CommandError> {
    let user = state.active_user(id)?;
    if user.cursor != from {
        return Err(CommandError::CursorMoved);
    }
    let upto = merge_read_ranges(user, upto.min(state.head));
    if upto <= user.cursor {
        return Ok(Vec::new());
    }
    Ok(vec![Event::InboxRead { user: id, upto }])
}

pub(super) fn decide_acknowledge(state: &State, id: UserId, upto: Seq) -> Result<Vec<Event>, CommandError> {
    let user = state.active_user(id)?;
    decide_read(state, id, user.cursor, upto)
}

pub(super) fn decide_read_pushed(state: &State, id: UserId, after: Seq, upto: Seq) -> Result<Vec<Event>, CommandError> {
    let user = state.active_user(id)?;
    let upto = upto.min(state.head);
    if upto <= after.max(user.cursor) {
        return Ok(Vec::new());
    }
    if after <= user.cursor {
        return Ok(vec![Event::InboxRead { user: id, upto: merge_read_ranges(user, upto) }]);
    }
    let touching = user.read_ranges.iter().filter(|(start, end)| *start <= upto && *end >= after);
    let (after, upto) = touching.fold((after, upto), |(a, u), (start, end)| (a.min(*start), u.max(*end)));
    Ok(vec![Event::PushedRead { user: id, after, upto }])
}

pub(super) fn decide_read_realm(
    state: &State,
    id: UserId,
    realm: RealmId,
    from: Seq,
    upto: Seq,
) -> Result<Vec<Event>, CommandError> {
    let user = state.active_user(id)?;
    if user.realm_cursor(realm) != from {
        return Err(CommandError::CursorMoved);
    }
    let upto = upto.min(state.head);
    if upto <= from {
        return Ok(Vec::new());
    }
    Ok(vec![Event::RealmInboxRead { user: id, realm, upto }])
}

/// A cursor that has come to an interval read live goes on to its end.
fn merge_read_ranges(user: &User, upto: Seq) -> Seq {
    user.read_ranges.iter().fold(upto, |upto, (after, end)| if *after <= upto { upto.max(*end) } else { upto })
}

pub(super) fn apply_read(user: &mut User, upto: Seq) {
    user.cursor = upto;
    user.read_ranges.retain(|(_, end)| *end > upto);
}

pub(super) fn apply_live(user: &mut User, after: Seq, upto: Seq) {
    user.read_ranges.retain(|(start, end)| *end < after || *start > upto);
    let place = user.read_ranges.partition_point(|(start, _)| *start < after);
    user.read_ranges.insert(place, (after, upto));
    if user.read_ranges.len() > LIVE_INTERVALS {
        user.read_ranges.remove(0);
    }
}

pub(super) fn apply_realm_read(user: &mut User, realm: RealmId, upto: Seq) {
    match user.realm_cursors.iter_mut().find(|(id, _)| *id == realm) {
        Some((_, cursor)) => *cursor = upto,
        None => user.realm_cursors.push((realm, upto)),
    }
}
