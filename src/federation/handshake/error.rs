use crate::chat::CommandError;
use crate::federation::frame::CloseReason;

/// Why a handshake did not lead to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::federation) enum HandshakeError {
    /// This server refuses the other one.
    Refused(CommandError),
    ClosedByPeer(CloseReason),
    /// The other server violated the protocol.
    Protocol(CloseReason),
    /// The connection broke, or [`LINK_HELLO`](crate::limits::LINK_HELLO) passed.
    NoAnswer,
    Stopping,
}

impl HandshakeError {
    /// For the user who asked for the link.
    pub(in crate::federation) fn error(self) -> CommandError {
        match self {
            Self::Refused(error) => error,
            Self::ClosedByPeer(CloseReason::KeyChanged) => CommandError::RealmKeyChanged,
            Self::ClosedByPeer(_) | Self::Protocol(CloseReason::Version) => CommandError::RealmRefused,
            Self::Protocol(_) | Self::NoAnswer | Self::Stopping => CommandError::RealmUnreachable,
        }
    }

    /// For the operator.
    pub(in crate::federation) fn problem(self) -> String {
        match self {
            Self::Refused(CommandError::RealmKeyChanged) => {
                "it shows another key than the one that is known here".into()
            }
            Self::Refused(error) => format!("this server refused the link: {}", crate::wire::code(error)),
            Self::ClosedByPeer(reason) => format!("the other server ended it: {reason}"),
            Self::Protocol(reason) => format!("the other server violated the protocol ({reason:?})"),
            Self::NoAnswer => "the other server did not complete the handshake".into(),
            Self::Stopping => "this server is stopping".into(),
        }
    }

    /// For the other server; `None` if it would not read it.
    pub(super) fn close_reason(self) -> Option<CloseReason> {
        Some(match self {
            Self::Refused(CommandError::RealmRefused | CommandError::Forbidden) => CloseReason::NotAccepted,
            Self::Refused(CommandError::RealmKeyChanged) => CloseReason::KeyChanged,
            Self::Refused(CommandError::RealmExists) => CloseReason::AlreadyLinked,
            Self::Refused(_) => CloseReason::NoRoom,
            Self::Protocol(reason) => reason,
            Self::Stopping => CloseReason::Stopping,
            Self::ClosedByPeer(_) | Self::NoAnswer => return None,
        })
    }
}
