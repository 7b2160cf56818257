//! The accounts of the configuration: `[[users]]`.

use crate::config::error::ConfigError;
use crate::config::listed::{Listed, Section};
use crate::config::value::Value;
use crate::config::{ConfiguredUser, Password};
use crate::limits::PROFILE_BYTES;
use crate::name::Name;
use crate::password;

impl Listed for ConfiguredUser {
    const SECTION: &'static str = "users";
    const SEVERAL: &'static str = "accounts";
    const FIELDS: &'static [&'static str] = &["name", "full_name", "country", "password", "password_hash"];

    fn read(section: &Section<'_>) -> Result<Self, ConfigError> {
        let plain = section.field("password", |value| value.secret(password::check))?.map(Password::Plain);
        let hash = section.field("password_hash", |value| value.secret(password::check_hash))?.map(Password::Hash);
        let password = match (plain, hash) {
            (Some(password), None) | (None, Some(password)) => password,
            _ => return Err(section.wrong("expected one of password and password_hash")),
        };
        Ok(Self {
            name: section.field("name", Value::name)?.ok_or_else(|| section.wrong("expected a name"))?,
            full_name: section.field("full_name", profile)?.unwrap_or_default(),
            country: section.field("country", profile)?.unwrap_or_default(),
            password,
        })
    }

    fn name(&self) -> &Name {
        &self.name
    }
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
