//! Sockets that a service manager bound and handed over (systemd.socket(5)). Each has the name of its listener; what is handed
//! over takes the place of the configured addresses of that listener.

use std::env;
use std::io;
use std::net::TcpListener;

use listenfd::ListenFd;

use crate::server::error::ServerError;
use crate::wire::ListenerKind;

/// Bound sockets, by listener.
#[derive(Default)]
pub(super) struct Inherited {
    chat: Vec<InheritedListener>,
    monitoring: Vec<TcpListener>,
}

/// A socket that was handed over for clients.
pub(super) struct InheritedListener {
    pub(super) socket: TcpListener,
    pub(super) kind: ListenerKind,
    pub(super) is_tls: bool,
}

impl Inherited {
    pub(super) fn is_empty(&self) -> bool {
        self.chat.is_empty() && self.monitoring.is_empty()
    }

    /// Takes the sockets that this process was started with. To be called once, before there are other threads that look
    /// at the environment.
    ///
    /// # Errors
    /// If one is no TCP listener, or has no name of a listener.
    pub(super) fn take() -> Result<Self, ServerError> {
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut handed_over = ListenFd::from_env();
        let mut inherited = Self::default();
        for (place, name) in names.split(':').take(handed_over.len()).enumerate() {
            let failed = |source| ServerError::Inherited { name: name.to_owned(), source };
            let taken = handed_over.take_tcp_listener(place).map_err(failed)?;
            let listener = taken.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
            listener.set_nonblocking(true).map_err(failed)?;
            if name == "metrics" {
                inherited.monitoring.push(listener);
                continue;
            }
            let (name, is_tls) = name.strip_suffix("-tls").map_or((name, false), |name| (name, true));
            let kind = ListenerKind::ALL.into_iter().find(|kind| kind.name() == name);
            let kind = kind.ok_or_else(|| ServerError::InheritedName(name.to_owned()))?;
            inherited.chat.push(InheritedListener { socket: listener, kind, is_tls });
        }
        Ok(inherited)
    }

    /// Whether the sockets of a listener were handed over.
    pub(super) fn has(&self, kind: ListenerKind) -> bool {
        self.chat.iter().any(|listener| listener.kind == kind)
    }

    /// Whether one needs a certificate.
    pub(super) fn has_tls(&self) -> bool {
        self.chat.iter().any(|listener| listener.is_tls)
    }

    pub(super) fn chat(self) -> Vec<InheritedListener> {
        self.chat
    }

    /// The sockets of the monitoring listener.
    pub(super) fn take_monitoring(&mut self) -> Vec<TcpListener> {
        std::mem::take(&mut self.monitoring)
    }
}
