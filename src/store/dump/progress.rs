//! Progress of long work.

/// Progress of a backup, an export or an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Pages of a backup, lines of an export or an import.
    pub count: u64,
    /// Of all; `None` if the total is not known.
    pub percent: Option<u8>,
}

impl Progress {
    pub(in crate::store) fn new(count: u64, done: u64, all: Option<u64>) -> Self {
        let percent = all.filter(|all| *all > 0).map(|all| (done.min(all).saturating_mul(100) / all) as u8);
        Self { count, percent }
    }
}
