//! The tables of the state.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use crate::chat::model::ban::Invite;
use crate::chat::model::bans::Bans;
use crate::chat::model::conversation::ReadMark;
use crate::chat::model::group::Group;
use crate::chat::model::message::UserRef;
use crate::chat::model::realm::Realm;
use crate::chat::model::session::Session;
use crate::chat::model::user::User;
use crate::chat::state::name_index::NameIndex;
use crate::id::{Epoch, GroupId, PeerKey, RealmId, Seq, SessionId, TokenHash, UserId};
use crate::name::FoldedName;
use crate::time::Time;

/// Users, sessions, groups, realms and cursors, with each timeline's newest entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub(in crate::chat) head: Seq,
    pub(in crate::chat) time: Time,
    pub(in crate::chat) users: Vec<User>,
    pub(in crate::chat) sessions: HashMap<SessionId, Session>,
    pub(in crate::chat) groups: HashMap<GroupId, Group>,
    pub(in crate::chat) next_group: GroupId,
    /// The home realm is the first.
    pub(in crate::chat) realms: BTreeMap<RealmId, Realm>,
    pub(in crate::chat) last_broadcast: Seq,
    pub(in crate::chat) user_names: NameIndex,
    pub(in crate::chat) group_names: HashMap<FoldedName, GroupId>,
    pub(in crate::chat) realm_names: HashMap<FoldedName, RealmId>,
    /// Names of other servers for this one that are none of its own.
    pub(in crate::chat) alias_names: HashMap<FoldedName, RealmId>,
    /// The other servers by what they are.
    pub(in crate::chat) keys: HashMap<PeerKey, RealmId>,
    /// The epochs of this server, each with the log entry that began it.
    pub(in crate::chat) epochs: Vec<(Seq, Epoch)>,
    pub(in crate::chat) tokens: HashMap<TokenHash, SessionId>,
    /// The read marks of users who have any, in the order of the conversations.
    pub(in crate::chat) marks: HashMap<UserId, Vec<ReadMark>>,
    pub(in crate::chat) bans: Bans,
    /// Accounts that administrators have locked.
    pub(in crate::chat) locked: HashSet<UserId>,
    /// By the log entries that made them.
    pub(in crate::chat) invites: BTreeMap<Seq, Invite>,
    /// The users who block a user, sorted; no entry is empty. Shared with the pushes in flight.
    pub(in crate::chat) blockers: HashMap<UserRef, Arc<Vec<UserId>>>,
}

impl State {
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
}
