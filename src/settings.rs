//! Settings that the configuration reads and a module below it uses.

use serde::Deserialize;

/// What the server waits for before it acknowledges a change (PROTOCOL §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Stable storage: an acknowledged change survives a power cut.
    #[default]
    Sync,
    /// The operating system: a power cut may lose the newest changes, and never damages older ones.
    Fast,
}

/// Who may register (PROTOCOL §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Anybody.
    Open,
    /// Users with the code of an invite.
    Invite,
    /// Nobody: accounts come from the configuration and from the operator.
    Closed,
}

/// Which servers may link to this one by dialling it (PROTOCOL §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accept {
    /// Those whose key is known.
    Known,
    /// Those whose key is known, and any other on this machine.
    Loopback,
    /// All servers.
    Any,
}
