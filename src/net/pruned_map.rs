//! A map of what is in use, or was of late: entries that nobody needs any more are dropped once there are many.

use std::collections::HashMap;
use std::hash::Hash;

/// Looks through all entries at a size that is given. If most of them are needed, the next time is at twice as many: so an
/// entry costs little on average, also when somebody fills the map.
pub(super) struct PrunedMap<K, V> {
    entries: HashMap<K, V>,
    least: usize,
    /// The size at which entries are looked through.
    pruned_at: usize,
}

impl<K: Eq + Hash, V> PrunedMap<K, V> {
    pub(super) fn new(least: usize) -> Self {
        Self { entries: HashMap::new(), least, pruned_at: least }
    }

    /// The entry of a key, made if it is missing. Before that, if there are many, those that are not needed are dropped.
    pub(super) fn entry(&mut self, key: K, make: impl FnOnce() -> V, is_needed: impl Fn(&V) -> bool) -> &mut V {
        if self.entries.len() >= self.pruned_at && !self.entries.contains_key(&key) {
            self.entries.retain(|_, value| is_needed(value));
            self.pruned_at = self.least.max(2 * self.entries.len());
        }
        self.entries.entry(key).or_insert_with(make)
    }

    #[cfg(test)]
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_is_not_needed_goes_and_a_map_full_of_what_is_costs_an_entry_little() {
        let (mut map, looks) = (PrunedMap::new(100), Cell::new(0_usize));
        let is_needed = |needed: &bool| {
            looks.set(looks.get() + 1);
            *needed
        };
        for key in 0..1_000 {
            map.entry(key, || false, is_needed);
        }
        assert!(map.len() <= 100 && looks.get() < 1_000, "{} {}", map.len(), looks.get());
        looks.set(0);
        for key in 1_000..20_000 {
            map.entry(key, || true, is_needed);
        }
        assert!(looks.get() < 2 * 20_000, "{}", looks.get());
        assert!(map.get(&1_000).is_some() && map.get(&5).is_none());
    }
}
