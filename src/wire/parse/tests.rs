use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::chat::Conversation;
use crate::id::{Seq, SessionId};
use crate::name::{Address, Name};
use crate::wire::commands::COMMANDS;
use crate::wire::{Ask, NewProfile};

const TOKEN: &str = "0b5c3f2e-1111-4222-8333-444455556666";

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn secret() -> SecretString {
    SecretString::from("secret")
}

fn request(line: &str) -> Request {
    match parse(line) {
        Parsed::Request(request) => request,
        other => panic!("{line:?} is {other:?}"),
    }
}

fn rejection(line: &str) -> Rejection {
    match parse(line) {
        Parsed::Rejected(rejection) => rejection,
        other => panic!("{line:?} is {other:?}"),
    }
}

/// Passwords do not show in what is compared; a test of their own looks at them.
fn assert_asks(line: &str, ask: &Ask) {
    assert_eq!(format!("{:?}", request(line).ask), format!("{ask:?}"), "{line:?}");
}

#[test]
fn commands_about_oneself_are_read() {
    let log_in = Ask::LogIn { user: name("messi"), password: secret() };
    assert_asks("auth messi surabaya", &log_in);
    assert_asks("login messi surabaya", &log_in);
    assert_asks("register messi x", &Ask::Register { user: name("messi"), password: secret(), profile: None });
    let vano = NewProfile { full_name: "vano orangganteng".into(), country: "Sri Lanka".into() };
    assert_asks(
        "register vano x vano_orangganteng Sri_Lanka",
        &Ask::Register { user: name("vano"), password: secret(), profile: Some(vano) },
    );
    assert_asks("logout", &Ask::LogOut);
    assert_asks("exit", &Ask::Exit);
    assert_asks("quit", &Ask::Exit);
    assert_asks("whoami", &Ask::Whoami);
}

#[test]
fn messages_are_read() {
    let send = Ask::Send { to: address("henderson"), text: "gol dari messi".into() };
    assert_asks("send henderson gol dari messi", &send);
    let chat = Ask::Chat { to: address("henderson"), text: "gol dari messi".into() };
    assert_asks("chat henderson gol dari messi", &chat);
    assert_asks("send bob@timur hi", &Ask::Send { to: address("bob@timur"), text: "hi".into() });
    assert_asks("broadcast hi all", &Ask::Broadcast { text: "hi all".into() });
    let send_group = Ask::SendGroup { to: address("informatika21"), text: "hi".into() };
    assert_asks("sendgroup informatika21 hi", &send_group);
    assert_asks("chatgroup informatika21 hi", &send_group);
    assert_asks("inbox", &Ask::Inbox);
    assert_asks("kotakmasuk", &Ask::Inbox);
}

#[test]
fn lists_are_read() {
    for line in ["showuseractive", "list", "user_on", "online"] {
        assert_asks(line, &Ask::Active);
    }
    assert_asks("info", &Ask::Info { user: None });
    assert_asks("info {}", &Ask::Info { user: None });
    assert_asks("info messi", &Ask::Info { user: Some(name("messi")) });
    assert_asks("groups", &Ask::Groups);
    assert_asks("members g1", &Ask::Members { group: name("g1") });
    assert_asks("realms", &Ask::Realms);
}

#[test]
fn group_commands_are_read() {
    assert_asks("addgroup g1", &Ask::CreateGroup { group: name("g1"), password: None });
    assert_asks("addgroup g1 x", &Ask::CreateGroup { group: name("g1"), password: Some(secret()) });
    assert_asks("creategroup g1 x", &Ask::CreateGroup { group: name("g1"), password: Some(secret()) });
    assert_asks("joingroup g1", &Ask::JoinGroup { group: name("g1"), password: None });
    assert_asks("joingroup g1 x", &Ask::JoinGroup { group: name("g1"), password: Some(secret()) });
}

#[test]
fn commands_of_group_life_are_read() {
    assert_asks("leavegroup g1", &Ask::LeaveGroup { group: name("g1") });
    assert_asks("kick g1 messi", &Ask::Kick { group: name("g1"), user: name("messi") });
    assert_asks("delgroup g1", &Ask::DeleteGroup { group: name("g1") });
    assert_asks("grouppasswd g1", &Ask::ChangeGroupPassword { group: name("g1"), password: None });
    assert_asks("grouppasswd g1 x", &Ask::ChangeGroupPassword { group: name("g1"), password: Some(secret()) });
}

