//! Values whose valid range or form serde cannot derive from the type. Each error is raised inside a visitor: only then
//! does the `toml` crate attach the position of the value, and of an item in a list, to it.

use std::fmt::{self, Display};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use serde::de::value::{Error as PlainError, StrDeserializer};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, SeqAccess, Unexpected, Visitor};
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::config::host_port::HostPort;
use crate::name::Name;
use crate::settings::{ListenAddress, SharedLogAddress};
use crate::time::Time;

const ADDRESS: &str = "expected an IP address and a port, such as 127.0.0.1:8889 or [::1]:8889";
const LISTEN_ADDRESS: &str = "expected an IP address and a port, such as 127.0.0.1:8889 or [::1]:8889, after tls://, proxy://, proxy+tls:// or nothing";
const NETWORK: &str = "expected a network or an address, such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7";
const HOST_PORT: &str =
    "expected a host and a port, such as 10.0.0.1:8887, node1.example.org:8887 or [2001:db8::7]:8887";
const FILTER: &str = "expected off, error, warn, info, debug, trace or TARGET=LEVEL, or several between commas";

/// A text, and the function that parses it.
struct Text<F>(F);

impl<'de, T, E: Display, F: FnOnce(&str) -> Result<T, E>> Visitor<'de> for Text<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text in quotes")
    }

    fn visit_str<X: Error>(self, text: &str) -> Result<T, X> {
        (self.0)(text).map_err(X::custom)
    }
}

impl<'de, T, E: Display, F: FnOnce(&str) -> Result<T, E>> DeserializeSeed<'de> for Text<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

/// A list of texts. `parse` gets the items before it, too.
struct List<T, F> {
    of: &'static str,
    parse: F,
    items: Vec<T>,
}

impl<'de, T, E: Display, F: FnMut(&str, &[T]) -> Result<T, E>> Visitor<'de> for List<T, F> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {} in brackets", self.of)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Vec<T>, A::Error> {
        while let Some(item) = list.next_element_seed(Text(|text: &str| (self.parse)(text, &self.items)))? {
            self.items.push(item);
        }
        Ok(self.items)
    }
}

struct Number<const MIN: usize, const MAX: usize>(&'static str);

impl<const MIN: usize, const MAX: usize> Visitor<'_> for Number<MIN, MAX> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number of {} from {MIN} to {MAX}", self.0)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<usize, E> {
        let in_range = usize::try_from(number).ok().filter(|number| (MIN..=MAX).contains(number));
        in_range.ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }
}

pub(super) fn text<'de, D: Deserializer<'de>, T, E: Display>(
    d: D,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    d.deserialize_str(Text(parse))
}

fn list<'de, D: Deserializer<'de>, T, E: Display>(
    d: D,
    of: &'static str,
    parse: impl FnMut(&str, &[T]) -> Result<T, E>,
) -> Result<Vec<T>, D::Error> {
    d.deserialize_seq(List { of, parse, items: Vec::new() })
}

/// A variant of an enum. The derived code alone would accept a table for it, too.
pub(super) fn word<'de, D: Deserializer<'de>, T: for<'a> Deserialize<'a>>(d: D) -> Result<T, D::Error> {
    text(d, |text| T::deserialize(StrDeserializer::<PlainError>::new(text)))
}

pub(super) fn path<'de, D: Deserializer<'de>>(d: D) -> Result<PathBuf, D::Error> {
    text(d, |text| match text {
        "" => Err("expected a path"),
        _ if text.starts_with('~') => Err("expected a path without ~, which only a shell understands: write it out"),
        _ => Ok(text.into()),
    })
}

pub(super) fn path_or_none<'de, D: Deserializer<'de>>(d: D) -> Result<Option<PathBuf>, D::Error> {
    text(d, |text| Ok::<_, &str>((!text.is_empty()).then(|| text.into())))
}

/// A level, or `TARGET=LEVEL`, or several between commas. A target without a level is rejected: it would enable all its
/// events, and is a misspelt level more often.
pub(super) fn filter<'de, D: Deserializer<'de>>(d: D) -> Result<Targets, D::Error> {
    let ends_in_level = |part: &str| {
        let level = part.rsplit('=').next().unwrap_or_default();
        !level.is_empty() && level.parse::<LevelFilter>().is_ok()
    };
    text(d, |text| {
        let targets = text.split(',').all(ends_in_level).then(|| text.parse().ok());
        targets.flatten().ok_or(FILTER)
    })
}

