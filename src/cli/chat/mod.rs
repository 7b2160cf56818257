//! `kabar chat`: for people, on a whole terminal or line by line.
//!
//! `state` is what is known, and pure; `input` changes it by keys, `answers` by what the server says; `draw` shows it.

mod answers;
mod command;
mod completion;
mod conversation;
mod draw;
mod editor;
mod effect;
mod input;
#[cfg(test)]
mod nonsense;
mod plain;
mod read_mark;
mod requests;
mod screen;
mod state;
mod terminal;
#[cfg(test)]
mod tests;
mod unsent;

use std::error::Error;
use std::io::{self, IsTerminal};

use clap::Args;
use kabar::client::{ServerAddress, Settings, Target, Trust};

use crate::cli::client::args::SessionArgs;
use crate::cli::client::credentials::{Credentials, SavedSession};
use crate::cli::client::{block_on, exit_code, login, trust};

#[derive(Debug, Args)]
#[command(after_help = exit_code::HELP)]
pub(crate) struct ChatArgs {
    /// HOST:PORT or tls://HOST:PORT [default: of the newest login]
    #[arg(value_name = "SERVER")]
    server: Option<ServerAddress>,
    /// As this user [default: of the newest login]
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Line in, line out; so without a terminal
    #[arg(long)]
    plain: bool,
    /// No bell for messages to you alone or with your name
    #[arg(long)]
    quiet: bool,
    /// With --plain: the recipient of lines
    #[arg(long, value_name = "NAME")]
    to: Option<Target>,
}

pub(crate) fn run(args: &ChatArgs) -> Result<(), Box<dyn Error>> {
    let credentials = Credentials::find()?;
    let is_plain = args.plain || !io::stdout().is_terminal() || !io::stdin().is_terminal();
    block_on(async {
        let session = session(&credentials, args, is_plain).await?;
        let server = session.address()?;
        let trust = trust::establish(&credentials, &server, None).await?;
        let settings = Settings::new(server, trust, session.token.clone());
        match is_plain {
            true => plain::run(settings, &session.user, args.to.clone()).await,
            false => screen::run(settings, credentials.clone(), &session, args.quiet).await,
        }
    })
}

/// The session of an earlier login; at a terminal a person without one is asked.
async fn session(credentials: &Credentials, args: &ChatArgs, is_plain: bool) -> Result<SavedSession, Box<dyn Error>> {
    let wanted = SessionArgs { server: args.server.clone(), user: args.user.clone() };
    let found = wanted.find(credentials);
    if found.is_ok() || is_plain {
        return found;
    }
    let server = login::server_or_default(args.server.as_ref())?;
    let trust: Trust = trust::establish(credentials, &server, None).await?;
    let login = login::open(&server, &trust, args.user.as_deref(), false, None).await?;
    credentials.save(&server, &login)?;
    wanted.find(credentials)
}
