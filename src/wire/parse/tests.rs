mod actions;

use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::chat::{Command, Conversation, Query};
use crate::id::{Seq, SessionId};
use crate::name::{Address, Name};
use crate::wire::action::{Action, NewProfile, SessionRequest};
use crate::wire::commands::COMMANDS;

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

fn parse_error(line: &str) -> ParseError {
    match parse(line) {
        Parsed::Rejected(error) => error,
        other => panic!("{line:?} is {other:?}"),
    }
}

/// The first parameter, if it may not be left out.
fn first_needed(spec: &CommandSpec) -> Option<&'static str> {
    spec.parameters.first().map(|first| first.documents()).filter(|first| !first.starts_with('['))
}

/// Passwords do not show in what is compared; a test of their own looks at them.
fn assert_action(line: &str, action: &Action) {
    assert_eq!(format!("{:?}", request(line).action), format!("{action:?}"), "{line:?}");
}

fn assert_asks(line: &str, request: SessionRequest) {
    assert_action(line, &Action::Session(request));
}

fn assert_changes(line: &str, command: Command) {
    assert_action(line, &Action::Change(command));
}

fn assert_reads(line: &str, query: Query) {
    assert_action(line, &Action::Read(query));
}

#[test]
fn passwords_are_kept_byte_for_byte() {
    let Action::Session(SessionRequest::LogIn { password, .. }) = request("auth messi #{ä}").action else {
        panic!("not a login")
    };
    assert_eq!(password.expose_secret(), "#{ä}");
}

#[test]
fn the_word_may_be_in_any_case_and_after_blanks() {
    for line in ["SEND henderson hi", "Send henderson hi", " \tsend\thenderson \t hi", "send  henderson  hi \t"] {
        assert_changes(line, Command::SendDirect { to: address("henderson"), text: "hi".into() });
    }
}

#[test]
fn a_text_is_kept_byte_for_byte_inside() {
    let text = "haloo  \t\"aku\" ünd\u{a0}😀  du";
    assert_changes(
        &format!("send henderson \t {text} "),
        Command::SendDirect { to: address("henderson"), text: text.into() },
    );
}

