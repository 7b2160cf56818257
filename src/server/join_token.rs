//! A join token: all that a machine needs to become a node of a cluster.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::id::PeerKey;
use crate::limits::JOIN_TOKEN_BYTES;

/// In front of every token: what it is, and the version of what follows.
const PREFIX: &str = "kabar-join-1.";
/// Bytes of the hash behind the rest, by which a token that was copied wrongly is told from one that is not good any more.
const CHECK_BYTES: usize = 4;

/// A join token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinToken {
    /// The name of the realm.
    pub(super) realm: Box<str>,
    /// The realm's public key: the machine proves to itself by it that it talks to a node of the realm.
    pub(super) key: PeerKey,
    /// The address at which other nodes reach the one that made it, as `HOST:PORT`.
    pub(super) address: Box<str>,
    pub(super) secret: [u8; 16],
}

/// The text is no join token.
#[derive(Debug, thiserror::Error)]
#[error(
    "this is no join token, or not all of it: expected what kabar cluster invite prints, which begins with {PREFIX}"
)]
pub struct NotAJoinToken;

impl JoinToken {
    /// The text to hand to the operator: the secret leaves the node only here.
    #[must_use]
    pub fn expose(&self) -> String {
        // A token has no maps and no lengths that are unknown: it can be encoded.
        let mut bytes = postcard::to_stdvec(self).unwrap_or_default();
        bytes.extend(check(&bytes));
        format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))
    }
}

impl FromStr for JoinToken {
    type Err = NotAJoinToken;

    fn from_str(text: &str) -> Result<Self, NotAJoinToken> {
        let text = text.trim();
        let encoded = text.strip_prefix(PREFIX).filter(|_| text.len() <= JOIN_TOKEN_BYTES).ok_or(NotAJoinToken)?;
        let bytes = BASE64URL_NOPAD.decode(encoded.as_bytes()).map_err(|_| NotAJoinToken)?;
        let (body, found) = bytes.split_last_chunk::<CHECK_BYTES>().ok_or(NotAJoinToken)?;
        if check(body) != *found {
            return Err(NotAJoinToken);
        }
        match postcard::take_from_bytes(body) {
            Ok((token, [])) => Ok(token),
            _ => Err(NotAJoinToken),
        }
    }
}

fn check(bytes: &[u8]) -> [u8; CHECK_BYTES] {
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinToken({}, {})", self.realm, self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> JoinToken {
        JoinToken {
            realm: "kota".into(),
            key: PeerKey([7; 32]),
            address: "10.0.0.1:8887".into(),
            secret: *b"sixteen bytes ok",
        }
    }

    #[test]
    fn a_token_is_read_as_it_was_made() {
        let text = token().expose();
        assert!(text.parse::<JoinToken>().is_ok_and(|read| read == token()), "{text}");
        assert!(format!(" {text}\n").parse::<JoinToken>().is_ok());
    }

    #[test]
    fn a_token_that_was_copied_wrongly_is_noticed() {
        let text = token().expose();
        for place in 0..text.len() {
            let mut altered = text.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            assert!(String::from_utf8(altered).unwrap().parse::<JoinToken>().is_err(), "byte {place}");
            assert!(text[..place].parse::<JoinToken>().is_err(), "cut at {place}");
        }
        assert!("".parse::<JoinToken>().is_err() && PREFIX.parse::<JoinToken>().is_err());
    }

    #[test]
    fn the_secret_does_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", token()), "JoinToken(kota, 10.0.0.1:8887)");
    }
}
