//! Items by number: a list for the numbers of users, which are dense; a tree for those of groups and realms, which come and
//! go, so that what is gone takes no room however great the numbers become.

use std::collections::BTreeMap;
use std::ops::Range;

/// Items by number. An item that is [`Default`] counts as missing.
#[derive(Debug)]
pub(super) enum NumberMap<T> {
    Dense(Vec<T>),
    Sparse(BTreeMap<u64, T>),
}

impl<T: Copy + Default + PartialEq> NumberMap<T> {
    /// An empty map for a kind of timelines: those of users, kind 0, are dense.
    pub(super) fn of_kind(kind: u8) -> Self {
        if kind == 0 { Self::Dense(Vec::new()) } else { Self::Sparse(BTreeMap::new()) }
    }

    pub(super) fn get(&self, number: u64) -> T {
        let found = match self {
            Self::Dense(items) => items.get(number as usize),
            Self::Sparse(items) => items.get(&number),
        };
        found.copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, number: u64, item: T) {
        match self {
            Self::Dense(items) => {
                let index = number as usize;
                if items.len() <= index {
                    items.resize(index + 1, T::default());
                }
                items[index] = item;
            }
            Self::Sparse(items) if item == T::default() => drop(items.remove(&number)),
            Self::Sparse(items) => drop(items.insert(number, item)),
        }
    }

    /// The items of a range, in order.
    pub(super) fn range(&self, range: Range<u64>) -> Box<dyn Iterator<Item = (u64, T)> + '_> {
        match self {
            Self::Dense(items) => {
                let end = (range.end as usize).min(items.len());
                let items = items.get(range.start as usize..end).unwrap_or_default();
                let numbered = items.iter().zip(range.start..).filter(|(item, _)| **item != T::default());
                Box::new(numbered.map(|(item, number)| (number, *item)))
            }
            Self::Sparse(items) => Box::new(items.range(range).map(|(number, item)| (*number, *item))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_by_number_and_listed_in_order() {
        for kind in [0, 1] {
            let mut map = NumberMap::of_kind(kind);
            [(7, 1), (3, 2), (900, 3)].iter().for_each(|(number, item)| map.set(*number, *item));
            map.set(3, 0);
            assert_eq!([3, 7, 8, 900, 901].map(|number| map.get(number)), [0, 1, 0, 3, 0], "{kind}");
            assert!(map.range(0..u64::MAX).eq([(7, 1), (900, 3)]), "{kind}");
            assert!(map.range(8..900).eq([]) && map.range(2_000..3_000).eq([]), "{kind}");
        }
    }

    #[test]
    fn great_numbers_take_no_room_if_they_are_sparse() {
        let mut map = NumberMap::of_kind(1);
        map.set(u64::MAX - 1, 1);
        map.set(u64::MAX - 1, 0);
        assert!(matches!(&map, NumberMap::Sparse(items) if items.is_empty()));
    }
}
