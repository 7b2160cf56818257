//! The languages of text listeners are not mixed: no word is in two of them, except for those listed here.

use std::collections::BTreeSet;

use super::*;
use crate::chat::{BounceReason, Kind};
use crate::id::Epoch;
use crate::limits::{PROFILE_BYTES, REASON_BYTES};
use crate::wire::COMMANDS;
use crate::wire::fixtures::{
    SHOWN_KEY, TOKEN, context, disconnect_reasons, line_errors, links, message, messi, name, names, notifications,
    parse_error, realms, responses, text, token,
};

/// What English and Indonesian have in common on purpose: terms of the protocol, names, and words that both write alike.
const SHARED: &str = "A EPOCH ERR Enter HOST ID N OK PORT REALM TARGET TLS TOKEN UTF UUID Z _ a admin administrator d \
                      digit epoch h kabar m operator parameter pong port realm s server tab tag token";

/// Names and texts of the fixtures, and words that commands take.
const DATA: &str = "Argentina Lionel Messi after before fans for goal group henderson informatika limit local messi neko \
                    paff presence read spam timur utara w z";

/// Requests that are wrong in every way that is told apart.
fn wrong_lines() -> Vec<String> {
    let (profile, reason) = ("x".repeat(PROFILE_BYTES + 1), "x".repeat(REASON_BYTES + 1));
    let lines = [
        "hello",
        "#* ping",
        "auth _",
        "auth messi",
        "register ok x",
        &format!("register messi {TOKEN}"),
        &format!("setname {profile}"),
        "inbox x",
        "send messi",
        "ack x",
        "history messi before x",
        "history messi last 5",
        "history limit 0",
        "conversations x",
        "subscribe x",
        "addrealm timur localhost 0",
        "link x",
        "revoke x",
        "help me",
        "ban 10.0.0.0/33",
        "ban messi for 7",
        &format!("ban messi {reason}"),
        "bans x",
        "users x",
        "invite 0",
        "uninvite x",
    ];
    lines.map(str::to_owned).to_vec()
}

fn logged_in(line: &str) -> (&str, Response) {
    let unread = Some(Unread { count: 3, more: false });
    let (user, token) = (name("messi"), token());
    (line, Response::LoggedIn { user, token, epoch: Epoch(7), is_unstored: false, unread })
}

/// Replies that the fixtures have one form of only.
fn more_responses() -> Vec<(&'static str, Response)> {
    let inbox = |more, is_unread| Response::Inbox { messages: vec![], more, is_unread };
    vec![
        logged_in("login messi x"),
        logged_in("register messi x"),
        logged_in("register messi x A B"),
        ("inbox", inbox(false, true)),
        (
            "chat messi hi",
            Response::Sent { receipt: crate::wire::fixtures::RECEIPT, to: Some(name("messi")), delivered: None },
        ),
        ("grouppasswd g1 x", Response::GroupPasswordChanged { closed: true }),
        ("members g1", Response::Members { names: names(&["paff", "neko"]), owner: Some(name("paff")) }),
        ("online", Response::Online(names(&["paff", "neko"]))),
        ("realms", realms()),
        ("realms", links()),
        ("info messi", Response::Info(messi())),
        ("info messi", Response::Info(crate::chat::Profile { online: false, last_seen: None, ..messi() })),
    ]
}

/// Everything that a connection may be sent, except texts of users.
fn everything(language: Language) -> String {
    let format = ReplyFormat::Text(language);
    text(|out| {
        format.greet(out);
        for (line, response) in responses().chain(more_responses()) {
            format.reply(out, &context(line), Ok(&response));
        }
        for spec in COMMANDS {
            format.reply(
                out,
                &ReplyContext { spec, tag: None, dialect: spec.dialect },
                Ok(&Response::Help(Some(spec.word))),
            );
            out.extend(
                render::success_sentence(
                    &ReplyContext { spec, tag: None, dialect: spec.dialect },
                    format,
                    &Response::Done,
                )
                .bytes(),
            );
            out.push(b'\n');
        }
        CommandError::ALL.iter().for_each(|error| format.fail(out, None, *error));
        wrong_lines().iter().for_each(|line| format.reject(out, &parse_error(line)));
        line_errors().for_each(|error| format.reject(out, &error.into()));
        disconnect_reasons().for_each(|reason| format.disconnect(out, reason));
        notifications().for_each(|notification| format.notify(out, &notification));
        SessionEnd::ALL.iter().for_each(|end| format.session_ended(out, *end));
        format.lagged(out, Seq(1));
        format.truncated(out, Seq(1));
        format.reset(out, Seq(1));
        format.unfinished_line(out);
        for kind in [Kind::Direct, Kind::Group, Kind::Broadcast, Kind::Damaged] {
            format.push(out, &message(1, "messi", "goal!", kind));
        }
        for words in own_messages() {
            format.push(out, &message(1, "realm@local", &words, Kind::Direct));
        }
    })
}

/// Messages of the server itself to users.
fn own_messages() -> impl Iterator<Item = String> {
    let returned = BounceReason::ALL.into_iter().map(|why| catalog::returned("paff@timur", why));
    returned.chain([catalog::lost(&name("timur"))])
}

fn vocabulary(language: Language) -> BTreeSet<String> {
    let commands = COMMANDS.iter().map(|spec| spec.word);
    let known: BTreeSet<&str> = commands.chain(DATA.split_whitespace()).chain([SHOWN_KEY]).collect();
    // Why a link is down is told as in the log.
    let text = everything(language).replace("no answer within 5s", "");
    let words = text.split(|character: char| !character.is_alphanumeric() && character != '_');
    let is_word = |word: &&str| !word.is_empty() && !word.contains(|character: char| character.is_ascii_digit());
    words.filter(is_word).filter(|word| !known.contains(word)).map(str::to_owned).collect()
}

#[test]
fn english_and_indonesian_share_no_words_but_the_listed_ones() {
    let (english, indonesian) = (vocabulary(Language::English), vocabulary(Language::Indonesian));
    let shared: BTreeSet<&str> = english.intersection(&indonesian).map(String::as_str).collect();
    assert_eq!(shared, SHARED.split_whitespace().collect());
}

#[test]
fn a_message_of_the_server_itself_is_in_the_language_of_the_reader() {
    for words in own_messages() {
        let shown = |language| {
            text(|out| ReplyFormat::Text(language).push(out, &message(1, "realm@local", &words, Kind::Direct)))
        };
        assert_eq!(shown(Language::Documents), format!("[realm@local] {words}\r\n"));
        assert!(
            shown(Language::English).starts_with("[realm@local] the message to paff@timur was not delivered: ")
                || shown(Language::English).starts_with("[realm@local] realm timur was removed before ")
        );
    }
    let of_a_user = text(|out| {
        ReplyFormat::Text(Language::English)
            .push(out, &message(1, "realmist", &catalog::lost(&name("timur")), Kind::Direct))
    });
    assert!(of_a_user.starts_with("[realmist] Realm timur dihapus"));
}
