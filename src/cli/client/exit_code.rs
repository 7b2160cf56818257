//! The exit codes of client commands: those of sysexits.h, so that a script can tell what to do.

use std::error::Error;

use kabar::client::{ClientError, Reply};

/// EX_DATAERR: the server refused the request; sent again it is refused again.
const REFUSED: u8 = 65;
/// EX_NOUSER: no such user, group or realm.
const NO_RECIPIENT: u8 = 67;
/// EX_TEMPFAIL: not done in time; to be repeated.
pub(crate) const TRY_AGAIN: u8 = 75;
/// EX_PROTOCOL: no kabar server there, or a certificate that is not trusted.
const NOT_TRUSTED: u8 = 76;
/// EX_NOPERM: not logged in, blocked, no member, or not allowed.
const NOT_ALLOWED: u8 = 77;

/// For the help of every command that has them.
pub(crate) const HELP: &str = "\
Exit codes:
  0   done
  65  refused, for example because the text is too long
  67  no such user, group or realm
  75  not done in time: repeat it, with the printed --tag
  76  no kabar server there, or its certificate is not trusted
  77  log in first, or you may not
  1   anything else; 2 wrong arguments";

/// The code of an error, if it came from a server.
pub(crate) fn of(error: &(dyn Error + 'static)) -> Option<u8> {
    if error.is::<NotInTime>() {
        return Some(TRY_AGAIN);
    }
    if error.is::<NotLoggedIn>() {
        return Some(NOT_ALLOWED);
    }
    Some(match error.downcast_ref::<ClientError>()? {
        ClientError::Refused(reply) => of_refusal(reply),
        ClientError::Unreachable { .. } | ClientError::UnknownOutcome => TRY_AGAIN,
        ClientError::Untrusted { .. } | ClientError::NotKabar(_) => NOT_TRUSTED,
        ClientError::SessionEnded { .. } => NOT_ALLOWED,
        ClientError::BadTarget(_) | ClientError::SeveralLines => REFUSED,
        _ => return None,
    })
}

fn of_refusal(reply: &Reply) -> u8 {
    match reply.code.as_deref().unwrap_or_default() {
        "user_not_found" | "group_not_found" | "realm_not_found" => NO_RECIPIENT,
        "no_session" | "blocked" | "forbidden" | "not_member" | "wrong_password" => NOT_ALLOWED,
        _ if reply.is_temporary() => TRY_AGAIN,
        _ => REFUSED,
    }
}

/// A command whose time was over.
#[derive(Debug, thiserror::Error)]
#[error("not done in time: {reason}\nrepeat it with --tag {tag}, and it is done once")]
pub(crate) struct NotInTime {
    pub(crate) reason: String,
    pub(crate) tag: String,
}

/// There is no token.
#[derive(Debug, thiserror::Error)]
#[error("you are not logged in{place}: kabar login [SERVER]")]
pub(crate) struct NotLoggedIn {
    pub(crate) place: String,
}
