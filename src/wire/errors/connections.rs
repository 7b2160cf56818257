//! The rows of lines that are no requests, and of the reasons that a connection ends for.

use crate::chat::CommandError;
use crate::wire::codec::LineError;
use crate::wire::errors::requests::of;
use crate::wire::errors::row::{BAD_FORMAT, ErrorSpec, ParseErrorKind, bad_parameter, row};
use crate::wire::format::DisconnectReason;
use crate::wire::phrase::{Detail, Phrase, ours, phrase};

const CONNECTION_LIMIT: Phrase = phrase("Terlalu banyak koneksi", "too many connections", "terlalu banyak koneksi");

/// The row of a line that is no request; its detail is that of the line.
pub(in crate::wire) fn of_line(kind: ParseErrorKind) -> ErrorSpec {
    let code = match kind {
        ParseErrorKind::UnknownCommand => {
            let unknown = phrase("*Maaf, command tidak benar", "unknown command", "perintah tidak dikenal");
            return row("unknown_command", unknown, Detail::NONE);
        }
        ParseErrorKind::OtherProtocol | ParseErrorKind::Line(LineError::Tls) => {
            let other = phrase("parameter salah / tidak ada", "another protocol", "protokol lain");
            return row("other_protocol", other, Detail::NONE).text(BAD_FORMAT).draft(BAD_FORMAT);
        }
        ParseErrorKind::BadParameter => return bad_parameter(Detail::NONE).draft(BAD_FORMAT),
        ParseErrorKind::Line(LineError::TooLong { .. }) => "line_too_long",
        ParseErrorKind::Line(LineError::NotUtf8) => "invalid_utf8",
        ParseErrorKind::Line(LineError::ControlCharacter) => "control_character",
    };
    let unreadable = phrase("parameter salah / tidak ada", "the line cannot be read", "baris itu tidak terbaca");
    row(code, unreadable, Detail::NONE).text(BAD_FORMAT).draft(BAD_FORMAT)
}

/// The row of the last reply on a connection that the server closes.
pub(in crate::wire) fn of_disconnect(reason: DisconnectReason) -> ErrorSpec {
    match reason {
        DisconnectReason::ShuttingDown => row(
            "shutting_down",
            phrase("Server berhenti", "the server is stopping", "server berhenti"),
            phrase("the server is stopping: connect again later", "connect again later", "sambungkan lagi nanti"),
        ),
        DisconnectReason::Evicted => row(
            "connection_limit",
            CONNECTION_LIMIT,
            ours(
                "the server needed room, and this connection had not logged in: connect again",
                "server perlu tempat, dan koneksi ini belum masuk: sambungkan lagi",
            ),
        ),
        DisconnectReason::TooManyOfUser => row(
            "connection_limit",
            CONNECTION_LIMIT,
            phrase(
                "the user has newer connections, and too many of them",
                "you have newer connections, and too many of them",
                "Anda punya koneksi yang lebih baru, dan terlalu banyak",
            ),
        ),
        DisconnectReason::Kicked => row(
            "kicked",
            phrase("Dikeluarkan", "you were logged out", "Anda dikeluarkan"),
            ours("an administrator has ended your sessions", "administrator mengakhiri semua sesi Anda"),
        ),
        DisconnectReason::Banned => of(CommandError::Banned),
        DisconnectReason::AddressBanned => row(
            "banned",
            phrase("Alamat dicekal", "your address is banned", "alamat Anda dicekal"),
            phrase(
                "an administrator has banned your address: ask one",
                "ask an administrator",
                "hubungi administrator",
            ),
        ),
        DisconnectReason::TooManyConnections => row(
            "connection_limit",
            CONNECTION_LIMIT,
            ours("close one, or try again later", "tutup salah satu, atau coba lagi nanti"),
        ),
        DisconnectReason::TlsExpected => row(
            "tls_expected",
            phrase("Port ini memakai TLS", "this port speaks TLS", "port ini memakai TLS"),
            phrase(
                "this port speaks TLS: connect with it, or to another port",
                "connect with it, or to another port",
                "sambungkan dengan TLS, atau ke port lain",
            ),
        ),
    }
}
