//! Handshakes that are not over, so that those which never end take no place from others.

use std::collections::HashMap;
use std::net::IpAddr;

use tokio_util::sync::CancellationToken;

use crate::net::admission::holders::Holders;

/// The handshakes of one kind.
#[derive(Default)]
pub(super) struct Unfinished {
    addresses: Holders<IpAddr>,
    /// Cancelled to end one.
    ends: HashMap<u64, CancellationToken>,
}

/// How many handshakes of a kind there may be.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) all: usize,
    pub(super) per_address: usize,
}

impl Unfinished {
    /// A place for the handshake of a connection, and what is cancelled if it is needed for another one. If there are too
    /// many, or too many from its address, the oldest one of the address with the most is ended.
    pub(super) fn begin(&mut self, address: IpAddr, connection: u64, bounds: Bounds) -> CancellationToken {
        if self.addresses.count(address) >= bounds.per_address {
            self.end_oldest(address);
        } else if self.ends.len() >= bounds.all
            && let Some((_, largest)) = self.addresses.largest()
        {
            self.end_oldest(largest);
        }
        self.addresses.add(address, connection);
        let end = CancellationToken::new();
        self.ends.insert(connection, end.clone());
        end
    }

    pub(super) fn remove(&mut self, address: IpAddr, connection: u64) {
        self.addresses.remove(address, connection);
        self.ends.remove(&connection);
    }

    fn end_oldest(&mut self, address: IpAddr) {
        let Some(oldest) = self.addresses.oldest(address) else { return };
        self.addresses.remove(address, oldest);
        if let Some(end) = self.ends.remove(&oldest) {
            end.cancel();
        }
    }
}
