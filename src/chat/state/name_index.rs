//! Finds user ids by name, for very many users. The names themselves are in the accounts only.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::chat::model::user::User;
use crate::id::UserId;
use crate::name::Name;

/// The numbers of users, by their names: eight bytes each, and a look at the account, which the caller needs next.
#[derive(Clone, Debug, Default)]
pub(in crate::chat) struct NameIndex {
    numbers: HashTable<Numbered>,
    hasher: DefaultHashBuilder,
}

/// A user with the hash of the name: the table grows without a look at all accounts.
#[derive(Clone, Copy, Debug)]
struct Numbered {
    /// The place of the account: fewer bits than a [`UserId`] has.
    user: u32,
    hash: u32,
}

impl NameIndex {
    /// The names of users, by their places.
    pub(super) fn of(users: &[User]) -> Self {
        let mut names = Self { numbers: HashTable::with_capacity(users.len()), ..Self::default() };
        users.iter().zip(0..).for_each(|(user, id)| names.insert(&user.name, UserId(id)));
        names
    }

    /// Adds a user with a new name.
    pub(super) fn insert(&mut self, name: &Name, user: UserId) {
        // There are at most `MAX_USERS`.
        let numbered = Numbered { user: user.0 as u32, hash: self.hash(name) };
        self.numbers.insert_unique(spread(numbered.hash), numbered, |other| spread(other.hash));
    }

    /// The user of a name.
    pub(super) fn find(&self, users: &[User], name: &Name) -> Option<UserId> {
        let hash = self.hash(name);
        let has_the_name = |found: &Numbered| {
            found.hash == hash && users.get(found.user as usize).is_some_and(|user| user.name.is_same(name))
        };
        self.numbers.find(spread(hash), has_the_name).map(|found| UserId(found.user.into()))
    }

    fn hash(&self, name: &Name) -> u32 {
        self.hasher.hash_one(name.folded()) as u32
    }
}

/// The table looks at the first bits of a hash and at the last.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

impl PartialEq for NameIndex {
    fn eq(&self, other: &Self) -> bool {
        // The hasher of each is its own.
        let users = |names: &Self| {
            let mut users: Vec<_> = names.numbers.iter().map(|numbered| numbered.user).collect();
            users.sort_unstable();
            users
        };
        users(self) == users(other)
    }
}

impl Eq for NameIndex {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::fixture::{Fixture, MESSI, NEKO, name};

    #[test]
    fn users_are_found_by_their_names_without_regard_to_case() {
        let users = Fixture::new().state.users;
        let names = NameIndex::of(&users);
        for (text, user) in [("messi", Some(MESSI)), ("NEKO", Some(NEKO)), ("nobody", None)] {
            assert_eq!(names.find(&users, &name(text)), user, "{text}");
        }
    }

    #[test]
    fn names_with_the_same_hash_are_told_apart() {
        let users = Fixture::new().state.users;
        let mut names = NameIndex::of(&users[..1]);
        let hash = names.hash(&users[1].name);
        names.numbers.insert_unique(spread(hash), Numbered { user: MESSI.0 as u32, hash }, |other| spread(other.hash));
        assert_eq!(names.find(&users, &users[1].name), None);
    }

    #[test]
    fn indexes_of_the_same_users_are_equal() {
        let users = Fixture::new().state.users;
        assert_eq!(NameIndex::of(&users), NameIndex::of(&users));
        assert_ne!(NameIndex::of(&users), NameIndex::of(&users[1..]));
    }
}
