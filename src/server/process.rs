//! The process of a server: its signals, and the roles of a node.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;
use tokio::time::sleep;
use tracing::{error, info, warn};

use crate::cluster::ClusterError;
use crate::config::{Config, ConfigError};
use crate::limits::{FOLLOW_INTERVAL, NODE_REOPEN, TASKS_BETWEEN_EVENTS};
use crate::logging::LogGuard;
use crate::server::activation::Inherited;
use crate::server::error::ServerError;
use crate::server::monitoring::Monitoring;
use crate::server::node::Node;
use crate::server::service_manager;
use crate::server::serving::Server;
use crate::server::signals::{Request, Signals};
use crate::store::StoreError;

/// Runs a server until a signal ends it. `load` reads the configuration again when a signal asks for that.
///
/// # Errors
/// [`ServerError`], before anything was served or at the end.
pub fn run(config: &Config, log: &LogGuard, load: impl Fn() -> Result<Config, ConfigError>) -> Result<(), ServerError> {
    let mut inherited = Inherited::take()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .event_interval(TASKS_BETWEEN_EVENTS)
        .build()
        .map_err(|source| ServerError::System { what: "threads", source })?;
    runtime.block_on(async {
        let mut process = Process { signals: Signals::new()?, log, load };
        let monitoring = Monitoring::start(config, &mut inherited)?;
        match Node::open(config)? {
            None => {
                let server = Server::start_with(config, inherited, monitoring, None)?;
                process.serve(&server, std::future::pending::<()>()).await;
                process.stop(server).await
            }
            Some(_) if !inherited.is_empty() => Err(ServerError::InheritedByNode),
            Some(node) => process.run_node(node, config.clone(), monitoring).await,
        }
    })
}

/// What a process of a server has beside the server.
struct Process<'a, L> {
    signals: Signals,
    log: &'a LogGuard,
    /// Reads the configuration again.
    load: L,
}

/// Why a server ends.
enum End {
    Signal,
    /// What was waited for beside the signals.
    Other,
}

impl<L: Fn() -> Result<Config, ConfigError>> Process<'_, L> {
    /// Serves until a signal ends that, or `other` does.
    async fn serve(&mut self, server: &Server, other: impl Future) -> End {
        server.announce();
        service_manager::ready(&server.status());
        tokio::pin!(other);
        loop {
            tokio::select! {
                _ = &mut other => return End::Other,
                request = self.signals.next() => match request {
                    Request::Stop => return End::Signal,
                    Request::Reload => self.reload(server),
                }
            }
        }
    }

    fn reload(&self, server: &Server) {
        service_manager::reloading();
        match (self.load)() {
            Ok(config) => server.reload(config, self.log),
            Err(error) => error!(%error, "the configuration is as before: the new one is wrong"),
        }
        service_manager::ready(&server.status());
    }

    async fn stop(&mut self, server: Server) -> Result<(), ServerError> {
        service_manager::stopping();
        info!("stopping; a second signal stops at once");
        self.unless_stopped_at_once(server.stop()).await
    }

    async fn unless_stopped_at_once(
        &mut self,
        stopping: impl Future<Output = Result<(), ServerError>>,
    ) -> Result<(), ServerError> {
        tokio::select! {
            stopped = stopping => stopped,
            () = self.signals.stop_at_once() => {
                warn!("stopped at once");
                std::process::exit(1)
            }
        }
    }

    /// Serves as a node of a cluster until a signal ends that. A node whose place in the log was cut while it ran, paused or
    /// cut off for long, begins anew, and takes a snapshot.
    async fn run_node(
        &mut self,
        mut node: Node,
        mut config: Config,
        monitoring: Arc<Monitoring>,
    ) -> Result<(), ServerError> {
        loop {
            match self.run_node_once(node, &mut config, monitoring.clone()).await {
                Err(gone @ ServerError::Cluster(ClusterError::Gone(_))) => {
                    warn!("the log was cut behind this node while it ran: it begins anew");
                    monitoring.monitor.set_catching_up();
                    node = reopen(&config).await?.ok_or(gone)?;
                }
                ended => return ended,
            }
        }
    }

    /// Serves as soon as the node has all of the log.
    async fn run_node_once(
        &mut self,
        node: Node,
        config: &mut Config,
        monitoring: Arc<Monitoring>,
    ) -> Result<(), ServerError> {
        monitoring.monitor.set_catching_up();
        service_manager::ready("catching up");
        let Some(mut running) = self.unless_stopped(node.run(), config).await? else { return Ok(()) };
        let _channels = std::mem::take(&mut running.tasks);
        let (hub, mut failed) = (running.hub.clone(), std::mem::replace(&mut running.failed, oneshot::channel().1));
        let caught_up = async {
            tokio::select! {
                _ = &mut running.caught_up => Ok(()),
                Ok(error) = &mut failed => Err(error),
            }
        };
        if self.unless_stopped(caught_up, config).await?.is_none() {
            hub.close();
            return Ok(());
        }
        let server = Server::start_with(config, Inherited::default(), monitoring, Some(running))?;
        let mut why = None;
        let end = self.serve(&server, async { why = (&mut failed).await.ok() }).await;
        match (end, why) {
            (End::Other, Some(error @ ServerError::Cluster(ClusterError::Gone(_)))) => {
                // As it was reloaded meanwhile.
                config.clone_from(&server.config.load());
                // It does not end, unless it is told to: the service manager is not told that it does.
                let stopping = server.stop();
                tokio::pin!(stopping);
                tokio::select! {
                    stopped = &mut stopping => stopped.and(Err(error)),
                    () = self.signals.stop_at_once() => self.unless_stopped_at_once(stopping).await,
                }
            }
            (End::Other, Some(error)) => {
                let _stopped = self.stop(server).await;
                Err(error)
            }
            _ => self.stop(server).await,
        }
    }

    /// Waits for something before the server is there; `None` if a signal ends that.
    async fn unless_stopped<T>(
        &mut self,
        waited_for: impl Future<Output = Result<T, ServerError>>,
        config: &mut Config,
    ) -> Result<Option<T>, ServerError> {
        tokio::pin!(waited_for);
        loop {
            tokio::select! {
                done = &mut waited_for => return done.map(Some),
                request = self.signals.next() => match request {
                    Request::Stop => return Ok(None),
                    Request::Reload => match (self.load)() {
                        Ok(read) => {
                            info!("this configuration is in force when this node serves; [cluster] after a restart");
                            *config = read;
                        }
                        Err(error) => error!(%error, "the configuration is as before: the new one is wrong"),
                    },
                }
            }
        }
    }
}

/// Opens the node anew, as soon as nothing is left of the one before; `None` if that takes too long.
async fn reopen(config: &Config) -> Result<Option<Node>, ServerError> {
    let begun = Instant::now();
    while begun.elapsed() < NODE_REOPEN {
        match Node::open(config) {
            Err(ServerError::Store(StoreError::InUse(_)) | ServerError::ListenForNodes { .. }) => {
                sleep(FOLLOW_INTERVAL).await;
            }
            opened => return opened,
        }
    }
    Ok(None)
}
