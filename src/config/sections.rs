//! The sections of the configuration.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;
use tracing_subscriber::filter::Targets;

use crate::config::host_port::HostPort;
use crate::config::peers::Peer;
use crate::config::read;
use crate::config::users::ConfiguredUser;
use crate::limits::{
    CONNECTIONS_MAX, INBOX_PAGE_MAX, LEASE_SECONDS_MAX, LEASE_SECONDS_MIN, LINE_BYTES_MAX, LINE_BYTES_MIN,
    MEGABYTES_MAX, MESSAGE_RATE_MAX, OUTBOX_MEGABYTES_MIN, PASSWORD_BYTES, PATIENCE_SECONDS_MAX, QUOTA_MAX,
    RETENTION_DAYS_MAX, RETENTION_MESSAGES_MAX, SESSION_DAYS_MAX, SHUTDOWN_SECONDS_MAX,
};
use crate::name::Name;
use crate::settings::{Accept, Durability, Language, ListenAddress, Registration, SharedLogAddress};
use crate::time::Time;

/// A valid configuration. `config.example.toml` describes each setting and states its default: it is compiled in, and
/// no default stands anywhere else.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub server: Server,
    pub tls: Tls,
    pub connections: Connections,
    pub accounts: Accounts,
    pub messages: Messages,
    pub retention: Retention,
    pub realms: Realms,
    pub limits: Limits,
    pub metrics: Metrics,
    pub cluster: Cluster,
    pub log: Log,
    /// Every setting as text, by its name: `server.realm`. Accounts and servers are not among them.
    #[serde(skip)]
    pub texts: BTreeMap<String, String>,
    /// Warnings of settings that are valid and hardly meant, each with its place.
    #[serde(skip)]
    pub warnings: Vec<String>,
    #[serde(skip)]
    pub users: Vec<ConfiguredUser>,
    #[serde(skip)]
    pub peers: Vec<Peer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    #[serde(deserialize_with = "read::listen_addresses")]
    pub listen: Vec<ListenAddress>,
    #[serde(deserialize_with = "read::listen_addresses")]
    pub listen_text: Vec<ListenAddress>,
    #[serde(deserialize_with = "read::listen_addresses")]
    pub web: Vec<ListenAddress>,
    #[serde(deserialize_with = "read::networks")]
    pub trusted_proxies: Vec<IpNet>,
    #[serde(deserialize_with = "read::path")]
    pub data: PathBuf,
    pub realm: Name,
    #[serde(deserialize_with = "read::word")]
    pub durability: Durability,
    #[serde(deserialize_with = "read::word")]
    pub language: Language,
    #[serde(rename = "shutdown_seconds", deserialize_with = "read::seconds::<1, SHUTDOWN_SECONDS_MAX, _>")]
    pub shutdown: Duration,
    /// In bytes (megabytes in the file).
    #[serde(rename = "disk_reserve_megabytes", deserialize_with = "read::megabytes::<0, MEGABYTES_MAX, _>")]
    pub disk_reserve: u64,
}

impl Server {
    /// All addresses of clients.
    pub fn listeners(&self) -> impl Iterator<Item = ListenAddress> {
        self.listen.iter().chain(&self.listen_text).chain(&self.web).copied()
    }
}

/// The certificate of listeners with TLS.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    #[serde(deserialize_with = "read::path_or_none")]
    pub certificate: Option<PathBuf>,
    /// `None` if it is in the file of the certificate.
    #[serde(deserialize_with = "read::path_or_none")]
    pub key: Option<PathBuf>,
    pub self_signed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connections {
    #[serde(deserialize_with = "read::connections::<1, CONNECTIONS_MAX, _>")]
    pub max: usize,
    #[serde(deserialize_with = "read::connections::<1, CONNECTIONS_MAX, _>")]
    pub per_address: usize,
    #[serde(deserialize_with = "read::connections::<1, CONNECTIONS_MAX, _>")]
    pub per_user: usize,
    /// In bytes (megabytes in the file).
    #[serde(
        rename = "outbox_megabytes",
        deserialize_with = "read::megabytes::<OUTBOX_MEGABYTES_MIN, MEGABYTES_MAX, _>"
    )]
    pub outbox_bytes: u64,
    #[serde(deserialize_with = "read::bytes::<LINE_BYTES_MIN, LINE_BYTES_MAX, _>")]
    pub line_bytes: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    #[serde(deserialize_with = "read::word")]
    pub registration: Registration,
    #[serde(deserialize_with = "read::bytes::<1, PASSWORD_BYTES, _>")]
    pub password_min_bytes: usize,
    #[serde(rename = "session_days", deserialize_with = "read::days::<1, SESSION_DAYS_MAX, _>")]
    pub session_idle: Duration,
    #[serde(deserialize_with = "read::names")]
    pub administrators: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Messages {
    #[serde(deserialize_with = "read::messages::<1, INBOX_PAGE_MAX, _>")]
    pub inbox_page: usize,
    #[serde(deserialize_with = "read::word")]
    pub broadcast: Allowed,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Messages older than this are removed; `None` if age does not matter (0 in the file).
    #[serde(rename = "max_age_days", deserialize_with = "read::days_or_zero::<0, RETENTION_DAYS_MAX, _>")]
    pub max_age: Option<Duration>,
    /// The most messages of a timeline; `None` if there is no bound (0 in the file).
    #[serde(
        rename = "max_messages_per_timeline",
        deserialize_with = "read::messages_or_zero::<0, RETENTION_MESSAGES_MAX, _>"
    )]
    pub max_messages: Option<usize>,
    pub delete_unread: bool,
    /// Up to here the clock is right, though it has jumped; `None` if nobody said so.
    #[serde(deserialize_with = "read::time_or_none")]
    pub confirm: Option<Time>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Realms {
    #[serde(deserialize_with = "read::word")]
    pub add: Allowed,
    #[serde(deserialize_with = "read::word")]
    pub accept: Accept,
    #[serde(deserialize_with = "read::networks")]
    pub dial: Vec<IpNet>,
}

