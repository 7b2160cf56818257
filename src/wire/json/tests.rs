use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::chat::Kind;
use crate::limits::LINK_VERSION;
use crate::wire::fixtures::{
    LOG_INS, PEER_KEY, RECEIPT, SHOWN_KEY, TOKEN, any_message, context, links, message, messi, name, names, realms,
    rejection, sessions, token,
};
use crate::wire::{COMMANDS, LineError};

/// The one frame that was appended, without its end.
fn frame(append: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = b"before".to_vec();
    append(&mut out);
    let text = String::from_utf8(out).unwrap();
    let frame = text.strip_prefix("before").unwrap().strip_suffix("\r\n\r\n").unwrap();
    assert!(frame.is_ascii() && !frame.contains(['\r', '\n']), "{frame}");
    frame.to_owned()
}

fn reply(line: &str, response: &Response) -> String {
    frame(|out| ReplyFormat::Json.reply(out, &context(line), Ok(response)))
}

fn refused(line: &str, error: CommandError) -> Value {
    serde_json::from_str(&frame(|out| ReplyFormat::Json.reply(out, &context(line), Err(error)))).unwrap()
}

/// `rest` is what stands between `"status":"OK",` and the closing brace. `TOKEN` and `WHEN` stand for the samples'.
fn assert_reply(line: &str, response: &Response, rest: &str) {
    let rest = rest.replace("TOKEN", TOKEN).replace("WHEN", r#""id":42,"time":"2026-11-21T07:00:00.123Z""#);
    assert_eq!(reply(line, response), format!(r#"{{"status":"OK",{rest}}}"#), "{line:?}");
}

#[test]
fn logging_in_is_answered_in_the_words_of_each_system() {
    let keys = r#""tokenid":"TOKEN","data":{"user":"messi","tokenid":"TOKEN"}"#;
    let logged_in = Response::LoggedIn { user: name("messi"), token: token() };
    assert_reply("auth messi x", &logged_in, &format!(r#""message":"username messi logged in, token TOKEN",{keys}"#));
    assert_reply("login messi x", &logged_in, &format!(r#""message":"username messi logged in, token: TOKEN",{keys}"#));
    let registered = Response::LoggedIn { user: name("messi"), token: token() };
    assert_reply("register messi x", &registered, &format!(r#""message":"sign up berhasil",{keys}"#));
    assert_reply("register messi x A B", &registered, &format!(r#""message":"registered messi, token TOKEN",{keys}"#));
}

#[test]
fn logging_out_is_answered_in_both_languages() {
    assert_reply("logout", &Response::LoggedOut, r#""message":"Logout successful","messages":"Logout berhasil""#);
    assert_reply("exit", &Response::Bye, r#""message":"bye""#);
}

#[test]
fn people_are_described() {
    let profile = r#""user":"messi","full_name":"Lionel Messi","country":"Argentina","realm":"local""#;
    assert_reply("whoami", &Response::Whoami(messi()), &format!(r#""message":"messi","data":{{{profile}}}"#));
    assert_reply(
        "info messi",
        &Response::Info(messi()),
        &format!(r#""message":"messi","data":{{{profile},"online":true,"last_seen":"2026-11-21T07:00:00.123Z"}}"#),
    );
    let unseen = Response::Info(Profile { online: false, last_seen: None, ..messi() });
    assert!(reply("info messi", &unseen).ends_with(r#""online":false,"last_seen":null}}"#));
}

#[test]
fn sent_messages_have_a_receipt() {
    let sent = Response::Sent { receipt: RECEIPT, to: Some(name("henderson")), delivered: None };
    assert_reply("send henderson hi", &sent, r#""message":"Message sent","data":{WHEN}"#);
    assert_reply("chat henderson hi", &sent, r#""message":"send to henderson","data":{WHEN}"#);
    let broadcast = Response::Sent { receipt: RECEIPT, to: None, delivered: None };
    assert_reply("broadcast hi", &broadcast, r#""message":"Message sent","data":{WHEN}"#);
    let to_group = Response::Sent { receipt: RECEIPT, to: None, delivered: None };
    assert_reply("sendgroup g1 hi", &to_group, r#""message":"Message sent to group","data":{WHEN}"#);
    assert_reply("chatgroup g1 hi", &to_group, r#""message":"Pesan terkirim","data":{WHEN}"#);
}

#[test]
fn messages_to_realms_tell_whether_they_were_delivered() {
    assert_reply(
        "sendprivaterealm timur bob hi",
        &Response::Sent { receipt: RECEIPT, to: None, delivered: Some(true) },
        r#""message":"Message sent to user in realm","data":{WHEN,"delivered":true}"#,
    );
    assert_reply(
        "sendgrouprealm timur g1 hi",
        &Response::Sent { receipt: RECEIPT, to: None, delivered: Some(false) },
        r#""message":"Message sent to group in realm","data":{WHEN,"delivered":false}"#,
    );
    let sent = Response::Sent { receipt: RECEIPT, to: None, delivered: Some(true) };
    assert_reply("send bob@timur hi", &sent, r#""message":"Message sent","data":{WHEN,"delivered":true}"#);
    let to_group = Response::Sent { receipt: RECEIPT, to: None, delivered: Some(false) };
    assert_reply(
        "sendgroup g1@timur hi",
        &to_group,
        r#""message":"Message sent to group","data":{WHEN,"delivered":false}"#,
    );
}

#[test]
fn an_inbox_is_grouped_by_sender_and_in_order() {
    let page = [("paff", "1"), ("messi", "2"), ("paff", "3")];
    let messages: Vec<_> = (1..).zip(page).map(|(seq, (from, msg))| message(seq, from, msg, Kind::Direct)).collect();
    let [one, two, three] = &objects(&messages).try_into().unwrap();
    let text = |object: &Vec<u8>| String::from_utf8(object.clone()).unwrap();
    let (one, two, three) = (text(one), text(two), text(three));
    let inbox = Response::Inbox { messages: messages.clone(), more: false };
    let grouped = format!(r#""messages":{{"paff":[{one},{three}],"messi":[{two}]}},"data":[{one},{two},{three}]"#);
    assert_reply("inbox", &inbox, &format!(r#""message":"3 messages",{grouped}"#));
    assert_reply("kotakmasuk", &inbox, &format!(r#""message":"3 messages",{grouped}"#));
    let cut = Response::Inbox { messages: messages.clone(), more: true };
    assert_reply("inbox", &cut, &format!(r#""message":"3 messages",{grouped},"more":true"#));
    let of_realm = Response::Page { messages, more: false, before: None };
    let list = format!("[{one},{two},{three}]");
    assert_reply(
        "getrealminbox timur",
        &of_realm,
        &format!(r#""message":"3 messages","messages":{list},"data":{list}"#),
    );
}

#[test]
fn an_empty_inbox_keeps_its_shape() {
    let inbox = Response::Inbox { messages: Vec::new(), more: false };
    assert_reply("inbox", &inbox, r#""message":"0 messages","messages":{},"data":[]"#);
    let of_realm = Response::Page { messages: Vec::new(), more: false, before: None };
    assert_reply("getrealminbox timur", &of_realm, r#""message":"0 messages","messages":[],"data":[]"#);
}

#[test]
fn online_users_are_listed_in_the_shape_of_each_system() {
    let active = Response::Online(names(&["paff", "neko"]));
    let data = r#""data":["paff","neko"]"#;
    let users = r#""messages":{"users":[{"username":"paff"},{"username":"neko"}]}"#;
    assert_reply("showuseractive", &active, &format!(r#""message":"2 users",{users},{data}"#));
    let list = r#""message":"List user: paff,neko","messages":"List user: paff,neko""#;
    assert_reply("list", &active, &format!("{list},{data}"));
    assert_reply("user_on", &active, &format!(r#""message":"user aktif: paff, neko",{data}"#));
    assert_reply("online", &active, &format!(r#""message":"paff,neko",{data}"#));
    assert_reply("info", &active, &format!(r#""message":"paff,neko",{data}"#));
}

#[test]
fn group_commands_are_answered_in_the_words_of_each_system() {
    assert_reply("addgroup g1", &Response::Done, r#""message":"Add group successful""#);
    assert_reply("creategroup g1 x", &Response::Done, r#""message":"Grup berhasil dibuat""#);
    assert_reply("joingroup g1", &Response::Done, r#""message":"Join group successful""#);
    assert_reply("joingroup g1 x", &Response::Done, r#""message":"Join grup berhasil""#);
    assert_reply("groups", &Response::Groups(names(&["g1"])), r#""message":"1 groups","data":["g1"]"#);
    let members = Response::Members { names: names(&["a", "b"]), owner: Some(name("b")) };
    assert_reply("members g1", &members, r#""message":"2 members","data":["a","b"],"owner":"b""#);
    let changed = |closed| Response::GroupPasswordChanged { closed };
    for (line, response, message) in [
        ("leavegroup g1", Response::Done, "Berhasil keluar dari grup"),
        ("kick g1 a", Response::Done, "User dikeluarkan dari grup"),
        ("delgroup g1", Response::Done, "Grup berhasil dihapus"),
        ("grouppasswd g1 x", changed(true), "Password grup berhasil diubah"),
        ("grouppasswd g1", changed(false), "Password grup berhasil dihapus"),
    ] {
        assert_reply(line, &response, &format!(r#""message":"{message}""#));
    }
}

#[test]
fn a_page_of_history_says_where_the_next_one_ends() {
    let messages = vec![message(1, "messi", "goal!", Kind::Direct)];
    let object = String::from_utf8(objects(&messages).remove(0)).unwrap();
    let list = format!(r#""message":"1 messages","messages":[{object}],"data":[{object}]"#);
    let history = |before: Option<Seq>| Response::Page { messages: messages.clone(), more: before.is_some(), before };
    assert_reply("history messi", &history(None), &list);
    assert_reply("history messi", &history(Some(Seq(1))), &format!(r#"{list},"more":true,"before":1"#));
}

#[test]
fn care_of_people_and_accounts_is_answered() {
    for (line, response, message) in [
        ("block messi", Response::Done, "User diblokir"),
        ("unblock messi", Response::Done, "User tidak lagi diblokir"),
        ("passwd x y", Response::Done, "Password berhasil diubah"),
        ("revoke 7", Response::Done, "Session berhasil diakhiri"),
        ("unregister x", Response::Done, "Akun berhasil dihapus"),
    ] {
        assert_reply(line, &response, &format!(r#""message":"{message}""#));
    }
    assert_reply("blocks", &Response::Blocks(vec!["paff".into()]), r#""message":"1 users","data":["paff"]"#);
    let when = r#""opened":"2026-11-21T07:00:00.123Z","used":"2026-11-21T07:00:00.123Z""#;
    let data = format!(r#"[{{"id":7,{when},"from":"127.0.0.1","current":true}}]"#);
    assert_reply("sessions", &sessions(), &format!(r#""message":"1 sessions","data":{data}"#));
}

#[test]
fn realms_are_listed() {
    let added = Response::RealmAdded { name: name("timur"), key: None };
    assert_reply(
        "addrealm timur",
        &added,
        r#""message":"Realm added successfully","data":{"realm":"timur","key":null}"#,
    );
    let data = r#""data":[{"realm":"local","state":"home"},{"realm":"timur","state":"name"}]"#;
    assert_reply("realms", &realms(), &format!(r#""message":"2 realms",{data}"#));
}

#[test]
fn links_are_made_listed_and_ended() {
    let added = Response::RealmAdded { name: name("timur"), key: Some(PEER_KEY) };
    let data = format!(r#""data":{{"realm":"timur","key":"{SHOWN_KEY}"}}"#);
    assert_reply("addrealm timur chat.example 1", &added, &format!(r#""message":"Realm added successfully",{data}"#));
    let up = format!(
        r#"{{"realm":"timur","state":"up","since":"2026-11-21T07:00:00.123Z","queued":0,"oldest_seconds":null,"key":"{SHOWN_KEY}","address":"[2001:db8::7]:8889"}}"#
    );
    let down = r#"{"realm":"utara","state":"down","since":null,"queued":3,"oldest_seconds":61,"key":null,"address":"chat.example:9889","problem":"no answer within 5s"}"#;
    assert_reply("realms", &links(), &format!(r#""message":"2 realms","data":[{up},{down}]"#));
    assert_reply("delrealm timur", &Response::Done, r#""message":"Realm berhasil dihapus""#);
    assert_reply("link 1", &Response::Linking, r#""message":"link""#);
}

#[test]
fn another_version_of_links_is_told_which_one_this_is() {
    let detail = refused("link 9", CommandError::LinkVersion)["detail"].to_string();
    assert!(detail.contains(&format!("VERSION: expected {LINK_VERSION},")), "{detail}");
}

#[test]
fn the_server_tells_about_itself() {
    assert_reply("ping", &Response::Done, r#""message":"pong""#);
    let version = env!("CARGO_PKG_VERSION");
    let data = format!(r#""data":{{"name":"kabar","version":"{version}"}}"#);
    assert_reply("version", &Response::Version, &format!(r#""message":"kabar {version}",{data}"#));
    let help: Value = serde_json::from_str(&reply("help", &Response::Help(None))).unwrap();
    assert!(help["data"].as_array().unwrap().len() > 20);
    let help: Value = serde_json::from_str(&reply("help chat", &Response::Help(Some("chat")))).unwrap();
    assert_eq!(help["message"], "chat USER TEXT: tell a user");
}

#[test]
fn an_error_has_its_keys_in_order() {
    assert_eq!(
        frame(|out| ReplyFormat::Json.reply(out, &context("inbox"), Err(CommandError::NoSession))),
        r#"{"status":"ERROR","message":"Session tidak ditemukan","code":"no_session","#.to_owned()
            + r#""data":"Session tidak ditemukan","detail":"log in first: auth USER PASSWORD"}"#
    );
}

#[test]
fn refusals_are_worded_as_the_table_has_them() {
    for (line, error, code, message) in [
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
        ("send bob@timur x", CommandError::RealmQueueFull, "realm_queue_full", "Antrean realm penuh"),
        ("link 9", CommandError::LinkVersion, "unknown_version", "Versi link tidak dikenal"),
    ] {
        let frame = refused(line, error);
        assert_eq!((&frame["code"], &frame["message"]), (&code.into(), &message.into()), "{line:?}");
        assert_eq!(frame["data"], frame["message"], "{line:?}");
    }
}

#[test]
fn bad_lines_are_worded_as_the_table_has_them() {
    for (rejection, code, message) in [
        (rejection("hello"), "unknown_command", "*Maaf, command tidak benar"),
        (rejection("send messi"), "bad_parameter", "parameter salah / tidak ada"),
        (rejection("broadcast"), "bad_parameter", "Format message tidak sesuai"),
        (rejection("creategroup g1"), "bad_parameter", "Format message tidak sesuai"),
        (rejection("chatgroup g1"), "bad_parameter", "Format message tidak sesuai"),
        (LineError::TooLong { limit: 8192 }.into(), "line_too_long", "parameter salah / tidak ada"),
        (LineError::NotUtf8.into(), "invalid_utf8", "parameter salah / tidak ada"),
        (LineError::ControlCharacter.into(), "control_character", "parameter salah / tidak ada"),
    ] {
        let frame: Value = serde_json::from_str(&frame(|out| ReplyFormat::Json.reject(out, &rejection))).unwrap();
        assert_eq!((&frame["code"], &frame["message"]), (&code.into(), &message.into()));
        assert_eq!(frame["detail"], *rejection.detail);
    }
}

#[test]
fn the_tag_comes_back_last_in_every_reply() {
    let end = r#","tag":"k1"}"#;
    assert!(reply("#k1 ping", &Response::Done).ends_with(end));
    assert!(frame(|out| ReplyFormat::Json.reply(out, &context("#k1 ping"), Err(CommandError::Busy))).ends_with(end));
    assert!(frame(|out| ReplyFormat::Json.reject(out, &rejection("#k1 hello"))).ends_with(end));
    let tag = Tag::parse("k1");
    assert!(frame(|out| ReplyFormat::Json.fail(out, tag.as_ref(), CommandError::StorageFailed)).ends_with(end));
}

#[test]
fn a_closing_connection_is_told_why() {
    for (why, code) in [
        (DisconnectReason::ShuttingDown, "shutting_down"),
        (DisconnectReason::Evicted, "connection_limit"),
        (DisconnectReason::TooManyConnections, "connection_limit"),
    ] {
        let frame: Value = serde_json::from_str(&frame(|out| ReplyFormat::Json.disconnect(out, why))).unwrap();
        assert_eq!((&frame["status"], &frame["code"]), (&"ERROR".into(), &code.into()));
    }
}

fn assert_no_ok(append: impl FnOnce(&mut Vec<u8>)) {
    let frame = frame(append);
    assert!(!frame.to_ascii_lowercase().contains("ok"), "{frame}");
}

#[test]
fn no_error_of_a_login_contains_ok() {
    for (line, error) in LOG_INS.iter().flat_map(|line| CommandError::ALL.iter().map(move |error| (line, *error))) {
        assert_no_ok(|out| ReplyFormat::Json.reply(out, &context(line), Err(error)));
        assert_no_ok(|out| ReplyFormat::Json.fail(out, None, error));
    }
}

#[test]
fn no_parse_error_of_a_login_contains_ok() {
    let long = "x".repeat(200);
    for word in ["auth", "login", "register"] {
        for rest in ["", "_", "messi", &format!("messi {long}")] {
            assert_no_ok(|out| ReplyFormat::Json.reject(out, &rejection(&format!("{word} {rest}"))));
        }
    }
    for rest in ["Lionel", &format!("{long} Argentina"), &format!("Lionel {long}")] {
        assert_no_ok(|out| ReplyFormat::Json.reject(out, &rejection(&format!("register messi x {rest}"))));
    }
    assert_no_ok(|out| ReplyFormat::Json.reject(out, &rejection("#* auth messi x")));
    for error in [LineError::TooLong { limit: 8192 }, LineError::NotUtf8, LineError::ControlCharacter] {
        assert_no_ok(|out| ReplyFormat::Json.reject(out, &error.into()));
    }
}

#[test]
fn no_last_words_contain_ok() {
    for why in [DisconnectReason::ShuttingDown, DisconnectReason::Evicted, DisconnectReason::TooManyConnections] {
        assert_no_ok(|out| ReplyFormat::Json.disconnect(out, why));
    }
}

#[test]
fn an_event_holds_the_message_as_it_was_stored() {
    let message = message(7, "messi", "gól", Kind::Direct);
    let object = String::from_utf8(message.body.object(message.seq, message.time)).unwrap();
    let mut pushed = Vec::new();
    ReplyFormat::Json.push(&mut pushed, &message);
    assert_eq!(String::from_utf8(pushed).unwrap(), format!("{{\"event\":\"message\",\"data\":{object}}}\r\n\r\n"));
}

proptest! {
    #[test]
    fn every_frame_is_one_object_whatever_it_holds(text in any::<String>(), message in any_message()) {
        let profile = Profile { full_name: text.clone().into(), country: text.into(), ..messi() };
        let inbox = Response::Inbox { messages: vec![message.clone()], more: true };
        for (line, response) in [("whoami", Response::Whoami(profile)), ("inbox", inbox)] {
            let frame: Value = serde_json::from_str(&reply(line, &response)).unwrap();
            prop_assert_eq!(&frame["status"], "OK");
        }
        let pushed = frame(|out| ReplyFormat::Json.push(out, &message));
        prop_assert!(serde_json::from_str::<Value>(&pushed).unwrap().is_object());
    }

    #[test]
    fn every_refusal_is_one_object(spec in 0..COMMANDS.len(), error in proptest::sample::select(CommandError::ALL)) {
        let context = ReplyContext { spec: &COMMANDS[spec], tag: Tag::parse("k"), dialect: COMMANDS[spec].dialect };
        let frame: Value = serde_json::from_str(&frame(|out| ReplyFormat::Json.reply(out, &context, Err(error)))).unwrap();
        prop_assert_eq!(&frame["code"], errors::code(error));
    }
}
