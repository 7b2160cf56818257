//! Admission control: places for all connections, for those of one address, of one user, and for links that are not made
//! yet (PROTOCOL §1).
//!
//! Near the bound the largest holder loses first: of the connections that have not logged in the oldest one of the
//! address with the most, and of the others the oldest one of the user with the most; a few are kept of each. A
//! connection that sits there for long is not preferred to a newcomer, and a newcomer waits until there is room.

mod bans;
mod census;
mod ending;
mod eviction;
mod holders;
mod memory;
mod places;
mod proxied;
#[cfg(test)]
mod tests;
mod unfinished;

pub(crate) use census::Census;
pub use places::Places;

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::hub::SendQueue;
use crate::id::UserId;
use crate::limits::{EVICTION_PERCENT, HALF_LINKS, HALF_LINKS_PER_ADDRESS, TLS_HANDSHAKES};
use crate::net::admission::census::Counts;
use crate::net::admission::holders::Holders;
use crate::net::admission::unfinished::{Bounds, Unfinished};
use crate::net::origin::origin;
use crate::net::refused_log::RefusedLog;
use crate::wire::DisconnectReason;

/// Counts the connections, and can end them all.
pub struct Admission {
    /// The bytes that may wait for readers.
    outbox_bytes: AtomicU64,
    admitted: Mutex<Admitted>,
    is_banned: Box<dyn Fn(IpAddr) -> bool + Send + Sync>,
    /// Bytes of pages that were queued since the outboxes were last looked at.
    queued: AtomicU64,
    /// Notified when a connection is gone that was being ended.
    has_ended: Notify,
}

#[derive(Default)]
struct Admitted {
    refused: Arc<RefusedLog>,
    places: Places,
    counts: Counts,
    /// Set once all connections were ended: no more are admitted.
    closed: Option<DisconnectReason>,
    last: u64,
    connections: HashMap<u64, Connected>,
    addresses: HashMap<IpAddr, usize>,
    /// Connections that are being ended to make room.
    ending: HashSet<u64>,
    unauthenticated: Holders<IpAddr>,
    /// Of those that have not logged in, the ones that wait for a password to be checked or hashed.
    authenticating: Holders<IpAddr>,
    users: Holders<UserId>,
    half_links: Unfinished,
    tls_handshakes: Unfinished,
}

struct Connected {
    send_queue: Arc<SendQueue>,
    /// `None` for a proxy that has not named its client yet.
    address: Option<IpAddr>,
    /// The address is that of a proxy that speaks for itself: it is not counted, and not banned.
    is_proxy: bool,
    holder: Holder,
}

impl Connected {
    /// The address that the connection counts for.
    fn counted(&self) -> Option<IpAddr> {
        self.address.filter(|_| !self.is_proxy)
    }
}

/// The connection to evict if the largest holder has to lose a place.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    /// A proxy that has not named its client yet: the time for a request's head bounds them.
    Proxy,
    /// The address, before a login.
    Address,
    /// The address, while a password is checked or hashed.
    Authenticating,
    User(UserId),
    /// A link that is not made yet, or is: they are few.
    Link,
    /// The connection is being ended.
    Nobody,
}

impl Holder {
    /// The address that a connection's share is counted by, if not by its user.
    fn address(self, address: Option<IpAddr>) -> Option<IpAddr> {
        address.filter(|_| !matches!(self, Self::User(_)))
    }
}

/// A connection's place, which is free again when this is dropped.
pub(crate) struct Permit {
    admission: Arc<Admission>,
    number: u64,
}

/// A connection that waits for a password to be checked or hashed.
pub(super) struct Authenticating {
    admission: Arc<Admission>,
    number: u64,
}

/// A place of a handshake that is not over.
pub(super) struct HandshakePermit {
    admission: Arc<Admission>,
    number: u64,
    address: IpAddr,
    /// Of a link; otherwise of TLS.
    is_link: bool,
    /// Cancelled if the place is needed for another one.
    pub(super) end: CancellationToken,
}

const LINK_BOUNDS: Bounds = Bounds { all: HALF_LINKS, per_address: HALF_LINKS_PER_ADDRESS };
/// A class behind one address comes back at once.
const TLS_BOUNDS: Bounds = Bounds { all: TLS_HANDSHAKES, per_address: TLS_HANDSHAKES };

impl Admission {
    #[must_use]
    pub(crate) fn new(places: Places, is_banned: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self {
            outbox_bytes: AtomicU64::new(places.outbox_bytes),
            admitted: Mutex::new(Admitted { places, ..Admitted::default() }),
            is_banned: Box::new(is_banned),
            queued: AtomicU64::new(0),
            has_ended: Notify::new(),
        }
    }

    /// Logs refusals there.
    #[must_use]
    pub(crate) fn log_to(self, refused: Arc<RefusedLog>) -> Self {
        self.admitted().refused = refused;
        self
    }

    /// Admits a connection from an address, or from a proxy that many clients share (`None`).
    ///
    /// # Errors
    /// Why it is not admitted, to be sent to it.
    pub(crate) fn admit(
        self: &Arc<Self>,
        address: Option<IpAddr>,
        send_queue: &Arc<SendQueue>,
    ) -> Result<Permit, DisconnectReason> {
        let check = || address.map_or(Ok(()), |address| self.check_address(address));
        check()?;
        let address = address.map(origin);
        let mut admitted = self.admitted();
        admitted.make_room(address).inspect_err(|reason| {
            admitted.counts.record_ended(*reason);
            address.into_iter().for_each(|address| admitted.refused.connection(address, "connection_limit"));
        })?;
        admitted.counts.record_accepted(send_queue.format().listener());
        admitted.last += 1;
        let number = admitted.last;
        admitted.connections.insert(
            number,
            Connected { send_queue: send_queue.clone(), address, is_proxy: false, holder: Holder::Proxy },
        );
        if address.is_some() {
            admitted.set_holder(number, Holder::Address);
        }
        drop(admitted);
        let permit = Permit { admission: self.clone(), number };
        // A ban that came meanwhile did not find this connection yet.
        check()?;
        Ok(permit)
    }

