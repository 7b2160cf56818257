//! Admission control: places for all connections, for those of one address, of one user, and for links that are not made
//! yet (PROTOCOL §1).
//!
//! Near the bound the largest holder loses first: of the connections that have not logged in the oldest one of the address
//! with the most; then the oldest one of the user with the most, if these are many. Who sits there for long is not preferred
//! to who comes now.

mod holders;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::hub::{ConnectionEnd, SendQueue};
use crate::id::UserId;
use crate::limits::{ENDING_CONNECTIONS, EVICTION_PERCENT, HALF_LINKS, HALF_LINKS_PER_ADDRESS, PLACES_KEPT_BY_USER};
use crate::net::admission::holders::Holders;
use crate::net::origin::origin;
use crate::wire::DisconnectReason;

/// Counts the connections, and can end them all.
pub struct Admission {
    places: Places,
    admitted: Mutex<Admitted>,
}

/// How many connections may be there.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    pub(crate) most: usize,
    /// Of one address that is not loopback.
    pub(crate) per_address: usize,
    pub(crate) per_user: usize,
}

#[derive(Default)]
struct Admitted {
    /// Set once all connections were ended: no more are admitted.
    closed: Option<DisconnectReason>,
    last: u64,
    connections: HashMap<u64, Connected>,
    addresses: HashMap<IpAddr, usize>,
    /// Connections that are being ended to make room.
    ending: usize,
    unauthenticated: Holders<IpAddr>,
    users: Holders<UserId>,
    half_links: Holders<IpAddr>,
    /// Cancelled to end a half link.
    ends_of_links: HashMap<u64, CancellationToken>,
}

struct Connected {
    send_queue: Arc<SendQueue>,
    address: IpAddr,
    holder: Holder,
}

/// Who loses a place if the largest holder has to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// The address, before a login.
    Address,
    User(UserId),
    /// A link that is not made yet, or is: they are few.
    Link,
    /// The connection is being ended.
    Nobody,
}

/// A connection's place, which is free again when this is dropped.
pub(super) struct Permit {
    admission: Arc<Admission>,
    number: u64,
}

/// A place of a link that is not made yet.
pub(super) struct HalfLinkPermit {
    admission: Arc<Admission>,
    number: u64,
    address: IpAddr,
    /// Cancelled if the place is needed for another one.
    pub(super) end: CancellationToken,
}

impl Admission {
    #[must_use]
    pub(crate) fn new(places: Places) -> Self {
        Self { places, admitted: Mutex::default() }
    }

    /// Admits a connection.
    ///
    /// # Errors
    /// Why it is not admitted, to be sent to it.
    pub(super) fn admit(
        self: &Arc<Self>,
        address: IpAddr,
        send_queue: &Arc<SendQueue>,
    ) -> Result<Permit, DisconnectReason> {
        let address = origin(address);
        let mut admitted = self.admitted();
        if let Some(reason) = admitted.closed {
            return Err(reason);
        }
        let Places { most, per_address, .. } = self.places;
        let from_there = admitted.addresses.get(&address).copied().unwrap_or_default();
        let taken = admitted.connections.len() - admitted.ending;
        if taken >= most
            || admitted.ending >= ENDING_CONNECTIONS
            || (!address.is_loopback() && from_there >= per_address)
        {
            return Err(DisconnectReason::TooManyConnections);
        }
        if (taken + 1) * 100 > most * EVICTION_PERCENT {
            admitted.evict();
        }
        admitted.last += 1;
        let number = admitted.last;
        *admitted.addresses.entry(address).or_default() += 1;
        admitted.unauthenticated.add(address, number);
        let connected = Connected { send_queue: send_queue.clone(), address, holder: Holder::Address };
        admitted.connections.insert(number, connected);
        Ok(Permit { admission: self.clone(), number })
    }

    /// The connection has logged in. If its user has too many, the oldest one is ended.
    pub(super) fn log_in(&self, number: u64, user: UserId) {
        let mut admitted = self.admitted();
        admitted.set_holder(number, Holder::User(user));
        if admitted.users.count(user) > self.places.per_user
            && let Some(oldest) = admitted.users.oldest(user)
        {
            admitted.end(oldest, DisconnectReason::TooManyOfUser);
        }
    }

