//! Messages between the program and the task of its client.

use std::time::Duration;

use crate::client::error::ClientError;
use crate::client::event::Event;
use crate::client::queue::Answer;

/// A message to the program.
#[derive(Debug)]
pub enum Incoming {
    /// The session is resumed, and events come from now on.
    Connected {
        /// The user's name.
        user: String,
    },
    /// The connection broke, or was not made. It is tried again.
    Disconnected {
        /// The error.
        error: ClientError,
        /// When it is tried again.
        retry_in: Duration,
    },
    /// An event. Each message comes once, in order, whatever happens to the connection. One that the program sent comes
    /// only if the connection broke before its reply.
    Event(Event),
    /// The server wants less at a time: what waits is sent again, in order, after so long.
    SlowedDown {
        /// How long nothing is sent.
        retry_in: Duration,
    },
    /// It is of no use to try again: the session ended, or the certificate is not trusted. The last of all.
    Ended(ClientError),
}

pub(super) enum Command {
    Request { tag: String, line: String, answer: Answer },
    RetryNow,
}
