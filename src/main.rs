//! The `kabar` program: reads the command line and calls the library.

mod cli;
mod keeping;
mod progress;

use std::error::Error;
use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;

use clap::Parser;
use kabar::config::{Config, ConfigError};
use kabar::limits::PASSWORD_BYTES;
use kabar::{logging, password, server};
use secrecy::SecretString;

use crate::cli::{Command, CommandLine, RealmCommand, Settings};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// EX_CONFIG of sysexits.h: the configuration is at fault, and starting again will not help.
const BAD_CONFIGURATION: u8 = 78;

fn main() -> ExitCode {
    let line = CommandLine::parse();
    let done = match line.command.unwrap_or(Command::Serve(line.settings)) {
        Command::Serve(settings) => serve(&settings),
        Command::Check(settings) => check(&settings),
        Command::Backup { to, place } => keeping::backup(&place, &to),
        Command::Export { to, place } => keeping::export(&place, &to),
        Command::Import { from, place } => keeping::import(&place, &from),
        Command::Realm { command: RealmCommand::Key(place) } => keeping::realm_key(&place),
        Command::HashPassword => hash_password(),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    eprintln!("kabar: {error}");
    if error.is::<ConfigError>() { ExitCode::from(BAD_CONFIGURATION) } else { ExitCode::FAILURE }
}

fn serve(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let config = load(settings)?;
    logging::start(&config.log)?;
    for address in config.server.listen.iter().chain(&config.server.listen_text) {
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "other machines can reach this listener, and its traffic is not encrypted");
        }
    }
    server::run(&config)?;
    Ok(())
}

fn check(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let Config { server, users, .. } = load(settings)?;
    writeln!(
        io::stdout(),
        "OK: realm {}, json on {:?}, text on {:?}, data in {}, {} configured users",
        server.realm,
        server.listen,
        server.listen_text,
        server.data.display(),
        users.len()
    )?;
    Ok(())
}

fn load(settings: &Settings) -> Result<Config, ConfigError> {
    Config::load(settings.config.as_deref(), std::env::vars_os(), &settings.flags())
}

fn hash_password() -> Result<(), Box<dyn Error>> {
    let hash = password::hash(&read_password()?)?;
    writeln!(io::stdout(), "{}", hash.0)?;
    Ok(())
}

/// Twice without echo from a terminal, where a slip of the finger goes unseen; otherwise once, all of standard input.
fn read_password() -> Result<SecretString, Box<dyn Error>> {
    if io::stdin().is_terminal() {
        let typed = rpassword::prompt_password("Password: ")?;
        if rpassword::prompt_password("Once more: ")? != typed {
            return Err("the two passwords differ".into());
        }
        return Ok(password::check(&typed)?);
    }
    let mut given = String::new();
    let longest = PASSWORD_BYTES as u64 + "\r\n".len() as u64;
    io::stdin().take(longest).read_to_string(&mut given)?;
    Ok(password::check(given.trim_end_matches(['\r', '\n']))?)
}