    /// A place for a connection that is to become a link. If there are too many, or too many from its address, the oldest
    /// one of the address with the most is ended.
    pub(super) fn begin_link(self: &Arc<Self>, number: u64) -> Option<HalfLinkPermit> {
        let mut admitted = self.admitted();
        let address = admitted.connections.get(&number)?.address;
        if admitted.half_links.count(address) >= HALF_LINKS_PER_ADDRESS {
            admitted.end_half_link(address);
        } else if admitted.half_links.all() >= HALF_LINKS
            && let Some((_, largest)) = admitted.half_links.largest()
        {
            admitted.end_half_link(largest);
        }
        admitted.half_links.add(address, number);
        admitted.set_holder(number, Holder::Link);
        let end = CancellationToken::new();
        admitted.ends_of_links.insert(number, end.clone());
        drop(admitted);
        Some(HalfLinkPermit { admission: self.clone(), number, address, end })
    }

    /// Ends all connections, and admits no more.
    pub(crate) fn end_all(&self, reason: DisconnectReason) {
        let mut admitted = self.admitted();
        admitted.closed = Some(reason);
        for connected in admitted.connections.values() {
            connected.send_queue.close(ConnectionEnd::Disconnected(reason));
        }
    }

    fn admitted(&self) -> MutexGuard<'_, Admitted> {
        self.admitted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admitted {
    /// Ends a connection of the largest holder.
    fn evict(&mut self) {
        let unauthenticated =
            self.unauthenticated.largest().and_then(|(_, address)| self.unauthenticated.oldest(address));
        if let Some(oldest) = unauthenticated {
            return self.end(oldest, DisconnectReason::Evicted);
        }
        let many = self.users.largest().filter(|(size, _)| *size > PLACES_KEPT_BY_USER);
        if let Some(oldest) = many.and_then(|(_, user)| self.users.oldest(user)) {
            self.end(oldest, DisconnectReason::TooManyOfUser);
        }
    }

    fn end_half_link(&mut self, address: IpAddr) {
        let Some(oldest) = self.half_links.oldest(address) else { return };
        self.half_links.remove(address, oldest);
        if let Some(end) = self.ends_of_links.remove(&oldest) {
            end.cancel();
        }
    }

    fn end(&mut self, number: u64, reason: DisconnectReason) {
        self.set_holder(number, Holder::Nobody);
        if let Some(connected) = self.connections.get(&number) {
            self.ending += 1;
            connected.send_queue.close(ConnectionEnd::Disconnected(reason));
        }
    }

    /// Changes whose place it is. One that is being ended stays nobody's.
    fn set_holder(&mut self, number: u64, holder: Holder) {
        let Some(connected) = self.connections.get_mut(&number) else { return };
        let (before, address) = (connected.holder, connected.address);
        if before == Holder::Nobody || before == holder {
            return;
        }
        connected.holder = holder;
        match before {
            Holder::Address => self.unauthenticated.remove(address, number),
            Holder::User(user) => self.users.remove(user, number),
            Holder::Link | Holder::Nobody => {}
        }
        match holder {
            Holder::Address => self.unauthenticated.add(address, number),
            Holder::User(user) => self.users.add(user, number),
            Holder::Link | Holder::Nobody => {}
        }
    }
}

impl Permit {
    /// The connection's number.
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut admitted = self.admission.admitted();
        let is_ending = |connected: &Connected| connected.holder == Holder::Nobody;
        if admitted.connections.get(&self.number).is_some_and(is_ending) {
            admitted.ending -= 1;
        }
        admitted.set_holder(self.number, Holder::Nobody);
        let Some(Connected { address, .. }) = admitted.connections.remove(&self.number) else { return };
        if let Some(count) = admitted.addresses.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                admitted.addresses.remove(&address);
            }
        }
    }
}

