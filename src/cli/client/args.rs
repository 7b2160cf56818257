//! The flags that say which session a command uses.

use std::error::Error;

use clap::Args;
use kabar::client::{ServerAddress, Settings, Trust};

use crate::cli::client::credentials::{Credentials, SavedSession};
use crate::cli::client::exit_code::NotLoggedIn;

/// Where a server on this machine listens by default.
pub(crate) const DEFAULT_SERVER: &str = "127.0.0.1:8889";

/// One of the sessions that `kabar login` opened.
#[derive(Debug, Args)]
pub(crate) struct SessionArgs {
    /// At this server [default: of the newest login]
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) server: Option<ServerAddress>,
    /// As this user [default: of the newest login]
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
}

impl SessionArgs {
    pub(crate) fn find(&self, credentials: &Credentials) -> Result<SavedSession, Box<dyn Error>> {
        if let Some(session) = credentials.session(self.server.as_ref(), self.user.as_deref())? {
            return Ok(session);
        }
        let user = self.user.as_ref().map_or(String::new(), |user| format!(" as {user}"));
        let server = self.server.as_ref().map_or(String::new(), |server| format!(" at {server}"));
        Err(NotLoggedIn { place: user + &server }.into())
    }

    /// The settings of a client that only sends.
    pub(crate) fn settings(&self) -> Result<(Settings, SavedSession), Box<dyn Error>> {
        let credentials = Credentials::find()?;
        let session = self.find(&credentials)?;
        let trust = Trust::pinned(credentials.known_servers());
        let settings =
            Settings { subscription: None, ..Settings::new(session.address()?, trust, session.token.clone()) };
        Ok((settings, session))
    }
}
