//! The file: TOML into values that know their line and column.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use crate::config::error::ConfigError;
use crate::config::value::{Content, Entry, Value};
use crate::limits::CONFIG_BYTES;

/// Reads a configuration file.
pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |why: &dyn std::fmt::Display| {
        ConfigError::new(path.to_string_lossy(), format!("the configuration file cannot be read: {why}"))
    };
    let mut text = String::new();
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    file.take(CONFIG_BYTES + 1).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
    if text.len() as u64 > CONFIG_BYTES {
        return Err(unreadable(&format_args!("it is longer than {CONFIG_BYTES} bytes")));
    }
    Ok(text)
}

/// Parses a file's text into its sections, in their order.
pub(super) fn parse(name: &str, text: &str) -> Result<Vec<Entry>, ConfigError> {
    let source = Source::new(name, text);
    // Only the message is taken of an error: its Display shows the line, and the line may hold a password.
    let document = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        ConfigError::new(source.place(offset), error.message().replace('\n', ", "))
    })?;
    Ok(source.entries(document.into_inner()))
}

struct Source<'a> {
    name: &'a str,
    text: &'a str,
    /// Where each line begins. Every value is asked for its place, so finding one may not mean counting from the top.
    lines: Vec<usize>,
}

impl<'a> Source<'a> {
    fn new(name: &'a str, text: &'a str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name, text, lines }
    }

    /// `FILE:LINE:COLUMN`, both counted from 1, columns in characters.
    fn place(&self, offset: usize) -> String {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let column = self.text.get(start..offset).unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}", self.name)
    }

    fn entries(&self, table: DeTable<'_>) -> Vec<Entry> {
        let mut pairs: Vec<_> = table.into_iter().collect();
        pairs.sort_by_key(|(key, _)| key.span().start);
        let entry = |(key, value): (Spanned<_>, _)| Entry {
            place: self.place(key.span().start),
            key: String::from(key.into_inner()),
            value: self.value(value),
        };
        pairs.into_iter().map(entry).collect()
    }

    fn value(&self, value: Spanned<DeValue<'_>>) -> Value {
        let place = self.place(value.span().start);
        let content = match value.into_inner() {
            DeValue::String(text) => Content::Text(text.into()),
            DeValue::Integer(number) => integer(&number),
            DeValue::Array(items) => Content::List(items.into_iter().map(|item| self.value(item)).collect()),
            DeValue::Table(table) => Content::Table(self.entries(table)),
            DeValue::Float(_) => Content::Other("a fraction"),
            DeValue::Boolean(truth) => Content::Truth(truth),
            DeValue::Datetime(_) => Content::Other("a date"),
        };
        Value { place, content }
    }
}

fn integer(number: &DeInteger<'_>) -> Content {
    i64::from_str_radix(number.as_str(), number.radix()).map_or(Content::Other("a larger number"), Content::Number)
}
