//! Errors of a client.

use std::io;

use crate::client::address::{BadAddress, ServerAddress};
use crate::client::private_file::FileError;
use crate::client::reply::Reply;
use crate::client::trust::Fingerprint;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The text is no address of a server.
    #[error(transparent)]
    BadAddress(#[from] BadAddress),
    /// The text is no user and no group.
    #[error("{0:?} is no recipient: expected USER, USER@REALM, group:GROUP or *")]
    BadTarget(String),
    /// A request is one line.
    #[error("a request is one line, without line breaks")]
    SeveralLines,
    /// The server cannot be reached, or the connection broke.
    #[error("{server} cannot be reached: {source}")]
    Unreachable {
        /// The server.
        server: ServerAddress,
        /// The system's error.
        source: io::Error,
    },
    /// The certificate is not signed by an authority of the system, and it is not the pinned one.
    #[error("{}", untrusted(.server, .shown, .pinned.as_ref()))]
    Untrusted {
        /// The server.
        server: ServerAddress,
        /// The fingerprint of its certificate.
        shown: Fingerprint,
        /// The fingerprint that was pinned before, if one was.
        pinned: Option<Fingerprint>,
    },
    /// The other end does not speak the protocol of a json listener.
    #[error("{0} does not answer as a json listener of kabar does")]
    NotKabar(ServerAddress),
    /// The server refused the request, with a reason.
    #[error("{}", .0.explanation())]
    Refused(Box<Reply>),
    /// The session ended: the token is good for nothing any more.
    #[error("the session has ended{}: log in again", because(.reason.as_deref()))]
    SessionEnded {
        /// The reason, if the server gave it: a word, such as `revoked`.
        reason: Option<String>,
    },
    /// The request was sent so long ago that the server may have forgotten its tag: it may or may not be done.
    #[error("nobody knows whether the request was done: the server was away for too long")]
    UnknownOutcome,
    /// The client was stopped.
    #[error("the client was stopped")]
    Stopped,
    /// The file of pinned certificates cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

fn because(reason: Option<&str>) -> String {
    let sentence = match reason {
        None => return String::new(),
        Some("logged_out") => "logged out elsewhere",
        Some("revoked") => "revoked elsewhere",
        Some("password_changed") => "the password was changed",
        Some("too_many_sessions") => "too many newer logins",
        Some("unregistered") => "the account was given up",
        Some("expired") => "not used for too long",
        Some("kicked") => "ended by an administrator",
        Some("banned") => "the account is banned",
        Some("locked") => "the account is locked",
        Some(other) => other,
    };
    format!(" ({sentence})")
}

fn untrusted(server: &ServerAddress, shown: &Fingerprint, pinned: Option<&Fingerprint>) -> String {
    match pinned {
        Some(pinned) => format!(
            "the certificate of {server} changed: somebody may be in the middle. Its fingerprint was\n{pinned}\nand is\n{shown}"
        ),
        None => format!("nobody vouches for the certificate of {server}. Its SHA-256 fingerprint is\n{shown}"),
    }
}
