//! Accounts in the state.

use crate::chat::error::CommandError;
use crate::chat::model::idempotency::CompletedRequests;
use crate::chat::model::user::{PasswordHash, User};
use crate::chat::state::tables::State;
use crate::id::{RealmId, Seq, UserId};
use crate::limits::{PUSHED_RANGES, REALM_CURSORS};
use crate::name::Name;

impl State {
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

    /// The user of a name; `None` if the account was given up.
    #[must_use]
    pub fn user_named(&self, name: &Name) -> Option<(UserId, &User)> {
        self.name_owner(name).filter(|(_, user)| !user.unregistered)
    }

    /// The owner of a name, also after the account was given up: the name is never given to another user.
    #[must_use]
    pub fn name_owner(&self, name: &Name) -> Option<(UserId, &User)> {
        let id = self.user_names.find(&self.users, name)?;
        Some((id, self.user(id)?))
    }

    /// The user that a command acts for. A user who has unregistered meanwhile has no session left.
    pub(in crate::chat) fn active_user(&self, id: UserId) -> Result<&User, CommandError> {
        self.user(id).filter(|user| !user.unregistered).ok_or(CommandError::NoSession)
    }

    pub(super) fn register(&mut self, seq: Seq, name: &Name, full_name: &str, country: &str, password: &PasswordHash) {
        let id = UserId(self.users.len() as u64);
        self.user_names.insert(name, id);
        self.users.push(User {
            name: name.clone(),
            full_name: full_name.into(),
            country: country.into(),
            password: password.clone(),
            registered: seq,
            unregistered: false,
            seen: None,
            cursor: seq,
            read_ranges: Vec::new(),
            realm_cursors: Vec::new(),
            sessions: Vec::new(),
            memberships: Vec::new(),
            blocks: Vec::new(),
            last: Seq(0),
            done: CompletedRequests::default(),
        });
    }
}

impl User {
    pub(super) fn mark_read(&mut self, upto: Seq) {
        self.cursor = upto;
        self.read_ranges.retain(|(_, end)| *end > upto);
    }

    /// A range holds every earlier one that it touches.
    pub(super) fn mark_pushed_read(&mut self, after: Seq, upto: Seq) {
        self.read_ranges.retain(|(start, end)| *end < after || *start > upto);
        let place = self.read_ranges.partition_point(|(start, _)| *start < after);
        self.read_ranges.insert(place, (after, upto));
        if self.read_ranges.len() > PUSHED_RANGES {
            self.read_ranges.remove(0);
        }
    }

    pub(super) fn mark_realm_read(&mut self, realm: RealmId, upto: Seq) {
        match self.realm_cursors.iter_mut().find(|(id, _)| *id == realm) {
            Some((_, cursor)) => *cursor = upto,
            None => self.realm_cursors.push((realm, upto)),
        }
        if self.realm_cursors.len() > REALM_CURSORS {
            self.realm_cursors.remove(0);
        }
    }
}
