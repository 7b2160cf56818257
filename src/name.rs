//! Names of users, groups and realms: valid by construction (PROTOCOL §3).

use std::fmt;

use arrayvec::ArrayString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::limits::NAME_BYTES;

/// A name of 1 to 32 characters of `A-Z a-z 0-9 _ - .`, the first a letter or a digit, kept as it was registered.
///
/// Two names that differ only in (ASCII) case are the same name: compare and look up by [`Name::folded`].
///
/// It is kept in place: a name is looked at with every message, and a look elsewhere costs more than its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(ArrayString<NAME_BYTES>);

/// Names that are not given to anything new.
const RESERVED: [&str; 6] = ["ok", "err", "broadcast", "group", "siaran", "grup"];

impl Name {
    /// The sender's name in a message of the server itself: no user can have it.
    pub const SERVER: &'static str = "realm";

    /// Parses a name.
    ///
    /// # Errors
    /// [`InvalidName`] if the text is not of the form PROTOCOL §3 asks for, or is the reserved word `realm`.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let bytes = text.as_bytes();
        let first_is_alphanumeric = bytes.first().is_some_and(u8::is_ascii_alphanumeric);
        let well_formed =
            first_is_alphanumeric && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(b));
        if !well_formed || text.eq_ignore_ascii_case(Self::SERVER) {
            return Err(InvalidName);
        }
        ArrayString::from(text).map(Self).map_err(|_| InvalidName)
    }

    /// Whether the name is kept back from users, groups and realms: on a text listener it would forge an answer or a
    /// broadcast (PROTOCOL §3).
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        RESERVED.iter().any(|reserved| self.0.eq_ignore_ascii_case(reserved))
    }

    /// The name as its owner registered it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both are the same name, without regard to case.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }

    /// The case-folded name, by which names are unique.
    #[must_use]
    pub fn folded(&self) -> FoldedName {
        let mut key = [0; NAME_BYTES];
        for (folded, byte) in key.iter_mut().zip(self.0.bytes()) {
            *folded = byte.to_ascii_lowercase();
        }
        FoldedName(key)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

/// A name folded to lower case, in place, so that a look-up allocates nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FoldedName([u8; NAME_BYTES]);

impl fmt::Display for FoldedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let characters = self.0.iter().take_while(|byte| **byte != 0);
        characters.into_iter().try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

impl Serialize for FoldedName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FoldedName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Name::deserialize(deserializer).map(|name| name.folded())
    }
}

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 1-32 of A-Z a-z 0-9 _ - . starting with a letter or digit, and not the word realm")]
pub struct InvalidName;

/// A name, and the realm it was said to live in: `bob` or `bob@timur`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The user or group.
    pub name: Name,
    /// The realm, if one was given.
    pub realm: Option<Name>,
}

impl Name {
    /// The address of this name in a realm.
    #[must_use]
    pub fn at(self, realm: Self) -> Address {
        Address { name: self, realm: Some(realm) }
    }
}

impl Address {
    /// Reads `NAME` or `NAME@REALM`.
    ///
    /// # Errors
    /// [`InvalidName`] if either part is no name.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let Some((name, realm)) = text.split_once('@') else {
            return Ok(Self { name: Name::parse(text)?, realm: None });
        };
        Ok(Self { name: Name::parse(name)?, realm: Some(Name::parse(realm)?) })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.realm {
            Some(realm) => write!(f, "{}@{realm}", self.name),
            None => self.name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_protocol() {
        for good in ["a", "messi", "B0b_-.x", "9lives", &"x".repeat(32)] {
            assert_eq!(Name::parse(good).map(|n| n.to_string()), Ok(good.to_string()));
        }
        for bad in ["", "_a", ".a", "-a", "a b", "a@b", "é", "realm", "Realm", &"x".repeat(33)] {
            assert_eq!(Name::parse(bad), Err(InvalidName), "{bad:?}");
        }
    }

    #[test]
    fn names_are_the_same_without_regard_to_case() {
        let (lower, upper) = (Name::parse("messi").unwrap(), Name::parse("MESSI").unwrap());
        assert!(lower.folded() == upper.folded() && lower.is_same(&upper));
        let other = Name::parse("messi1").unwrap();
        assert!(lower.folded() != other.folded() && !lower.is_same(&other));
    }

    #[test]
    fn an_address_may_name_a_realm() {
        let address = Address::parse("bob@timur").unwrap();
        assert_eq!(address.to_string(), "bob@timur");
        assert_eq!((address.name.as_str(), address.realm.unwrap().as_str()), ("bob", "timur"));
        assert_eq!(Address::parse("bob").unwrap().realm, None);
        for bad in ["bob@", "@timur", "bob@a@b"] {
            assert!(Address::parse(bad).is_err(), "{bad:?}");
        }
    }
}
