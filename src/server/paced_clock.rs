//! The paced time: what is removed because it is old goes by it, and what ends at a time, see [`Time::paced`]. It outlasts a
//! restart.

use std::path::{Path, PathBuf};

use tracing::{debug, warn};

use crate::store;
use crate::time::Time;

pub(super) struct PacedClock {
    directory: PathBuf,
    /// The operator was told that it waits for a confirmation.
    has_warned: bool,
}

impl PacedClock {
    /// Goes on from where the last server left off; `log` is the newest time of the log if none did. In a cluster, that was
    /// another node, at `paced`.
    pub(super) fn open(directory: &Path, log: Time, paced: Time) -> Self {
        Time::set_pace(store::read_retention_time(directory).unwrap_or(log).max(paced));
        Self { directory: directory.to_owned(), has_warned: false }
    }

    /// The time to go by from now on.
    pub(super) fn round(&mut self, now: Time, confirmed: Option<Time>) -> Time {
        let time = now.paced().max(confirmed.unwrap_or_default().min(now));
        let waits = time < now;
        if waits && !self.has_warned {
            warn!(
                "retention, bans and invites go by {time}, not by the clock ({now}), which has jumped: [retention] confirm tells that it is right"
            );
        }
        Time::set_pace(time);
        self.has_warned = waits;
        if let Err(error) = store::write_retention_time(&self.directory, time) {
            debug!(%error, "the time of the retention could not be stored");
        }
        time
    }
}
