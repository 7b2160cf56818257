//! Deferred replies: they tell what is not known yet, and are written once it is: whether another realm has stored a message
//! (PROTOCOL §6), or what the leader of the cluster has decided.

use std::sync::Arc;

use crate::chat::{CommandError, Response};
use crate::hub::delivery_status::{DeliveryHandle, DeliveryStatus};
use crate::hub::forward::Forward;
use crate::hub::tickets::Ticket;
use crate::wire::{ReplyContext, ReplyFormat};

/// A reply that waits for something.
pub struct DeferredReply {
    pub context: ReplyContext,
    pub awaited: Awaited,
    /// The response, except for what is awaited.
    pub response: Response,
}

/// What a reply waits for.
#[derive(Clone)]
pub enum Awaited {
    /// Whether another realm has stored the message.
    Delivery(Arc<DeliveryHandle>),
    /// The outcome of a forwarded command, and whether another realm has stored the message.
    Forward(Arc<Forward>),
}

impl DeferredReply {
    /// The ticket of the reply, which it was held for; `None` if that is not known yet.
    pub(super) fn ticket(&self, held_for: Ticket) -> Option<Ticket> {
        match &self.awaited {
            Awaited::Delivery(_) => Some(held_for),
            Awaited::Forward(forward) => forward.outcome().map(|told| told.ticket),
        }
    }

    /// Appends the reply; `false` if what it waits for is not known yet.
    pub(super) fn write(&self, out: &mut Vec<u8>, format: ReplyFormat) -> bool {
        let Some(result) = self.result() else { return false };
        format.reply(out, &self.context, result.as_ref().map_err(|error| *error));
        true
    }

    fn result(&self) -> Option<Result<Response, CommandError>> {
        match &self.awaited {
            Awaited::Delivery(delivery) => delivered(&self.response, delivery.get()),
            Awaited::Forward(forward) => {
                let told = forward.outcome()?;
                let done = match &told.outcome {
                    Ok(done) => self.done(done.clone()),
                    Err(error) => return Some(Err(*error)),
                };
                match &told.delivery {
                    Some(delivery) => delivered(&done, delivery.get()),
                    None => Some(Ok(done)),
                }
            }
        }
    }

    /// The leader's response, with the recipient that the reply names.
    fn done(&self, mut done: Response) -> Response {
        if let (Response::Sent { to, .. }, Response::Sent { to: named, .. }) = (&mut done, &self.response) {
            to.clone_from(named);
        }
        done
    }
}

/// The reply to the sender of a message for another realm; `None` if it is not known yet what becomes of that.
fn delivered(sent: &Response, status: DeliveryStatus) -> Option<Result<Response, CommandError>> {
    let is_delivered = match status {
        DeliveryStatus::Open => return None,
        DeliveryStatus::Delivered => true,
        DeliveryStatus::Queued => false,
        DeliveryStatus::Refused(why) => return Some(Err(why.into())),
        DeliveryStatus::Unknown => return Some(Err(CommandError::UnknownOutcome)),
    };
    let mut response = sent.clone();
    if let Response::Sent { delivered, .. } = &mut response {
        *delivered = Some(is_delivered);
    }
    Some(Ok(response))
}
