//! What attackers were answered.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use memchr::memmem;

#[derive(Default)]
pub(crate) struct Tally {
    bytes: AtomicU64,
    slow_down: AtomicU64,
    throttled: AtomicU64,
    /// Refusals that name no time to wait.
    untimed: AtomicU64,
    broken: AtomicU64,
    /// The shortest and the longest answer to a dial, in milliseconds: of an open port, and of a closed one.
    dialled: Mutex<[Option<(u64, u64)>; 2]>,
}

impl Tally {
    /// Counts what was received. What stands across two reads is left out: the numbers are a lower bound.
    pub(crate) fn count(&self, received: &[u8]) {
        let add = |counter: &AtomicU64, pattern: &str| {
            counter.fetch_add(memmem::find_iter(received, pattern).count() as u64, Ordering::Relaxed);
        };
        self.bytes.fetch_add(received.len() as u64, Ordering::Relaxed);
        add(&self.slow_down, "\"code\":\"slow_down\"");
        add(&self.throttled, "\"code\":\"throttled\"");
        add(&self.untimed, "\"retry_after\":0");
    }

    pub(crate) fn broken(&self) {
        self.broken.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn dialled(&self, is_open: bool, took: u64) {
        let mut dialled = self.dialled.lock().unwrap_or_else(PoisonError::into_inner);
        let (least, most) = dialled[usize::from(!is_open)].unwrap_or((took, took));
        dialled[usize::from(!is_open)] = Some((least.min(took), most.max(took)));
    }

    /// The counters by name, as [`fmt::Display`] writes them.
    pub(crate) fn field(shown: &str, name: &str) -> u64 {
        let mut fields = shown.split_whitespace().filter_map(|field| field.split_once('='));
        fields.find(|(found, _)| *found == name).and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [bytes, slow_down, throttled, untimed, broken] =
            [&self.bytes, &self.slow_down, &self.throttled, &self.untimed, &self.broken]
                .map(|counter| counter.load(Ordering::Relaxed));
        write!(f, "bytes={bytes} slow_down={slow_down} throttled={throttled} untimed={untimed} broken={broken}")?;
        if let [Some((open, _)), Some((closed, _))] = *self.dialled.lock().unwrap_or_else(PoisonError::into_inner) {
            write!(f, " open_port_ms={open} closed_port_ms={closed}")?;
        }
        Ok(())
    }
}
