//! The numbers by which things are known inside. None is ever used twice.

use std::fmt;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($number:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub $number);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// The place of an entry in the log, counted from 1. A message's `id` is its entry's number (PROTOCOL §4); 0 is
    /// the place before the first.
    Seq(u64)
}
id! {
    /// A user: its place in the order of registration, counted from 0.
    UserId(u64)
}
id! {
    /// A group: its place in the order of creation, counted from 0. A new group of an old name has a new number.
    GroupId(u64)
}
id! {
    /// A realm that this server knows: its place in the order of being added; 0 is the home realm.
    RealmId(u64)
}
id! {
    /// A session: the log entry that opened it, or a number past all of them if no entry did.
    SessionId(u64)
}

impl SessionId {
    /// The first number of a session that is in no store: further than a log can grow, and exact in JavaScript.
    pub const FIRST_UNSTORED: Self = Self(1 << 52);

    /// Whether the session ends with this process.
    #[must_use]
    pub fn is_unstored(self) -> bool {
        self >= Self::FIRST_UNSTORED
    }
}

/// Distinguishes the numbers that a server gives now from those before it was restored from a backup: new with
/// every start, and greater than that of any start before (PROTOCOL §4, §6). Shown as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Epoch(pub u64);

impl Epoch {
    /// Reads the form in which it is shown.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_shown_form = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_shown_form { u64::from_str_radix(text, 16).ok().map(Self) } else { None }
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Seq {
    /// The entry after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl GroupId {
    /// The group created after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl UserId {
    /// No user of this server: stands for users of other realms. It is never given to a user: there are at most
    /// [`MAX_USERS`](crate::limits::MAX_USERS). Part of the stored format.
    pub const NOBODY: Self = Self(u32::MAX as u64);
}

impl RealmId {
    /// The realm that the configuration names.
    pub const HOME: Self = Self(0);
}

/// The bearer token of a session (PROTOCOL §2): a version 4 UUID. Only its [`TokenHash`] is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token(Uuid);

impl Token {
    /// A new token, from the system's random source.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// Reads the hyphenated form, 36 characters, which no name can have.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != uuid::fmt::Hyphenated::LENGTH {
            return None;
        }
        Uuid::try_parse(text).ok().map(Self)
    }

    /// The hash that is stored. The token has 122 random bits, so that one plain hash is enough.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The text to hand to the client: a token leaves the server only here.
    #[must_use]
    pub fn expose(&self) -> String {
        self.0.hyphenated().to_string()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// The code of an invite, which a new user registers with. Only its hash is kept.
#[derive(Clone)]
pub struct InviteCode(Box<str>);

impl InviteCode {
    /// A new code, from the system's random source: 80 bits, in symbols that are not mixed up.
    #[must_use]
    pub fn random() -> Self {
        const SYMBOLS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let digest = Sha256::digest(Uuid::new_v4().as_bytes());
        let symbol = |byte: &u8| char::from(SYMBOLS.get(usize::from(byte % 32)).copied().unwrap_or(b'a'));
        Self(digest.iter().take(INVITE_CODE_LENGTH).map(symbol).collect())
    }

    /// As somebody types it, in either case.
    #[must_use]
    pub fn typed(text: &str) -> Self {
        Self(text.to_ascii_lowercase().into())
    }

    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The text to hand to the administrator: a code leaves the server only here.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for InviteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteCode(hidden)")
    }
}

const INVITE_CODE_LENGTH: usize = 16;

/// The identity of a server: its public key (Ed25519), shown as 64 hexadecimal digits (PROTOCOL §6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PeerKey(pub [u8; 32]);

impl PeerKey {
    /// Reads the hexadecimal form, in either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

impl fmt::Display for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerKey({self})")
    }
}

/// The first 64 bits of a SHA-256: distinguishes values whose confusion gains an attacker nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hash64(pub u64);

impl Hash64 {
    /// The digest of some parts, one after the other, each apart from the next.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part.len().to_le_bytes());
            hasher.update(part);
        }
        let hash: [u8; 32] = hasher.finalize().into();
        Self(hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

/// SHA-256 of a token, or of the code of an invite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TokenHash(pub [u8; 32]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_only_in_its_hyphenated_form() {
        let token = Token::random();
        assert_eq!(Token::parse(&token.expose()), Some(token));
        assert_eq!(Token::parse(&token.expose().to_uppercase()), Some(token));
        assert_eq!(Token::parse(&token.expose().replace('-', "")), None);
        assert_eq!(Token::parse("messi"), None);
    }

    #[test]
    fn an_epoch_is_read_as_it_is_shown() {
        for epoch in [Epoch(0), Epoch(0x1a2b), Epoch(u64::MAX)] {
            assert_eq!(Epoch::parse(&epoch.to_string()), Some(epoch));
        }
        for bad in ["", "0", "00000000000000000", "+000000000000001", "000000000000000A", "00000000000000é"] {
            assert_eq!(Epoch::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_invite_code_is_typed_in_either_case_and_not_shown() {
        let code = InviteCode::random();
        assert_eq!(code.expose().len(), INVITE_CODE_LENGTH);
        assert_eq!(InviteCode::typed(&code.expose().to_uppercase()).hash(), code.hash());
        assert_ne!(InviteCode::random().hash(), code.hash());
        assert!(!format!("{code:?}").contains(code.expose()));
    }

    #[test]
    fn a_key_is_read_as_it_is_shown() {
        let key = PeerKey(std::array::from_fn(|place| place as u8 * 7));
        assert_eq!(PeerKey::parse(&key.to_string()), Some(key));
        assert_eq!(PeerKey::parse(&key.to_string().to_uppercase()), Some(key));
        for bad in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(PeerKey::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_token_does_not_show_in_debug_output() {
        let token = Token::random();
        assert!(!format!("{token:?}").contains(&token.expose()));
    }
}
