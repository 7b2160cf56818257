//! The accounts of the configuration: `[[users]]`.

use std::collections::HashSet;

use crate::config::error::{ConfigError, suggestion};
use crate::config::value::{Content, Entry, Value};
use crate::config::{ConfiguredUser, Password};
use crate::limits::PROFILE_BYTES;
use crate::password;

pub(super) const SECTION: &str = "users";

const FIELDS: [&str; 5] = ["name", "full_name", "country", "password", "password_hash"];

pub(super) fn read(value: &Value) -> Result<Vec<ConfiguredUser>, ConfigError> {
    let expected = "expected accounts, each under a line [[users]]";
    let Content::List(items) = &value.content else { return Err(value.wrong(expected)) };
    let mut names = HashSet::new();
    let mut users = Vec::with_capacity(items.len());
    for item in items {
        let Content::Table(fields) = &item.content else { return Err(item.wrong(expected)) };
        let user = read_user(&item.place, fields)?;
        if !names.insert(user.name.key()) {
            return Err(ConfigError::new(&item.place, format!("[[users]] {} stands here twice", user.name)));
        }
        users.push(user);
    }
    Ok(users)
}

fn read_user(place: &str, fields: &[Entry]) -> Result<ConfiguredUser, ConfigError> {
    let expected = |what: &str| ConfigError::new(place, format!("[[users]] expected {what}"));
    if let Some(unknown) = fields.iter().find(|field| !FIELDS.contains(&field.key.as_str())) {
        let known = suggestion(&unknown.key, FIELDS);
        let problem = format!("[[users]] {}: unknown key; {known}", unknown.key.escape_debug());
        return Err(ConfigError::new(&unknown.place, problem));
    }
    let plain = field(fields, "password", |value| value.secret(password::check))?.map(Password::Plain);
    let hash = field(fields, "password_hash", |value| value.secret(password::check_hash))?.map(Password::Hash);
    let password = match (plain, hash) {
        (Some(password), None) | (None, Some(password)) => password,
        _ => return Err(expected("one of password and password_hash")),
    };
    Ok(ConfiguredUser {
        name: field(fields, "name", Value::name)?.ok_or_else(|| expected("a name"))?,
        full_name: field(fields, "full_name", profile)?.unwrap_or_default(),
        country: field(fields, "country", profile)?.unwrap_or_default(),
        password,
    })
}

fn field<T>(
    fields: &[Entry],
    key: &str,
    read: impl FnOnce(&Value) -> Result<T, ConfigError>,
) -> Result<Option<T>, ConfigError> {
    let Some(field) = fields.iter().find(|field| field.key == key) else { return Ok(None) };
    read(&field.value).map(Some).map_err(|error| error.about(&format!("[[users]] {key}")))
}

/// A full name or a country.
fn profile(value: &Value) -> Result<Box<str>, ConfigError> {
    value.parsed(|text| {
        if text.len() > PROFILE_BYTES || text.chars().any(char::is_control) {
            return Err(format!("expected at most {PROFILE_BYTES} bytes without control characters"));
        }
        Ok(text.into())
    })
}
