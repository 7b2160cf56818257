//! A state as a store keeps it, and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use crate::chat::model::ban::{Ban, BanTarget, Invite};
use crate::chat::model::conversation::ReadMark;
use crate::chat::model::group::Group;
use crate::chat::model::message::UserRef;
use crate::chat::model::realm::{Realm, RealmKind};
use crate::chat::model::session::Session;
use crate::chat::model::user::User;
use crate::chat::state::name_index::NameIndex;
use crate::chat::state::tables::State;
use crate::id::{Epoch, GroupId, RealmId, Seq, SessionId, UserId};
use crate::name::{FoldedName, Name};
use crate::time::Time;

/// The stored form of a [`State`], from which it is built without the log.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The newest log entry.
    pub head: Seq,
    /// The time of the newest log entry.
    pub time: Time,
    /// In the order of their numbers.
    pub users: Vec<User>,
    /// The open ones.
    pub sessions: Vec<(SessionId, Session)>,
    /// Those that are not forgotten.
    pub groups: HashMap<GroupId, Group>,
    /// Those that are not forgotten, the home realm left out.
    pub realms: BTreeMap<RealmId, Realm>,
    /// The epochs, oldest first, each with the log entry that began it.
    pub epochs: Vec<(Seq, Epoch)>,
    /// In the order of the conversations.
    pub marks: HashMap<UserId, Vec<ReadMark>>,
    pub bans: Vec<(BanTarget, Ban)>,
    /// Accounts that administrators have locked.
    pub locked: HashSet<UserId>,
    /// By the log entries that made them.
    pub invites: BTreeMap<Seq, Invite>,
    /// The newest broadcast.
    pub last_broadcast: Seq,
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
            groups: HashMap::new(),
            realms: BTreeMap::new(),
            epochs: Vec::new(),
            marks: HashMap::new(),
            bans: Vec::new(),
            locked: HashSet::new(),
            invites: BTreeMap::new(),
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
            epochs: kept.epochs,
            realms: BTreeMap::new(),
            realm_names: HashMap::new(),
            alias_names: HashMap::new(),
            keys: HashMap::new(),
            marks: kept.marks,
            bans: kept.bans.into_iter().collect(),
            locked: kept.locked,
            invites: kept.invites,
            last_broadcast: kept.last_broadcast,
            user_names: NameIndex::of(&kept.users),
            group_names: names_of_groups(&kept.groups),
            tokens: kept.sessions.iter().map(|(id, session)| (session.token, *id)).collect(),
            sessions: kept.sessions.into_iter().collect(),
            blockers: blockers(&kept.users),
            users: kept.users,
            next_group: kept.groups.keys().max().map_or(GroupId(0), |newest| newest.next()),
            groups: kept.groups,
        };
        state.count_references();
        state.enter_realms(home, kept.realms);
        state
    }

    /// The home realm's name may have been another realm's before: the home realm has it now.
    fn enter_realms(&mut self, home: Name, others: BTreeMap<RealmId, Realm>) {
        let home = Realm { name: home, by: None, kind: RealmKind::Own };
        let home_key = home.name.folded();
        for (id, realm) in std::iter::once((RealmId::HOME, home)).chain(others) {
            self.keys.extend(realm.peer().and_then(|peer| peer.info.key).map(|key| (key, id)));
            self.put_realm(id, realm);
        }
        self.realm_names.insert(home_key, RealmId::HOME);
    }

    fn count_references(&mut self) {
        self.groups.values_mut().for_each(|group| group.references = 0);
        for membership in self.users.iter().flat_map(|user| &user.memberships) {
            if let Some(group) = self.groups.get_mut(&membership.group) {
                group.references += 1;
            }
        }
    }

    /// The snapshot that a store would have of it.
    #[cfg(test)]
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            head: self.head,
            time: self.time,
            users: self.users.clone(),
            sessions: self.sessions.iter().map(|(id, session)| (*id, session.clone())).collect(),
            groups: self.groups.clone(),
            realms: self.realms.iter().skip(1).map(|(id, realm)| (*id, realm.clone())).collect(),
            epochs: self.epochs.clone(),
            marks: self.marks.clone(),
            bans: self.bans.iter().map(|(target, ban)| (*target, ban.clone())).collect(),
            locked: self.locked.clone(),
            invites: self.invites.clone(),
            last_broadcast: self.last_broadcast,
        }
    }
}

/// A deleted group's name is free, and may be a later group's.
fn names_of_groups(groups: &HashMap<GroupId, Group>) -> HashMap<FoldedName, GroupId> {
    let existing = groups.iter().filter(|(_, group)| !group.deleted);
    existing.map(|(id, group)| (group.name.folded(), *id)).collect()
}

/// The blocking users of each blocked one.
fn blockers(users: &[User]) -> HashMap<UserRef, Arc<Vec<UserId>>> {
    let mut blockers: HashMap<_, Vec<_>> = HashMap::new();
    for (user, id) in users.iter().zip(0..) {
        user.blocks.iter().for_each(|blocked| blockers.entry(blocked.clone()).or_default().push(UserId(id)));
    }
    blockers.into_iter().map(|(blocked, users)| (blocked, Arc::new(users))).collect()
}