pub(super) fn time_or_none<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Time>, D::Error> {
    text(d, |text| match text {
        "" => Ok(None),
        text => Time::parse(text).map(Some).ok_or("expected a time such as 2028-11-21T00:00:00Z, or nothing"),
    })
}

pub(super) fn name_or_none<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Name>, D::Error> {
    text(d, |text| if text.is_empty() { Ok(None) } else { Name::parse(text).map(Some) })
}

pub(super) fn shared_log_or_none<'de, D: Deserializer<'de>>(d: D) -> Result<Option<SharedLogAddress>, D::Error> {
    text(d, |text| if text.is_empty() { Ok(None) } else { text.parse().map(Some) })
}

pub(super) fn host_port_or_none<'de, D: Deserializer<'de>>(d: D) -> Result<Option<HostPort>, D::Error> {
    text(d, |text| if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|_| HOST_PORT) })
}

pub(super) fn names<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Name>, D::Error> {
    list(d, "names", |text, _| Name::parse(text))
}

/// Networks, each as `ADDRESS/BITS`; an address alone is a network of one.
pub(super) fn networks<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<IpNet>, D::Error> {
    list(d, "networks", |text, _| {
        text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| NETWORK)
    })
}

/// Addresses to listen on. Only port 0 may repeat: each gets a port of its own.
pub(super) fn addresses<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<SocketAddr>, D::Error> {
    distinct(d, ADDRESS, |address: &SocketAddr| *address)
}

/// Addresses to listen on, each with what comes before the protocol there.
pub(super) fn listen_addresses<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<ListenAddress>, D::Error> {
    distinct(d, LISTEN_ADDRESS, |address: &ListenAddress| address.socket)
}

fn distinct<'de, D: Deserializer<'de>, T: FromStr>(
    d: D,
    expected: &'static str,
    socket: fn(&T) -> SocketAddr,
) -> Result<Vec<T>, D::Error> {
    list(d, "addresses", |text, others: &[T]| {
        let address: T = text.parse().map_err(|_| expected.to_owned())?;
        let new = socket(&address);
        let repeated = new.port() != 0 && others.iter().any(|other| socket(other) == new);
        if repeated { Err(format!("{new} stands here twice")) } else { Ok(address) }
    })
}

/// Defines how a number in a unit is read. The bounds are the caller's: `bytes::<MIN, MAX, _>`.
macro_rules! unit {
    ($name:ident, $of:literal, $type:ty, $convert:expr) => {
        pub(super) fn $name<'de, const MIN: usize, const MAX: usize, D>(d: D) -> Result<$type, D::Error>
        where
            D: Deserializer<'de>,
        {
            d.deserialize_u64(Number::<MIN, MAX>($of)).map($convert)
        }
    };
}

unit!(bytes, "bytes", usize, |bytes| bytes);
unit!(connections, "connections", usize, |connections| connections);
unit!(messages, "messages", usize, |messages| messages);
// Zero is `None`.
unit!(quota, "them", Option<u32>, |most| u32::try_from(most).ok().filter(|most| *most > 0));
unit!(rate, "messages", Option<u64>, |messages| Some(messages as u64).filter(|messages| *messages > 0));
unit!(megabytes, "megabytes", u64, |megabytes| megabytes as u64 * 1024 * 1024);
unit!(megabytes_or_zero, "megabytes", Option<u64>, |megabytes| Some(megabytes as u64 * 1024 * 1024)
    .filter(|bytes| *bytes > 0));
unit!(seconds, "seconds", Duration, |seconds| Duration::from_secs(seconds as u64));
unit!(days, "days", Duration, in_days);
unit!(messages_or_zero, "messages", Option<usize>, |messages| Some(messages).filter(|messages| *messages > 0));
unit!(days_or_zero, "days", Option<Duration>, |days| (days > 0).then(|| in_days(days)));

fn in_days(days: usize) -> Duration {
    Duration::from_secs(days as u64 * 24 * 3600)
}
