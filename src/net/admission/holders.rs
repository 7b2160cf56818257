//! Counts places by holder, and finds the largest holder.

use std::collections::BTreeSet;
use std::hash::Hash;

use hashbrown::HashMap;
use smallvec::SmallVec;

/// Places by holder. Each holder's are in the order in which they were taken.
pub(super) struct Holders<K> {
    places: HashMap<K, SmallVec<[u64; 2]>>,
    /// The holders of several places: so a holder of one costs next to nothing.
    by_size: BTreeSet<(usize, K)>,
}

impl<K> Default for Holders<K> {
    fn default() -> Self {
        Self { places: HashMap::new(), by_size: BTreeSet::new() }
    }
}

impl<K: Copy + Eq + Hash + Ord> Holders<K> {
    pub(super) fn add(&mut self, holder: K, place: u64) {
        let places = self.places.entry(holder).or_default();
        let before = places.len();
        let index = places.partition_point(|known| *known < place);
        places.insert(index, place);
        self.resize(holder, before, before + 1);
    }

    pub(super) fn remove(&mut self, holder: K, place: u64) {
        let Some(places) = self.places.get_mut(&holder) else { return };
        let Ok(index) = places.binary_search(&place) else { return };
        places.remove(index);
        let left = places.len();
        if left == 0 {
            self.places.remove(&holder);
        }
        self.resize(holder, left + 1, left);
    }

    pub(super) fn count(&self, holder: K) -> usize {
        self.places.get(&holder).map_or(0, SmallVec::len)
    }

    /// The place that a holder took first.
    pub(super) fn oldest(&self, holder: K) -> Option<u64> {
        self.places.get(&holder)?.first().copied()
    }

    /// The holder of the most places; of one, if nobody holds several.
    pub(super) fn largest(&self) -> Option<(usize, K)> {
        let of_several = self.by_size.last().copied();
        of_several.or_else(|| self.places.keys().next().map(|holder| (1, *holder)))
    }

    fn resize(&mut self, holder: K, before: usize, after: usize) {
        if before > 1 {
            self.by_size.remove(&(before, holder));
        }
        if after > 1 {
            self.by_size.insert((after, holder));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_holder_and_its_oldest_place_are_known() {
        let mut holders = Holders::default();
        assert_eq!(holders.largest(), None);
        for (place, holder) in (1..).zip("abcabbc".chars()) {
            holders.add(holder, place);
        }
        assert_eq!((holders.largest(), holders.oldest('b')), (Some((3, 'b')), Some(2)));
        [2, 5, 9].iter().for_each(|place| holders.remove('b', *place));
        assert_eq!((holders.largest(), holders.oldest('b'), holders.count('b')), (Some((2, 'c')), Some(6), 1));
        [1, 4].iter().for_each(|place| holders.remove('a', *place));
        [3, 7].iter().for_each(|place| holders.remove('c', *place));
        assert_eq!((holders.largest(), holders.count('a')), (Some((1, 'b')), 0));
        holders.remove('b', 6);
        assert!(holders.places.is_empty() && holders.by_size.is_empty());
    }
}
