//! Replies that cannot be written yet: what became of a message to another realm is in them (PROTOCOL §6).

use std::sync::Arc;

use crate::chat::{Receipt, Response};
use crate::hub::delivery_status::{DeliveryHandle, DeliveryStatus};
use crate::wire::{ReplyContext, ReplyFormat};

/// A reply that is written once it is known what became of a message to another realm.
pub struct DeferredReply {
    /// Of the request.
    pub context: ReplyContext,
    /// What became of the message.
    pub delivery: Arc<DeliveryHandle>,
    /// The outcome, given whether the message was delivered.
    pub response: fn(Receipt, bool) -> Response,
    /// The message's.
    pub receipt: Receipt,
}

impl DeferredReply {
    /// Appends the reply, if it can be written yet.
    pub(super) fn write(&self, out: &mut Vec<u8>, format: ReplyFormat) -> bool {
        let delivered = match self.delivery.get() {
            DeliveryStatus::Open => return false,
            DeliveryStatus::Delivered => true,
            DeliveryStatus::Queued => false,
            DeliveryStatus::Refused(why) => {
                format.reply(out, &self.context, Err(why.into()));
                return true;
            }
        };
        format.reply(out, &self.context, Ok(&(self.response)(self.receipt, delivered)));
        true
    }
}
