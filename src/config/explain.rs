//! Errors of `toml` and serde, with the name of the setting, its place, and what was found there.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use crate::config::error::{ConfigError, expected, listed, suggestion};
use crate::config::peers::Peer;
use crate::config::sources::Sources;
use crate::config::users::ConfiguredUser;
use crate::name::Name;

impl<'a> Sources<'a> {
    /// Reads the entries of `[[users]]` or `[[peers]]`, each with its position.
    pub(super) fn entries<T: Deserialize<'a>>(
        &self,
        section: &str,
        several: &str,
        value: Option<Spanned<DeValue<'a>>>,
        name: fn(&T) -> &Name,
    ) -> Result<Vec<(usize, T)>, ConfigError> {
        let Some(value) = value else { return Ok(Vec::new()) };
        let heading = format!("[[{section}]]");
        let wrong = |value: &Spanned<_>| {
            let (at, expected) = (value.span().start, format!("expected {several}, each under a line {heading}"));
            ConfigError::new(self.place(at), format!("{expected}, found {}", self.found(value, at)))
        };
        let DeValue::Array(items) = value.get_ref() else { return Err(wrong(&value)) };
        let (mut all, mut names) = (Vec::new(), HashSet::new());
        for item in items.iter() {
            let DeValue::Table(table) = item.get_ref() else { return Err(wrong(item)) };
            let at = item.span().start;
            let about = |problem: &str| ConfigError::new(self.place(at), format!("{heading} {problem}"));
            let entry = T::deserialize(item.clone().into_deserializer()).map_err(|error| {
                let problem = || about(&expected(error.message()).unwrap_or_else(|| error.message().to_owned()));
                self.explain_in(&heading, table, &error).unwrap_or_else(problem)
            })?;
            if !names.insert(name(&entry).folded()) {
                return Err(about(&format!("{} stands here twice", name(&entry))));
            }
            all.push((at, entry));
        }
        Ok(all)
    }

    /// Explains an error in a section.
    pub(super) fn explain(&self, error: &Error) -> ConfigError {
        let tables = self.table.iter().filter_map(|(section, value)| Some((section, value.get_ref().as_table()?)));
        let explained = tables.map(|(section, table)| self.explain_in(&format!("[{section}]"), table, error));
        explained.flatten().next().unwrap_or_else(|| ConfigError::new(self.name, error.message()))
    }

    /// Explains an error about a key or a value of a table; `None` if it is about neither.
    fn explain_in(&self, heading: &str, table: &DeTable<'_>, error: &Error) -> Option<ConfigError> {
        let at = error.span()?.start;
        let is_unknown_key = error.message().starts_with("unknown field");
        let (key, value) = table
            .iter()
            .find(|(key, value)| if is_unknown_key { key.span().start == at } else { value.span().contains(&at) })?;
        let name = key.get_ref();
        let problem = if is_unknown_key {
            format!("unknown key; {}", suggestion(name, listed(error.message())))
        } else {
            match expected(error.message()) {
                Some(expected) if name.starts_with("password") => expected,
                Some(expected) => format!("{expected}, found {}", self.found(value, at)),
                None => error.message().to_owned(),
            }
        };
        // A variable or a flag names the setting already.
        let is_of_file = self.override_at(at).is_none();
        let problem = if is_of_file { format!("{heading} {}: {problem}", name.escape_debug()) } else { problem };
        Some(ConfigError::new(self.place(at), problem))
    }

    pub(super) fn unknown_section(&self, section: &Spanned<std::borrow::Cow<'_, str>>) -> ConfigError {
        let name = section.get_ref().escape_debug();
        let mut owners =
            self.defaults.iter().filter(|(_, keys)| keys.get_ref().get(section.get_ref().as_ref()).is_some());
        let problem = match owners.next() {
            Some((owner, _)) => format!("{name} belongs under [{owner}]"),
            None => {
                let sections = self.defaults.keys().map(|section| format!("[{section}]"));
                let lists = [ConfiguredUser::SECTION, Peer::SECTION].map(|section| format!("[[{section}]]"));
                format!("unknown section [{name}]; {}", suggestion(&format!("[{name}]"), sections.chain(lists)))
            }
        };
        ConfigError::new(self.place(section.span().start), problem)
    }

    /// The value at a position: a value, or an item of it.
    pub(super) fn found(&self, value: &Spanned<DeValue<'_>>, at: usize) -> String {
        if let Some((_, text)) = self.override_at(at) {
            return format!("{text:?}");
        }
        match value.get_ref() {
            DeValue::Array(items) => {
                match items.iter().find(|item| item.span().start == at && !item.get_ref().is_table()) {
                    Some(item) => self.found(item, at),
                    None => "a list".to_owned(),
                }
            }
            DeValue::String(text) => format!("{text:?}"),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| "a larger number".to_owned(), |number| number.to_string()),
            DeValue::Boolean(truth) => truth.to_string(),
            DeValue::Float(_) => "a fraction".to_owned(),
            DeValue::Datetime(_) => "a date".to_owned(),
            DeValue::Table(_) => "a section".to_owned(),
        }
    }
}
