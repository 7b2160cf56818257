//! The epochs of this server's log, and where in it a client goes on that has a position of an earlier one.

use crate::chat::error::CommandError;
use crate::chat::model::position::Position;
use crate::chat::state::tables::State;
use crate::id::{Epoch, Seq};
use crate::limits::EPOCHS;

/// Where in this log a client goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResumePoint {
    /// The last number that the client and this log have in common.
    pub after: Seq,
    /// The client was told numbers after that which this log does not have, or has given to other messages.
    pub is_reset: bool,
}

impl State {
    /// The epoch in which this server gave a number, and the last number before the next one.
    #[must_use]
    pub fn epoch_of(&self, seq: Seq) -> (Epoch, Seq) {
        let next = self.epochs.partition_point(|(begun, _)| *begun <= seq);
        let epoch = next.checked_sub(1).and_then(|place| self.epochs.get(place));
        let end = self.epochs.get(next).map_or(Seq(u64::MAX), |(begun, _)| Seq(begun.0 - 1));
        (epoch.map_or(Epoch(0), |(_, epoch)| *epoch), end)
    }

    /// Where a client goes on that was told everything up to a position.
    ///
    /// # Errors
    /// [`CommandError::UnknownId`] if the number was never given and no epoch tells why.
    pub fn resume_point(&self, position: Position) -> Result<ResumePoint, CommandError> {
        let current = self.epoch();
        let epoch = position.epoch.unwrap_or(current);
        if epoch == current {
            let resumes = ResumePoint { after: position.id, is_reset: false };
            return if position.id <= self.head { Ok(resumes) } else { Err(CommandError::UnknownId) };
        }
        let shared = self.last_shared(epoch);
        Ok(ResumePoint { after: position.id.min(shared), is_reset: position.id > shared })
    }

    /// The last number that this log shares with the one in which an epoch was the newest: the last before the first
    /// start of this one after that epoch began. Nothing, if there was no such start, or no epoch before it.
    fn last_shared(&self, epoch: Epoch) -> Seq {
        let next = match self.epochs.iter().rposition(|(_, known)| *known == epoch) {
            Some(place) => Some(place + 1),
            None => self.epochs.iter().position(|(_, known)| *known > epoch).filter(|place| *place > 0),
        };
        next.and_then(|next| self.epochs.get(next)).map_or(Seq(0), |(begun, _)| Seq(begun.0 - 1))
    }

    pub(super) fn begin_epoch(&mut self, seq: Seq, epoch: Epoch) {
        if self.epochs.len() >= EPOCHS {
            self.epochs.remove(0);
        }
        self.epochs.push((seq, epoch));
    }

    /// How this server counts now.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epochs.last().map_or(Epoch(0), |(_, epoch)| *epoch)
    }

    /// The epoch to begin for a new one, which the clock may have placed before the current one.
    #[must_use]
    pub fn next_epoch(&self, new: Epoch) -> Epoch {
        let current = self.epoch();
        let is_later = new > current || self.epochs.is_empty();
        // The lower bits of the new one are random: a backup that is started twice does not begin the same epoch twice.
        if is_later { new } else { Epoch(current.0.saturating_add(1 + new.0 % (1 << 20))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::fixture::Fixture;

    /// A state in which epochs began at these numbers, with its head after them.
    fn state(epochs: &[(u64, u64)], head: u64) -> State {
        let mut state = Fixture::new().state;
        state.epochs = epochs.iter().map(|(begun, epoch)| (Seq(*begun), Epoch(*epoch))).collect();
        state.head = Seq(head);
        state
    }

    fn resume(state: &State, id: u64, epoch: impl Into<Option<u64>>) -> Result<(u64, bool), CommandError> {
        let position = Position { id: Seq(id), epoch: epoch.into().map(Epoch) };
        state.resume_point(position).map(|ResumePoint { after, is_reset }| (after.0, is_reset))
    }

    #[test]
    fn a_position_that_every_log_has_is_resumed() {
        let state = state(&[(1, 100), (51, 300), (80, 400)], 90);
        for (id, epoch) in [(0, None), (90, None), (90, Some(400)), (79, Some(300)), (50, Some(100)), (0, Some(100))] {
            assert_eq!(resume(&state, id, epoch), Ok((id, false)), "{epoch:?}");
        }
    }

    #[test]
    fn a_number_that_was_never_given_is_refused() {
        let state = state(&[(1, 100), (51, 300)], 90);
        assert_eq!(resume(&state, 91, None), Err(CommandError::UnknownId));
        assert_eq!(resume(&state, 91, 300), Err(CommandError::UnknownId));
    }

    /// The backup was taken at 50, in epoch 100; what followed is lost, and so are epochs that began after it.
    #[test]
    fn a_restored_log_resets_to_where_the_backup_ended() {
        let state = state(&[(1, 100), (51, 300), (80, 400)], 200);
        for (id, epoch) in [(51, 100), (150, 100), (150, 200), (60, 299)] {
            assert_eq!(resume(&state, id, epoch), Ok((50, true)), "{id} of {epoch}");
        }
        assert_eq!(resume(&state, 40, 200), Ok((40, false)), "it was told nothing that is lost");
    }

    #[test]
    fn a_log_restored_twice_resets_to_the_right_one_of_the_two() {
        let state = state(&[(1, 100), (31, 300), (80, 500)], 90);
        assert_eq!(resume(&state, 70, 200), Ok((30, true)));
        assert_eq!(resume(&state, 95, 400), Ok((79, true)));
    }

    #[test]
    fn another_log_shares_nothing() {
        let imported = state(&[(91, 300)], 120);
        assert_eq!(resume(&imported, 50, 200), Ok((0, true)));
        assert_eq!(resume(&imported, 50, 400), Ok((0, true)), "of the future");
    }

    #[test]
    fn an_epoch_is_later_than_the_one_before_whatever_the_clock_does() {
        let state = state(&[(1, 5 << 20)], 1);
        assert_eq!(state.next_epoch(Epoch(6 << 20)), Epoch(6 << 20));
        assert_eq!(state.next_epoch(Epoch(4 << 20 | 7)), Epoch((5 << 20) + 8));
    }
}
