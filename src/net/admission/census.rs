//! Counts of connections, for the operator.

use std::collections::BTreeMap;

use crate::hub::SendQueue;
use crate::wire::{DisconnectReason, ListenerKind};

/// Counters since the start. Changed under the lock of the places.
#[derive(Clone, Default)]
pub(super) struct Counts {
    accepted: [u64; ListenerKind::ALL.len()],
    /// Connections that the server rejected or ended, by reason.
    ended: BTreeMap<&'static str, u64>,
}

/// The connections at one moment, and those since the start.
#[derive(Default)]
pub(crate) struct Census {
    pub(crate) most: usize,
    /// By the place of its kind of listener in [`ListenerKind::ALL`].
    pub(crate) open: [u64; ListenerKind::ALL.len()],
    pub(crate) accepted: [u64; ListenerKind::ALL.len()],
    pub(crate) logged_in: u64,
    /// Bytes that wait for readers.
    pub(crate) waiting_bytes: u64,
    pub(crate) ended: BTreeMap<&'static str, u64>,
}

impl Counts {
    pub(super) fn record_accepted(&mut self, kind: ListenerKind) {
        if let Some(count) = self.accepted.get_mut(kind as usize) {
            *count += 1;
        }
    }

    pub(super) fn record_ended(&mut self, reason: DisconnectReason) {
        self.record(match reason {
            DisconnectReason::ShuttingDown => "shutting_down",
            DisconnectReason::Evicted => "evicted",
            DisconnectReason::TooManyOfUser => "too_many_of_user",
            DisconnectReason::TooManyConnections => "too_many_connections",
            DisconnectReason::Kicked => "kicked",
            DisconnectReason::Banned | DisconnectReason::AddressBanned => "banned",
            DisconnectReason::TlsExpected => "tls_expected",
        });
    }

    /// Counts a connection that took too little of what waited for it.
    pub(super) fn record_slow_reader(&mut self) {
        self.record("slow_reader");
    }

    pub(super) fn record(&mut self, reason: &'static str) {
        *self.ended.entry(reason).or_default() += 1;
    }
}

impl Census {
    pub(super) fn new(counts: &Counts, most: usize) -> Self {
        let Counts { accepted, ended } = counts.clone();
        Self { most, accepted, ended, ..Self::default() }
    }

    /// Counts an open connection.
    pub(super) fn add(&mut self, send_queue: &SendQueue, is_logged_in: bool) {
        if let Some(count) = self.open.get_mut(send_queue.format().listener() as usize) {
            *count += 1;
        }
        self.logged_in += u64::from(is_logged_in);
        self.waiting_bytes += send_queue.status().backlog.bytes as u64;
    }
}
