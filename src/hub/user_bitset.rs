//! A set of users, a bit for each.

use crate::id::UserId;

/// A set of users. A message to a group looks up whether each member is online, and most are not; a hash set would take
/// five times as long. One bit for each account.
#[derive(Default)]
pub(super) struct UserBitset(Vec<u64>);

impl UserBitset {
    pub(super) fn insert(&mut self, user: UserId) {
        let (word, bit) = place(user);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= bit;
    }

    pub(super) fn remove(&mut self, user: UserId) {
        let (word, bit) = place(user);
        if let Some(word) = self.0.get_mut(word) {
            *word &= !bit;
        }
    }

    pub(super) fn contains(&self, user: UserId) -> bool {
        let (word, bit) = place(user);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}

fn place(UserId(user): UserId) -> (usize, u64) {
    ((user / 64) as usize, 1 << (user % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_told_apart_wherever_they_stand() {
        let mut set = UserBitset::default();
        let members = [0, 63, 64, 1_000].map(UserId);
        members.iter().for_each(|user| set.insert(*user));
        assert!((0..2_000).map(UserId).all(|user| set.contains(user) == members.contains(&user)));
        set.remove(UserId(63));
        set.remove(UserId(5_000));
        assert!((0..2_000).map(UserId).filter(|user| set.contains(*user)).eq([0, 64, 1_000].map(UserId)));
    }
}
