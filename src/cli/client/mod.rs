//! Commands that talk to a server: `login`, `logout`, `send`, `inbox`, and what `chat` shares with them.

pub(super) mod args;
pub(super) mod credentials;
pub(super) mod exit_code;
pub(super) mod inbox;
pub(super) mod login;
pub(super) mod password;
pub(super) mod send;
pub(super) mod shown;
pub(super) mod trust;
pub(super) mod unsent_file;

use std::error::Error;

/// Runs a command that waits for sockets. One thread is enough for it.
pub(super) fn block_on<T>(command: impl Future<Output = Result<T, Box<dyn Error>>>) -> Result<T, Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}
