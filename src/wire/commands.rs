//! The one table of command words: what they are parsed by, and what help says of them.

use std::fmt;

use crate::wire::ask::{self, Read};
use crate::wire::request::Ask;

/// A command word.
pub struct CommandSpec {
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
pub static COMMANDS: &[CommandSpec] = &[
    spec("auth", "USER PASSWORD", "log in", ask::log_in).with_password_after(1).for_anyone(),
    spec("login", "USER PASSWORD", "log in", ask::log_in).with_password_after(1).for_anyone(),
    spec("register", "USER PASSWORD [FULLNAME COUNTRY]", "make an account, log in", ask::register)
        .with_password_after(1)
        .for_anyone(),
    spec("send", "USER TEXT", "tell a user", ask::send),
    spec("chat", "USER TEXT", "tell a user", ask::chat),
    spec("inbox", "", "read what is new", |_| Ok(Ask::Inbox)),
    spec("kotakmasuk", "", "read what is new", |_| Ok(Ask::Inbox)),
    spec("peek", "", "read it and leave it new", |_| Ok(Ask::Peek)),
    spec("ack", "ID", "what is new begins after ID", ask::acknowledge),
    spec("subscribe", "[ID] [presence] [group] [inbox]", "be told at once", ask::subscribe),
    spec("unsubscribe", "", "be told no more", |_| Ok(Ask::Unsubscribe)),
    spec("history", "[USER|group:GROUP] [before ID] [limit N]", "read again, newest first", ask::history),
    spec("broadcast", "TEXT", "tell everyone", ask::broadcast).of_draft(),
    spec("addgroup", "GROUP [PASSWORD]", "make a group", ask::add_group).with_password_after(1),
    spec("creategroup", "GROUP PASSWORD", "make a closed group", ask::create_group).with_password_after(1).of_draft(),
    spec("joingroup", "GROUP [PASSWORD]", "join a group", ask::join_group).with_password_after(1),
    spec("sendgroup", "GROUP TEXT", "tell a group", ask::send_group),
    spec("chatgroup", "GROUP TEXT", "tell a group", ask::send_group).of_draft(),
    spec("groups", "", "your groups", |_| Ok(Ask::Groups)),
    spec("members", "GROUP", "who is in a group", ask::members),
    spec("leavegroup", "GROUP", "leave a group", ask::leave_group),
    spec("kick", "GROUP USER", "put a member out (owner)", ask::kick),
    spec("grouppasswd", "GROUP [NEWPASSWORD]", "change or drop it (owner)", ask::change_group_password)
        .with_password_after(1),
    spec("delgroup", "GROUP", "end a group (owner)", ask::delete_group),
    spec("showuseractive", "", "who is online", |_| Ok(Ask::Active)),
    spec("list", "", "who is online", |_| Ok(Ask::Active)),
    spec("user_on", "", "who is online", |_| Ok(Ask::Active)),
    spec("online", "", "who is online", |_| Ok(Ask::Active)).of_draft(),
    spec("info", "[USER]", "a user, or who is online", ask::info),
    spec("whoami", "", "who you are", |_| Ok(Ask::Whoami)).of_draft(),
    spec("block", "USER", "hear no more from a user", ask::block),
    spec("unblock", "USER", "hear from a user again", ask::unblock),
    spec("blocks", "", "whom you block", |_| Ok(Ask::Blocks)),
    spec("addrealm", "REALM [HOST PORT]", "link a server, or add a name", ask::add_realm),
    spec("delrealm", "REALM", "forget a realm", ask::remove_realm),
    spec("sendprivaterealm", "REALM USER TEXT", "tell a user of a realm", ask::send_private_realm),
    spec("sendgrouprealm", "REALM GROUP TEXT", "tell a group of a realm", ask::send_group_realm),
    spec("getrealminbox", "REALM", "read what came from there", ask::realm_inbox),
    spec("realms", "", "the realms known here", |_| Ok(Ask::Realms)),
    spec("passwd", "OLD NEW", "change your password", ask::change_password).with_password_after(0),
    spec("sessions", "", "where you are logged in", |_| Ok(Ask::Sessions)),
    spec("revoke", "N", "end a session of the list", ask::revoke),
    spec("unregister", "PASSWORD", "give up your account", ask::unregister).with_password_after(0),
    spec("logout", "", "end the session", |_| Ok(Ask::LogOut)),
    spec("exit", "", "end the connection", |_| Ok(Ask::Exit)).for_anyone(),
    spec("quit", "", "end the connection", |_| Ok(Ask::Exit)).for_anyone(),
    spec("link", "VERSION", "how another server links", ask::link).for_anyone(),
    spec("help", "[COMMAND]", "this list, or one line of it", ask::help).for_anyone(),
    spec("ping", "", "still there?", |_| Ok(Ask::Ping)).for_anyone(),
    spec("version", "", "which server this is", |_| Ok(Ask::Version)).for_anyone(),
];

const fn spec(word: &'static str, parameters: &'static str, summary: &'static str, read: Read) -> CommandSpec {
    CommandSpec { word, parameters, summary, needs_session: true, of_draft: false, before_password: None, read }
}

impl CommandSpec {
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
        COMMANDS.iter().find(|spec| spec.word.eq_ignore_ascii_case(word))
    }

    /// The word and its parameters.
    #[must_use]
    pub fn usage(&self) -> String {
        format!("{} {}", self.word, self.parameters).trim_end().to_owned()
    }
}

/// Rows are the same where their words are.
impl PartialEq for CommandSpec {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl Eq for CommandSpec {}

impl fmt::Debug for CommandSpec {
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
        for spec in COMMANDS {
            assert!(!spec.summary.is_empty(), "{spec:?}");
        }
    }

    #[test]
    fn every_word_stands_once_and_in_lower_case() {
        let mut words = HashSet::new();
        for spec in COMMANDS {
            assert!(words.insert(spec.word) && spec.word == spec.word.to_lowercase(), "{spec:?}");
        }
    }

    #[test]
    fn a_word_is_found_in_any_case() {
        for word in ["send", "SEND", "sEnD"] {
            assert_eq!(CommandSpec::find(word).map(|spec| spec.word), Some("send"));
        }
        for word in ["", "sen", "sends", "sénd", "resubscribe"] {
            assert_eq!(CommandSpec::find(word), None);
        }
    }
}
