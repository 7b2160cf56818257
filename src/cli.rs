//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use kabar::config::Flag;

const EXAMPLES: &str = "\
Settings come from, in this order: flags, KABAR_SECTION__KEY variables
(KABAR_SERVER__REALM=barat), the file of --config, the defaults.
config.example.toml lists them all.

Try it:  kabar &
         nc 127.0.0.1 8889
         register bob secret Bob_Smith Indonesia";

/// A chat server for anything with a socket: lines in, JSON out
#[derive(Debug, Parser)]
#[command(
    name = "kabar",
    version = concat!(env!("CARGO_PKG_VERSION"), " (", env!("KABAR_COMMIT"), ")"),
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server; the same as no command
    Serve(Settings),
    /// Check the configuration that `serve` would use, and exit
    Check(Settings),
    /// Copy the store, of a running server too, to a new directory
    Backup {
        /// New or empty; the copy is a store of its own
        #[arg(value_name = "DIR")]
        to: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Write accounts, groups and messages as lines of JSON
    ///
    /// Of a running server too. It holds password hashes: keep it secret.
    Export {
        /// New; - is standard output
        #[arg(value_name = "FILE", default_value = "-")]
        to: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Read lines of JSON, as export writes them, into a new store
    Import {
        /// What to read; - is standard input
        #[arg(value_name = "FILE")]
        from: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// This server as others know it
    Realm {
        #[command(subcommand)]
        command: RealmCommand,
    },
    /// Read a password and print its hash, for a password_hash
    HashPassword,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RealmCommand {
    /// Print the public key, of a running server too
    ///
    /// Where there is none yet it is made, and the directory with it.
    Key(Place),
}

/// Where a store is.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Read settings from a TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Directory of the data [default: ./kabar-data]
    #[arg(long, value_name = "DIR")]
    data: Vec<String>,
}

impl Place {
    /// As the flags of the server.
    pub(crate) fn flags(&self) -> [Flag<'_>; 1] {
        [Flag { flag: "--data", section: "server", key: "data", values: &self.data }]
    }
}

#[derive(Debug, Default, Args)]
pub(crate) struct Settings {
    /// Read settings from a TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Listener for JSON [default: 127.0.0.1:8889]
    #[arg(long, value_name = "ADDR")]
    listen: Vec<String>,
    /// Listener for text, or none [127.0.0.1:8890]
    #[arg(long, value_name = "ADDR")]
    listen_text: Vec<String>,
    /// Directory of the data [default: ./kabar-data]
    #[arg(long, value_name = "DIR")]
    data: Vec<String>,
    /// Name of the home realm [default: local]
    #[arg(long, value_name = "NAME")]
    realm: Vec<String>,
    /// Whether OK waits for the disk [default: sync]
    #[arg(long, value_name = "sync|fast")]
    durability: Vec<String>,
    /// For people or for programs [default: pretty]
    #[arg(long, value_name = "pretty|json")]
    log_format: Vec<String>,
    /// LEVEL or TARGET=LEVEL,... [default: info]
    #[arg(long, value_name = "FILTER")]
    log_filter: Vec<String>,
}

impl Settings {
    /// What each flag stands for in the configuration, which checks the values as it does those of a file.
    pub(crate) fn flags(&self) -> [Flag<'_>; 7] {
        let flag = |flag, section, key, values| Flag { flag, section, key, values };
        [
            flag("--listen", "server", "listen", &self.listen),
            flag("--listen-text", "server", "listen_text", &self.listen_text),
            flag("--data", "server", "data", &self.data),
            flag("--realm", "server", "realm", &self.realm),
            flag("--durability", "server", "durability", &self.durability),
            flag("--log-format", "log", "format", &self.log_format),
            flag("--log-filter", "log", "filter", &self.log_filter),
        ]
    }
}