impl Drop for HalfLinkPermit {
    fn drop(&mut self) {
        let mut admitted = self.admission.admitted();
        admitted.half_links.remove(self.address, self.number);
        admitted.ends_of_links.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::SocketWriter;
    use crate::wire::ReplyFormat;

    struct Discard;

    impl SocketWriter for Discard {
        fn try_write(&self, bytes: &[u8]) -> std::io::Result<usize> {
            Ok(bytes.len())
        }
    }

    const MESSI: UserId = UserId(7);

    fn admission(most: usize) -> Arc<Admission> {
        Arc::new(Admission::new(Places { most, per_address: 8, per_user: 3 }))
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn queue() -> Arc<SendQueue> {
        Arc::new(SendQueue::new(Arc::new(Discard), ReplyFormat::Json))
    }

    type Admitted = (Permit, Arc<SendQueue>);

    fn admit(admission: &Arc<Admission>, from: u8) -> Result<Admitted, DisconnectReason> {
        let queue = queue();
        Ok((admission.admit(address(from), &queue)?, queue))
    }

    fn admit_user(admission: &Arc<Admission>, from: u8, user: UserId) -> Admitted {
        let admitted = admit(admission, from).unwrap_or_else(|reason| panic!("{reason:?}"));
        admission.log_in(admitted.0.number(), user);
        admitted
    }

    /// Which of the connections are being ended.
    fn ended(connections: &[Admitted]) -> Vec<usize> {
        let ended = connections.iter().enumerate().filter(|(_, (_, queue))| queue.ending().is_some());
        ended.map(|(place, _)| place).collect()
    }

    #[test]
    fn near_the_limit_the_address_with_the_most_unauthenticated_loses_its_oldest() {
        let admission = admission(10);
        let mut unauthenticated: Vec<_> = [2, 1, 1, 3, 1, 2].map(|from| admit(&admission, from).unwrap()).into();
        let _users: Vec<_> = (0..3).map(|number| admit_user(&admission, 9, UserId(number))).collect();
        assert!(ended(&unauthenticated).is_empty());
        unauthenticated.push(admit(&admission, 4).unwrap());
        assert_eq!(ended(&unauthenticated), [1]);
    }

    #[test]
    fn who_comes_now_is_preferred_to_who_sat_first() {
        let admission = admission(10);
        let mut unauthenticated: Vec<_> = (0..8).map(|_| admit(&admission, 1).unwrap()).collect();
        for evicted in 0..4 {
            let _newcomer = admit(&admission, 200 + evicted);
            unauthenticated.retain(|(_, queue)| queue.ending().is_none());
        }
        assert!(admit(&admission, 9).is_ok());
    }

    #[test]
    fn a_user_with_too_many_connections_loses_the_oldest() {
        let admission = admission(100);
        let connections: Vec<_> = (0..5).map(|_| admit_user(&admission, 1, MESSI)).collect();
        assert_eq!(ended(&connections), [0, 1]);
    }

    #[test]
    fn near_the_limit_users_with_many_connections_make_room() {
        let admission = Arc::new(Admission::new(Places { most: 20, per_address: 20, per_user: 20 }));
        let many: Vec<_> = (0..15).map(|_| admit_user(&admission, 1, MESSI)).collect();
        let few: Vec<_> = (0..3).map(|number| admit_user(&admission, 2, UserId(number))).collect();
        let _newcomer = admit(&admission, 3).unwrap();
        assert_eq!((ended(&many), ended(&few)), (vec![0], Vec::new()));
    }

    #[test]
    fn links_that_are_not_made_give_way_to_newer_ones() {
        let admission = Arc::new(Admission::new(Places { most: 1_000, per_address: 1_000, per_user: 1 }));
        let connect = |from| admit(&admission, from).unwrap();
        let of_one: Vec<_> = (0..=HALF_LINKS_PER_ADDRESS).map(|_| connect(1)).collect();
        let begin = |(permit, _): &Admitted| admission.begin_link(permit.number()).unwrap();
        let begun: Vec<_> = of_one.iter().map(begin).collect();
        let ended = |links: &[HalfLinkPermit]| links.iter().filter(|link| link.end.is_cancelled()).count();
        assert!(begun[0].end.is_cancelled() && ended(&begun) == 1);
        let others: Vec<_> = (0..HALF_LINKS).map(|from| connect(2 + from as u8)).collect();
        let of_others: Vec<_> = others.iter().map(begin).collect();
        assert_eq!(ended(&begun) + ended(&of_others), HALF_LINKS_PER_ADDRESS + 1);
        assert!(ended(&begun) >= HALF_LINKS_PER_ADDRESS, "the address with the most lost first");
    }

    #[test]
    fn nothing_is_left_of_connections_that_ended() {
        let admission = admission(10);
        for round in 0..3 {
            let connections: Vec<_> = (0..6).map(|from| admit_user(&admission, from, UserId(round))).collect();
            drop(connections);
        }
        let admitted = admission.admitted();
        assert!(admitted.connections.is_empty() && admitted.addresses.is_empty());
        assert!(admitted.users.largest().is_none() && admitted.unauthenticated.largest().is_none());
    }
}
