//! Block lists in the state, in both directions.

use std::sync::Arc;

use crate::chat::model::message::Author;
use crate::chat::state::tables::State;
use crate::id::UserId;

impl State {
    pub(super) fn block(&mut self, user: UserId, blocked: &Author) {
        let Some(blocked) = blocked.user_ref() else { return };
        self.change_user(user, |user| insert(&mut user.blocks, blocked.clone()));
        insert(Arc::make_mut(self.blockers.entry(blocked).or_default()), user);
    }

    pub(super) fn unblock(&mut self, user: UserId, blocked: &Author) {
        let Some(blocked) = blocked.user_ref() else { return };
        self.change_user(user, |user| user.blocks.retain(|other| *other != blocked));
        let Some(blockers) = self.blockers.get_mut(&blocked) else { return };
        Arc::make_mut(blockers).retain(|other| *other != user);
        if blockers.is_empty() {
            self.blockers.remove(&blocked);
        }
    }
}

fn insert<T: Ord>(ascending: &mut Vec<T>, item: T) {
    if let Err(place) = ascending.binary_search(&item) {
        ascending.insert(place, item);
    }
}
