//! A configuration in the making: each source is read over what the ones before it left.

use std::ffi::{OsStr, OsString};

use crate::config::error::{ConfigError, suggestion};
use crate::config::keys::{KEYS, Key};
use crate::config::listed::{self, Listed};
use crate::config::value::{Content, Entry, Value};
use crate::config::{Config, ConfiguredUser, Peer, file, peers};

/// A setting from the command line.
#[derive(Clone, Copy, Debug)]
pub struct Flag<'a> {
    /// As the user typed it: `--realm`.
    pub flag: &'static str,
    /// The section of the setting it stands for.
    pub section: &'static str,
    /// Its key in that section.
    pub key: &'static str,
    /// What the user gave; empty where the flag was not given. A list is several of them.
    pub values: &'a [String],
}

#[derive(Default)]
pub(super) struct Draft {
    config: Config,
    /// Where listen addresses were last written.
    listeners: String,
    /// Each with its place.
    peers: Vec<(String, Peer)>,
}

impl Draft {
    pub(super) fn read_file(&mut self, name: &str, text: &str) -> Result<(), ConfigError> {
        for section in file::parse(name, text)? {
            match section.key.as_str() {
                ConfiguredUser::SECTION => {
                    self.config.users = listed::read(&section.value)?.into_iter().map(|(_, user)| user).collect();
                }
                Peer::SECTION => self.peers = listed::read(&section.value)?,
                _ => self.read_section(&section)?,
            }
        }
        Ok(())
    }

    fn read_section(&mut self, section: &Entry) -> Result<(), ConfigError> {
        if !KEYS.iter().any(|key| key.section == section.key) {
            return Err(unknown_section(section));
        }
        let Content::Table(entries) = &section.value.content else {
            return Err(section.value.wrong(format_args!("expected the section [{}]", section.key)));
        };
        for entry in entries {
            let Some(key) = Key::find(&section.key, &entry.key) else {
                return Err(unknown_key(&section.key, entry));
            };
            let about = |error: ConfigError| error.about(&format!("[{}] {}", key.section, key.name));
            self.set(key, &entry.value).map_err(about)?;
        }
        Ok(())
    }

    pub(super) fn read_environment(
        &mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), ConfigError> {
        for (variable, value) in variables {
            // Names without the double underscore are others': containers get KABAR_PORT and the like from their host.
            let variable = variable.to_string_lossy();
            if variable.strip_prefix("KABAR_").is_some_and(|rest| rest.contains("__")) {
                self.read_variable(&variable, &value)?;
            }
        }
        Ok(())
    }

    fn read_variable(&mut self, variable: &str, value: &OsStr) -> Result<(), ConfigError> {
        let Some(key) = KEYS.iter().find(|key| key.variable() == variable) else {
            let known = suggestion(variable, KEYS.iter().map(Key::variable));
            return Err(ConfigError::new(variable.escape_debug().to_string(), format!("unknown setting; {known}")));
        };
        let text = value.to_str().ok_or_else(|| ConfigError::new(variable, "expected UTF-8 text"))?;
        self.set(key, &Value::word(variable, text))
    }

    pub(super) fn read_flags(&mut self, flags: &[Flag<'_>]) -> Result<(), ConfigError> {
        for flag in flags.iter().filter(|flag| !flag.values.is_empty()) {
            let Some(key) = Key::find(flag.section, flag.key) else {
                return Err(ConfigError::new(flag.flag, "stands for no setting"));
            };
            self.set(key, &Value::word(flag.flag, &flag.values.join(",")))?;
        }
        Ok(())
    }

    fn set(&mut self, key: &Key, value: &Value) -> Result<(), ConfigError> {
        (key.set)(&mut self.config, value)?;
        if key.name.starts_with("listen") {
            self.listeners.clone_from(&value.place);
        }
        Ok(())
    }

    /// Checks what no source can tell on its own.
    pub(super) fn finish(mut self) -> Result<Config, ConfigError> {
        let server = &self.config.server;
        if server.listen.is_empty() && server.listen_text.is_empty() {
            return Err(ConfigError::new(self.listeners, "expected an address in listen or in listen_text"));
        }
        let twice = |address: &&_| server.listen_text.contains(address);
        if let Some(address) = server.listen.iter().filter(|address| address.port() != 0).find(twice) {
            let problem = format!("{address} stands in listen and in listen_text; expected different ones");
            return Err(ConfigError::new(self.listeners, problem));
        }
        peers::check(&self.peers, &server.realm)?;
        self.config.peers = self.peers.into_iter().map(|(_, peer)| peer).collect();
        Ok(self.config)
    }
}

fn unknown_section(section: &Entry) -> ConfigError {
    let name = section.key.escape_debug();
    let problem = match KEYS.iter().find(|key| key.name == section.key) {
        Some(key) => format!("{name} belongs under [{}]", key.section),
        None => {
            let mut known: Vec<_> = KEYS.iter().map(|key| format!("[{}]", key.section)).collect();
            known.dedup();
            known.extend([ConfiguredUser::SECTION, Peer::SECTION].map(|section| format!("[[{section}]]")));
            format!("unknown section [{name}]; {}", suggestion(&format!("[{name}]"), known))
        }
    };
    ConfigError::new(&section.place, problem)
}

fn unknown_key(section: &str, entry: &Entry) -> ConfigError {
    let names = KEYS.iter().filter(|key| key.section == section).map(|key| key.name);
    let problem = format!("[{section}] {}: unknown key; {}", entry.key.escape_debug(), suggestion(&entry.key, names));
    ConfigError::new(&entry.place, problem)
}
