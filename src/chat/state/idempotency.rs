//! Completed requests in the state.

use crate::chat::error::CommandError;
use crate::chat::model::idempotency::{CompletedRequest, IdempotencyKey};
use crate::chat::state::tables::State;
use crate::limits::TAG_MEMORY;
use crate::time::Time;

impl State {
    /// The same request, if it was done before, within a day.
    ///
    /// # Errors
    /// [`CommandError::TagReused`] if the tag was used for another request.
    pub fn completed_request(
        &self,
        key: &IdempotencyKey,
        now: Time,
    ) -> Result<Option<&CompletedRequest>, CommandError> {
        match self.user(key.user).and_then(|user| user.done.find(key.tag)) {
            Some(done) if now.since(done.receipt.time) >= TAG_MEMORY => Ok(None),
            Some(done) if done.request != key.request => Err(CommandError::TagReused),
            done => Ok(done),
        }
    }
}
