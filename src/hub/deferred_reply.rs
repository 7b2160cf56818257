//! Replies that cannot be rendered yet: they carry the delivery status of a message to another realm (PROTOCOL §6).

use std::sync::Arc;

use crate::chat::{Receipt, Response};
use crate::hub::delivery_status::{DeliveryHandle, DeliveryStatus};
use crate::wire::{ReplyContext, ReplyFormat};

/// A reply that is rendered once the delivery status is settled.
pub struct DeferredReply {
    pub(crate) context: ReplyContext,
    pub(crate) delivery: Arc<DeliveryHandle>,
    /// The response, given the message's receipt and whether it was delivered.
    pub(crate) response: fn(Receipt, bool) -> Response,
    pub(crate) receipt: Receipt,
}

impl DeferredReply {
    /// Appends the reply if the delivery status is settled. Returns whether it did.
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
