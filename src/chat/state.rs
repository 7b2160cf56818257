//! The fold of all events: everything but message bodies.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::chat::accounts::User;
use crate::chat::command::NewSession;
use crate::chat::event::{Event, Record};
use crate::chat::groups::Group;
use crate::chat::idempotency;
use crate::chat::inbox;
use crate::chat::message::{Author, Destination, Message, UserRef};
use crate::chat::name_index::NameIndex;
use crate::chat::realms::{Realm, RealmKind};
use crate::chat::response::Receipt;
use crate::chat::sessions::Session;
use crate::chat::timeline::Timeline;
use crate::id::{GroupId, Incarnation, PeerKey, RealmId, Seq, SessionId, TokenHash, UserId};
use crate::name::{FoldedName, Name};
use crate::time::Time;

/// Users, sessions, groups, realms and cursors, with each timeline's newest entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub(super) head: Seq,
    pub(super) time: Time,
    pub(super) users: Vec<User>,
    pub(super) sessions: HashMap<SessionId, Session>,
    pub(super) groups: Vec<Group>,
    pub(super) realms: Vec<Realm>,
    pub(super) last_broadcast: Seq,
    pub(super) user_names: NameIndex,
    pub(super) group_names: HashMap<FoldedName, GroupId>,
    pub(super) realm_names: HashMap<FoldedName, RealmId>,
    /// What other servers call this one, where it is none of its own names.
    pub(super) alias_names: HashMap<FoldedName, RealmId>,
    /// The other servers by what they are.
    pub(super) keys: HashMap<PeerKey, RealmId>,
    /// The incarnations of this server, each with the log entry that began it.
    pub(super) incarnations: Vec<(Seq, Incarnation)>,
    pub(super) tokens: HashMap<TokenHash, SessionId>,
    /// Who does not want to hear from somebody, ascending; nobody's entry is empty. Shared with the pushes in flight.
    pub(super) blockers: HashMap<UserRef, Arc<Vec<UserId>>>,
}

/// What a store kept of a [`State`], to build it again without the log.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The newest log entry.
    pub head: Seq,
    /// Its time.
    pub time: Time,
    /// In the order of their numbers.
    pub users: Vec<User>,
    /// The open ones.
    pub sessions: Vec<(SessionId, Session)>,
    /// In the order of their numbers.
    pub groups: Vec<Group>,
    /// In the order of their numbers, the home realm left out.
    pub realms: Vec<Realm>,
    /// The incarnations, oldest first, each with the log entry that began it.
    pub incarnations: Vec<(Seq, Incarnation)>,
    /// The newest broadcast.
    pub last_broadcast: Seq,
}

/// Who is to hear a message at once, as of the moment it was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The one it is to, and the one it is from.
    Pair(UserId, UserId),
    /// The members of a group.
    Members(Arc<Vec<UserId>>),
    /// Every user.
    Everyone,
}

impl State {
    /// The state of a server on which nothing happened yet.
    #[must_use]
    pub fn new(home: Name) -> Self {
        let nothing = Snapshot {
            head: Seq(0),
            time: Time(0),
            users: Vec::new(),
            sessions: Vec::new(),
            groups: Vec::new(),
            realms: Vec::new(),
            incarnations: Vec::new(),
            last_broadcast: Seq(0),
        };
        Self::restore(home, nothing)
    }

    /// The state that a store kept. `home` is the configured name of the home realm.
    #[must_use]
    pub fn restore(home: Name, kept: Snapshot) -> Self {
        let mut state = Self {
            head: kept.head,
            time: kept.time,
            incarnations: kept.incarnations,
            realms: Vec::with_capacity(1 + kept.realms.len()),
            realm_names: HashMap::new(),
            alias_names: HashMap::new(),
            keys: HashMap::new(),
            last_broadcast: kept.last_broadcast,
            user_names: NameIndex::of(&kept.users),
            group_names: names_of_groups(&kept.groups),
            tokens: kept.sessions.iter().map(|(id, session)| (session.token, *id)).collect(),
            sessions: kept.sessions.into_iter().collect(),
            blockers: blockers(&kept.users),
            users: kept.users,
            groups: kept.groups,
        };
        state.enter_realms(home, kept.realms);
        state
    }

    /// The home realm's name may have been another realm's before: the home realm has it now.
    fn enter_realms(&mut self, home: Name, others: Vec<Realm>) {
        let home = Realm { name: home, by: None, kind: RealmKind::Own };
        let home_key = home.name.folded();
        for (realm, id) in std::iter::once(home).chain(others).zip(0..) {
            self.keys.extend(realm.peer().and_then(|peer| peer.info.key).map(|key| (key, RealmId(id))));
            self.put_realm(RealmId(id), realm);
        }
        self.realm_names.insert(home_key, RealmId::HOME);
    }

