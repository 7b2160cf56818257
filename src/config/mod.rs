//! The configuration: serde structs over one TOML table, into which the defaults, the file, the environment and the
//! flags are merged, the later over the earlier. An error states the place of the mistake and what was expected.
//! `config.example.toml` describes every setting.
//!
//! Never here: I/O except reading the file.

mod error;
mod explain;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod host_port;
mod load;
mod peers;
mod read;
mod sections;
mod sources;
#[cfg(test)]
mod tests;
mod users;
mod warnings;

pub use error::ConfigError;
pub use host_port::HostPort;
pub use peers::Peer;
pub use sections::{
    Accounts, Allowed, Cluster, Config, Connections, Limits, Log, LogFormat, Messages, Metrics, Realms, Retention,
    Server, Tls,
};
pub use sources::Override;
pub use users::{ConfiguredUser, Password};

pub use crate::settings::{Accept, Durability, Language, ListenAddress, Registration, SharedLogAddress};