#[test]
fn commands_about_people_are_read() {
    assert_asks("block messi", &Ask::Block { user: address("messi") });
    assert_asks("unblock bob@timur", &Ask::Unblock { user: address("bob@timur") });
    assert_asks("blocks", &Ask::Blocks);
    assert_asks("passwd old new", &Ask::ChangePassword { old: secret(), new: secret() });
    assert_asks("sessions", &Ask::Sessions);
    assert_asks("revoke 42", &Ask::Revoke { session: SessionId(42) });
    assert_asks("unregister x", &Ask::Unregister { password: secret() });
}

#[test]
fn history_is_read_with_its_options_in_any_order() {
    use Conversation::{All, Group, User};
    for (line, conversation, before, limit) in [
        ("history", All, None, None),
        ("history before 42", All, Some(42), None),
        ("history LIMIT 5 before 42", All, Some(42), Some(5)),
        ("history messi", User(address("messi")), None, None),
        ("history bob@timur before 42 limit 5", User(address("bob@timur")), Some(42), Some(5)),
        ("history group:g1@timur limit 5", Group(address("g1@timur")), None, Some(5)),
        ("history limit", User(address("limit")), None, None),
        ("history before before 42", User(address("before")), Some(42), None),
    ] {
        assert_asks(line, &Ask::History { conversation, before: before.map(Seq), limit });
    }
}

#[test]
fn realm_commands_are_read() {
    assert_asks("addrealm timur", &Ask::AddRealm { realm: name("timur"), peer: None });
    let peer = Some(("127.0.0.1".into(), 8889));
    assert_asks("addrealm timur 127.0.0.1 8889", &Ask::AddRealm { realm: name("timur"), peer });
    assert_asks("delrealm timur", &Ask::RemoveRealm { realm: name("timur") });
    assert_asks("link 1", &Ask::Link { version: 1 });
    let (realm, text) = (name("timur"), Box::<str>::from("hi there"));
    assert_asks(
        "sendprivaterealm timur bob hi there",
        &Ask::SendPrivateRealm { realm: realm.clone(), user: name("bob"), text: text.clone() },
    );
    let to_group = Ask::SendGroupRealm { realm, group: name("g1"), text };
    assert_asks("sendgrouprealm timur g1 hi there", &to_group);
    assert_asks("sendgrouprealm timur group:g1 hi there", &to_group);
    assert_asks("getrealminbox timur", &Ask::RealmInbox { realm: name("timur") });
}

#[test]
fn commands_about_the_server_are_read() {
    assert_asks("help", &Ask::Help { command: None });
    assert_asks("help SEND", &Ask::Help { command: Some("send".into()) });
    assert_asks("ping", &Ask::Ping);
    assert_asks("version", &Ask::Version);
}

#[test]
fn passwords_are_taken_as_they_stand() {
    let Ask::LogIn { password, .. } = request("auth messi #{ä}").ask else { panic!("not a log-in") };
    assert_eq!(password.expose_secret(), "#{ä}");
}

#[test]
fn the_word_may_be_in_any_case_and_after_blanks() {
    for line in ["SEND henderson hi", "Send henderson hi", " \tsend\thenderson \t hi", "send  henderson  hi \t"] {
        assert_asks(line, &Ask::Send { to: address("henderson"), text: "hi".into() });
    }
}

#[test]
fn a_text_is_kept_byte_for_byte_inside() {
    let text = "haloo  \t\"aku\" ünd\u{a0}😀  du";
    assert_asks(&format!("send henderson \t {text} "), &Ask::Send { to: address("henderson"), text: text.into() });
}

#[test]
fn a_token_may_stand_first_after_every_word() {
    let token = Token::parse(TOKEN);
    for line in ["send TOKEN henderson  hi ", "SEND  TOKEN henderson hi"] {
        let line = line.replace("TOKEN", TOKEN);
        assert_eq!(request(&line).token, token);
        assert_asks(&line, &Ask::Send { to: address("henderson"), text: "hi".into() });
    }
    for spec in COMMANDS.iter().filter(|spec| !spec.parameters.starts_with(|c: char| c.is_alphabetic())) {
        assert_eq!(request(&format!("{} {TOKEN} ", spec.word)).token, token, "{spec:?}");
    }
}

#[test]
fn an_empty_token_means_none() {
    for line in ["inbox  ", "inbox ", "logout  ", "info  {}", "send  henderson hi"] {
        assert_eq!(request(line).token, None, "{line:?}");
    }
}

#[test]
fn words_after_the_last_parameter_are_ignored() {
    assert_asks("auth messi surabaya now", &Ask::LogIn { user: name("messi"), password: secret() });
    assert_asks("inbox please", &Ask::Inbox);
    assert_asks(&format!("info {TOKEN} {{}} x"), &Ask::Info { user: None });
    assert_asks("joingroup g1 x y", &Ask::JoinGroup { group: name("g1"), password: Some(secret()) });
}

