//! The one table of settings: the file, the environment and the flags all go through it.

use std::time::Duration;

use crate::config::error::ConfigError;
use crate::config::filter;
use crate::config::value::Value;
use crate::config::{Accept, Allowed, Config, Durability, LogFormat, Registration};
use crate::limits;

/// A setting: where it stands, and how its value comes into the configuration.
pub(super) struct Key {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) set: fn(&mut Config, &Value) -> Result<(), ConfigError>,
}

impl Key {
    pub(super) fn find(section: &str, name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.section == section && key.name == name)
    }

    /// Its environment variable: `KABAR_SERVER__REALM`.
    pub(super) fn variable(&self) -> String {
        format!("KABAR_{}__{}", self.section, self.name).to_ascii_uppercase()
    }
}

const DAY_SECONDS: u64 = 24 * 3600;

pub(super) const KEYS: &[Key] = &[
    key("server", "listen", |config, value| value.addresses().map(|it| config.server.listen = it)),
    key("server", "listen_text", |config, value| value.addresses().map(|it| config.server.listen_text = it)),
    key("server", "data", |config, value| value.path().map(|it| config.server.data = it)),
    key("server", "realm", |config, value| value.name().map(|it| config.server.realm = it)),
    key("server", "durability", |config, value| {
        let choices = [("sync", Durability::Sync), ("fast", Durability::Fast)];
        value.choice(choices).map(|it| config.server.durability = it)
    }),
    key("server", "shutdown_seconds", |config, value| {
        let seconds = value.number(1..=limits::SHUTDOWN_SECONDS_MAX, "seconds")?;
        config.server.shutdown = Duration::from_secs(seconds as u64);
        Ok(())
    }),
    key("connections", "max", |config, value| {
        value.number(1..=limits::CONNECTIONS_MAX, "connections").map(|it| config.connections.max = it)
    }),
    key("connections", "per_address", |config, value| {
        value.number(1..=limits::CONNECTIONS_MAX, "connections").map(|it| config.connections.per_address = it)
    }),
    key("connections", "line_bytes", |config, value| {
        let range = limits::LINE_BYTES_MIN..=limits::LINE_BYTES_MAX;
        value.number(range, "bytes").map(|it| config.connections.line_bytes = it)
    }),
    key("accounts", "registration", |config, value| {
        let choices = [("open", Registration::Open), ("closed", Registration::Closed)];
        value.choice(choices).map(|it| config.accounts.registration = it)
    }),
    key("accounts", "password_min_bytes", |config, value| {
        value.number(1..=limits::PASSWORD_BYTES, "bytes").map(|it| config.accounts.password_min_bytes = it)
    }),
    key("accounts", "session_days", |config, value| {
        let days = value.number(1..=limits::SESSION_DAYS_MAX, "days")?;
        config.accounts.session_idle = Duration::from_secs(days as u64 * DAY_SECONDS);
        Ok(())
    }),
    key("accounts", "administrators", |config, value| value.names().map(|it| config.accounts.administrators = it)),
    key("messages", "inbox_page", |config, value| {
        value.number(1..=limits::INBOX_PAGE_MAX, "messages").map(|it| config.messages.inbox_page = it)
    }),
    key("messages", "broadcast", |config, value| value.choice(ALLOWED).map(|it| config.messages.broadcast = it)),
    key("retention", "max_age_days", |config, value| {
        let days = value.number(0..=limits::RETENTION_DAYS_MAX, "days")? as u64;
        config.retention.max_age = (days > 0).then(|| Duration::from_secs(days * DAY_SECONDS));
        Ok(())
    }),
    key("retention", "max_messages_per_timeline", |config, value| {
        let messages = value.number(0..=limits::RETENTION_MESSAGES_MAX, "messages")?;
        config.retention.max_messages = (messages > 0).then_some(messages);
        Ok(())
    }),
    key("retention", "delete_unread", |config, value| value.truth().map(|it| config.retention.delete_unread = it)),
    key("realms", "add", |config, value| value.choice(ALLOWED).map(|it| config.realms.add = it)),
    key("realms", "accept", |config, value| {
        let choices = [("known", Accept::Known), ("loopback", Accept::Loopback), ("any", Accept::Any)];
        value.choice(choices).map(|it| config.realms.accept = it)
    }),
    key("realms", "dial", |config, value| value.networks().map(|it| config.realms.dial = it)),
    key("log", "format", |config, value| {
        let choices = [("pretty", LogFormat::Pretty), ("json", LogFormat::Json)];
        value.choice(choices).map(|it| config.log.format = it)
    }),
    key("log", "filter", |config, value| value.parsed(filter::parse).map(|it| config.log.filter = it)),
];

const ALLOWED: [(&str, Allowed); 2] = [("everyone", Allowed::Everyone), ("administrators", Allowed::Administrators)];

const fn key(
    section: &'static str,
    name: &'static str,
    set: fn(&mut Config, &Value) -> Result<(), ConfigError>,
) -> Key {
    Key { section, name, set }
}
