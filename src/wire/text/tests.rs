use proptest::prelude::*;

use super::*;
use crate::chat::{Kind, MessageBody, Profile};
use crate::id::Epoch;
use crate::settings::Language;
use crate::wire::LineError;
use crate::wire::fixtures::{
    RECEIPT, SHOWN_KEY, any_message, context, links, message, messi, name, names, notifications, parse_error, realms,
    sessions, text, token,
};

fn reply(line: &str, response: &Response) -> String {
    text(|out| ReplyFormat::Text(Language::Documents).reply(out, &context(line), Ok(response)))
}

fn pushed(message: &StoredMessage) -> Vec<u8> {
    let mut out = Vec::new();
    ReplyFormat::Text(Language::Documents).push(&mut out, message);
    out
}

#[test]
fn replies_are_worded_as_the_draft_system_has_them() {
    let (user, token) = (name("messi"), token());
    let sent = |to| Response::Sent { receipt: RECEIPT, to, delivered: None };
    for (line, response, sentence) in [
        (
            "login messi x",
            Response::LoggedIn { user: user.clone(), token, epoch: Epoch(7), is_unstored: false, unread: None },
            "login berhasil",
        ),
        (
            "register messi x",
            Response::LoggedIn { user: user.clone(), token, epoch: Epoch(7), is_unstored: false, unread: None },
            "sign up berhasil",
        ),
        ("logout", Response::LoggedOut, "Logout berhasil"),
        ("exit", Response::Bye, "bye"),
        ("whoami", Response::Whoami { profile: messi(), epoch: Epoch(7) }, "messi"),
        ("send messi hi", sent(Some(user.clone())), "pesan terkirim"),
        ("chat messi hi", sent(Some(user)), "send to messi"),
        ("broadcast hi", sent(None), "pesan terkirim"),
        ("creategroup g1 x", Response::Done, "Grup berhasil dibuat"),
        ("joingroup g1 x", Response::Done, "Join grup berhasil"),
        ("chatgroup g1 hi", sent(None), "Pesan terkirim"),
        ("sendgroup g1 hi", sent(None), "Message sent to group"),
        ("list", Response::Online(names(&["paff", "neko"])), "List user: paff,neko"),
        ("user_on", Response::Online(names(&["paff", "neko"])), "user aktif: paff, neko"),
        ("addrealm timur", Response::RealmAdded { name: name("timur"), key: None }, "Realm added successfully"),
        ("delrealm timur", Response::Done, "Realm berhasil dihapus"),
        ("link 1", Response::Linking, "link"),
        ("ping", Response::Done, "pong"),
        ("setname Leo_Messi", Response::Done, "Nama berhasil diubah"),
    ] {
        assert_eq!(reply(line, &response), format!("[OK] {sentence}\r\n"), "{line:?}");
    }
}

#[test]
fn lists_stand_one_item_a_line_before_the_answer() {
    let users = || names(&["paff", "neko"]);
    for (line, response, expected) in [
        ("online", Response::Online(users()), "paff\r\nneko\r\n[OK] 2 users\r\n"),
        ("showuseractive", Response::Online(users()), "paff\r\nneko\r\n[OK] 2 users\r\n"),
        ("groups", Response::Groups(names(&["g1"])), "g1\r\n[OK] 1 groups\r\n"),
        ("members g1", Response::Members { names: users(), owner: None }, "paff\r\nneko\r\n[OK] 2 members\r\n"),
        (
            "blocks",
            Response::Blocks(vec!["paff".into(), "neko@timur".into()]),
            "paff\r\nneko@timur\r\n[OK] 2 users\r\n",
        ),
        ("realms", realms(), "local home\r\ntimur name\r\n[OK] 2 realms\r\n"),
    ] {
        assert_eq!(reply(line, &response), expected, "{line:?}");
    }
}

#[test]
fn a_link_is_described_in_a_line() {
    let up = format!("timur up since 2026-11-21T07:00:00.123Z, 0 waiting, key {SHOWN_KEY}");
    let down = "utara down, 3 waiting, the oldest for 61 s: no answer within 5s";
    assert_eq!(reply("realms", &links()), format!("{up}\r\n{down}\r\n[OK] 2 realms\r\n"));
}

#[test]
fn a_session_is_described_in_a_line() {
    let when = "2026-11-21T07:00:00.123Z";
    let line = format!("7 from 127.0.0.1, opened {when}, used {when} (this one)\r\n[OK] 1 sessions\r\n");
    assert_eq!(reply("sessions", &sessions()), line);
}

