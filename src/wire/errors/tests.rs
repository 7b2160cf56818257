use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::settings::Language;
use crate::wire::fixtures::{
    LOGINS, TOKEN, context, dialects, disconnect_reasons, frame, languages, line_errors, parse_error, text,
};
use crate::wire::{COMMANDS, DisconnectReason, ParseError, ReplyContext, Tag, catalog};

fn object(append: impl FnOnce(&mut Vec<u8>)) -> Value {
    serde_json::from_str(&frame(append)).unwrap()
}

fn is_sentence(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

/// Asserts that an error is one object with this code and one line in each language, all with a sentence.
fn assert_is_error(append: impl Fn(ReplyFormat, &mut Vec<u8>), code: &str) {
    let object = object(|out| append(ReplyFormat::Json, out));
    assert!(!code.is_empty() && is_sentence(&object["message"]), "{object}");
    assert_eq!((&object["status"], &object["code"]), (&"ERROR".into(), &code.into()));
    assert_eq!(object["data"], object["message"]);
    assert!(object.get("detail").is_none_or(is_sentence), "{object}");
    for language in languages() {
        let line = text(|out| append(ReplyFormat::Text(language), out));
        let sentence = line.strip_prefix("[ERR] ").and_then(|rest| rest.strip_suffix("\r\n")).unwrap();
        assert!(!sentence.trim().is_empty() && !sentence.contains(['\r', '\n']), "{line:?}");
        assert!(!sentence.ends_with(": "), "{line:?}");
    }
}

fn assert_contains_no_ok(append: impl Fn(ReplyFormat, &mut Vec<u8>)) {
    let (frame, line) =
        (frame(|out| append(ReplyFormat::Json, out)), text(|out| append(ReplyFormat::Text(Language::Documents), out)));
    assert!(!frame.to_ascii_lowercase().contains("ok"), "{frame}");
    assert!(!line.to_ascii_lowercase().contains("ok"), "{line}");
}

fn reject(error: ParseError) -> impl Fn(ReplyFormat, &mut Vec<u8>) {
    move |format, out| format.reject(out, &error)
}

#[test]
fn errors_are_worded_as_the_documents_have_them() {
    let rows = [
        ("auth messi x", CommandError::UserNotFound, "user_not_found", "User Tidak Ada"),
        ("login messi x", CommandError::UserNotFound, "user_not_found", "User Tidak Ada"),
        ("auth messi x", CommandError::WrongPassword, "wrong_password", "Password Salah"),
        ("login messi x", CommandError::WrongPassword, "wrong_password", "Password Salah"),
        ("register messi x", CommandError::UserExists, "user_exists", "User sudah ada"),
        ("send messi x", CommandError::UserNotFound, "user_not_found", "User tidak ditemukan"),
        ("chat messi x", CommandError::UserNotFound, "user_not_found", "User tidak ditemukan"),
        ("info messi", CommandError::UserNotFound, "user_not_found", "User tidak ditemukan"),
        ("addgroup g1", CommandError::GroupExists, "group_exists", "Group sudah ada"),
        ("creategroup g1 x", CommandError::GroupExists, "group_exists", "Nama grup sudah terpakai"),
        ("joingroup g1", CommandError::AlreadyMember, "already_member", "User sudah dalam group"),
        ("joingroup g1 x", CommandError::AlreadyMember, "already_member", "Anda telah bergabung dalam grup"),
        ("joingroup g1", CommandError::GroupNotFound, "group_not_found", "Group tidak ditemukan"),
        ("joingroup g1 x", CommandError::GroupNotFound, "group_not_found", "Grup tidak tersedia"),
        ("joingroup g1", CommandError::WrongPassword, "wrong_password", "Password grup salah"),
        ("joingroup g1 x", CommandError::WrongPassword, "wrong_password", "Password grup salah"),
        ("sendgroup g1 x", CommandError::GroupNotFound, "group_not_found", "Group tidak ditemukan"),
        ("chatgroup g1 x", CommandError::GroupNotFound, "group_not_found", "Nama grup tidak tersedia"),
        ("sendgroup g1 x", CommandError::NotMember, "not_member", "Anda belum bergabung dalam grup"),
        ("chatgroup g1 x", CommandError::NotMember, "not_member", "Anda belum bergabung dalam grup"),
        ("leavegroup g1", CommandError::NotMember, "not_member", "Anda belum bergabung dalam grup"),
        ("kick g1 messi", CommandError::UserNotMember, "not_member", "User belum bergabung dalam grup"),
        ("kick g1 messi", CommandError::Oneself, "bad_parameter", "parameter salah / tidak ada"),
        ("subscribe 42", CommandError::UnknownId, "bad_parameter", "parameter salah / tidak ada"),
        ("delgroup g1", CommandError::NotOwner, "forbidden", "Hanya untuk pemilik grup"),
        ("send messi x", CommandError::Blocked, "blocked", "Pesan ditolak oleh penerima"),
        ("passwd x y", CommandError::WrongPassword, "wrong_password", "Password Salah"),
        ("revoke 7", CommandError::SessionNotFound, "session_not_found", "Session tidak ditemukan"),
        ("addrealm timur", CommandError::RealmExists, "realm_exists", "Realm sudah ada"),
        ("sendprivaterealm timur bob x", CommandError::RealmNotFound, "realm_not_found", "Realm tidak ditemukan"),
        ("sendprivaterealm timur bob x", CommandError::UserNotFound, "user_not_found", "User tidak ditemukan"),
        ("sendgrouprealm timur g1 x", CommandError::GroupNotFound, "group_not_found", "Group tidak ditemukan"),
        ("getrealminbox timur", CommandError::RealmNotFound, "realm_not_found", "Realm tidak ditemukan"),
        ("addrealm t h 1", CommandError::RealmUnreachable, "realm_unreachable", "Realm tidak dapat dihubungi"),
        ("addrealm t h 1", CommandError::RealmRefused, "realm_refused", "Realm menolak"),
        ("addrealm t h 1", CommandError::RealmKeyChanged, "realm_key_changed", "Kunci realm berubah"),
        ("addrealm t h 1", CommandError::RealmIsThisServer, "realm_is_this_server", "Realm itu server ini sendiri"),
        ("send bob x", CommandError::InboxFull, "inbox_full", "Terlalu banyak pesan Anda yang belum dibaca"),
        ("send bob@timur x", CommandError::RealmQueueFull, "realm_queue_full", "Antrean realm penuh"),
        ("link 9", CommandError::LinkVersion, "unknown_version", "Versi link tidak dikenal"),
        ("send messi x", CommandError::UserOffline, "user_offline", "User tidak ditemukan"),
        ("register messi x", CommandError::PasswordTooShort, "bad_parameter", "parameter salah / tidak ada"),
        ("lock messi", CommandError::OtherAdministrator, "forbidden", "Tidak diizinkan"),
        ("auth messi x", CommandError::Locked, "locked", "Akun dikunci"),
        ("auth messi x", CommandError::Banned, "banned", "Akun dicekal"),
        ("ban 10.0.0.0/8", CommandError::OwnAddress, "bad_parameter", "parameter salah / tidak ada"),
        ("unban messi", CommandError::BanNotFound, "ban_not_found", "Cekal tidak ditemukan"),
        ("ban messi", CommandError::BanLimit, "limit_reached", "Batas server tercapai"),
        ("register messi x", CommandError::InviteNeeded, "invite_needed", "Perlu undangan"),
        ("register messi x #abc", CommandError::InviteNotFound, "invite_not_found", "Undangan tidak berlaku"),
        ("invite", CommandError::InviteLimit, "limit_reached", "Batas server tercapai"),
        ("register messi x", CommandError::NameOfAdministrator, "forbidden", "Tidak diizinkan"),
        ("inbox", CommandError::NoSession, "no_session", "Session tidak ditemukan"),
        ("broadcast x", CommandError::Forbidden, "forbidden", "Tidak diizinkan"),
        ("auth messi x", CommandError::Throttled(7), "throttled", "Terlalu sering salah, coba lagi nanti"),
        ("inbox", CommandError::SlowDown(7), "slow_down", "Terlalu cepat, coba lagi nanti"),
        ("auth messi x", CommandError::Busy, "busy", "Server sedang sibuk, coba lagi"),
        ("inbox", CommandError::CursorMoved, "busy", "Server sedang sibuk, coba lagi"),
        ("register messi x", CommandError::UserLimit, "limit_reached", "Batas server tercapai"),
        ("addgroup g1", CommandError::GroupLimit, "limit_reached", "Batas server tercapai"),
        ("joingroup g1", CommandError::MembershipLimit, "limit_reached", "Batas server tercapai"),
        ("addrealm timur", CommandError::RealmLimit, "limit_reached", "Batas server tercapai"),
        ("addgroup g1", CommandError::GroupQuota(7), "limit_reached", "Batas server tercapai"),
        ("addrealm timur", CommandError::RealmQuota(7), "limit_reached", "Batas server tercapai"),
        ("block messi", CommandError::BlockLimit, "limit_reached", "Batas server tercapai"),
        ("markread messi 42", CommandError::MarkLimit, "limit_reached", "Batas server tercapai"),
        ("send messi x", CommandError::TagReused, "tag_reused", "Tag sudah dipakai"),
        ("send messi x", CommandError::StorageFailed, "storage_failed", "Gagal disimpan"),
        ("send messi x", CommandError::DiskReserve, "storage_failed", "Gagal disimpan"),
        ("send messi x", CommandError::UnknownOutcome, "unknown_outcome", "Tidak diketahui apakah tersimpan"),
        ("send messi x", CommandError::Unavailable, "unavailable", "Server sedang berpindah"),
    ];
    for (line, error, code, message) in rows {
        let frame = object(|out| ReplyFormat::Json.reply(out, &context(line), Err(error)));
        assert_eq!((&frame["code"], &frame["message"]), (&code.into(), &message.into()), "{line:?}");
        assert_eq!(frame["data"], frame["message"], "{line:?}");
    }
    for error in CommandError::ALL {
        assert!(rows.iter().any(|(_, worded, ..)| worded == error), "{error:?} has no row");
    }
}

#[test]
fn parse_errors_are_worded_as_the_documents_have_them() {
    for (error, code, message) in [
        (parse_error("hello"), "unknown_command", "*Maaf, command tidak benar"),
        (parse_error("send messi"), "bad_parameter", "parameter salah / tidak ada"),
        (parse_error("broadcast"), "bad_parameter", "Format message tidak sesuai"),
        (parse_error("creategroup g1"), "bad_parameter", "Format message tidak sesuai"),
        (parse_error("chatgroup g1"), "bad_parameter", "Format message tidak sesuai"),
        (LineError::TooLong { limit: 8192 }.into(), "line_too_long", "parameter salah / tidak ada"),
        (LineError::NotUtf8.into(), "invalid_utf8", "parameter salah / tidak ada"),
        (LineError::ControlCharacter.into(), "control_character", "parameter salah / tidak ada"),
        (LineError::Tls.into(), "other_protocol", "parameter salah / tidak ada"),
    ] {
        let frame = object(|out| ReplyFormat::Json.reject(out, &error));
        assert_eq!((&frame["code"], &frame["message"]), (&code.into(), &message.into()));
        assert_eq!(frame["detail"], *error.detail());
    }
}

#[test]
fn every_error_has_a_code_and_a_sentence_in_every_format() {
    for error in CommandError::ALL {
        for (spec, dialect) in COMMANDS.iter().flat_map(|spec| dialects().map(move |dialect| (spec, dialect))) {
            let context = ReplyContext { spec, tag: Tag::parse("k"), dialect };
            assert_is_error(|format, out| format.reply(out, &context, Err(*error)), code(*error));
        }
        assert_is_error(|format, out| format.fail(out, None, *error), code(*error));
    }
    for error in line_errors() {
        let error = ParseError::from(error);
        let code = of_line(error.kind).code;
        assert_is_error(reject(error), code);
    }
}

#[test]
fn every_disconnect_has_a_code_and_a_sentence_in_every_format() {
    for reason in disconnect_reasons() {
        let code = match reason {
            DisconnectReason::ShuttingDown => "shutting_down",
            DisconnectReason::Kicked => "kicked",
            DisconnectReason::Banned | DisconnectReason::AddressBanned => "banned",
            DisconnectReason::Evicted | DisconnectReason::TooManyOfUser | DisconnectReason::TooManyConnections => {
                "connection_limit"
            }
            DisconnectReason::TlsExpected => "tls_expected",
        };
        assert_is_error(|format, out| format.disconnect(out, reason), code);
    }
}

#[test]
fn every_bounce_reason_has_a_sentence() {
    for why in BounceReason::ALL {
        let sentence = match why {
            BounceReason::UserNotFound => "User tidak ditemukan",
            BounceReason::GroupNotFound => "Group tidak ditemukan",
            BounceReason::NotMember => "Anda belum bergabung dalam grup",
            BounceReason::Blocked => "Pesan ditolak oleh penerima",
            BounceReason::Malformed => "Realm menolak",
            BounceReason::InboxFull => "Terlalu banyak pesan Anda yang belum dibaca",
        };
        assert_eq!(catalog::returned("bob@timur", why), format!("Pesan kepada bob@timur tidak terkirim: {sentence}"));
    }
}

#[test]
fn no_error_of_a_login_contains_ok() {
    for error in CommandError::ALL {
        for (line, dialect) in LOGINS.iter().flat_map(|line| dialects().map(move |dialect| (line, dialect))) {
            let context = ReplyContext { dialect, ..context(line) };
            assert_contains_no_ok(|format, out| format.reply(out, &context, Err(*error)));
        }
        assert_contains_no_ok(|format, out| format.fail(out, None, *error));
    }
}

#[test]
fn no_parse_error_of_a_login_contains_ok() {
    let long = "x".repeat(200);
    for word in ["auth", "login", "register"] {
        for rest in ["", "_", "messi", TOKEN, &format!("messi {long}")] {
            assert_contains_no_ok(reject(parse_error(&format!("{word} {rest}"))));
        }
    }
    for rest in ["Lionel", &format!("{long} Argentina"), &format!("Lionel {long}")] {
        assert_contains_no_ok(reject(parse_error(&format!("register messi x {rest}"))));
    }
    for rest in ["ok x", "realm x", &format!("messi {TOKEN}"), &format!("messi {TOKEN} Lionel Argentina")] {
        assert_contains_no_ok(reject(parse_error(&format!("register {rest}"))));
    }
    assert_contains_no_ok(reject(parse_error("#* auth messi x")));
    for error in line_errors() {
        assert_contains_no_ok(reject(error.into()));
    }
}

#[test]
fn no_disconnect_contains_ok() {
    for reason in disconnect_reasons() {
        assert_contains_no_ok(|format, out| format.disconnect(out, reason));
    }
}

/// The codes in the table of the reference.
fn documented_codes() -> BTreeSet<&'static str> {
    let reference = include_str!("../../../docs/PROTOCOL.md");
    let (_, section) = reference.split_once("\n## Error codes\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    rows.flat_map(|codes| codes.split("`, `").map(|code| code.trim_matches('`'))).collect()
}

#[test]
fn the_reference_lists_every_code_and_no_other() {
    let commands = CommandError::ALL.iter().map(|error| code(*error));
    let lines = line_errors().map(|error| of_line(ParseErrorKind::Line(error)).code);
    let others = [ParseErrorKind::UnknownCommand, ParseErrorKind::OtherProtocol, ParseErrorKind::BadParameter]
        .map(|kind| of_line(kind).code);
    let ends = disconnect_reasons().map(|reason| of_disconnect(reason).code);
    // On a text listener, which shows no codes; and what never leaves the server.
    let unseen = ["user_offline"];
    let all: BTreeSet<_> =
        commands.chain(lines).chain(others).chain(ends).filter(|code| !unseen.contains(code)).collect();
    assert_eq!(documented_codes(), all);
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../../docs/protocol.schema.json")).unwrap();
    let of_schema = schema["$defs"]["code"]["enum"].as_array().unwrap().iter();
    assert_eq!(of_schema.map(|code| code.as_str().unwrap()).collect::<BTreeSet<_>>(), all);
}
