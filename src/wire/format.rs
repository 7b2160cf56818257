//! How a listener answers, and in whose words.

/// The format of a listener's replies (PROTOCOL §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyFormat {
    /// One JSON object a reply, in ASCII.
    Json,
    /// `[OK] text` or `[ERR] text`, in UTF-8.
    Text,
    /// The objects of `Json`, each in a WebSocket message.
    WebSocket,
}

impl ReplyFormat {
    /// How many there are.
    pub(crate) const COUNT: usize = 3;

    /// Its place among all.
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// The five systems, by whose documents a command is answered. On a text listener it is always the draft system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// "Protokol & Operasi Chat Dalam Satu Maupun Dua Realm".
    Realm,
    /// "Chat Service".
    Service,
    /// "Chat CLI".
    Cli,
    /// "Layanan Chat dengan Multithreaded Server".
    Layanan,
    /// "Draft Chat Server".
    Draft,
}

/// Why the server closes a connection (PROTOCOL §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisconnectReason {
    ShuttingDown,
    /// The connection was the oldest without a login of the address with the most, when the server needed its place.
    Evicted,
    /// The connection was the oldest of a user with too many.
    TooManyOfUser,
    /// The limit of this address, or of all connections, is reached.
    TooManyConnections,
    /// An administrator has kicked the user.
    Kicked,
    /// An administrator has banned the user.
    Banned,
    /// The address is banned.
    AddressBanned,
    /// The client does not speak TLS at a listener for it.
    TlsExpected,
}