/// Limits of one user; `None` if unlimited (0 in the file).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    #[serde(deserialize_with = "read::quota::<0, QUOTA_MAX, _>")]
    pub registrations_per_address: Option<u32>,
    #[serde(deserialize_with = "read::quota::<0, QUOTA_MAX, _>")]
    pub groups_per_user: Option<u32>,
    #[serde(deserialize_with = "read::quota::<0, QUOTA_MAX, _>")]
    pub groups_per_day: Option<u32>,
    #[serde(deserialize_with = "read::quota::<0, QUOTA_MAX, _>")]
    pub realms_per_user: Option<u32>,
    #[serde(deserialize_with = "read::quota::<0, QUOTA_MAX, _>")]
    pub realms_per_day: Option<u32>,
    #[serde(deserialize_with = "read::rate::<0, MESSAGE_RATE_MAX, _>")]
    pub messages_per_second: Option<u64>,
    #[serde(deserialize_with = "read::rate::<0, MESSAGE_RATE_MAX, _>")]
    pub messages_per_day: Option<u64>,
    #[serde(rename = "megabytes_per_second", deserialize_with = "read::megabytes_or_zero::<0, MEGABYTES_MAX, _>")]
    pub bytes_per_second: Option<u64>,
    #[serde(rename = "megabytes_per_day", deserialize_with = "read::megabytes_or_zero::<0, MEGABYTES_MAX, _>")]
    pub bytes_per_day: Option<u64>,
    #[serde(deserialize_with = "read::rate::<0, MESSAGE_RATE_MAX, _>")]
    pub unread_messages_per_sender: Option<u64>,
    #[serde(
        rename = "unread_megabytes_per_sender",
        deserialize_with = "read::megabytes_or_zero::<0, MEGABYTES_MAX, _>"
    )]
    pub unread_bytes_per_sender: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    #[serde(deserialize_with = "read::addresses")]
    pub listen: Vec<SocketAddr>,
}

/// The cluster that this server is a node of, if it is one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// The shared log; `None` if this server is on its own.
    #[serde(deserialize_with = "read::shared_log_or_none")]
    pub log: Option<SharedLogAddress>,
    /// The name of this node: set if there is a log.
    #[serde(deserialize_with = "read::name_or_none")]
    pub node: Option<Name>,
    /// Where other nodes reach this one; set if there is a log. Its host may be all addresses of the machine; then that of
    /// `advertise` is one.
    #[serde(deserialize_with = "read::host_port_or_none")]
    pub listen: Option<HostPort>,
    /// Where clients reach this node; may be empty.
    pub advertise: String,
    #[serde(rename = "lease_seconds", deserialize_with = "read::seconds::<LEASE_SECONDS_MIN, LEASE_SECONDS_MAX, _>")]
    pub lease: Duration,
    #[serde(rename = "patience_seconds", deserialize_with = "read::seconds::<1, PATIENCE_SECONDS_MAX, _>")]
    pub patience: Duration,
    /// The authority that signed the certificates of the log's members.
    #[serde(deserialize_with = "read::path_or_none")]
    pub authority: Option<PathBuf>,
    /// The certificate that this node shows them, and its key.
    #[serde(deserialize_with = "read::path_or_none")]
    pub certificate: Option<PathBuf>,
    #[serde(deserialize_with = "read::path_or_none")]
    pub key: Option<PathBuf>,
}

impl Cluster {
    /// Where other nodes reach this one when `port` is bound. `None` if the settings do not tell a host.
    #[must_use]
    pub fn channel_address(&self, port: u16) -> Option<HostPort> {
        let listen = self.listen.clone().filter(|listen| !listen.is_unspecified());
        let advertised = || self.advertise.parse().ok().filter(|advertised: &HostPort| !advertised.is_unspecified());
        let HostPort { host, .. } = listen.or_else(advertised)?;
        Some(HostPort { host, port })
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    #[serde(deserialize_with = "read::word")]
    pub format: LogFormat,
    #[serde(deserialize_with = "read::filter")]
    pub filter: Targets,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Allowed {
    Everyone,
    Administrators,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Pretty,
    Json,
}
