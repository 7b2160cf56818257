//! The signals that an operator, a service manager or a terminal sends.

use std::io::{self, IsTerminal};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::server::error::ServerError;

/// The request that a signal stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Stop,
    /// Read the configuration again.
    Reload,
}

pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    /// The process belongs to a terminal: SIGHUP means that the terminal is gone. It cannot be told any more by then.
    has_terminal: bool,
}

impl Signals {
    /// Takes the signals of this process from now on.
    ///
    /// # Errors
    /// If the system refuses.
    pub(super) fn new() -> Result<Self, ServerError> {
        let of = |kind| signal(kind).map_err(|source| ServerError::System { what: "a signal handler", source });
        // Its default ends the process when a file has reached the size that it may have. Taken, it makes the write fail.
        drop(of(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?);
        let has_terminal = io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal();
        Ok(Self {
            terminate: of(SignalKind::terminate())?,
            interrupt: of(SignalKind::interrupt())?,
            hang_up: of(SignalKind::hangup())?,
            has_terminal,
        })
    }

    pub(super) async fn next(&mut self) -> Request {
        tokio::select! {
            _ = self.terminate.recv() => Request::Stop,
            _ = self.interrupt.recv() => Request::Stop,
            _ = self.hang_up.recv() => if self.has_terminal { Request::Stop } else { Request::Reload },
        }
    }

    /// Waits for a second request to stop. A terminal that is gone says so once, and the shell may say it again.
    pub(super) async fn stop_at_once(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
