//! The process of a server: its signals, and the roles of a node.

use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;
use tracing::{error, info, warn};

use crate::cluster::LeadershipEnd;
use crate::config::{Config, ConfigError};
use crate::logging::LogGuard;
use crate::server::activation::Inherited;
use crate::server::cluster::{self, Leading, Node};
use crate::server::error::ServerError;
use crate::server::monitoring::Monitoring;
use crate::server::service_manager;
use crate::server::serving::Server;
use crate::server::signals::{Request, Signals};

/// Runs a server until a signal ends it. `load` reads the configuration again when a signal asks for that.
///
/// # Errors
/// [`ServerError`], before anything was served or at the end.
pub fn run(config: &Config, log: &LogGuard, load: impl Fn() -> Result<Config, ConfigError>) -> Result<(), ServerError> {
    let mut inherited = Inherited::take()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
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
            Some(node) => process.run_node(&node, config.clone(), &monitoring).await,
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

    /// Stands by, and serves whenever the node leads its cluster, until a signal ends that.
    async fn run_node(
        &mut self,
        node: &Node,
        mut config: Config,
        monitoring: &Arc<Monitoring>,
    ) -> Result<(), ServerError> {
        loop {
            monitoring.monitor.set_standing_by();
            service_manager::ready("standing by");
            let Some(leading) = self.stand_by(node, &mut config).await? else { return Ok(()) };
            let (leadership, keeping) = (leading.leadership.clone(), leading.keep_up(config.cluster.lease));
            let keeping = AbortOnDropHandle::new(tokio::spawn(keeping));
            let started = {
                let (config, monitoring) = (config.clone(), monitoring.clone());
                // Its first commit waits for the shared log.
                cluster::blocking(move || {
                    let leading = Some((leading.store, leading.paced));
                    Server::start_with(&config, Inherited::default(), monitoring, leading)
                })
                .await?
            };
            let ended = match started {
                Ok(server) => {
                    let end = self.serve(&server, leadership.over()).await;
                    config = Config::clone(&server.config.load());
                    let stopped = match end {
                        End::Signal => self.stop(server).await,
                        End::Other => self.unless_stopped_at_once(server.abandon()).await,
                    };
                    stopped.map(|()| end)
                }
                Err(error) => Err(error),
            };
            node.resign(&leadership).await?;
            drop(keeping);
            match (ended?, leadership.end()) {
                (End::Signal, _) => return Ok(()),
                (End::Other, Some(LeadershipEnd::StoreFailed)) => return Err(ServerError::Replica),
                (End::Other, reason) => warn!(?reason, "this node leads no more: standing by"),
            }
        }
    }

    /// Stands by until the node leads; `None` if a signal ends that.
    async fn stand_by(&mut self, node: &Node, config: &mut Config) -> Result<Option<Leading>, ServerError> {
        let standing_by = node.stand_by();
        tokio::pin!(standing_by);
        loop {
            tokio::select! {
                leading = &mut standing_by => return leading.map(Some),
                request = self.signals.next() => match request {
                    Request::Stop => return Ok(None),
                    Request::Reload => match (self.load)() {
                        Ok(read) => {
                            info!("standing by: this configuration is in force when this node leads; [cluster] after a restart");
                            *config = read;
                        }
                        Err(error) => error!(%error, "the configuration is as before: the new one is wrong"),
                    },
                }
            }
        }
    }
}
