//! The one table of errors: code, sentences and detail of everything that can go wrong (PROTOCOL §4).
//!
//! No error of `auth`, `login` or `register` may contain the letters "ok": a real graphical client takes them for
//! success (PROTOCOL §1).

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::chat::{BounceReason, CommandError};
use crate::limits::{BLOCKS_PER_USER, MAX_BANS, MAX_INVITES, MAX_MEMBERSHIPS, MAX_REALMS};
use crate::wire::codec::LineError;
use crate::wire::format::{Dialect, DisconnectReason, ReplyFormat};

/// A row of the table.
#[derive(Clone)]
pub(super) struct ErrorSpec {
    /// Stable, for programs.
    pub(super) code: &'static str,
    sentence: &'static str,
    /// On a text listener.
    text: &'static str,
    /// For the commands of the draft system.
    draft: &'static str,
    /// A hint for the person who reads it.
    pub(super) detail: Option<Cow<'static, str>>,
}

/// Errors of a line that is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// The first word is not in the table of commands.
    UnknownCommand,
    /// The line is the first one of another protocol.
    OtherProtocol,
    /// Too few or bad parameters.
    BadParameter,
    /// The line cannot be read at all.
    Line(LineError),
}

impl ParseErrorKind {
    /// Whether the client speaks another protocol, so that no other line of it may be served.
    #[must_use]
    pub fn ends_connection(self) -> bool {
        matches!(self, Self::OtherProtocol | Self::Line(LineError::Tls))
    }
}

/// The words of one command for an error, if its document differs from the table.
pub(super) struct Wording {
    error: CommandError,
    json: Option<&'static str>,
    text: Option<&'static str>,
    /// Only for the command's form of the draft system.
    draft_only: bool,
}

impl Wording {
    pub(super) const fn new(error: CommandError, json: &'static str, text: &'static str) -> Self {
        Self { error, json: Some(json), text: Some(text), draft_only: false }
    }

    pub(super) const fn same(error: CommandError, sentence: &'static str) -> Self {
        Self::new(error, sentence, sentence)
    }

    pub(super) const fn in_text(error: CommandError, text: &'static str) -> Self {
        Self { error, json: None, text: Some(text), draft_only: false }
    }

    pub(super) const fn in_draft(error: CommandError, sentence: &'static str) -> Self {
        Self { draft_only: true, ..Self::same(error, sentence) }
    }

    fn applies(&self, error: CommandError, dialect: Dialect) -> bool {
        self.error == error && (!self.draft_only || dialect == Dialect::Draft)
    }
}

fn row(code: &'static str, sentence: &'static str, detail: impl Into<Cow<'static, str>>) -> ErrorSpec {
    ErrorSpec { code, sentence, text: sentence, draft: sentence, detail: Some(detail.into()) }
}

impl ErrorSpec {
    fn text(self, text: &'static str) -> Self {
        Self { text, ..self }
    }

    fn draft(self, draft: &'static str) -> Self {
        Self { draft, ..self }
    }

    fn without_detail(self) -> Self {
        Self { detail: None, ..self }
    }

    /// The sentence in a format, in the words of a dialect if the command is known.
    pub(super) fn sentence(&self, format: ReplyFormat, dialect: Option<Dialect>) -> &'static str {
        match (format, dialect) {
            (ReplyFormat::Text(_), _) if self.text != self.sentence => self.text,
            (_, Some(Dialect::Draft)) => self.draft,
            _ => self.sentence,
        }
    }
}

/// The sentence for a failed command: the command's own words, or those of the table.
pub(super) fn sentence(
    error: CommandError,
    format: ReplyFormat,
    command: Option<(Dialect, &[Wording])>,
) -> &'static str {
    let (dialect, wordings) = command.map_or((None, &[][..]), |(dialect, wordings)| (Some(dialect), wordings));
    let own = dialect.and_then(|dialect| wordings.iter().find(|wording| wording.applies(error, dialect)));
    let own = own.and_then(|wording| if format.is_text() { wording.text } else { wording.json });
    own.unwrap_or_else(|| of(error).sentence(format, dialect))
}

/// The stable code of an error, for logs and other servers.
#[must_use]
pub fn code(error: CommandError) -> &'static str {
    of(error).code
}

/// The stable code of a line that is no request.
#[must_use]
pub fn line_code(kind: ParseErrorKind) -> &'static str {
    of_line(kind).code
}

/// Every code that the reply to a line may have.
#[must_use]
pub fn codes() -> BTreeSet<&'static str> {
    let lines = [LineError::TooLong { limit: 0 }, LineError::NotUtf8, LineError::ControlCharacter, LineError::Tls];
    let kinds = lines.map(ParseErrorKind::Line).into_iter();
    let kinds = kinds.chain([ParseErrorKind::UnknownCommand, ParseErrorKind::BadParameter]);
    CommandError::ALL.iter().map(|error| code(*error)).chain(kinds.map(line_code)).collect()
}

