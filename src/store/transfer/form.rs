//! How single values are written.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::id::{PeerKey, TokenHash};
use crate::time::Time;

/// A time as the protocol writes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(pub(super) Time);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let expected = || de::Error::custom("expected a time since 1970, such as 2026-11-21T07:00:00.123Z");
        Time::parse(&text).map(Self).ok_or_else(expected)
    }
}

/// A token's hash in hexadecimal digits.
pub(super) struct HexHash(pub(super) TokenHash);

impl Serialize for HexHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let TokenHash(bytes) = self.0;
        serializer.serialize_str(&bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }
}

impl<'de> Deserialize<'de> for HexHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let mut hash = [0; 32];
        let digits = text.len() == 2 * hash.len() && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        for (byte, place) in hash.iter_mut().zip((0..).step_by(2)) {
            let pair = text.get(place..place + 2).filter(|_| digits);
            let pair = pair.ok_or_else(|| de::Error::custom("expected 64 hexadecimal digits"))?;
            *byte = u8::from_str_radix(pair, 16).map_err(de::Error::custom)?;
        }
        Ok(Self(TokenHash(hash)))
    }
}

/// 64 bits in hexadecimal digits: more than the numbers of JSON hold everywhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hex64(pub(super) u64);

impl Serialize for Hex64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Hex64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let digits = text.len() == 16 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let bits = u64::from_str_radix(&text, 16).ok().filter(|_| digits);
        bits.map(Self).ok_or_else(|| de::Error::custom("expected 16 hexadecimal digits"))
    }
}

/// Another server's key in hexadecimal digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct HexKey(pub(super) PeerKey);

impl Serialize for HexKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for HexKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let expected = || de::Error::custom("expected 64 hexadecimal digits");
        PeerKey::parse(&text).map(Self).ok_or_else(expected)
    }
}