#[test]
fn a_list_of_messages_has_their_ids_and_times() {
    let messages = vec![
        message(1, "messi", "goal!", Kind::Direct),
        message(2, "messi", "goal!", Kind::Group),
        message(3, "messi", "gól!", Kind::Broadcast),
    ];
    let lines = "[messi] goal!\r\n[group informatika21] messi: goal!\r\n[broadcast] messi: gól!\r\n";
    let pushed: Vec<u8> = messages.iter().flat_map(pushed).collect();
    assert_eq!(String::from_utf8(pushed).unwrap(), lines);
    let at = "2026-11-21 07:00Z";
    let direct = format!("#1 {at} [messi] goal!\r\n");
    let others = format!("#2 {at} [group informatika21] messi: goal!\r\n#3 {at} [broadcast] messi: gól!\r\n");
    let inbox = |more| reply("inbox", &Response::Inbox { messages: messages.clone(), more, is_unread: false });
    assert_eq!(inbox(false), format!("{direct}{others}[OK] 3 messages\r\n"));
    assert_eq!(inbox(true), format!("{direct}{others}[OK] 3 messages, and more: ask again\r\n"));
    let direct = format!("#1 {at} [messi -> henderson] goal!\r\n");
    let history =
        |before| reply("history", &Response::Page { messages: messages.clone(), more: true, is_unread: false, before });
    assert_eq!(history(None), format!("{direct}{others}[OK] 3 messages\r\n"));
    let expected = format!("{direct}{others}[OK] 3 messages, older ones with before 1\r\n");
    assert_eq!(history(Some(Seq(1))), expected);
}

#[test]
fn who_logs_in_is_told_what_waits() {
    let logged_in = |unread| {
        reply(
            "login messi x",
            &Response::LoggedIn { user: name("messi"), token: token(), epoch: Epoch(7), is_unstored: false, unread },
        )
    };
    assert_eq!(logged_in(None), "[OK] login berhasil\r\n");
    for (count, more, shown) in [(3, false, "3"), (1_000, true, "1000+")] {
        let expected = format!(
            "[OK] login berhasil\r\n[inbox] {shown} new: inbox shows what came while you were away, quit leaves\r\n"
        );
        assert_eq!(logged_in(Some(Unread { count, more })), expected);
    }
}

#[test]
fn a_person_is_described_before_the_answer() {
    let lines = "full name: Lionel Messi\r\ncountry: Argentina\r\nrealm: local\r\nonline: yes\r\n";
    let expected = format!("{lines}last seen: 2026-11-21T07:00:00.123Z\r\n[OK] messi\r\n");
    assert_eq!(reply("info messi", &Response::Info(messi())), expected);
    let unseen = Response::Info(Profile { online: false, last_seen: None, ..messi() });
    assert!(reply("info messi", &unseen).ends_with("online: no\r\nlast seen: never\r\n[OK] messi\r\n"));
}

#[test]
fn help_is_a_line_a_theme() {
    let lines = reply("help", &Response::Help(None));
    assert_eq!(lines.lines().filter(|line| line.starts_with("talk         send/chat ")).count(), 1);
    assert_eq!(lines.lines().filter(|line| line.starts_with("[OK] ")).count(), 1);
    assert_eq!(reply("help ping", &Response::Help(Some("ping"))), "[OK] ping: still there?\r\n");
}

#[test]
fn errors_are_worded_as_the_draft_system_has_them() {
    for (line, error, sentence) in [
        ("login messi x", CommandError::UserNotFound, "Username belum tersedia"),
        ("login messi x", CommandError::WrongPassword, "Password yang dimasukkan salah"),
        ("auth messi x", CommandError::UserNotFound, "User Tidak Ada"),
        ("auth messi x", CommandError::WrongPassword, "Password Salah"),
        ("register messi x", CommandError::UserExists, "Username sudah terpakai"),
        ("send messi hi", CommandError::UserNotFound, "penerima tidak tersedia"),
        ("send messi hi", CommandError::UserOffline, "penerima tidak tersedia"),
        ("chat messi hi", CommandError::UserOffline, "penerima tidak tersedia"),
        ("info messi", CommandError::UserNotFound, "User tidak ditemukan"),
        ("creategroup g1 x", CommandError::GroupExists, "Nama grup sudah terpakai"),
        ("joingroup g1 x", CommandError::GroupNotFound, "Grup tidak tersedia"),
        ("joingroup g1 x", CommandError::AlreadyMember, "Anda telah bergabung dalam grup"),
        ("joingroup g1 x", CommandError::WrongPassword, "Password grup salah"),
        ("chatgroup g1 x", CommandError::GroupNotFound, "Nama grup tidak tersedia"),
        ("chatgroup g1 x", CommandError::NotMember, "Anda belum bergabung dalam grup"),
        ("online", CommandError::NoSession, "Session tidak ditemukan"),
    ] {
        let line_of_error = text(|out| ReplyFormat::Text(Language::Documents).reply(out, &context(line), Err(error)));
        let detail =
            errors::of(error).detail(Language::Documents).map_or(String::new(), |detail| format!(": {detail}"));
        assert_eq!(line_of_error, format!("[ERR] {sentence}{detail}\r\n"), "{line:?}");
    }
}