/// The sentence for a message that came back from another realm.
pub(super) fn bounce_sentence(why: BounceReason) -> &'static str {
    of(why.into()).sentence
}

const BAD_PARAMETER: &str = "parameter salah / tidak ada";
const BAD_FORMAT: &str = "Format message tidak sesuai";

/// The row of an error.
pub(super) fn of(error: CommandError) -> ErrorSpec {
    use CommandError as E;
    match error {
        E::UserNotFound => row("user_not_found", "User tidak ditemukan", "no user has that name"),
        E::UserOffline => row(
            "user_offline",
            "User tidak ditemukan",
            "the user is offline, and nothing was stored: send USER@REALM TEXT leaves a message (realms shows REALM)",
        ),
        E::WrongPassword => row("wrong_password", "Password Salah", "").without_detail(),
        E::PasswordTooShort => {
            row("bad_parameter", BAD_PARAMETER, "PASSWORD: expected a longer one, as this server is configured")
                .text(BAD_FORMAT)
        }
        E::UserExists => {
            row("user_exists", "User sudah ada", "the name is taken: choose another").text("Username sudah terpakai")
        }
        E::NoSession => row("no_session", "Session tidak ditemukan", "log in first: auth USER PASSWORD"),
        E::SessionNotFound => row(
            "session_not_found",
            "Session tidak ditemukan",
            "no open session of yours has that number: sessions lists them",
        ),
        E::Forbidden => row("forbidden", "Tidak diizinkan", "this server does not let you do that"),
        E::OtherAdministrator => row(
            "forbidden",
            "Tidak diizinkan",
            "the user is an administrator: only the operator at the server's machine may (kabar admin)",
        ),
        E::Locked => row("locked", "Akun dikunci", "an administrator has locked the account: ask one"),
        E::Banned => row("banned", "Akun dicekal", "an administrator has banned the account: ask one"),
        E::OwnAddress => {
            row("bad_parameter", BAD_PARAMETER, "TARGET: expected a network without your own address").text(BAD_FORMAT)
        }
        E::BanNotFound => row("ban_not_found", "Cekal tidak ditemukan", "bans lists who is banned"),
        E::BanLimit => limit(format!("there are {MAX_BANS} bans: lift some, or ban larger networks")),
        E::InviteNeeded => row(
            "invite_needed",
            "Perlu undangan",
            "register USER PASSWORD #CODE, with a code that an administrator gave",
        ),
        E::InviteNotFound => row("invite_not_found", "Undangan tidak berlaku", "the code is wrong, used up, or over"),
        E::InviteLimit => limit(format!("there are {MAX_INVITES} invites: remove some")),
        E::NameOfAdministrator => row(
            "forbidden",
            "Tidak diizinkan",
            "the name is an administrator's: the operator makes the account (kabar admin adduser)",
        ),
        E::NotOwner => {
            row("forbidden", "Hanya untuk pemilik grup", "only the owner of the group may: members names the owner")
        }
        E::UnknownId => row(
            "bad_parameter",
            BAD_PARAMETER,
            "ID: expected one that this server has given; after a restored backup ID@EPOCH tells from where to go on",
        )
        .text(BAD_FORMAT),
        E::Oneself => row("bad_parameter", BAD_PARAMETER, "USER: expected a name other than your own").text(BAD_FORMAT),
        E::Blocked => row("blocked", "Pesan ditolak oleh penerima", "this user does not want to hear from you"),
        E::GroupExists => row("group_exists", "Group sudah ada", "the name is taken: choose another")
            .draft("Nama grup sudah terpakai"),
        E::GroupNotFound => {
            row("group_not_found", "Group tidak ditemukan", "no group has that name").draft("Nama grup tidak tersedia")
        }
        E::AlreadyMember => row("already_member", "User sudah dalam group", "")
            .draft("Anda telah bergabung dalam grup")
            .without_detail(),
        E::NotMember => row(
            "not_member",
            "Anda belum bergabung dalam grup",
            "join the group first: joingroup GROUP; from another realm nobody can",
        ),
        E::UserNotMember => {
            row("not_member", "User belum bergabung dalam grup", "that user is not in the group: members lists who is")
        }
        E::RealmExists => {
            row("realm_exists", "Realm sudah ada", "the name is taken, or that server has one here: realms lists them")
        }
        E::RealmNotFound => {
            row("realm_not_found", "Realm tidak ditemukan", "no realm that this server knows has that name")
        }
        E::RealmUnreachable => {
            row("realm_unreachable", "Realm tidak dapat dihubungi", "no kabar server answered at HOST PORT in time")
        }
        E::RealmRefused => row(
            "realm_refused",
            "Realm menolak",
            "the other server does not take it: its operator allows no such link, or the text is too long there",
        ),
        E::RealmKeyChanged => row(
            "realm_key_changed",
            "Kunci realm berubah",
            "one of the two servers knows another key for the other: if it was changed on purpose, delrealm and addrealm",
        ),
        E::RealmIsThisServer => row(
            "realm_is_this_server",
            "Realm itu server ini sendiri",
            "HOST PORT is this very server: addrealm REALM gives it one more name",
        ),
        E::LinkVersion => row(
            "unknown_version",
            "Versi link tidak dikenal",
            "VERSION: expected 1, the link protocol that this server speaks",
        ),
        E::InboxFull => row(
            "inbox_full",
            "Terlalu banyak pesan Anda yang belum dibaca",
            "too much of yours is unread in that inbox: send it again once the recipient has read",
        ),
        E::RealmQueueFull => row(
            "realm_queue_full",
            "Antrean realm penuh",
            "too much waits for that realm: try again when its link is up",
        ),
        E::Throttled(_) => row(
            "throttled",
            "Terlalu sering salah, coba lagi nanti",
            "too many failures of this name from this address: retry_after tells the seconds to wait",
        ),
        E::SlowDown(_) => row(
            "slow_down",
            "Terlalu cepat, coba lagi nanti",
            "more than one user or address may do: retry_after tells the seconds to wait",
        ),
        E::Busy | E::CursorMoved => row("busy", "Server sedang sibuk, coba lagi", "too much at once: try again"),
        E::UserLimit => limit("this server takes no more users"),
        E::GroupLimit => limit("this server takes no more groups"),
        E::GroupQuota(most) => limit(format!("a user may own {most} groups: delete one, or leave it to others")),
        E::MembershipLimit => limit(format!("a user can be in {MAX_MEMBERSHIPS} groups: leave one")),
        E::RealmLimit => limit(format!("this server takes {MAX_REALMS} realms, and no more")),
        E::RealmQuota(most) => limit(format!("a user may have {most} realms added: delrealm one")),
        E::BlockLimit => limit(format!("a user can block {BLOCKS_PER_USER} others: unblock one")),
        E::MarkLimit => limit("a user can have no more read marks after the inbox cursor: ack moves it"),
        E::TagReused => {
            row("tag_reused", "Tag sudah dipakai", "the tag stood on another request within a day: choose another")
        }
        E::StorageFailed => {
            row("storage_failed", "Gagal disimpan", "the disk failed, and nothing was changed: try again")
        }
        E::DiskReserve => row(
            "storage_failed",
            "Gagal disimpan",
            "the disk is nearly full: only deletions, log-ins and reading are possible",
        ),
        E::UnknownOutcome => row(
            "unknown_outcome",
            "Tidak diketahui apakah tersimpan",
            "the disk failed half-way: repeat it with the same tag, or find out",
        ),
    }
}

