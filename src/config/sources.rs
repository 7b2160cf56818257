//! The sources of settings, merged into one TOML table.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::config::error::{ConfigError, suggestion};
use crate::config::peers::{self, Peer};
use crate::config::sections::Config;
use crate::config::users::ConfiguredUser;
use crate::config::warnings;
use crate::limits::CONFIG_BYTES;

const EXAMPLE: &str = include_str!("../../config.example.toml");

/// The settings of `[server]` that are addresses to listen on.
const LISTENERS: [&str; 3] = ["listen", "listen_text", "web"];

/// Names an earlier build to benchmarks, which start both builds in the same environment.
const EARLIER_BUILD: &str = "KABAR_OLD";

/// The span of a default: in no source.
const NOWHERE: Range<usize> = usize::MAX..usize::MAX;

/// A setting from the environment or a flag, as text: its type is that of the setting.
#[derive(Clone, Debug)]
pub struct Override {
    /// The variable or the flag.
    pub place: String,
    pub section: String,
    pub key: String,
    /// Items of a list are separated by commas.
    pub text: String,
}

/// The merged table. An error of `toml` has nothing but a position in the file, so values of other sources have
/// positions, too: past the end of the file, one for each text.
pub(super) struct Sources<'a> {
    pub(super) name: &'a str,
    text: &'a str,
    pub(super) table: DeTable<'a>,
    pub(super) defaults: DeTable<'static>,
    /// Place and text of the value at each position past the end of the file.
    overrides: Vec<(&'a str, &'a str)>,
}

/// The defaults: what `config.example.toml` states, without its accounts.
fn defaults() -> DeTable<'static> {
    #[expect(clippy::expect_used, reason = "a constant, and every test of a default parses it")]
    let mut defaults = DeTable::parse(EXAMPLE).expect("the example is TOML").into_inner();
    defaults.remove(ConfiguredUser::SECTION);
    defaults
}

pub(super) fn read_file(path: &Path) -> Result<String, ConfigError> {
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

/// The settings of the environment, then those of the flags.
pub(super) fn overrides(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    flags: &[Override],
) -> Result<Vec<Override>, ConfigError> {
    let variables = environment.into_iter().map(|(variable, value)| (variable.to_string_lossy().into_owned(), value));
    let is_ours = |variable: &str| {
        variable.to_ascii_uppercase().starts_with("KABAR_") && !is_of_host(variable) && variable != EARLIER_BUILD
    };
    let ours = variables.filter(|(variable, _)| is_ours(variable));
    let mut all = ours.map(|(variable, value)| of_variable(variable, &value)).collect::<Result<Vec<_>, _>>()?;
    all.extend_from_slice(flags);
    Ok(all)
}

/// Whether a container got a variable from its host, which has a service with the name `kabar`: `KABAR_PORT_8889_TCP`.
fn is_of_host(variable: &str) -> bool {
    ["KABAR_SERVICE_HOST", "KABAR_SERVICE_PORT", "KABAR_PORT"].iter().any(|name| {
        let rest = variable.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with('_') && !rest.starts_with("__")))
    })
}

fn of_variable(variable: String, value: &OsStr) -> Result<Override, ConfigError> {
    let name = |section: &str, key: &str| format!("KABAR_{section}__{key}").to_ascii_uppercase();
    let mut known = Vec::new();
    for (section, keys) in &defaults() {
        for key in keys.get_ref().as_table().into_iter().flat_map(DeTable::keys) {
            known.push((name(section.get_ref(), key.get_ref()), section.to_string(), key.to_string()));
        }
    }
    let Some((_, section, key)) = known.iter().find(|(name, ..)| *name == variable).cloned() else {
        // A variable in lower case is meant to be the one in capitals.
        let nearest = suggestion(&variable.to_ascii_uppercase(), known.iter().map(|(name, ..)| name));
        let problem = format!("unknown setting; {nearest}");
        return Err(ConfigError::new(variable.escape_debug().to_string(), problem));
    };
    match value.to_str() {
        Some(text) => Ok(Override { place: variable, section, key, text: text.to_owned() }),
        None => Err(ConfigError::new(variable, "expected UTF-8 text")),
    }
}

impl<'a> Sources<'a> {
    /// Parses the file and replaces its values by the overrides, the later over the earlier.
    pub(super) fn merge(name: &'a str, text: &'a str, overrides: &'a [Override]) -> Result<Self, ConfigError> {
        let mut sources = Self { name, text, table: DeTable::new(), defaults: defaults(), overrides: Vec::new() };
        // Only the message is used: the error's `Display` shows the line, and the line may contain a password.
        let table = DeTable::parse(text).map_err(|error| {
            let place = sources.place(error.span().map_or(0, |span| span.start));
            ConfigError::new(place, error.message().replace('\n', ", "))
        })?;
        sources.table = table.into_inner();
        for given in overrides {
            let value = sources.typed(given);
            if let Some(table) = section_mut(&mut sources.table, &given.section) {
                table.insert(Spanned::new(value.span(), given.key.as_str().into()), value);
            }
        }
        Ok(sources)
    }

