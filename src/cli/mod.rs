//! The command line.

mod admin;
mod args;
mod chat;
mod client;
mod cluster;
mod data;
mod generate;
mod hash_password;
mod health;
mod join;
mod listing;
mod new_file;
mod progress;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use kabar::config::ConfigError;
use kabar::server::ServerError;

use crate::cli::admin::{AdminArgs, AdminError};
use crate::cli::args::{Location, Settings, path};
use crate::cli::chat::ChatArgs;
use crate::cli::client::args::SessionArgs;
use crate::cli::client::inbox::InboxArgs;
use crate::cli::client::login::LoginArgs;
use crate::cli::client::send::SendArgs;
use crate::cli::client::{exit_code, inbox, login, send};
use crate::cli::cluster::ClusterCommand;
use crate::cli::listing::{LogArgs, MessageArgs};

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
    version = concat!(env!("CARGO_PKG_VERSION"), " (", env!("BUILD_COMMIT"), ")"),
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
    /// Chat in this terminal
    Chat(ChatArgs),
    /// Log in, and keep the token for chat, send and inbox
    Login(LoginArgs),
    /// Send a message from a script, once
    Send(SendArgs),
    /// Print new messages
    Inbox(InboxArgs),
    /// End the session that login opened
    Logout(SessionArgs),
    /// Check the configuration that `serve` would use, and exit
    ///
    /// With --data also all of the store in it, of a running server too.
    ///
    /// Exit status 1 if anything is damaged.
    Check(Settings),
    /// Ask a running server whether it is ready
    ///
    /// Asks the listener of [metrics]. Exit status 1 if it is not.
    Health(Settings),
    /// Kick, ban, lock, invite; on a running server or a stopped one
    Admin(AdminArgs),
    /// Copy the store, of a running server too, to a new directory
    Backup {
        /// New or empty; the copy is a store of its own
        #[arg(value_name = "DIR", value_parser = path())]
        to: PathBuf,
        #[command(flatten)]
        location: Location,
    },
    /// Write accounts, groups and messages as lines of JSON
    ///
    /// Of a running server too. It holds password hashes: keep it secret.
    Export {
        /// New; - is standard output
        #[arg(value_name = "FILE", default_value = "-", value_parser = path())]
        to: PathBuf,
        #[command(flatten)]
        location: Location,
    },
    /// Read lines of JSON, as export writes them, into a new store
    Import {
        /// What to read; - is standard input
        #[arg(value_name = "FILE", value_parser = path())]
        from: PathBuf,
        #[command(flatten)]
        location: Location,
    },
    /// List the messages of a store, of a running server too
    Messages(MessageArgs),
    /// List the entries of the log, of a running server too
    Log(LogArgs),
    /// This server as others know it
    Realm {
        #[command(subcommand)]
        command: RealmCommand,
    },
    /// Several servers with one realm
    Cluster {
        #[command(subcommand)]
        command: ClusterCommand,
    },
    /// Read a password and print its hash, for a password_hash
    HashPassword,
    /// Print the completions for a shell
    Completions {
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// Write the manual pages to a directory
    Man {
        #[arg(value_name = "DIR", value_parser = path())]
        to: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum RealmCommand {
    /// Print the public key, of a running server too
    ///
    /// If there is none yet, it is made, and the directory with it.
    Key(Location),
}

/// Runs the command of the process's arguments, and prints its error.
pub(crate) fn run() -> ExitCode {
    let line = CommandLine::parse();
    let done = match line.command.unwrap_or(Command::Serve(line.settings)) {
        Command::Serve(settings) => serve::serve(&settings),
        Command::Chat(args) => chat::run(&args),
        Command::Login(args) => login::login(&args),
        Command::Send(args) => send::run(&args),
        Command::Inbox(args) => inbox::run(&args),
        Command::Logout(args) => login::logout(&args),
        Command::Check(settings) => serve::check(&settings),
        Command::Health(settings) => health::health(&settings),
        Command::Admin(args) => admin::run(&args),
        Command::Backup { to, location } => data::backup(&location, &to),
        Command::Export { to, location } => data::export(&location, &to),
        Command::Import { from, location } => data::import(&location, &from),
        Command::Messages(args) => listing::messages(&args),
        Command::Log(args) => listing::log(&args),
        Command::Realm { command: RealmCommand::Key(location) } => data::realm_key(&location),
        Command::Cluster { command } => cluster::run(&command),
        Command::HashPassword => hash_password::run(),
        Command::Completions { shell } => generate::completions(CommandLine::command(), shell),
        Command::Man { to } => generate::man(CommandLine::command(), &to),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    eprintln!("kabar: {error}");
    if error.is::<ConfigError>() || error.downcast_ref::<ServerError>().is_some_and(ServerError::is_configuration) {
        return ExitCode::from(BAD_CONFIGURATION);
    }
    if let Some(AdminError { status, .. }) = error.downcast_ref() {
        return ExitCode::from(*status);
    }
    exit_code::of(&*error).map_or(ExitCode::FAILURE, ExitCode::from)
}
