//! Decides which presence events are pushed at once, and which at the end of a period (PROTOCOL §7).
//!
//! Coming online and going costs a user nothing, and the server a push to every watcher. So at most one coming and one going
//! of a user are pushed at once in a period. Later changes are pushed at its end, as one event with the state at that time; of
//! more users than one end of a period may push, at those of the next ones.

use std::collections::VecDeque;

use hashbrown::{HashMap, HashSet};

use crate::id::UserId;
use crate::limits::PRESENCE_PUSHES;
use crate::name::Name;

/// The present period.
#[derive(Default)]
pub(super) struct PresenceNotices {
    users: HashMap<UserId, UserNotices>,
    /// Pushes to watchers so far.
    pushes: usize,
    /// Users whose states are to be told, in turn; each once.
    waiting: VecDeque<(UserId, Name)>,
    are_waiting: HashSet<UserId>,
}

/// What was told of a user in the period.
#[derive(Default)]
struct UserNotices {
    coming: bool,
    going: bool,
    /// The user's name, if the state changed since, or before, in a way that was not told.
    untold: Option<Name>,
}

impl PresenceNotices {
    /// Whether so many watchers are to be told at once that a user came or went. Otherwise they are told at the end of the
    /// period.
    pub(super) fn is_told_at_once(&mut self, user: UserId, name: &Name, online: bool, watchers: usize) -> bool {
        let told = self.users.entry(user).or_default();
        let known = if online { &mut told.coming } else { &mut told.going };
        let is_told = !*known && self.pushes < PRESENCE_PUSHES;
        if is_told {
            *known = true;
            self.pushes += watchers;
        }
        told.untold = (!is_told).then(|| name.clone());
        is_told
    }

    /// Has the user's state told at the end of the period.
    pub(super) fn defer(&mut self, user: UserId, name: Name) {
        self.users.entry(user).or_default().untold = Some(name);
    }

    /// Begins a period. The users that were not told of in the one before get in line.
    pub(super) fn begin_period(&mut self) {
        self.pushes = 0;
        for (user, told) in std::mem::take(&mut self.users) {
            if let Some(name) = told.untold
                && self.are_waiting.insert(user)
            {
                self.waiting.push_back((user, name));
            }
        }
    }

    /// The next users whose states are to be told, each with [`PresenceNotices::record`].
    pub(super) fn take_waiting(&mut self, most: usize) -> Vec<(UserId, Name)> {
        let users: Vec<_> = self.waiting.drain(..most.min(self.waiting.len())).collect();
        for (user, _) in &users {
            self.are_waiting.remove(user);
        }
        users
    }

    /// A user's state at the end of the period before is told.
    pub(super) fn record(&mut self, user: UserId, online: bool) {
        let told = self.users.entry(user).or_default();
        *(if online { &mut told.coming } else { &mut told.going }) = true;
        told.untold = None;
    }
}
