//! The memory of all send queues together.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use crate::hub::ConnectionEnd;
use crate::net::admission::{Admission, Admitted, Connected};

/// The bytes that wait for the readers of one user, or of one address.
#[derive(Default)]
struct Share<'a> {
    bytes: u64,
    connections: Vec<(u64, &'a Connected)>,
}

impl Admission {
    /// Counts the bytes of a page that is about to be queued.
    pub(in crate::net) fn note_page(&self, bytes: usize) {
        let before = self.queued.fetch_add(bytes as u64, Ordering::Relaxed);
        if before + bytes as u64 > self.outbox_bytes.load(Ordering::Relaxed) / 4 {
            self.bound_memory();
        }
    }

    /// Ends connections until few enough bytes wait for all readers: always the largest connection of the user or address
    /// with the most bytes, so that no user pays for the many connections of another.
    pub(crate) fn bound_memory(&self) {
        self.queued.store(0, Ordering::Relaxed);
        let outbox_bytes = self.outbox_bytes.load(Ordering::Relaxed);
        let mut admitted = self.admitted();
        let Admitted { connections, counts, .. } = &mut *admitted;
        let waiting = |connected: &Connected| connected.send_queue.status().backlog.bytes as u64;
        let mut all: u64 = connections.values().map(waiting).sum();
        if all <= outbox_bytes {
            return;
        }
        let mut shares: HashMap<_, Share<'_>> = HashMap::new();
        for connected in connections.values() {
            let share = shares.entry((connected.holder, connected.holder.address(connected.address))).or_default();
            let bytes = waiting(connected);
            share.bytes += bytes;
            share.connections.push((bytes, connected));
        }
        shares.values_mut().for_each(|share| share.connections.sort_unstable_by_key(|(bytes, _)| *bytes));
        while all > outbox_bytes / 2
            && let Some(share) = shares.values_mut().max_by_key(|share| share.bytes)
            && let Some((bytes, connected)) = share.connections.pop()
        {
            all -= bytes;
            share.bytes -= bytes;
            // A peer that reads nothing cannot be sent the reason.
            counts.record_slow_reader();
            connected.send_queue.close(ConnectionEnd::Gone);
        }
    }
}
