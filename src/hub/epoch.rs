//! Epochs: a number beside the sequence numbers of this server, new with every start.

use uuid::Uuid;

use crate::chat::{Command, CommandError};
use crate::hub::shared::Hub;
use crate::id::Epoch;
use crate::time::Time;

/// The random bits of an epoch, below the milliseconds since 1970: they last until the year 2527.
const RANDOM_BITS: u32 = 20;

impl Hub {
    /// Begins a new epoch. It must be durable before any client or other server is told a number.
    ///
    /// A server that was restored from a backup must not reuse sequence numbers, and cannot always detect that it was
    /// restored: once it has sent further messages, the numbers alone do not show it. Hence one epoch per start
    /// (PROTOCOL §6). The time is in its upper bits: so an epoch that the restored log has lost is known to have begun
    /// before the first start after the restore, and what the log has from before that start is what both have.
    ///
    /// # Errors
    /// [`CommandError`] if the hub refuses changes.
    pub(crate) fn begin_epoch(&self) -> Result<(), CommandError> {
        let epoch = new_epoch(Time::now());
        self.execute_as_server(&Command::BeginEpoch { epoch }).result.map(drop)
    }
}

/// An epoch that begins now.
pub(super) fn new_epoch(now: Time) -> Epoch {
    epoch_of(now, Uuid::new_v4().as_u64_pair().1)
}

fn epoch_of(now: Time, random: u64) -> Epoch {
    Epoch(now.0 << RANDOM_BITS | random & ((1 << RANDOM_BITS) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_epoch_is_greater() {
        assert!(epoch_of(Time(1_795_244_400_123), u64::MAX) < epoch_of(Time(1_795_244_400_124), 0));
    }
}
