//! Sections that may stand more than once, each of them a thing with a name of its own: `[[users]]`, `[[peers]]`.

use std::collections::HashSet;

use crate::config::error::{ConfigError, suggestion};
use crate::config::value::{Content, Entry, Value};
use crate::name::Name;

/// What such a section describes.
pub(super) trait Listed: Sized {
    /// Its name, without brackets.
    const SECTION: &'static str;
    /// Several of them, for people.
    const SEVERAL: &'static str;
    /// Its keys.
    const FIELDS: &'static [&'static str];

    fn read(section: &Section<'_>) -> Result<Self, ConfigError>;

    /// Unique among them.
    fn name(&self) -> &Name;
}

/// One of the sections.
pub(super) struct Section<'a> {
    name: &'static str,
    /// Where it begins.
    place: &'a str,
    fields: &'a [Entry],
}

/// Reads all sections of a kind, each with the place where it begins.
pub(super) fn read<T: Listed>(value: &Value) -> Result<Vec<(String, T)>, ConfigError> {
    let expected = format!("expected {}, each under a line [[{}]]", T::SEVERAL, T::SECTION);
    let Content::List(items) = &value.content else { return Err(value.wrong(expected)) };
    let mut names = HashSet::new();
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        let Content::Table(fields) = &item.content else { return Err(item.wrong(expected)) };
        let section = Section { name: T::SECTION, place: &item.place, fields };
        section.check_keys(T::FIELDS)?;
        let one = T::read(&section)?;
        if !names.insert(one.name().folded()) {
            return Err(section.wrong(format_args!("{} stands here twice", one.name())));
        }
        all.push((item.place.clone(), one));
    }
    Ok(all)
}

impl Section<'_> {
    /// The value of a key; none where the section does not have it.
    pub(super) fn field<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Value) -> Result<T, ConfigError>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(field) = self.fields.iter().find(|field| field.key == key) else { return Ok(None) };
        read(&field.value).map(Some).map_err(|error| error.about(&format!("[[{}]] {key}", self.name)))
    }

    /// What is wrong with the section as a whole.
    pub(super) fn wrong(&self, problem: impl std::fmt::Display) -> ConfigError {
        ConfigError::new(self.place, format!("[[{}]] {problem}", self.name))
    }

    fn check_keys(&self, known: &[&str]) -> Result<(), ConfigError> {
        let Some(unknown) = self.fields.iter().find(|field| !known.contains(&field.key.as_str())) else {
            return Ok(());
        };
        let nearest = suggestion(&unknown.key, known);
        let problem = format!("[[{}]] {}: unknown key; {nearest}", self.name, unknown.key.escape_debug());
        Err(ConfigError::new(&unknown.place, problem))
    }
}