#[test]
fn a_token_may_stand_first_after_every_word() {
    let token = Token::parse(TOKEN);
    for line in ["send TOKEN henderson  hi ", "SEND  TOKEN henderson hi"] {
        let line = line.replace("TOKEN", TOKEN);
        assert_eq!(request(&line).token, token);
        assert_changes(&line, Command::SendDirect { to: address("henderson"), text: "hi".into() });
    }
    for spec in COMMANDS.iter().filter(|spec| first_needed(spec).is_none()) {
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
fn a_word_too_many_is_refused_by_every_command_with_a_fixed_number_of_them() {
    for line in [
        "auth messi my surabaya",
        "register messi x Lionel Messi Argentina code",
        "passwd old new words",
        "unregister pw extra",
        "inbox please",
        "quit now",
        "logout me",
        &format!("info {TOKEN} {{}} x"),
        "joingroup g1 x y",
        "conversations limit 5 x",
        "markread messi 5 x",
        "help send x",
    ] {
        assert!(parse_error(line).detail().starts_with("a word too many: "), "{line:?}");
    }
    for spec in COMMANDS.iter().filter(|spec| spec.parameters.is_empty()) {
        assert_eq!(request(&format!("{} \t ", spec.word)).spec, spec, "blanks are no words");
        let refused = parse_error(&format!("{} x", spec.word)).detail().into_owned();
        assert!(refused.starts_with("a word too many: "), "{spec:?}");
    }
}

#[test]
fn a_tag_goes_with_its_request() {
    let tag = Tag::parse("K-1_z");
    assert_eq!(request("#K-1_z ping").tag, tag);
    assert_eq!(parse_error("#K-1_z send").tag, tag);
    assert_eq!(parse_error("#K-1_z").tag, tag);
    for line in ["#", "# ping", "#a.b ping", &format!("#{} ping", "x".repeat(65))] {
        let error = parse_error(line);
        assert_eq!((error.kind, error.tag), (ParseErrorKind::BadParameter, None), "{line:?}");
    }
}

#[test]
fn blank_lines_are_nothing() {
    for line in ["", " ", "\t  "] {
        assert!(matches!(parse(line), Parsed::Blank), "{line:?}");
    }
}

#[test]
fn http_requests_are_recognised() {
    assert!(matches!(parse("GET / HTTP/1.1"), Parsed::Http));
    assert!(matches!(parse("Host: localhost:8889"), Parsed::Http));
    assert_eq!(parse_error("GET").kind, ParseErrorKind::UnknownCommand);
}

#[test]
fn other_protocols_are_recognised() {
    for line in ["EHLO example.org", "GET /", "SSH-2.0-x"] {
        assert!(parse_error(line).kind.ends_connection(), "{line}");
    }
    assert!(!parse_error("hello").kind.ends_connection());
}

#[test]
fn words_outside_the_table_are_unknown() {
    for line in ["hello", "resubscribe", "sendd messi hi", "{}", "send\u{a0}messi hi"] {
        let error = parse_error(line);
        assert_eq!((error.kind, error.spec), (ParseErrorKind::UnknownCommand, None), "{line:?}");
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
        let error = parse_error(line);
        assert_eq!(error.kind, ParseErrorKind::BadParameter, "{line:?}");
        assert!(error.detail().starts_with(&format!("{parameter}: expected ")), "{line:?}: {}", error.detail());
    }
}

#[test]
fn a_full_name_is_set_with_blanks_for_underscores() {
    assert_changes("setname Leo_Messi", Command::SetName { full_name: "Leo Messi".into() });
}

#[test]
fn a_bad_name_is_worded_as_in_the_configuration() {
    let expected = format!("USER: {}; usage: auth USER PASSWORD", crate::name::InvalidName);
    assert_eq!(parse_error("auth _messi x").detail(), expected);
}

#[test]
fn reserved_names_are_given_to_nothing_new() {
    for reserved in ["ok", "err", "Broadcast", "GROUP", "siaran", "Grup"] {
        for (line, parameter) in [
            ("register NAME x", "USER"),
            ("addgroup NAME", "GROUP"),
            ("creategroup NAME x", "GROUP"),
            ("addrealm NAME", "REALM"),
        ] {
            let error = parse_error(&line.replace("NAME", reserved));
            assert_eq!(error.kind, ParseErrorKind::BadParameter, "{line:?}");
            let expected = format!("{parameter}: expected another name");
            assert!(error.detail().starts_with(&expected), "{line:?}: {}", error.detail());
        }
    }
    assert_changes("send ok hi", Command::SendDirect { to: address("ok"), text: "hi".into() });
}

#[test]
fn a_uuid_is_no_new_password() {
    for (line, parameter) in [
        ("register messi", "PASSWORD"),
        ("passwd old", "NEW"),
        ("addgroup g1", "PASSWORD"),
        ("creategroup g1", "PASSWORD"),
        ("grouppasswd g1", "NEWPASSWORD"),
    ] {
        let error = parse_error(&format!("{line} {TOKEN}"));
        assert_eq!(error.kind, ParseErrorKind::BadParameter, "{line:?}");
        let expected = format!("{parameter}: expected something other than a UUID;");
        assert!(error.detail().starts_with(&expected), "{line:?}: {}", error.detail());
    }
    for word in ["auth", "login"] {
        let Action::Session(SessionRequest::LogIn { password, .. }) = request(&format!("{word} messi {TOKEN}")).action
        else {
            panic!("not a login")
        };
        assert_eq!(password.expose_secret(), TOKEN);
    }
    assert_asks(&format!("joingroup g1 {TOKEN}"), SessionRequest::JoinGroup { group: name("g1"), password: secret() });
}

#[test]
fn a_token_before_a_text_may_be_a_word_of_it() {
    let request = request(&format!("broadcast {TOKEN} halo"));
    let with_token = format!("{:?}", request.action);
    let whole = request.without_token.map(|request| format!("{:?}", request.action));
    assert_eq!(request.token, Token::parse(TOKEN));
    assert_eq!(with_token, format!("{:?}", Action::Change(Command::Broadcast { text: "halo".into() })));
    let text = format!("{TOKEN} halo").as_str().into();
    assert_eq!(whole, Some(format!("{:?}", Action::Change(Command::Broadcast { text }))));
    assert!(self::request(&format!("send {TOKEN} messi hi")).without_token.is_none());
    let tagged = self::request(&format!("#k broadcast {TOKEN} halo"));
    assert_ne!(tagged.without_token.and_then(|request| request.hash), tagged.hash);
}

#[test]
fn a_detail_ends_with_the_usage() {
    let expected = "TEXT: expected a text up to the end of the line; usage: send USER TEXT";
    assert_eq!(parse_error("send messi").detail(), expected);
}

#[test]
fn every_command_asks_for_the_parameters_of_its_usage() {
    for spec in COMMANDS {
        match first_needed(spec) {
            Some(first) => {
                let parameter = first.split('|').next().unwrap();
                assert!(parse_error(spec.word).detail().starts_with(parameter), "{spec:?}");
            }
            None => assert_eq!(request(spec.word).spec, spec),
        }
    }
}

proptest! {
    #[test]
    fn only_blank_lines_have_no_result(line in ".*") {
        let is_blank = line.trim_matches([' ', '\t']).is_empty();
        prop_assert_eq!(matches!(parse(&line), Parsed::Blank), is_blank);
    }

    #[test]
    fn any_parameters_are_answered_under_their_tag(spec in 0..COMMANDS.len(), rest in "[#{}@: \ta-zé0-9]*") {
        let tag = match parse(&format!("#k {} {rest}", COMMANDS[spec].word)) {
            Parsed::Request(request) => request.tag,
            Parsed::Rejected(error) => error.tag,
            Parsed::Blank | Parsed::Http => None,
        };
        prop_assert_eq!(tag, Tag::parse("k"));
    }
}