    /// What a store would have kept of it.
    #[cfg(test)]
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            head: self.head,
            time: self.time,
            users: self.users.clone(),
            sessions: self.sessions.iter().map(|(id, session)| (*id, session.clone())).collect(),
            groups: self.groups.clone(),
            realms: self.realms.iter().skip(1).cloned().collect(),
            incarnations: self.incarnations.clone(),
            last_broadcast: self.last_broadcast,
        }
    }

    /// The newest log entry.
    #[must_use]
    pub fn head(&self) -> Seq {
        self.head
    }

    /// Its time: the earliest that the next may have.
    #[must_use]
    pub fn time(&self) -> Time {
        self.time
    }

    /// The name of the home realm.
    #[must_use]
    pub fn home(&self) -> Option<&Name> {
        self.realms.first().map(|realm| &realm.name)
    }

    /// How many accounts there are.
    #[must_use]
    pub fn user_count(&self) -> usize {
        self.users.len()
    }

    /// The user of a number.
    #[must_use]
    pub fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(id.0 as usize)
    }

    /// The user of a name; nobody where whoever had it has unregistered.
    #[must_use]
    pub fn user_named(&self, name: &Name) -> Option<(UserId, &User)> {
        self.name_owner(name).filter(|(_, user)| !user.unregistered)
    }

    /// Whose a name is, also where that user has unregistered: it is never another's.
    #[must_use]
    pub fn name_owner(&self, name: &Name) -> Option<(UserId, &User)> {
        let id = self.user_names.find(&self.users, name)?;
        Some((id, self.user(id)?))
    }

    /// The open session of a number.
    #[must_use]
    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(&id)
    }

    /// The open session of a token.
    #[must_use]
    pub fn session_of(&self, token: &TokenHash) -> Option<(SessionId, &Session)> {
        let id = *self.tokens.get(token)?;
        Some((id, self.session(id)?))
    }

    /// All open sessions, in no order.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        self.sessions.iter().map(|(id, session)| (*id, session))
    }

    /// The group of a number, deleted or not.
    #[must_use]
    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(id.0 as usize)
    }

    /// The group of a name.
    #[must_use]
    pub fn group_named(&self, name: &Name) -> Option<(GroupId, &Group)> {
        let id = *self.group_names.get(&name.folded())?;
        Some((id, self.group(id)?))
    }

    /// The realm of a name.
    #[must_use]
    pub fn realm_named(&self, name: &Name) -> Option<(RealmId, &Realm)> {
        let id = *self.realm_names.get(&name.folded())?;
        Some((id, self.realms.get(id.0 as usize)?))
    }

    /// All realms, the home realm first.
    #[must_use]
    pub fn realms(&self) -> &[Realm] {
        &self.realms
    }

    /// Who is to hear a message at once.
    #[must_use]
    pub fn audience(&self, message: &Message) -> Audience {
        match (&message.to, &message.from) {
            (Destination::User(user), Author::Local(author)) => Audience::Pair(*user, *author),
            (Destination::User(user), Author::Remote(_) | Author::Server) => Audience::Pair(*user, *user),
            (Destination::Group(group), _) => {
                Audience::Members(self.group(*group).map(|g| g.members.clone()).unwrap_or_default())
            }
            (Destination::Everyone, _) => Audience::Everyone,
            (Destination::RemoteUser(_) | Destination::RemoteGroup(_), Author::Local(author)) => {
                Audience::Pair(*author, *author)
            }
            (Destination::RemoteUser(_) | Destination::RemoteGroup(_), Author::Remote(_) | Author::Server) => {
                Audience::Members(Arc::default())
            }
        }
    }

    /// Takes in what happened. Records come in the order of the log, each once; a record that fits no state (which
    /// `decide` never makes) changes nothing but the head.
    pub fn apply(&mut self, record: &Record) {
        let Record { seq, time, event } = record;
        self.head = *seq;
        self.time = *time;
        match event {
            Event::UserRegistered { user: _, name, full_name, country, password } => {
                self.register(*seq, name, full_name, country, password);
            }
            Event::SessionOpened { user, token, ephemeral, origin } => {
                let session = NewSession { token: *token, ephemeral: *ephemeral, origin: *origin };
                self.open_session(record, *user, session);
            }
            Event::SessionUsed { session } => self.use_session(*session, *time),
            Event::SessionClosed { session } => self.close_session(*session, *time),
            Event::MessageSent(message) => self.note_message(record, message),
            Event::InboxRead { user, upto } => self.change_user(*user, |user| inbox::apply_read(user, *upto)),
            Event::PushedRead { user, after, upto } => {
                self.change_user(*user, |user| inbox::apply_live(user, *after, *upto));
            }
            Event::RealmInboxRead { user, realm, upto } => {
                self.change_user(*user, |user| inbox::apply_realm_read(user, *realm, *upto));
            }
            Event::GroupCreated { group, name, owner, password } => {
                self.create_group(*group, name, *owner, password.as_ref());
            }
            Event::GroupJoined { group, user } => self.join_group(*seq, *group, *user),
            Event::RequestDone { once, first, page } => {
                let receipt = Receipt { seq: *first, time: *time };
                self.change_user(once.user, |user| idempotency::apply(user, once, receipt, page.as_deref()));
            }
            Event::RealmAdded { realm, name, by } => {
                self.put_realm(*realm, Realm { name: name.clone(), by: *by, kind: RealmKind::Own });
            }
            Event::GroupLeft { group, user, by: _ } => self.leave_group(*seq, *group, *user),
            Event::GroupHandedOver { group, owner } => self.change_group(*group, |group| group.owner = *owner),
            Event::GroupDeleted { group } => self.delete_group(*group),
            Event::GroupPasswordChanged { group, password } => {
                self.change_group(*group, |group| group.password.clone_from(password));
            }
            Event::UserBlocked { user, blocked } => self.block(*user, blocked),
            Event::UserUnblocked { user, blocked } => self.unblock(*user, blocked),
            Event::PasswordChanged { user, password } => {
                self.change_user(*user, |user| user.password.clone_from(password));
            }
            Event::UserUnregistered { user } => self.change_user(*user, |user| user.unregistered = true),
            Event::IncarnationBegun { incarnation } => self.begin_incarnation(*seq, *incarnation),
            Event::PeerAdded { realm, name, by, info } => self.add_peer(*realm, name, *by, info),
            Event::PeerChanged { realm, name, info } => self.set_peer_info(*realm, name, info),
            Event::AliasAdded { realm, name } => {
                self.put_realm(*realm, Realm { name: name.clone(), by: None, kind: RealmKind::Alias });
            }
            Event::RealmRemoved { realm } => self.remove_realm(*realm),
            Event::PeerReceived { realm, incarnation, upto, refused, forgotten } => {
                self.change_peer(*realm, |peer| peer.receive(*incarnation, *upto, refused, *forgotten));
            }
            Event::PeerConfirmed { realm, incarnation, upto } => {
                self.change_peer(*realm, |peer| peer.forget_refused(*incarnation, *upto));
            }
            Event::OutboxAcknowledged { realm, upto, refused } => self.acknowledge_outbox(*realm, *upto, refused),
        }
    }

    pub(super) fn change_user(&mut self, id: UserId, change: impl FnOnce(&mut User)) {
        if let Some(user) = self.users.get_mut(id.0 as usize) {
            change(user);
        }
    }

    fn note_message(&mut self, Record { seq, time, .. }: &Record, message: &Message) {
        let seq = *seq;
        for (timeline, _) in message.placements(seq) {
            match timeline {
                Timeline::User(user) => self.change_user(user, |user| user.last = seq),
                Timeline::Group(group) => self.change_group(group, |group| group.last = seq),
                Timeline::Broadcast => self.last_broadcast = seq,
                Timeline::Outbox(realm) => self.change_peer(realm, |peer| peer.send(seq, *time, message)),
            }
        }
    }
}

/// A deleted group's name is free, and may be a later group's.
fn names_of_groups(groups: &[Group]) -> HashMap<FoldedName, GroupId> {
    let numbered = groups.iter().zip(0..).filter(|(group, _)| !group.deleted);
    numbered.map(|(group, id)| (group.name.folded(), GroupId(id))).collect()
}

/// Who blocks whom, the other way round.
fn blockers(users: &[User]) -> HashMap<UserRef, Arc<Vec<UserId>>> {
    let mut blockers: HashMap<_, Vec<_>> = HashMap::new();
    for (user, id) in users.iter().zip(0..) {
        user.blocks.iter().for_each(|blocked| blockers.entry(blocked.clone()).or_default().push(UserId(id)));
    }
    blockers.into_iter().map(|(blocked, users)| (blocked, Arc::new(users))).collect()
}
