//! The accounts of the configuration: `[[users]]`.

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use crate::chat::PasswordHash;
use crate::config::read;
use crate::limits::PROFILE_BYTES;
use crate::name::Name;
use crate::password;

/// `[[users]]`: an account, registered at start if it is missing, and never changed afterwards.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Entry")]
pub struct ConfiguredUser {
    /// Unique among them.
    pub name: Name,
    /// May be empty.
    pub full_name: Box<str>,
    /// May be empty.
    pub country: Box<str>,
    /// In plain text or hashed; not shown by `Debug`.
    pub password: Password,
}

/// A configured account's password.
#[derive(Clone, Debug)]
pub enum Password {
    /// As typed: hashed when the account is registered.
    Plain(SecretString),
    /// As `kabar hash-password` printed it.
    Hash(PasswordHash),
}

/// An entry as it is written. No `Debug`: it holds a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Name,
    #[serde(default, deserialize_with = "profile")]
    full_name: Box<str>,
    #[serde(default, deserialize_with = "profile")]
    country: Box<str>,
    #[serde(default, deserialize_with = "plain")]
    password: Option<SecretString>,
    #[serde(default, deserialize_with = "hash")]
    password_hash: Option<PasswordHash>,
}

impl ConfiguredUser {
    pub(super) const SECTION: &'static str = "users";
}

impl TryFrom<Entry> for ConfiguredUser {
    type Error = &'static str;

    fn try_from(entry: Entry) -> Result<Self, Self::Error> {
        if entry.name.is_reserved() {
            return Err("expected another name: this one is reserved");
        }
        let password = match (entry.password, entry.password_hash) {
            (Some(plain), None) => Password::Plain(plain),
            (None, Some(hash)) => Password::Hash(hash),
            _ => return Err("expected one of password and password_hash"),
        };
        Ok(Self { name: entry.name, full_name: entry.full_name, country: entry.country, password })
    }
}

fn plain<'de, D: Deserializer<'de>>(d: D) -> Result<Option<SecretString>, D::Error> {
    read::text(d, password::check).map(Some)
}

fn hash<'de, D: Deserializer<'de>>(d: D) -> Result<Option<PasswordHash>, D::Error> {
    read::text(d, password::check_hash).map(Some)
}

/// A full name or a country.
fn profile<'de, D: Deserializer<'de>>(d: D) -> Result<Box<str>, D::Error> {
    read::text(d, |text| {
        let valid = text.len() <= PROFILE_BYTES && !text.chars().any(char::is_control);
        valid
            .then(|| text.into())
            .ok_or_else(|| format!("expected at most {PROFILE_BYTES} bytes without control characters"))
    })
}
