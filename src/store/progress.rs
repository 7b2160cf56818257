//! Progress of long work.

/// Progress of a backup, a verification, an export or an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Units done.
    pub count: u64,
    /// `pages`, `log entries` or `lines`.
    pub unit: &'static str,
    /// Of all; `None` if the total is not known.
    pub percent: Option<u8>,
}

impl Progress {
    pub(super) fn new(count: u64, unit: &'static str, done: u64, all: Option<u64>) -> Self {
        let percent = all.filter(|all| *all > 0).map(|all| (done.min(all).saturating_mul(100) / all) as u8);
        Self { count, unit, percent }
    }
}
