//! How a listener answers, and in whose words.

use crate::settings::Language;

/// The kind of a listener (PROTOCOL §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerKind {
    /// Programs that read JSON.
    Json,
    /// People at netcat.
    Text,
    /// The page, and programs that speak WebSocket.
    Web,
}

impl ListenerKind {
    pub(crate) const ALL: [Self; 3] = [Self::Json, Self::Text, Self::Web];

    /// Its name in the log, in metrics and for a service manager.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
            Self::Web => "web",
        }
    }

    /// The format of its connections' replies. Text is in `language`.
    #[must_use]
    pub fn format(self, language: Language) -> ReplyFormat {
        match self {
            Self::Json => ReplyFormat::Json,
            Self::Text => ReplyFormat::Text(language),
            Self::Web => ReplyFormat::WebSocket,
        }
    }
}

/// The format of a connection's replies (PROTOCOL §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyFormat {
    /// One JSON object a reply, in ASCII.
    Json,
    /// `[OK] text` or `[ERR] text`, in UTF-8.
    Text(Language),
    /// The objects of `Json`, each in a WebSocket message.
    WebSocket,
}

impl ReplyFormat {
    /// How many there are.
    pub(crate) const COUNT: usize = 5;

    /// Its place among all.
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Json => 0,
            Self::WebSocket => 1,
            Self::Text(Language::Documents) => 2,
            Self::Text(Language::English) => 3,
            Self::Text(Language::Indonesian) => 4,
        }
    }

    /// Whether a person reads the replies.
    #[must_use]
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// Objects are in the words of the documents, whatever the language of text listeners.
    #[must_use]
    pub(crate) fn language(self) -> Language {
        match self {
            Self::Text(language) => language,
            Self::Json | Self::WebSocket => Language::Documents,
        }
    }

    /// The kind of listener that has such connections.
    #[must_use]
    pub(crate) fn listener(self) -> ListenerKind {
        match self {
            Self::Json => ListenerKind::Json,
            Self::Text(_) => ListenerKind::Text,
            Self::WebSocket => ListenerKind::Web,
        }
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
