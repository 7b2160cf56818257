//! The changes that a start makes to the store: at once, or, if the disk cannot be written, as soon as it can be.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::task;
use tokio::time::interval;
use tracing::{error, info};

use crate::chat::{Command, State};
use crate::config::Config;
use crate::hub::Hub;
use crate::id::SessionId;
use crate::limits::DISK_WATCH;
use crate::net::ServerContext;
use crate::server::error::ServerError;
use crate::server::{admin_socket, provision};

/// Changes that are to be made.
pub(super) struct StartUp {
    /// Sessions that should have ended with their connections, before the server was killed.
    ended: Vec<SessionId>,
}

impl StartUp {
    /// Looks at the store as the last server left it.
    pub(super) fn new(hub: &Hub) -> Self {
        let ephemeral = |state: &State| -> Vec<SessionId> {
            state.sessions().filter(|(_, session)| session.ephemeral).map(|(id, _)| id).collect()
        };
        Self { ended: hub.read(ephemeral).0 }
    }

    pub(super) fn perform(&self, hub: &Hub, config: &Config) -> Result<(), ServerError> {
        for session in &self.ended {
            hub.execute_as_server(&Command::CloseSession { session: *session });
        }
        provision::all(hub, config)
    }

    /// Waits until the store takes changes. The admin socket, too, may have waited for that.
    pub(super) async fn perform_later(
        self,
        services: Arc<ServerContext>,
        config: Arc<ArcSwap<Config>>,
        has_socket: bool,
    ) {
        let mut rounds = interval(DISK_WATCH);
        while services.hub.refusing().is_some() {
            tokio::select! {
                () = services.stopping.cancelled() => return,
                _ = rounds.tick() => {}
            }
        }
        let (hub, current) = (services.hub.clone(), config.load_full());
        // Hashing passwords takes long.
        let performed = task::spawn_blocking(move || self.perform(&hub, &current)).await;
        match performed {
            Ok(Ok(())) => info!("what the start left to do was done"),
            Ok(Err(error)) => error!(%error, "what the start left to do could not be done"),
            Err(panicked) => error!(%panicked, "what the start left to do could not be done"),
        }
        services.federation.manager.peers_changed();
        if !has_socket {
            admin_socket::serve(&config.load().server.data, &services, None);
        }
    }
}
