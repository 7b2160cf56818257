//! Admission control: bounds on all connections and on those of one address. Near the bound, the unauthenticated
//! connection that was silent longest is evicted (PROTOCOL §1).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::hub::{ConnectionEnd, SendQueue};
use crate::limits::EVICTION_PERCENT;
use crate::net::origin::origin;
use crate::wire::DisconnectReason;

/// Counts the connections, and can end them all.
pub struct Admission {
    most: usize,
    most_per_address: usize,
    admitted: Mutex<Admitted>,
}

#[derive(Default)]
struct Admitted {
    /// Set once all connections were ended: no more are admitted.
    closed: Option<DisconnectReason>,
    last: u64,
    connections: HashMap<u64, Arc<SendQueue>>,
    addresses: HashMap<IpAddr, usize>,
}

/// A connection's place, which is free again when this is dropped.
pub(crate) struct Permit {
    admission: Arc<Admission>,
    number: u64,
    /// The address it is counted under; `None` for a proxy that has not named its client yet.
    address: Option<IpAddr>,
}

impl Admission {
    /// Admits at most `most` connections, `most_per_address` of them from one address that is not loopback.
    #[must_use]
    pub(crate) fn new(most: usize, most_per_address: usize) -> Self {
        Self { most, most_per_address, admitted: Mutex::default() }
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
        let address = address.map(origin);
        let mut admitted = self.admitted();
        if let Some(reason) = admitted.closed {
            return Err(reason);
        }
        if admitted.connections.len() >= self.most {
            return Err(DisconnectReason::TooManyConnections);
        }
        if let Some(address) = address {
            admitted.count(address, self.most_per_address)?;
        }
        admitted.last += 1;
        let number = admitted.last;
        admitted.connections.insert(number, send_queue.clone());
        if admitted.connections.len() * 100 > self.most * EVICTION_PERCENT {
            admitted.evict_idle_unauthenticated(number);
        }
        Ok(Permit { admission: self.clone(), number, address })
    }

    /// Ends all connections, and admits no more.
    pub(crate) fn end_all(&self, reason: DisconnectReason) {
        let mut admitted = self.admitted();
        admitted.closed = Some(reason);
        for send_queue in admitted.connections.values() {
            send_queue.close(ConnectionEnd::Disconnected(reason));
        }
    }

    /// Keeps idle connections open.
    pub(crate) fn keep_alive(&self) {
        let send_queues: Vec<_> = self.admitted().connections.values().cloned().collect();
        send_queues.iter().for_each(|send_queue| send_queue.keep_alive());
    }

    fn admitted(&self) -> MutexGuard<'_, Admitted> {
        self.admitted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admitted {
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

    fn evict_idle_unauthenticated(&self, newcomer: u64) {
        let others = self
            .connections
            .iter()
            .filter(|(number, send_queue)| **number != newcomer && send_queue.ending().is_none());
        let longest_silent = others
            .filter_map(|(_, send_queue)| Some((send_queue.unauthenticated_since()?, send_queue)))
            .min_by_key(|s| s.0);
        if let Some((_, send_queue)) = longest_silent {
            send_queue.close(ConnectionEnd::Disconnected(DisconnectReason::Evicted));
        }
    }
}

impl Permit {
    /// Counts a proxy's connection under the address of its client.
    ///
    /// # Errors
    /// If that address has too many connections already.
    pub(crate) fn set_client(&mut self, client: IpAddr) -> Result<(), DisconnectReason> {
        let client = origin(client);
        let mut admitted = self.admission.admitted();
        admitted.count(client, self.admission.most_per_address)?;
        if let Some(before) = self.address.replace(client) {
            admitted.discount(before);
        }
        Ok(())
    }

    /// The connection's number, for the log.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut admitted = self.admission.admitted();
        admitted.connections.remove(&self.number);
        if let Some(address) = self.address {
            admitted.discount(address);
        }
    }
}
