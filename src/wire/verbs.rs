//! The one table of command words: what they are parsed by, and what help says of them.

use std::fmt;

use crate::wire::ask::{self, Read};
use crate::wire::request::Ask;

/// A command word.
pub struct Verb {
    /// In lower case; clients may write it in any.
    pub word: &'static str,
    /// The parameters as help shows them: an optional one in brackets. Every one may be preceded by a token.
    pub parameters: &'static str,
    /// What for, in a few words.
    pub summary: &'static str,
    /// It acts for a user.
    pub needs_session: bool,
    /// It is the draft system's own word, and answered in its wording (PROTOCOL §4).
    pub of_draft: bool,
    /// How many parameters stand before a password, where there is one.
    pub(super) before_password: Option<usize>,
    pub(super) read: Read,
}

/// Every word, in the order of help. Neighbours of the same parameters and summary are synonyms and share a line of it.
pub static VERBS: &[Verb] = &[
    verb("auth", "USER PASSWORD", "log in", ask::log_in).with_password_after(1).for_anyone(),
    verb("login", "USER PASSWORD", "log in", ask::log_in).with_password_after(1).for_anyone(),
    verb("register", "USER PASSWORD [FULLNAME COUNTRY]", "make an account, log in", ask::register)
        .with_password_after(1)
        .for_anyone(),
    verb("send", "USER TEXT", "tell a user", ask::send),
    verb("chat", "USER TEXT", "tell a user", ask::chat),
    verb("inbox", "", "read what is new", |_| Ok(Ask::Inbox)),
    verb("kotakmasuk", "", "read what is new", |_| Ok(Ask::Inbox)),
    verb("peek", "", "read it and leave it new", |_| Ok(Ask::Peek)),
    verb("ack", "ID", "what is new begins after ID", ask::acknowledge),
    verb("subscribe", "[ID] [presence] [group] [inbox]", "be told at once", ask::subscribe),
    verb("unsubscribe", "", "be told no more", |_| Ok(Ask::Unsubscribe)),
    verb("history", "[USER|group:GROUP] [before ID] [limit N]", "read again, newest first", ask::history),
    verb("broadcast", "TEXT", "tell everyone", ask::broadcast).of_draft(),
    verb("addgroup", "GROUP [PASSWORD]", "make a group", ask::add_group).with_password_after(1),
    verb("creategroup", "GROUP PASSWORD", "make a closed group", ask::create_group).with_password_after(1).of_draft(),
    verb("joingroup", "GROUP [PASSWORD]", "join a group", ask::join_group).with_password_after(1),
    verb("sendgroup", "GROUP TEXT", "tell a group", ask::send_group),
    verb("chatgroup", "GROUP TEXT", "tell a group", ask::send_group).of_draft(),
    verb("groups", "", "your groups", |_| Ok(Ask::Groups)),
    verb("members", "GROUP", "who is in a group", ask::members),
    verb("leavegroup", "GROUP", "leave a group", ask::leave_group),
    verb("kick", "GROUP USER", "put a member out (owner)", ask::kick),
    verb("grouppasswd", "GROUP [NEWPASSWORD]", "change or drop it (owner)", ask::change_group_password)
        .with_password_after(1),
    verb("delgroup", "GROUP", "end a group (owner)", ask::delete_group),
    verb("showuseractive", "", "who is online", |_| Ok(Ask::Active)),
    verb("list", "", "who is online", |_| Ok(Ask::Active)),
    verb("user_on", "", "who is online", |_| Ok(Ask::Active)),
    verb("online", "", "who is online", |_| Ok(Ask::Active)).of_draft(),
    verb("info", "[USER]", "a user, or who is online", ask::info),
    verb("whoami", "", "who you are", |_| Ok(Ask::Whoami)).of_draft(),
    verb("block", "USER", "hear no more from a user", ask::block),
    verb("unblock", "USER", "hear from a user again", ask::unblock),
    verb("blocks", "", "whom you block", |_| Ok(Ask::Blocks)),
    verb("addrealm", "REALM [HOST PORT]", "link a server, or add a name", ask::add_realm),
    verb("delrealm", "REALM", "forget a realm", ask::remove_realm),
    verb("sendprivaterealm", "REALM USER TEXT", "tell a user of a realm", ask::send_private_realm),
    verb("sendgrouprealm", "REALM GROUP TEXT", "tell a group of a realm", ask::send_group_realm),
    verb("getrealminbox", "REALM", "read what came from there", ask::realm_inbox),
    verb("realms", "", "the realms known here", |_| Ok(Ask::Realms)),
    verb("passwd", "OLD NEW", "change your password", ask::change_password).with_password_after(0),
    verb("sessions", "", "where you are logged in", |_| Ok(Ask::Sessions)),
    verb("revoke", "N", "end a session of the list", ask::revoke),
    verb("unregister", "PASSWORD", "give up your account", ask::unregister).with_password_after(0),
    verb("logout", "", "end the session", |_| Ok(Ask::LogOut)),
    verb("exit", "", "end the connection", |_| Ok(Ask::Exit)).for_anyone(),
    verb("quit", "", "end the connection", |_| Ok(Ask::Exit)).for_anyone(),
    verb("link", "VERSION", "how another server links", ask::link).for_anyone(),
    verb("help", "[COMMAND]", "this list, or one line of it", ask::help).for_anyone(),
    verb("ping", "", "still there?", |_| Ok(Ask::Ping)).for_anyone(),
    verb("version", "", "which server this is", |_| Ok(Ask::Version)).for_anyone(),
];

const fn verb(word: &'static str, parameters: &'static str, summary: &'static str, read: Read) -> Verb {
    Verb { word, parameters, summary, needs_session: true, of_draft: false, before_password: None, read }
}

impl Verb {
    const fn for_anyone(self) -> Self {
        Self { needs_session: false, ..self }
    }

    const fn with_password_after(self, parameters: usize) -> Self {
        Self { before_password: Some(parameters), ..self }
    }

    const fn of_draft(self) -> Self {
        Self { of_draft: true, ..self }
    }

    /// The row of a word, written in any case. Lengths differ so much that few words are compared.
    #[must_use]
    pub fn find(word: &str) -> Option<&'static Self> {
        VERBS.iter().find(|verb| verb.word.eq_ignore_ascii_case(word))
    }

    /// The word and its parameters.
    #[must_use]
    pub fn usage(&self) -> String {
        format!("{} {}", self.word, self.parameters).trim_end().to_owned()
    }
}

/// Rows are the same where their words are.
impl PartialEq for Verb {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl Eq for Verb {}

impl fmt::Debug for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verb({})", self.word)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_verb_has_help() {
        for verb in VERBS {
            assert!(!verb.summary.is_empty(), "{verb:?}");
        }
    }

    #[test]
    fn every_word_stands_once_and_in_lower_case() {
        let mut words = HashSet::new();
        for verb in VERBS {
            assert!(words.insert(verb.word) && verb.word == verb.word.to_lowercase(), "{verb:?}");
        }
    }

    #[test]
    fn a_word_is_found_in_any_case() {
        for word in ["send", "SEND", "sEnD"] {
            assert_eq!(Verb::find(word).map(|verb| verb.word), Some("send"));
        }
        for word in ["", "sen", "sends", "sénd", "resubscribe"] {
            assert_eq!(Verb::find(word), None);
        }
    }
}
