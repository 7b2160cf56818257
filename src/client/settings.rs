//! Settings of a client.

use crate::client::address::ServerAddress;
use crate::client::trust::Trust;

/// Which events a client wants.
#[derive(Clone, Debug, Default)]
pub struct Subscription {
    /// The message after which they begin; by default after the newest one when the client first connects.
    pub after: Option<u64>,
    /// Topics beside messages: `presence`, `group`, `inbox`, `read`.
    pub topics: &'static [&'static str],
}

/// The server, the user and the purpose of a connection.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server.
    pub server: ServerAddress,
    /// The certificates that are trusted.
    pub trust: Trust,
    /// The session's token.
    pub token: String,
    /// `None` for a client that only sends.
    pub subscription: Option<Subscription>,
}

impl Settings {
    /// A client that hears of new messages.
    #[must_use]
    pub fn new(server: ServerAddress, trust: Trust, token: String) -> Self {
        Self { server, trust, token, subscription: Some(Subscription::default()) }
    }
}
