//! Requests of the chat's state: to the server, to the terminal and to the program.

use kabar::client::Target;

/// An effect that the state requests.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Send {
        number: u64,
        tag: String,
        to: Target,
        text: String,
    },
    Ask(Question),
    RetryNow,
    /// The terminal's bell, for a message that is meant for this person.
    Ring,
    /// With the password that was typed.
    LogIn,
    Quit,
}

/// A question to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Online,
    /// All conversations, with what is unread in them.
    Conversations,
    History {
        of: Target,
        before: Option<u64>,
    },
    Members {
        group: String,
    },
    MarkRead {
        of: Target,
        upto: u64,
    },
    Acknowledge(u64),
    /// A command of the person, whose answer is shown.
    Command(String),
}
