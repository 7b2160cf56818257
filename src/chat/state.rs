//! The fold of all events: everything but message bodies.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::chat::accounts::{Session, User};
use crate::chat::event::{Event, Record};
use crate::chat::groups::{Group, Membership};
use crate::chat::inbox;
use crate::chat::message::{Author, Destination, Message};
use crate::chat::once::{self, Remembered};
use crate::chat::outcome::Receipt;
use crate::chat::realms::Realm;
use crate::chat::timeline::Timeline;
use crate::id::{GroupId, RealmId, Seq, SessionId, TokenHash, UserId};
use crate::name::{Name, NameKey};
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
    user_names: HashMap<NameKey, UserId>,
    group_names: HashMap<NameKey, GroupId>,
    realm_names: HashMap<NameKey, RealmId>,
    tokens: HashMap<TokenHash, SessionId>,
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
            last_broadcast: Seq(0),
        };
        Self::restore(home, nothing)
    }

    /// The state that a store kept. `home` is the configured name of the home realm.
    #[must_use]
    pub fn restore(home: Name, kept: Snapshot) -> Self {
        let realms: Vec<Realm> = std::iter::once(Realm { name: home }).chain(kept.realms).collect();
        // The home realm's name may have been another server name before: the home realm is entered once more, last.
        let mut realm_names: HashMap<_, _> =
            realms.iter().zip(0..).map(|(realm, id)| (realm.name.key(), RealmId(id))).collect();
        realm_names.extend(realms.first().map(|home| (home.name.key(), RealmId::HOME)));
        Self {
            head: kept.head,
            time: kept.time,
            last_broadcast: kept.last_broadcast,
            user_names: kept.users.iter().zip(0..).map(|(user, id)| (user.name.key(), UserId(id))).collect(),
            group_names: kept.groups.iter().zip(0..).map(|(group, id)| (group.name.key(), GroupId(id))).collect(),
            realm_names,
            tokens: kept.sessions.iter().map(|(id, session)| (session.token, *id)).collect(),
            sessions: kept.sessions.into_iter().collect(),
            users: kept.users,
            groups: kept.groups,
            realms,
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

    /// The user of a name.
    #[must_use]
    pub fn user_named(&self, name: &Name) -> Option<(UserId, &User)> {
        let id = *self.user_names.get(&name.key())?;
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

    /// The group of a number.
    #[must_use]
    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(id.0 as usize)
    }

    /// The group of a name.
    #[must_use]
    pub fn group_named(&self, name: &Name) -> Option<(GroupId, &Group)> {
        let id = *self.group_names.get(&name.key())?;
        Some((id, self.group(id)?))
    }

    /// The realm of a name.
    #[must_use]
    pub fn realm_named(&self, name: &Name) -> Option<(RealmId, &Realm)> {
        let id = *self.realm_names.get(&name.key())?;
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
        let Author::Local(author) = message.from;
        match message.to {
            Destination::User(user) => Audience::Pair(user, author),
            Destination::Group(group) => {
                Audience::Members(self.group(group).map(|g| g.members.clone()).unwrap_or_default())
            }
            Destination::Everyone => Audience::Everyone,
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
                let id = UserId(u32::try_from(self.users.len()).unwrap_or(u32::MAX));
                self.user_names.insert(name.key(), id);
                self.users.push(User {
                    name: name.clone(),
                    full_name: full_name.clone(),
                    country: country.clone(),
                    password: password.clone(),
                    registered: *seq,
                    seen: None,
                    cursor: *seq,
                    live: Vec::new(),
                    realm_cursors: Vec::new(),
                    sessions: Vec::new(),
                    memberships: Vec::new(),
                    last: Seq(0),
                    done: Remembered::default(),
                });
            }
            Event::SessionOpened { user, token, ephemeral } => self.open_session(record, *user, *token, *ephemeral),
            Event::SessionUsed { session } => self.use_session(*session, *time),
            Event::SessionClosed { session } => self.close_session(*session, *time),
            Event::MessageSent(message) => self.note_message(*seq, message),
            Event::InboxRead { user, upto } => self.change_user(*user, |user| inbox::apply_read(user, *upto)),
            Event::LiveRead { user, after, upto } => {
                self.change_user(*user, |user| inbox::apply_live(user, *after, *upto));
            }
            Event::RealmInboxRead { user, realm, upto } => {
                self.change_user(*user, |user| inbox::apply_realm_read(user, *realm, *upto));
            }
            Event::GroupCreated { group, name, owner, password } => {
                self.group_names.insert(name.key(), *group);
                self.groups.push(Group {
                    name: name.clone(),
                    owner: *owner,
                    password: password.clone(),
                    members: Arc::default(),
                    last: Seq(0),
                });
            }
            Event::GroupJoined { group, user } => self.join_group(*seq, *group, *user),
            Event::RequestDone { once, first, page } => {
                let receipt = Receipt { seq: *first, time: *time };
                self.change_user(once.user, |user| once::apply(user, once, receipt, page.as_deref()));
            }
            Event::RealmAdded { realm, name } => {
                self.realm_names.insert(name.key(), *realm);
                self.realms.push(Realm { name: name.clone() });
            }
        }
    }

    fn change_user(&mut self, id: UserId, change: impl FnOnce(&mut User)) {
        if let Some(user) = self.users.get_mut(id.0 as usize) {
            change(user);
        }
    }

    fn open_session(&mut self, record: &Record, user: UserId, token: TokenHash, ephemeral: bool) {
        let (id, time) = (SessionId(record.seq.0), record.time);
        self.tokens.insert(token, id);
        self.sessions.insert(id, Session { user, token, opened: time, used: time, ephemeral });
        self.change_user(user, |user| {
            user.sessions.push(id);
            user.seen = Some(time);
        });
    }

    fn use_session(&mut self, id: SessionId, time: Time) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.used = time;
        let user = session.user;
        self.change_user(user, |user| user.seen = Some(time));
    }

    fn close_session(&mut self, id: SessionId, time: Time) {
        let Some(session) = self.sessions.remove(&id) else { return };
        self.tokens.remove(&session.token);
        self.change_user(session.user, |user| {
            user.sessions.retain(|open| *open != id);
            user.seen = Some(time);
        });
    }

    fn note_message(&mut self, seq: Seq, message: &Message) {
        for (timeline, _) in message.placements(seq) {
            match timeline {
                Timeline::User(user) => self.change_user(user, |user| user.last = seq),
                Timeline::Group(group) => {
                    if let Some(group) = self.groups.get_mut(group.0 as usize) {
                        group.last = seq;
                    }
                }
                Timeline::Broadcast => self.last_broadcast = seq,
            }
        }
    }

    fn join_group(&mut self, seq: Seq, id: GroupId, user: UserId) {
        let Some(group) = self.groups.get_mut(id.0 as usize) else { return };
        Arc::make_mut(&mut group.members).push(user);
        self.change_user(user, |user| {
            let place = user.memberships.partition_point(|membership| membership.group <= id);
            user.memberships.insert(place, Membership { group: id, joined: seq, left: None });
        });
    }
}
