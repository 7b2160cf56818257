//! Sessions (PROTOCOL §2).

use std::net::IpAddr;

use crate::id::{TokenHash, UserId};
use crate::time::Time;

/// An open session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub user: UserId,
    pub token: TokenHash,
    pub opened: Time,
    /// The last recorded use; not every use is recorded.
    pub used: Time,
    /// The session ends with its connection (a text listener's).
    pub ephemeral: bool,
    /// The address of the client that logged in.
    pub origin: IpAddr,
}

/// A session about to be opened.
#[derive(Clone, Copy, Debug)]
pub struct NewSession {
    pub token: TokenHash,
    /// The session ends with its connection.
    pub ephemeral: bool,
    /// The address of the client.
    pub origin: IpAddr,
}
