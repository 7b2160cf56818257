//! Sessions (PROTOCOL §2).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::id::{SessionId, TokenHash, UserId};
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
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct NewSession {
    pub token: TokenHash,
    /// The session ends with its connection.
    pub ephemeral: bool,
    /// The address of the client.
    pub origin: IpAddr,
}

/// When and how a session was used last, as far as only this process knows it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SessionUse {
    pub session: SessionId,
    pub standing: SessionStanding,
    pub at: Time,
}

/// How a session is being used. When a user has too many, those of the first kind go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SessionStanding {
    /// The client that logged in quit at once, and nobody has presented the token.
    Left,
    Unconnected,
    /// A connection is attached to it: listening counts as use.
    Connected,
}

/// Why a session ended, for a connection that was attached to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionEnd {
    LoggedOut,
    Revoked,
    PasswordChanged,
    /// A newer login needed its place.
    TooManySessions,
    Unregistered,
    /// It was not used for too long.
    Expired,
    /// By an administrator, who also closes the connections.
    Kicked,
    /// As `Kicked`.
    Banned,
    /// An administrator has locked the account.
    Locked,
}

impl SessionEnd {
    pub const ALL: [Self; 9] = [
        Self::LoggedOut,
        Self::Revoked,
        Self::PasswordChanged,
        Self::TooManySessions,
        Self::Unregistered,
        Self::Expired,
        Self::Kicked,
        Self::Banned,
        Self::Locked,
    ];
}
