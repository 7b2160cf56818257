//! Deferred replies: they tell whether another realm has stored a message, and are written once that is known
//! (PROTOCOL §6).

use std::sync::Arc;

use crate::chat::Response;
use crate::hub::delivery_status::{DeliveryHandle, DeliveryStatus};
use crate::wire::{ReplyContext, ReplyFormat};

/// A reply that waits for the delivery status of a message.
pub struct DeferredReply {
    pub context: ReplyContext,
    pub delivery: Arc<DeliveryHandle>,
    /// The response, except for `delivered`.
    pub response: Response,
}

impl DeferredReply {
    /// Appends the reply; `false` if the status is not known yet.
    pub(super) fn write(&self, out: &mut Vec<u8>, format: ReplyFormat) -> bool {
        let is_delivered = match self.delivery.get() {
            DeliveryStatus::Open => return false,
            DeliveryStatus::Delivered => true,
            DeliveryStatus::Queued => false,
            DeliveryStatus::Refused(why) => {
                format.reply(out, &self.context, Err(why.into()));
                return true;
            }
        };
        let mut response = self.response.clone();
        if let Response::Sent { delivered, .. } = &mut response {
            *delivered = Some(is_delivered);
        }
        format.reply(out, &self.context, Ok(&response));
        true
    }
}