    /// Gives a text the type of its setting's default, if it can have that; if not, it stays text, and reading the
    /// setting fails.
    fn typed(&mut self, given: &'a Override) -> Spanned<DeValue<'a>> {
        let section = self.defaults.get(given.section.as_str()).map(Spanned::get_ref);
        let default = section.and_then(|section| section.get(given.key.as_str())).map(Spanned::get_ref).cloned();
        let text = given.text.as_str();
        let start = self.position(given, text).start;
        let value = match default {
            // An empty list is hard to write in a shell.
            Some(DeValue::Array(_))
                if text.trim().is_empty() || (LISTENERS.contains(&given.key.as_str()) && text == "none") =>
            {
                DeValue::Array(DeArray::new())
            }
            Some(DeValue::Array(_)) => {
                let item = |item: &'a str| Spanned::new(self.position(given, item), DeValue::String(item.into()));
                DeValue::Array(text.split(',').map(str::trim).map(item).collect())
            }
            Some(default) if !default.is_str() => {
                let parsed = DeValue::parse(text).ok().map(Spanned::into_inner);
                parsed.filter(|value| value.same_type(&default)).unwrap_or(DeValue::String(text.into()))
            }
            _ => DeValue::String(text.into()),
        };
        Spanned::new(start..self.text.len() + 1 + self.overrides.len(), value)
    }

    /// A new position, past the end of the file.
    fn position(&mut self, given: &'a Override, text: &'a str) -> Range<usize> {
        let start = self.text.len() + 1 + self.overrides.len();
        self.overrides.push((&given.place, text));
        start..start + 1
    }

    /// The place of a position: `FILE:LINE:COLUMN`, both counted from 1, columns in characters; or a variable or flag.
    pub(super) fn place(&self, at: usize) -> String {
        if let Some((place, _)) = self.override_at(at) {
            return (*place).to_owned();
        }
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}", self.name)
    }

    pub(super) fn override_at(&self, at: usize) -> Option<&(&'a str, &'a str)> {
        self.overrides.get(at.checked_sub(self.text.len() + 1)?)
    }

    pub(super) fn into_config(mut self) -> Result<Config, ConfigError> {
        let users = self.table.remove(ConfiguredUser::SECTION);
        let peers = self.table.remove(Peer::SECTION);
        for (section, value) in &self.table {
            if !self.defaults.contains_key(section.get_ref().as_ref()) {
                return Err(self.unknown_section(section));
            }
            // Checked here because a derived struct would take a list of its values, too.
            if !value.get_ref().is_table() {
                let problem =
                    format!("expected the section [{section}], found {}", self.found(value, value.span().start));
                return Err(ConfigError::new(self.place(value.span().start), problem));
            }
        }
        let listeners = self.listeners();
        let table = self.with_defaults();
        let texts = texts(&table);
        let table = Spanned::new(NOWHERE, table);
        let mut config = Config::deserialize(table.into_deserializer()).map_err(|error| self.explain(&error))?;
        config.texts = texts;
        check_listeners(&config).map_err(|problem| ConfigError::new(self.place(listeners), problem))?;
        check_cluster(&config).map_err(|(key, problem)| {
            let at = self.value("cluster", key).map_or(0, |value| value.span().start);
            ConfigError::new(self.place(at), problem)
        })?;
        let users = self.entries(ConfiguredUser::SECTION, "accounts", users, |user: &ConfiguredUser| &user.name)?;
        config.users = users.into_iter().map(|(_, user)| user).collect();
        let peers = self.entries(Peer::SECTION, "servers", peers, |peer: &Peer| &peer.name)?;
        peers::check(&peers, &config.server.realm)
            .map_err(|(at, problem)| ConfigError::new(self.place(at), problem))?;
        config.warnings = self.warnings(&config, &peers);
        config.peers = peers.into_iter().map(|(_, peer)| peer).collect();
        Ok(config)
    }

    fn warnings(&self, config: &Config, peers: &[(usize, Peer)]) -> Vec<String> {
        let at = |at: usize, problem: String| format!("{}: {problem}", self.place(at));
        let unreachable = |(place, peer): &(usize, Peer)| {
            warnings::unreachable(peer, &config.realms.dial).map(|problem| at(*place, problem))
        };
        let registration = self.value("accounts", "registration").map_or(0, |value| value.span().start);
        let nobody = warnings::nobody(&config.accounts, config.users.len()).map(|problem| at(registration, problem));
        peers.iter().filter_map(unreachable).chain(nobody).collect()
    }

