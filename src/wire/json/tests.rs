use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::chat::{GroupChange, Kind, Topics};
use crate::limits::LINK_VERSION;
use crate::wire::fixtures::{
    PEER_KEY, RECEIPT, SHOWN_KEY, TOKEN, any_message, context, conversations, frame, links, message, messi, name,
    names, parse_error, realms, sessions, token,
};

fn reply(line: &str, response: &Response) -> String {
    frame(|out| ReplyFormat::Json.reply(out, &context(line), Ok(response)))
}

/// `rest` is what stands between `"status":"OK",` and the closing brace. `TOKEN` and `WHEN` stand for the samples'.
fn assert_reply(line: &str, response: &Response, rest: &str) {
    let rest = rest.replace("TOKEN", TOKEN).replace("WHEN", r#""id":42,"time":"2026-11-21T07:00:00.123Z""#);
    assert_eq!(reply(line, response), format!(r#"{{"status":"OK",{rest}}}"#), "{line:?}");
}

#[test]
fn logging_in_is_answered_in_the_words_of_each_system() {
    let keys = r#""tokenid":"TOKEN","data":{"user":"messi","tokenid":"TOKEN","epoch":"0000000000000007"}"#;
    let logged_in =
        Response::LoggedIn { user: name("messi"), token: token(), epoch: Epoch(7), is_unstored: false, unread: None };
    assert_reply("auth messi x", &logged_in, &format!(r#""message":"username messi logged in, token TOKEN",{keys}"#));
    assert_reply("login messi x", &logged_in, &format!(r#""message":"username messi logged in, token: TOKEN",{keys}"#));
    let registered =
        Response::LoggedIn { user: name("messi"), token: token(), epoch: Epoch(7), is_unstored: false, unread: None };
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
    assert_reply(
        "whoami",
        &Response::Whoami { profile: messi(), epoch: Epoch(7) },
        &format!(r#""message":"messi","data":{{{profile},"epoch":"0000000000000007"}}"#),
    );
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
    let inbox = Response::Inbox { messages: messages.clone(), more: false, is_unread: false };
    let grouped = format!(r#""messages":{{"paff":[{one},{three}],"messi":[{two}]}},"data":[{one},{two},{three}]"#);
    assert_reply("inbox", &inbox, &format!(r#""message":"3 messages",{grouped}"#));
    assert_reply("kotakmasuk", &inbox, &format!(r#""message":"3 messages",{grouped}"#));
    let cut = Response::Inbox { messages: messages.clone(), more: true, is_unread: false };
    assert_reply("inbox", &cut, &format!(r#""message":"3 messages",{grouped},"more":true"#));
    let of_realm = Response::Page { messages, more: false, is_unread: false, before: None };
    let list = format!("[{one},{two},{three}]");
    assert_reply(
        "getrealminbox timur",
        &of_realm,
        &format!(r#""message":"3 messages","messages":{list},"data":{list}"#),
    );
}

#[test]
fn an_empty_inbox_keeps_its_shape() {
    let inbox = Response::Inbox { messages: Vec::new(), more: false, is_unread: false };
    assert_reply("inbox", &inbox, r#""message":"0 messages","messages":{},"data":[]"#);
    let of_realm = Response::Page { messages: Vec::new(), more: false, is_unread: false, before: None };
    assert_reply("getrealminbox timur", &of_realm, r#""message":"0 messages","messages":[],"data":[]"#);
}

#[test]
fn acknowledgements_and_subscriptions_name_their_position() {
    assert_reply("ack 42", &Response::Acknowledged(Seq(42)), r#""message":"Acknowledged","data":{"id":42}"#);
    let (after, epoch, topics) = (Seq(42), Epoch(7), Topics::default());
    let subscribed = Response::Subscribed { after, is_reset: false, epoch, topics };
    let data = r#""message":"Subscribed","data":{"after":42,"epoch":"0000000000000007"}"#;
    assert_reply("subscribe", &subscribed, data);
    assert_reply("unsubscribe", &Response::Done, r#""message":"Unsubscribed""#);
}

#[test]
fn conversations_have_their_newest_message_and_what_is_unread() {
    let object = String::from_utf8(objects(&[message(1, "messi", "goal!", Kind::Direct)]).remove(0)).unwrap();
    let with_messi = r#"{"conversation":"messi","name":"Lionel Messi","mark":42,"unread":1000,"unread_more":true"#;
    let fans = r#"{"conversation":"group:fans","name":"fans","mark":7,"unread":0,"last":null}"#;
    let data = format!(r#""data":[{with_messi},"last":{object}}},{fans}],"more":true"#);
    assert_reply("conversations", &conversations(), &format!(r#""message":"2 conversations",{data}"#));
    let marked = Response::MarkedRead { conversation: "group:fans".into(), mark: Seq(42) };
    let data = r#""message":"Marked","data":{"conversation":"group:fans","mark":42}"#;
    assert_reply("markread group:fans 42", &marked, data);
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
    let history = |before: Option<Seq>| Response::Page {
        messages: messages.clone(),
        more: before.is_some(),
        is_unread: false,
        before,
    };
    assert_reply("history messi", &history(None), &list);
    assert_reply("history messi", &history(Some(Seq(1))), &format!(r#"{list},"more":true,"before":1"#));
}

#[test]
fn block_and_account_commands_have_their_sentences() {
    for (line, response, message) in [
        ("block messi", Response::Done, "User diblokir"),
        ("unblock messi", Response::Done, "User tidak lagi diblokir"),
        ("passwd x y", Response::Done, "Password berhasil diubah"),
        ("setname Leo_Messi", Response::Done, "Nama berhasil diubah"),
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
fn the_error_for_another_link_version_names_the_supported_one() {
    let detail = frame(|out| ReplyFormat::Json.reply(out, &context("link 9"), Err(CommandError::LinkVersion)));
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
fn the_tag_comes_back_last_in_every_reply() {
    let end = r#","tag":"k1"}"#;
    assert!(reply("#k1 ping", &Response::Done).ends_with(end));
    assert!(frame(|out| ReplyFormat::Json.reply(out, &context("#k1 ping"), Err(CommandError::Busy))).ends_with(end));
    assert!(frame(|out| ReplyFormat::Json.reject(out, &parse_error("#k1 hello"))).ends_with(end));
    let tag = Tag::parse("k1");
    assert!(frame(|out| ReplyFormat::Json.fail(out, tag.as_ref(), CommandError::StorageFailed)).ends_with(end));
}

#[test]
fn events_have_their_keys_in_order() {
    let group = |change, user: Option<&str>| Notification::Group { group: name("fans"), change, user: user.map(name) };
    for (notification, data) in [
        (
            Notification::Presence { user: name("messi"), online: true },
            r#""presence","data":{"user":"messi","online":true}"#,
        ),
        (Notification::Inbox { cursor: Seq(42) }, r#""inbox","data":{"cursor":42}"#),
        (
            group(GroupChange::Kicked, Some("messi")),
            r#""group","data":{"group":"fans","change":"kicked","user":"messi"}"#,
        ),
        (group(GroupChange::Deleted, None), r#""group","data":{"group":"fans","change":"deleted","user":null}"#),
        (
            group(GroupChange::Renamed { full_name: "Léo".into() }, Some("messi")),
            r#""group","data":{"group":"fans","change":"renamed","full_name":"L\u00e9o","user":"messi"}"#,
        ),
    ] {
        assert_eq!(frame(|out| ReplyFormat::Json.notify(out, &notification)), format!(r#"{{"event":{data}}}"#));
    }
    assert_eq!(frame(|out| ReplyFormat::Json.lagged(out, Seq(42))), r#"{"event":"lagged","after":42}"#);
    assert_eq!(frame(|out| ReplyFormat::Json.truncated(out, Seq(42))), r#"{"event":"truncated","before":42}"#);
    let reasons = SessionEnd::ALL.map(|end| frame(|out| ReplyFormat::Json.session_ended(out, end)));
    let words = [
        "logged_out",
        "revoked",
        "password_changed",
        "too_many_sessions",
        "unregistered",
        "expired",
        "kicked",
        "banned",
        "locked",
    ];
    assert_eq!(reasons, words.map(|word| format!(r#"{{"event":"session_ended","reason":"{word}"}}"#)));
}

#[test]
fn an_unfinished_line_is_no_frame_for_a_program() {
    let mut out = Vec::new();
    ReplyFormat::Json.unfinished_line(&mut out);
    assert!(out.is_empty());
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
        let inbox = Response::Inbox { messages: vec![message.clone()], more: true, is_unread: false };
        for (line, response) in [("whoami", Response::Whoami { profile, epoch: Epoch(7) }), ("inbox", inbox)] {
            let frame: Value = serde_json::from_str(&reply(line, &response)).unwrap();
            prop_assert_eq!(&frame["status"], "OK");
        }
        let pushed = frame(|out| ReplyFormat::Json.push(out, &message));
        prop_assert!(serde_json::from_str::<Value>(&pushed).unwrap().is_object());
    }
}
