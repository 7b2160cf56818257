//! The configuration: a flag goes before the environment, the environment before the file, the file before the default.
//! Whatever comes out is valid; what is wrong is told with its place and what would be right.
//!
//! Never here: I/O beyond the file itself.

mod draft;
mod error;
mod file;
mod filter;
mod keys;
mod listed;
mod peers;
#[cfg(test)]
mod tests;
mod users;
mod value;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};
use secrecy::SecretString;
use tracing_subscriber::filter::{LevelFilter, Targets};

pub use draft::Flag;
pub use error::ConfigError;

use crate::chat::PasswordHash;
use crate::id::PeerKey;
use crate::limits;
use crate::name::Name;

/// A valid configuration; `config.example.toml` says what each setting is for.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the server listens, and where its data is.
    pub server: Server,
    /// What one connection, and all together, may take.
    pub connections: Connections,
    /// Who may have an account, and its sessions.
    pub accounts: Accounts,
    /// Sending and reading.
    pub messages: Messages,
    /// How long messages are kept.
    pub retention: Retention,
    /// Other realms.
    pub realms: Realms,
    /// What the server tells its operator.
    pub log: Log,
    /// Accounts that are made at start where they are missing, and never changed afterwards.
    pub users: Vec<ConfiguredUser>,
    /// Other servers, as the operator knows them.
    pub peers: Vec<Peer>,
}

/// `[server]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Listeners that answer in JSON.
    pub listen: Vec<SocketAddr>,
    /// Listeners that answer in `[OK]` lines, with live push.
    pub listen_text: Vec<SocketAddr>,
    /// The store's directory.
    pub data: PathBuf,
    /// The home realm (PROTOCOL §6).
    pub realm: Name,
    /// What an OK promises (PROTOCOL §5).
    pub durability: Durability,
    /// How long a stop may take before the rest is cut off.
    pub shutdown: Duration,
}

/// `[connections]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connections {
    /// Connections at a time.
    pub max: usize,
    /// Connections at a time from one address that is not loopback.
    pub per_address: usize,
    /// The longest request line, in bytes.
    pub line_bytes: usize,
}

/// `[accounts]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts {
    /// Whether `register` is served.
    pub registration: Registration,
    /// The shortest password that `register` takes, in bytes.
    pub password_min_bytes: usize,
    /// How long a session stays valid unused.
    pub session_idle: Duration,
    /// Who may do what is kept for administrators.
    pub administrators: Vec<Name>,
}

/// `[messages]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Messages {
    /// The most messages of an inbox page.
    pub inbox_page: usize,
    /// Who may `broadcast`.
    pub broadcast: Allowed,
}

/// `[retention]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Messages older than this are removed; none is kept for ever.
    pub max_age: Option<Duration>,
    /// The most messages that a timeline keeps; none is no bound.
    pub max_messages: Option<usize>,
    /// Whether that goes for messages, too, that somebody has not read yet.
    pub delete_unread: bool,
}

/// `[realms]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realms {
    /// Who may `addrealm`.
    pub add: Allowed,
    /// Which servers may link to this one.
    pub accept: Accept,
    /// Where `addrealm` and links may dial; anywhere else they may not.
    pub dial: Vec<IpNet>,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// For whom.
    pub format: LogFormat,
    /// What is shown.
    pub filter: Targets,
}

/// What an OK promises (PROTOCOL §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The change is on stable storage.
    Sync,
    /// The change survives a crash of the server; a power cut may take the last of them back.
    Fast,
}

/// Whether strangers may make accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// They may.
    Open,
    /// The accounts of the configuration and those made earlier are all.
    Closed,
}

/// Who may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Every user.
    Everyone,
    /// Those of [`Accounts::administrators`].
    Administrators,
}

/// Which servers may link to this one (PROTOCOL §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// Those whose key is known here already.
    Known,
    /// Those, and any other from this machine.
    Loopback,
    /// Every server.
    Any,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// For programs: an object a line.
    Json,
}

/// `[[users]]`
#[derive(Clone, Debug)]
pub struct ConfiguredUser {
    /// Unique among them.
    pub name: Name,
    /// May be empty.
    pub full_name: Box<str>,
    /// May be empty.
    pub country: Box<str>,
    /// Never shown.
    pub password: Password,
}

/// `[[peers]]`: another server. It has an address, or a key, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Our name for it: unique among them, and not that of the home realm.
    pub name: Name,
    /// Where it is to be dialled: a host name or an IP address (of IPv6 without brackets), and its chat port. Without one,
    /// it is it who dials.
    pub address: Option<(Box<str>, u16)>,
    /// Who it is; no two have the same. Without one, it is the server that first answers at the address.
    pub key: Option<PeerKey>,
}

/// A configured account's password.
#[derive(Clone, Debug)]
pub enum Password {
    /// As typed: to be hashed when the account is made.
    Plain(SecretString),
    /// As `kabar hash-password` printed it.
    Hash(PasswordHash),
}

impl Config {
    /// Reads all sources over the defaults. `environment` is the process's; only `KABAR_SECTION__KEY` is looked at.
    ///
    /// # Errors
    /// The first mistake, in the order file, environment, flags.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        flags: &[Flag<'_>],
    ) -> Result<Self, ConfigError> {
        let mut draft = draft::Draft::default();
        if let Some(path) = file {
            draft.read_file(&path.to_string_lossy(), &file::read(path)?)?;
        }
        draft.read_environment(environment)?;
        draft.read_flags(flags)?;
        draft.finish()
    }

    /// Every setting as (section, key), in the order of `config.example.toml`.
    pub fn keys() -> impl Iterator<Item = (&'static str, &'static str)> {
        keys::KEYS.iter().map(|key| (key.section, key.name))
    }
}

/// The embedded default: what an empty file gives.
impl Default for Config {
    fn default() -> Self {
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        #[expect(clippy::expect_used, reason = "a constant, and every test that makes a default tries it")]
        let realm = Name::parse("local").expect("a name");
        Self {
            server: Server {
                listen: vec![loopback(8889)],
                listen_text: vec![loopback(8890)],
                data: PathBuf::from("./kabar-data"),
                realm,
                durability: Durability::Sync,
                shutdown: limits::SHUTDOWN,
            },
            connections: Connections {
                max: limits::CONNECTIONS,
                per_address: limits::CONNECTIONS_PER_ADDRESS,
                line_bytes: limits::LINE_BYTES,
            },
            accounts: Accounts {
                registration: Registration::Open,
                password_min_bytes: 1,
                session_idle: limits::SESSION_IDLE,
                administrators: Vec::new(),
            },
            messages: Messages { inbox_page: limits::INBOX_PAGE, broadcast: Allowed::Everyone },
            retention: Retention::default(),
            realms: Realms { add: Allowed::Everyone, accept: Accept::Loopback, dial: loopback_networks() },
            log: Log { format: LogFormat::Pretty, filter: Targets::new().with_default(LevelFilter::INFO) },
            users: Vec::new(),
            peers: Vec::new(),
        }
    }
}

fn loopback_networks() -> Vec<IpNet> {
    let every_127 = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
    vec![every_127.into(), IpAddr::from(Ipv6Addr::LOCALHOST).into()]
}