fn limit(detail: impl Into<Cow<'static, str>>) -> ErrorSpec {
    row("limit_reached", "Batas server tercapai", detail)
}

/// The row of a line that is no request; its detail is that of the line.
pub(super) fn of_line(kind: ParseErrorKind) -> ErrorSpec {
    let code = match kind {
        ParseErrorKind::UnknownCommand => {
            return row("unknown_command", "*Maaf, command tidak benar", "").without_detail();
        }
        ParseErrorKind::OtherProtocol | ParseErrorKind::Line(LineError::Tls) => "other_protocol",
        ParseErrorKind::BadParameter => "bad_parameter",
        ParseErrorKind::Line(LineError::TooLong { .. }) => "line_too_long",
        ParseErrorKind::Line(LineError::NotUtf8) => "invalid_utf8",
        ParseErrorKind::Line(LineError::ControlCharacter) => "control_character",
    };
    row(code, BAD_PARAMETER, "").text(BAD_FORMAT).draft(BAD_FORMAT).without_detail()
}

/// The row of the last reply on a connection that the server closes.
pub(super) fn of_disconnect(reason: DisconnectReason) -> ErrorSpec {
    match reason {
        DisconnectReason::ShuttingDown => {
            row("shutting_down", "Server berhenti", "the server is stopping: connect again later")
        }
        DisconnectReason::Evicted => row(
            "connection_limit",
            "Terlalu banyak koneksi",
            "the server needed room, and this connection had not logged in: connect again",
        ),
        DisconnectReason::TooManyOfUser => {
            row("connection_limit", "Terlalu banyak koneksi", "the user has newer connections, and too many of them")
        }
        DisconnectReason::Kicked => row("kicked", "Dikeluarkan", "an administrator has ended your sessions"),
        DisconnectReason::Banned => of(CommandError::Banned),
        DisconnectReason::AddressBanned => {
            row("banned", "Alamat dicekal", "an administrator has banned your address: ask one")
        }
        DisconnectReason::TooManyConnections => {
            row("connection_limit", "Terlalu banyak koneksi", "close one, or try again later")
        }
        DisconnectReason::TlsExpected => {
            row("tls_expected", "Port ini memakai TLS", "this port speaks TLS: connect with it, or to another port")
        }
    }
}
