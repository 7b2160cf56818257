//! Places of which each address has a few only, so that nobody takes them from the others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Places, and how many of them each address has.
#[derive(Clone)]
pub(super) struct Places {
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
    most: usize,
    per_address: usize,
}

/// A place, which is free again when this is dropped.
pub(super) struct Place {
    places: Places,
    address: IpAddr,
}

impl Places {
    pub(super) fn new(most: usize, per_address: usize) -> Self {
        Self { taken: Arc::default(), most, per_address }
    }

    /// A place for an address, if there is one for it.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().sum::<usize>() >= self.most {
            return None;
        }
        let own = taken.entry(address).or_default();
        if *own >= self.per_address {
            return None;
        }
        *own += 1;
        Some(Place { places: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn an_address_cannot_take_the_places_of_the_others() {
        let places = Places::new(3, 2);
        let (_one, two) = (places.enter(address(1)).unwrap(), places.enter(address(1)).unwrap());
        assert!(places.enter(address(1)).is_none());
        let _other = places.enter(address(2)).unwrap();
        assert!(places.enter(address(3)).is_none(), "there are three");
        drop(two);
        assert!(places.enter(address(3)).is_some());
    }

    #[test]
    fn an_address_without_a_place_is_forgotten() {
        let places = Places::new(3, 2);
        drop(places.enter(address(1)));
        assert!(places.taken.lock().unwrap().is_empty());
    }
}