#[test]
fn a_tag_goes_with_its_request() {
    let tag = Tag::parse("K-1_z");
    assert_eq!(request("#K-1_z ping").tag, tag);
    assert_eq!(rejection("#K-1_z send").tag, tag);
    assert_eq!(rejection("#K-1_z").tag, tag);
    for line in ["#", "# ping", "#a.b ping", &format!("#{} ping", "x".repeat(65))] {
        let rejection = rejection(line);
        assert_eq!((rejection.fault, rejection.tag), (Fault::BadParameter, None), "{line:?}");
    }
}

#[test]
fn blank_lines_are_nothing() {
    for line in ["", " ", "\t  "] {
        assert!(matches!(parse(line), Parsed::Blank), "{line:?}");
    }
}

#[test]
fn browsers_are_told_from_people() {
    assert!(matches!(parse("GET / HTTP/1.1"), Parsed::Http));
    assert!(matches!(parse("Host: localhost:8889"), Parsed::Http));
    assert_eq!(rejection("GET").fault, Fault::UnknownCommand);
}

#[test]
fn words_outside_the_table_are_unknown() {
    for line in ["hello", "resubscribe", "sendd messi hi", "{}", "send\u{a0}messi hi"] {
        let rejection = rejection(line);
        assert_eq!((rejection.fault, rejection.spec), (Fault::UnknownCommand, None), "{line:?}");
    }
}

#[test]
fn a_bad_parameter_is_named() {
    let long = "x".repeat(129);
    for (line, parameter) in [
        ("auth", "USER"),
        ("auth _messi x", "USER"),
        ("auth messi", "PASSWORD"),
        (&format!("auth messi {long}"), "PASSWORD"),
        ("register messi x Lionel", "COUNTRY"),
        (&format!("register messi x {long} Argentina"), "FULLNAME"),
        ("send", "USER"),
        ("send messi@ hi", "USER"),
        ("send messi", "TEXT"),
        ("send messi \t ", "TEXT"),
        (&format!("send {TOKEN} messi"), "TEXT"),
        ("broadcast", "TEXT"),
        ("creategroup g1", "PASSWORD"),
        ("addgroup realm", "GROUP"),
        ("info {messi}", "USER"),
        ("delrealm timur@barat", "REALM"),
        ("link", "VERSION"),
        ("link one", "VERSION"),
        ("link 65536", "VERSION"),
        ("addrealm timur localhost", "PORT"),
        ("addrealm timur localhost 0", "PORT"),
        ("addrealm timur localhost 65536", "PORT"),
        ("sendgrouprealm timur group: hi", "GROUP"),
        ("members", "GROUP"),
        ("help me", "COMMAND"),
        ("kick g1", "USER"),
        (&format!("grouppasswd g1 {long}"), "NEWPASSWORD"),
        ("passwd old", "NEW"),
        ("revoke", "N"),
        ("revoke messi", "N"),
        ("block messi@", "USER"),
        ("history _", "USER"),
        ("history group:", "GROUP"),
        ("history messi before", "ID"),
        ("history messi before yesterday", "ID"),
        ("history limit 0", "N"),
        ("history messi last 5", "OPTION"),
    ] {
        let rejection = rejection(line);
        assert_eq!(rejection.fault, Fault::BadParameter, "{line:?}");
        assert!(rejection.detail.starts_with(&format!("{parameter}: expected ")), "{line:?}: {}", rejection.detail);
    }
}

#[test]
fn a_detail_ends_with_the_usage() {
    let expected = "TEXT: expected a text up to the end of the line; usage: send USER TEXT";
    assert_eq!(rejection("send messi").detail, expected);
}

#[test]
fn every_verb_asks_for_the_parameters_of_its_usage() {
    for spec in COMMANDS {
        match spec.parameters.split(' ').next().filter(|first| !first.starts_with('[') && !first.is_empty()) {
            Some(first) => assert!(rejection(spec.word).detail.starts_with(first), "{spec:?}"),
            None => assert_eq!(request(spec.word).spec, spec),
        }
    }
}

proptest! {
    #[test]
    fn any_text_comes_to_something(line in ".*") {
        let is_blank = line.trim_matches([' ', '\t']).is_empty();
        prop_assert_eq!(matches!(parse(&line), Parsed::Blank), is_blank);
    }

    #[test]
    fn any_parameters_are_answered_under_their_tag(spec in 0..COMMANDS.len(), rest in "[#{}@: \ta-zé0-9]*") {
        let tag = match parse(&format!("#k {} {rest}", COMMANDS[spec].word)) {
            Parsed::Request(request) => request.tag,
            Parsed::Rejected(rejection) => rejection.tag,
            Parsed::Blank | Parsed::Http => None,
        };
        prop_assert_eq!(tag, Tag::parse("k"));
    }
}