#[test]
fn parse_errors_and_disconnects_are_errors() {
    let rejected = |error| text(|out| ReplyFormat::Text(Language::Documents).reject(out, &error));
    assert_eq!(
        rejected(parse_error("hello")),
        "[ERR] *Maaf, command tidak benar: help lists the commands, quit leaves\r\n"
    );
    let expected = "send USER TEXT (TEXT: expected a text up to the end of the line)";
    assert_eq!(rejected(parse_error("send messi")), format!("[ERR] Format message tidak sesuai: {expected}\r\n"));
    assert_eq!(rejected(LineError::NotUtf8.into()), "[ERR] Format message tidak sesuai: expected UTF-8\r\n");
    assert_eq!(
        text(|out| ReplyFormat::Text(Language::Documents).disconnect(out, DisconnectReason::ShuttingDown)),
        "[ERR] Server berhenti: the server is stopping: connect again later\r\n"
    );
    assert_eq!(
        text(|out| ReplyFormat::Text(Language::Documents).fail(out, None, CommandError::StorageFailed)),
        "[ERR] Gagal disimpan: the disk failed, and nothing was changed: try again\r\n"
    );
}

#[test]
fn unsafe_characters_are_escaped() {
    let painting = "\u{1b}[2J\u{9b}H\u{7f}\t\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}é😀";
    assert_eq!(
        pushed(&message(1, "messi", painting, Kind::Direct)),
        (r"[messi] \u{1b}[2J\u{9b}H\u{7f}\u{9}\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}é😀".to_owned() + "\r\n")
            .into_bytes()
    );
    let profile = Profile { full_name: "a\u{1b}b".into(), ..messi() };
    assert!(reply("info messi", &Response::Info(profile)).starts_with("full name: a\\u{1b}b\r\n"));
}

#[test]
fn notifications_and_warnings_are_lines() {
    let lines: String = notifications()
        .map(|notification| text(|out| ReplyFormat::Text(Language::Documents).notify(out, &notification)))
        .collect();
    let presence = "[presence] messi online\r\n[presence] messi offline\r\n[inbox] 42\r\n[read] group:fans: 42\r\n";
    let changes = ["joined messi", "left messi", "kicked messi", "owner messi", "renamed messi", "deleted "];
    let groups: String = changes.iter().map(|change| format!("[group] fans: {change}\r\n")).collect();
    assert_eq!(lines, format!("{presence}{groups}"));
    for (line, sentence) in [
        (text(|out| ReplyFormat::Text(Language::Documents).lagged(out, Seq(42))), words::LAGGED),
        (text(|out| ReplyFormat::Text(Language::Documents).truncated(out, Seq(42))), words::TRUNCATED),
        (text(|out| ReplyFormat::Text(Language::Documents).reset(out, Seq(42))), words::RESET),
        (text(|out| ReplyFormat::Text(Language::Documents).unfinished_line(out)), words::UNFINISHED_LINE),
    ] {
        assert_eq!(line, format!("[ERR] {}\r\n", sentence.documents()));
    }
}

#[test]
fn a_body_that_is_no_message_is_not_shown() {
    let mut broken = message(1, "messi", "hi", Kind::Direct);
    broken.body = MessageBody::default();
    assert!(pushed(&broken).is_empty());
}

proptest! {
    #[test]
    fn every_push_is_one_line_whatever_it_says(message in any_message()) {
        let pushed = pushed(&message);
        let line = std::str::from_utf8(&pushed).unwrap().strip_suffix("\r\n").unwrap();
        prop_assert!(!line.chars().any(char::is_control));
        prop_assert_eq!(line.lines().count(), 1);
    }
}
