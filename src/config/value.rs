//! Values as they were written, and how each kind of setting is read from one.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use ipnet::IpNet;

use crate::config::error::ConfigError;
use crate::name::Name;

const TEXT: &str = "expected text in quotes";
const NETWORK: &str = "expected a network or an address, such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7";
const ADDRESS: &str = "expected an IP address and a port, such as 127.0.0.1:8889 or [::1]:8889";

/// A value and where it stands. No `Debug`: it may be a password.
pub(super) struct Value {
    pub(super) place: String,
    pub(super) content: Content,
}

pub(super) enum Content {
    /// From the environment or a flag, where everything is text: read as whatever the setting wants.
    Word(String),
    Text(String),
    Number(i64),
    Truth(bool),
    List(Vec<Value>),
    /// In the order of the file.
    Table(Vec<Entry>),
    /// Of a type that no setting has; its name.
    Other(&'static str),
}

/// A key of a table, where it stands, and its value.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: String,
    pub(super) value: Value,
}

impl Value {
    pub(super) fn word(place: impl Into<String>, text: &str) -> Self {
        Self { place: place.into(), content: Content::Word(text.to_owned()) }
    }

    /// The error that says what is right, and what stands here instead.
    pub(super) fn wrong(&self, expected: impl Display) -> ConfigError {
        let found = match &self.content {
            Content::Word(text) | Content::Text(text) => format!("{text:?}"),
            Content::Number(number) => number.to_string(),
            Content::Truth(truth) => truth.to_string(),
            Content::List(_) => "a list".to_owned(),
            Content::Table(_) => "a section".to_owned(),
            Content::Other(kind) => (*kind).to_owned(),
        };
        ConfigError::new(&self.place, format!("{expected}, found {found}"))
    }

    /// Reads text. `parse` says what it expected where it fails.
    pub(super) fn parsed<T, E: Display>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, ConfigError> {
        match &self.content {
            Content::Word(text) | Content::Text(text) => parse(text).map_err(|expected| self.wrong(expected)),
            _ => Err(self.wrong(TEXT)),
        }
    }

    /// Reads text that no error may repeat.
    pub(super) fn secret<T, E: Display>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, ConfigError> {
        let Content::Text(text) = &self.content else {
            return Err(ConfigError::new(&self.place, TEXT));
        };
        parse(text).map_err(|expected| ConfigError::new(&self.place, expected.to_string()))
    }

    /// Reads a whole number of something: `of` is its unit.
    pub(super) fn number(&self, range: RangeInclusive<usize>, of: &str) -> Result<usize, ConfigError> {
        let number = match &self.content {
            Content::Word(text) => text.parse().ok(),
            Content::Number(number) => usize::try_from(*number).ok(),
            _ => None,
        };
        let expected = || format!("expected a whole number of {of} from {} to {}", range.start(), range.end());
        number.filter(|number| range.contains(number)).ok_or_else(|| self.wrong(expected()))
    }

    /// Reads true or false.
    pub(super) fn truth(&self) -> Result<bool, ConfigError> {
        let truth = match &self.content {
            Content::Word(text) => text.parse().ok(),
            Content::Truth(truth) => Some(*truth),
            _ => None,
        };
        truth.ok_or_else(|| self.wrong("expected true or false"))
    }

    /// Reads one of a few words.
    pub(super) fn choice<T: Copy, const N: usize>(&self, choices: [(&str, T); N]) -> Result<T, ConfigError> {
        self.parsed(|text| {
            let chosen = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
            chosen.ok_or_else(|| format!("expected {}", alternatives(&choices.map(|(word, _)| word))))
        })
    }

    pub(super) fn name(&self) -> Result<Name, ConfigError> {
        self.parsed(Name::parse)
    }

    pub(super) fn path(&self) -> Result<PathBuf, ConfigError> {
        self.parsed(|text| if text.is_empty() { Err("expected a path") } else { Ok(text.into()) })
    }

    pub(super) fn names(&self) -> Result<Vec<Name>, ConfigError> {
        self.items("names", |item| item.name())
    }

    /// Reads listen addresses; the word `none` is for flags and variables, where an empty list is hard to write. Port 0
    /// may stand more than once: each gets a port of its own.
    pub(super) fn addresses(&self) -> Result<Vec<SocketAddr>, ConfigError> {
        if matches!(&self.content, Content::Word(word) if word == "none") {
            return Ok(Vec::new());
        }
        let mut seen = Vec::new();
        self.items("addresses", |item| {
            let address: SocketAddr = item.parsed(|text| text.parse().map_err(|_| ADDRESS))?;
            if address.port() != 0 && seen.contains(&address) {
                return Err(ConfigError::new(&item.place, format!("{address} stands here twice")));
            }
            seen.push(address);
            Ok(address)
        })
    }

    /// Reads networks, each as `ADDRESS/BITS`; an address alone is a network of one.
    pub(super) fn networks(&self) -> Result<Vec<IpNet>, ConfigError> {
        let network = |text: &str| text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        self.items("networks", |item| item.parsed(|text| network(text).map_err(|_| NETWORK)))
    }

    /// Reads a list: of the file's, or of words between commas.
    fn items<T>(
        &self,
        of: &str,
        mut read: impl FnMut(&Value) -> Result<T, ConfigError>,
    ) -> Result<Vec<T>, ConfigError> {
        match &self.content {
            Content::Word(text) if text.trim().is_empty() => Ok(Vec::new()),
            Content::Word(text) => text.split(',').map(|word| read(&Value::word(&self.place, word.trim()))).collect(),
            Content::List(items) => items.iter().map(read).collect(),
            _ => Err(self.wrong(format_args!("expected a list of {of} in brackets"))),
        }
    }
}

/// `"a", "b" or "c"`
fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("{word:?}")).collect();
    match quoted.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => quoted.concat(),
    }
}
