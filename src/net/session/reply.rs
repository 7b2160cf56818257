//! Replies on their way from a request to the send queue.

use std::pin::Pin;

use crate::chat::{CommandError, Response};
use crate::hub::{Awaited, Executed, Replay, Ticket};

/// The result of a request, and when it may be told.
pub(super) struct PendingReply {
    pub(super) result: Result<Response, CommandError>,
    pub(super) ticket: Ticket,
    /// The reply waits for something.
    pub(super) awaited: Option<Awaited>,
}

/// A request that was begun.
pub(super) enum Dispatched<'a> {
    Ready(PendingReply),
    /// The rest waits, for the disk or a core. Boxed, so that an idle connection's task stays small.
    Waiting(Pin<Box<dyn Future<Output = PendingReply> + Send + 'a>>),
}

/// How the connection goes on after a line.
#[derive(Clone, Copy, Debug)]
pub(in crate::net) enum Flow {
    Continue,
    /// With the messages before the subscription.
    Replay(Replay),
    /// As a link to another server, once everything was answered.
    Link,
    /// It ends once everything was answered.
    Close,
    /// It ends at once.
    Drop,
}

impl PendingReply {
    /// A reply that shows nothing of the state.
    pub(super) fn at_once(result: Result<Response, CommandError>) -> Self {
        Self::new(result, Ticket::NONE)
    }

    pub(super) fn new(result: Result<Response, CommandError>, ticket: Ticket) -> Self {
        Self { result, ticket, awaited: None }
    }
}

impl From<CommandError> for PendingReply {
    fn from(error: CommandError) -> Self {
        Self::at_once(Err(error))
    }
}

impl From<Executed> for PendingReply {
    fn from(Executed { result, ticket, delivery, forward, .. }: Executed) -> Self {
        let awaited = forward.map(Awaited::Forward).or(delivery.map(Awaited::Delivery));
        Self { result, ticket, awaited }
    }
}

impl<'a> Dispatched<'a> {
    pub(super) fn waiting(rest: impl Future<Output = PendingReply> + Send + 'a) -> Self {
        Self::Waiting(Box::pin(rest))
    }
}