    /// The connection has logged in. If its user has too many, the oldest one is ended.
    pub(super) fn log_in(&self, number: u64, user: UserId) {
        let mut admitted = self.admitted();
        admitted.set_holder(number, Holder::User(user));
        if admitted.users.count(user) > admitted.places.per_user
            && let Some(oldest) = admitted.users.oldest(user)
        {
            admitted.end(oldest, DisconnectReason::TooManyOfUser);
        }
    }

    /// The connection waits for a password until this is dropped: it is preferred to others that have not logged in.
    pub(super) fn begin_authenticating(self: &Arc<Self>, number: u64) -> Authenticating {
        self.admitted().change_holder(number, Holder::Address, Holder::Authenticating);
        Authenticating { admission: self.clone(), number }
    }

    /// A place for a connection that is to become a link; `None` if its address is not known.
    pub(super) fn begin_link(self: &Arc<Self>, number: u64) -> Option<HandshakePermit> {
        let mut admitted = self.admitted();
        let address = admitted.connections.get(&number)?.address?;
        admitted.set_holder(number, Holder::Link);
        let end = admitted.half_links.begin(address, number, LINK_BOUNDS);
        drop(admitted);
        Some(HandshakePermit { admission: self.clone(), number, address, is_link: true, end })
    }

    /// Keeps idle connections open that have a session.
    pub(crate) fn keep_alive(&self) {
        let of_user =
            |connected: &Connected| matches!(connected.holder, Holder::User(_)).then(|| connected.send_queue.clone());
        let send_queues: Vec<_> = self.admitted().connections.values().filter_map(of_user).collect();
        send_queues.iter().for_each(|send_queue| send_queue.keep_alive());
    }

    /// Changes the limits. Connections that are there stay.
    pub(crate) fn set_places(&self, places: Places) {
        self.outbox_bytes.store(places.outbox_bytes, Ordering::Relaxed);
        self.admitted().places = places;
    }

    /// Counts the connections.
    pub(crate) fn census(&self) -> Census {
        let admitted = self.admitted();
        let mut census = Census::new(&admitted.counts, admitted.places.most);
        for connected in admitted.connections.values() {
            census.add(&connected.send_queue, matches!(connected.holder, Holder::User(_)));
        }
        census
    }

    pub(crate) fn connection_count(&self) -> usize {
        self.admitted().connections.len()
    }

    /// Counts a connection that ended before it could be served.
    pub(super) fn record_unopened(&self, reason: &'static str) {
        self.admitted().counts.record(reason);
    }

    fn admitted(&self) -> MutexGuard<'_, Admitted> {
        self.admitted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admitted {
    /// Counts a connection of an address, and ends another one if there are many.
    fn make_room(&mut self, address: Option<IpAddr>) -> Result<(), DisconnectReason> {
        if let Some(reason) = self.closed {
            return Err(reason);
        }
        let Places { most, per_address, .. } = self.places;
        let taken = self.connections.len() - self.ending.len();
        if taken >= most {
            return Err(DisconnectReason::TooManyConnections);
        }
        if let Some(address) = address {
            self.count(address, per_address)?;
        }
        if (taken + 1) * 100 > most * EVICTION_PERCENT {
            self.evict();
        }
        Ok(())
    }

    fn count(&mut self, address: IpAddr, most: usize) -> Result<(), DisconnectReason> {
        let from_there = self.addresses.entry(address).or_default();
        if !address.is_loopback() && *from_there >= most {
            return Err(DisconnectReason::TooManyConnections);
        }
        *from_there += 1;
        Ok(())
    }

    fn discount(&mut self, address: IpAddr) {
        if let Some(count) = self.addresses.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.addresses.remove(&address);
            }
        }
    }
}

impl Permit {
    /// A place for the TLS handshake of a client.
    pub(super) fn begin_handshake(&self, client: IpAddr) -> HandshakePermit {
        let (admission, number, address) = (self.admission.clone(), self.number, origin(client));
        let end = admission.admitted().tls_handshakes.begin(address, number, TLS_BOUNDS);
        HandshakePermit { admission, number, address, is_link: false, end }
    }

    /// The connection's number.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut admitted = self.admission.admitted();
        if admitted.ending.remove(&self.number) {
            self.admission.has_ended.notify_waiters();
        }
        admitted.set_holder(self.number, Holder::Nobody);
        let counted = admitted.connections.remove(&self.number).and_then(|connected| connected.counted());
        counted.into_iter().for_each(|address| admitted.discount(address));
    }
}

impl Drop for Authenticating {
    fn drop(&mut self) {
        self.admission.admitted().change_holder(self.number, Holder::Authenticating, Holder::Address);
    }
}

impl Drop for HandshakePermit {
    fn drop(&mut self) {
        let mut admitted = self.admission.admitted();
        let handshakes = if self.is_link { &mut admitted.half_links } else { &mut admitted.tls_handshakes };
        handshakes.remove(self.address, self.number);
    }
}
