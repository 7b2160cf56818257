//! The command line.

mod data;
mod hash_password;
mod progress;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use kabar::config::{Config, ConfigError, Override};

/// EX_CONFIG of sysexits.h: the configuration is wrong, and another start will not help.
const BAD_CONFIGURATION: u8 = 78;

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
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Subcommand)]
enum Command {
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
        location: Location,
    },
    /// Write accounts, groups and messages as lines of JSON
    ///
    /// Of a running server too. It holds password hashes: keep it secret.
    Export {
        /// New; - is standard output
        #[arg(value_name = "FILE", default_value = "-")]
        to: PathBuf,
        #[command(flatten)]
        location: Location,
    },
    /// Read lines of JSON, as export writes them, into a new store
    Import {
        /// What to read; - is standard input
        #[arg(value_name = "FILE")]
        from: PathBuf,
        #[command(flatten)]
        location: Location,
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
enum RealmCommand {
    /// Print the public key, of a running server too
    ///
    /// If there is none yet, it is made, and the directory with it.
    Key(Location),
}

/// The data directory, by the configuration that the server would use.
#[derive(Debug, Args)]
struct Location {
    /// Read settings from a TOML file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory of the data [default: ./kabar-data]
    #[arg(long, value_name = "DIR")]
    data: Vec<String>,
}

/// Each flag is the text of a setting: the configuration checks it, so that an error reads the same from every source.
#[derive(Debug, Args)]
struct Settings {
    #[command(flatten)]
    location: Location,
    /// Listener for JSON [default: 127.0.0.1:8889]
    #[arg(long, value_name = "ADDR")]
    listen: Vec<String>,
    /// Listener for text, or none [127.0.0.1:8890]
    #[arg(long, value_name = "ADDR")]
    listen_text: Vec<String>,
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

impl Location {
    /// The data directory.
    fn find(&self) -> Result<PathBuf, ConfigError> {
        Ok(self.load([])?.server.data)
    }

    fn load<const N: usize>(&self, flags: [(&str, &str, &str, &[String]); N]) -> Result<Config, ConfigError> {
        let data = ("--data", "server", "data", &self.data[..]);
        let given = flags.into_iter().chain([data]).filter(|(.., values)| !values.is_empty());
        let overrides: Vec<_> = given
            .map(|(flag, section, key, values)| Override {
                place: flag.to_owned(),
                section: section.to_owned(),
                key: key.to_owned(),
                text: values.join(","),
            })
            .collect();
        Config::load(self.config.as_deref(), std::env::vars_os(), &overrides)
    }
}

impl Settings {
    fn load(&self) -> Result<Config, ConfigError> {
        self.location.load([
            ("--listen", "server", "listen", &self.listen),
            ("--listen-text", "server", "listen_text", &self.listen_text),
            ("--realm", "server", "realm", &self.realm),
            ("--durability", "server", "durability", &self.durability),
            ("--log-format", "log", "format", &self.log_format),
            ("--log-filter", "log", "filter", &self.log_filter),
        ])
    }
}

/// Runs the command of the process's arguments, and prints its error.
pub(crate) fn run() -> ExitCode {
    let line = CommandLine::parse();
    let done = match line.command.unwrap_or(Command::Serve(line.settings)) {
        Command::Serve(settings) => serve::serve(&settings),
        Command::Check(settings) => serve::check(&settings),
        Command::Backup { to, location } => data::backup(&location, &to),
        Command::Export { to, location } => data::export(&location, &to),
        Command::Import { from, location } => data::import(&location, &from),
        Command::Realm { command: RealmCommand::Key(location) } => data::realm_key(&location),
        Command::HashPassword => hash_password::run(),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    eprintln!("kabar: {error}");
    if error.is::<ConfigError>() { ExitCode::from(BAD_CONFIGURATION) } else { ExitCode::FAILURE }
}
