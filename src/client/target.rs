//! The receiver of a message: a user or a group.

use std::fmt;
use std::str::FromStr;

use crate::client::error::ClientError;
use crate::client::event::Message;
use crate::name::Address;

const GROUP: &str = "group:";
/// `to` of a broadcast.
const EVERYONE: &str = "*";
/// The prefix of a server's name.
const SERVER: &str = "realm@";

/// A conversation: a user, a group, or everyone.
#[derive(Clone, Debug)]
pub enum Target {
    /// `USER` or `USER@REALM`.
    User(Address),
    /// `group:GROUP` or `group:GROUP@REALM`.
    Group(Address),
    /// `*`: every user of the server.
    Everyone,
    /// `realm@HOME`: the server itself, which writes and is not written to.
    Server(String),
}

impl Target {
    /// Parses `USER`, `USER@REALM`, `group:GROUP`, `group:GROUP@REALM` or `*`.
    ///
    /// # Errors
    /// [`ClientError::BadTarget`] if the text is none of these.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let bad = |_| ClientError::BadTarget(text.to_owned());
        if text == EVERYONE {
            return Ok(Self::Everyone);
        }
        match text.strip_prefix(GROUP) {
            Some(group) => Address::parse(group).map(Self::Group).map_err(bad),
            None => Address::parse(text).map(Self::User).map_err(bad),
        }
    }

    /// The conversation of a name, as the server writes it in `conversations` and events.
    ///
    /// # Errors
    /// [`ClientError::BadTarget`] if this client does not know such names.
    pub fn of_conversation(name: &str) -> Result<Self, ClientError> {
        match name.starts_with(SERVER) {
            true => Ok(Self::Server(name.to_owned())),
            false => Self::parse(name),
        }
    }

    /// The conversation that a message belongs to, for the user `me`.
    ///
    /// # Errors
    /// [`ClientError::BadTarget`] if the names of the message are none that this client knows.
    pub fn of(message: &Message, me: &str) -> Result<Self, ClientError> {
        match message.kind.as_str() {
            "broadcast" => Ok(Self::Everyone),
            "group" => Self::parse(&format!("{GROUP}{}", message.to)),
            _ => {
                let other = if message.is_from(me) { &message.to } else { &message.from };
                Self::of_conversation(other)
            }
        }
    }

    /// The request that sends a text there.
    #[must_use]
    pub fn send_request(&self, text: &str) -> String {
        match self {
            Self::User(address) => format!("send {address} {text}"),
            Self::Group(address) => format!("sendgroup {address} {text}"),
            Self::Everyone => format!("broadcast {text}"),
            Self::Server(name) => format!("send {name} {text}"),
        }
    }

    /// The key of the conversation: names are the same in either case.
    #[must_use]
    pub fn key(&self) -> String {
        self.to_string().to_ascii_lowercase()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(address) => address.fmt(f),
            Self::Group(address) => write!(f, "{GROUP}{address}"),
            Self::Everyone => f.write_str(EVERYONE),
            Self::Server(name) => f.write_str(name),
        }
    }
}

impl FromStr for Target {
    type Err = ClientError;

    fn from_str(text: &str) -> Result<Self, ClientError> {
        Self::parse(text)
    }
}

impl PartialEq for Target {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Target {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_target_has_its_request() {
        let table = [
            ("messi", "send messi halo"),
            ("bob@timur", "send bob@timur halo"),
            ("group:fans", "sendgroup fans halo"),
            ("group:fans@timur", "sendgroup fans@timur halo"),
            ("*", "broadcast halo"),
        ];
        for (text, request) in table {
            let target = Target::parse(text).unwrap();
            assert_eq!((target.send_request("halo").as_str(), target.to_string().as_str()), (request, text));
        }
    }

    #[test]
    fn what_is_no_name_is_no_target() {
        for text in ["", "group:", "a b", "_x", "a@", "group:a b", "realm"] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn case_does_not_make_two_conversations() {
        assert_eq!(Target::parse("Messi").unwrap(), Target::parse("messi").unwrap());
        assert_ne!(Target::parse("group:messi").unwrap(), Target::parse("messi").unwrap());
    }
}