    fn value(&self, section: &str, key: &str) -> Option<&Spanned<DeValue<'a>>> {
        self.table.get(section)?.get_ref().get(key)
    }

    fn with_defaults(&self) -> DeTable<'a> {
        let mut table = self.table.clone();
        for (section, defaults) in &self.defaults {
            let Some(section) = section_mut(&mut table, section.get_ref()) else { continue };
            for (key, value) in defaults.get_ref().as_table().into_iter().flatten() {
                let missing = || Spanned::new(NOWHERE, value.get_ref().clone());
                section.entry(Spanned::new(NOWHERE, key.get_ref().clone())).or_insert_with(missing);
            }
        }
        table
    }

    /// The position of the listen addresses that were written last.
    fn listeners(&self) -> usize {
        let values =
            LISTENERS.map(|key| self.value("server", key)).into_iter().chain([self.value("metrics", "listen")]);
        values.flatten().map(|value| value.span().start).max().unwrap_or_default()
    }
}

/// Every setting as text, by its name.
fn texts(table: &DeTable<'_>) -> BTreeMap<String, String> {
    let sections = table.iter().filter_map(|(section, keys)| Some((section.get_ref(), keys.get_ref().as_table()?)));
    let settings = sections.flat_map(|(section, keys)| {
        keys.iter().map(move |(key, value)| (format!("{section}.{}", key.get_ref()), text(value.get_ref())))
    });
    settings.collect()
}

fn text(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| text(item.get_ref())).collect();
            format!("[{}]", items.join(", "))
        }
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Boolean(truth) => truth.to_string(),
        // No setting has such a value.
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => String::new(),
    }
}

/// The table of a section, made if it is missing; `None` if the file has something else there.
fn section_mut<'t, 'a>(table: &'t mut DeTable<'a>, section: &str) -> Option<&'t mut DeTable<'a>> {
    let empty = || Spanned::new(NOWHERE, DeValue::Table(DeTable::new()));
    match table.entry(Spanned::new(NOWHERE, section.to_owned().into())).or_insert_with(empty).get_mut() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

fn check_listeners(Config { server, tls, metrics, .. }: &Config) -> Result<(), String> {
    if server.listen.is_empty() && server.listen_text.is_empty() {
        return Err("expected an address in listen or in listen_text".to_owned());
    }
    let lists = [("listen", &server.listen), ("listen_text", &server.listen_text), ("web", &server.web)];
    let sockets = lists.map(|(key, addresses)| (key, addresses.iter().map(|address| address.socket).collect()));
    let lists: Vec<(_, Vec<SocketAddr>)> =
        sockets.into_iter().chain([("[metrics] listen", metrics.listen.clone())]).collect();
    for (place, (key, addresses)) in lists.iter().enumerate() {
        for (other, others) in lists.iter().skip(place + 1) {
            let twice = addresses.iter().find(|address| address.port() != 0 && others.contains(address));
            if let Some(address) = twice {
                return Err(format!("{address} stands in {key} and in {other}; expected different ones"));
            }
        }
    }
    let mut listeners = server.listeners();
    if let Some(address) = listeners.find(|address| address.is_tls && tls.certificate.is_none() && !tls.self_signed) {
        return Err(format!(
            "{address} needs a certificate: expected [tls] certificate and key, or self_signed = true"
        ));
    }
    let mut listeners = server.listeners();
    if let Some(address) = listeners.find(|address| address.is_proxied && server.trusted_proxies.is_empty()) {
        return Err(format!("{address} serves nobody: expected the networks of its proxies in trusted_proxies"));
    }
    Ok(())
}

/// Checks what the settings of a cluster need of each other; a problem comes with the key that it is about.
fn check_cluster(Config { cluster, server, metrics, .. }: &Config) -> Result<(), (&'static str, String)> {
    let Some(log) = &cluster.log else { return Ok(()) };
    if cluster.node.is_none() {
        return Err(("log", "[cluster] log makes this server a node: expected its name in node".to_owned()));
    }
    let Some(listen) = &cluster.listen else {
        let problem = "[cluster] log makes this server a node: expected the address at which other nodes reach it in \
                       listen, such as 10.0.0.1:8887";
        return Err(("log", problem.to_owned()));
    };
    if cluster.channel_address(listen.port).is_none() {
        let problem = "[cluster] listen is all addresses of this machine: expected an address at which other nodes reach \
                       it in advertise, such as 10.0.0.1:8889";
        return Err(("listen", problem.to_owned()));
    }
    // The other listeners are bound only when the node leads: too late to find out.
    let is_same = |address: SocketAddr| address.port() != 0 && address.to_string() == listen.to_string();
    let others = server.listeners().map(|address| address.socket).chain(metrics.listen.iter().copied());
    if let Some(twice) = others.into_iter().find(|address| is_same(*address)) {
        let problem =
            format!("[cluster] listen: {twice} is an address of clients or of metrics, too; expected another one");
        return Err(("listen", problem));
    }
    if !cfg!(feature = "etcd") {
        return Err(("log", "[cluster] log: this program was built without the feature etcd".to_owned()));
    }
    if log.is_tls && cluster.authority.is_none() {
        return Err(("log", "[cluster] log with etcds:// expected the file of its authority in authority".to_owned()));
    }
    if cluster.certificate.is_some() != cluster.key.is_some() {
        return Err(("log", "[cluster] certificate and key belong together: expected both, or none".to_owned()));
    }
    Ok(())
}
