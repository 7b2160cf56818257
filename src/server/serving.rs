//! A server: what runs between its start and its stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout_at;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use crate::certificates::Certificates;
use crate::channel::CarriedLink;
use crate::chat::State;
use crate::config::{Config, ListenAddress};
use crate::federation::{LinkManager, LinkPolicy, TcpTransport};
use crate::hub::Hub;
use crate::identity::Identity;
use crate::limits::LAST_WORDS;
use crate::log_limit::LogLimit;
use crate::logging::LogGuard;
use crate::net::{
    Admission, Budgets, Federation, LinkCarrier, Listener, PasswordHasher, RefusedLog, RequestCounts, ServerContext,
    Throttle, TrustedProxies, Turns,
};
use crate::store::{self, Store};
use crate::time::Time;
use crate::wire::{DisconnectReason, ListenerKind};

use crate::server::activation::Inherited;
use crate::server::carried_links::Carrier;
use crate::server::disk::DiskWatch;
use crate::server::monitoring::Monitoring;
use crate::server::paced_clock::PacedClock;
use crate::server::start_up::StartUp;

use crate::server::error::ServerError;
use crate::server::joins::Joins;
use crate::server::node::RunningNode;
use crate::server::node_thread::NodeRole;
use crate::server::{admin_socket, housekeeping, listeners, node_duties, policies, reload, tls};

/// A server that runs.
pub struct Server {
    services: Arc<ServerContext>,
    committer: JoinHandle<()>,
    listening: Vec<(ListenAddress, ListenerKind)>,
    /// What TLS listeners show, if there are any.
    certificates: Option<Arc<Certificates>>,
    /// As it is in force.
    pub(super) config: Arc<ArcSwap<Config>>,
    monitoring: Arc<Monitoring>,
}

impl Server {
    /// Opens the store, binds everything, and serves. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`ServerError`]; nothing is left running then.
    pub fn start(config: &Config) -> Result<Self, ServerError> {
        let mut inherited = Inherited::default();
        let monitoring = Monitoring::start(config, &mut inherited)?;
        Self::start_with(config, inherited, monitoring, None)
    }

    /// Starts on its own store, or as a node that has all of the log.
    pub(super) fn start_with(
        config: &Config,
        inherited: Inherited,
        monitoring: Arc<Monitoring>,
        node: Option<RunningNode>,
    ) -> Result<Self, ServerError> {
        policies::check_descriptors()?;
        let config = Arc::new(config.clone());
        // Before a certificate is made in the data directory, which is there and locked by then.
        let base = match node {
            Some(node) => Base::Node(node.into()),
            None => Base::Store(store::open_or_read(&config.server.data, config.server.durability)?),
        };
        let certificates = tls::certificates(&config, inherited.has_tls())?;
        let bindings = listeners::bind_all(&config, inherited, certificates.as_ref())?;
        let Started { hub, log_time, committer, start_up, node } = match base {
            Base::Node(node) => Started::of_node(*node),
            Base::Store(store) => Started::alone(&config, store)?,
        };
        hub.set_inbox_limits(policies::inbox_limits(&config.limits));
        hub.set_policy(policies::policy(&config).chat.clone());
        Time::begin_after(log_time);
        // A node that leads already has gone on from the leader before.
        let leads = hub.is_of_cluster() && !hub.is_following();
        let paced = if leads { Time::now().paced() } else { Time(0) };
        let clock = PacedClock::open(&config.server.data, log_time, paced);
        let start_up = match start_up {
            Some((start_up, true)) => start_up.perform(&hub, &config).map(|()| None)?,
            start_up => start_up.map(|(start_up, _)| start_up),
        };
        let (carrier, duties, joins) = match node {
            Some(NodeParts { carrier, duties, joins }) => (Some(carrier), Some(duties), Some(joins)),
            None => (None, None, None),
        };
        let services = Arc::new(services(&config, hub, &bindings, carrier)?);
        services.federation.manager.start();
        let config = Arc::new(ArcSwap::from(config));
        let disk = DiskWatch::new(config.clone());
        disk.check(&services.hub);
        let listening = listeners::serve_all(bindings, &services);
        housekeeping::start(&services, &config, disk, &monitoring.monitor, clock)?;
        let has_socket = admin_socket::serve(&config.load().server.data, &services, joins);
        if let Some(start_up) = start_up {
            services.tasks.spawn(start_up.perform_later(services.clone(), config.clone(), has_socket));
        }
        if let Some((role, links)) = duties {
            services.tasks.spawn(node_duties::keep(services.clone(), config.clone(), role, links));
        }
        monitoring.monitor.set_serving(&services);
        Ok(Self { services, committer, listening, certificates, config, monitoring })
    }

    /// The addresses of the listeners, with the ports that the system chose for port 0.
    #[must_use]
    pub fn listening(&self) -> &[(ListenAddress, ListenerKind)] {
        &self.listening
    }

    /// The addresses of the monitoring listener, likewise.
    #[must_use]
    pub fn monitored_on(&self) -> &[SocketAddr] {
        &self.monitoring.addresses
    }

    /// Takes over a changed configuration, except for what needs a restart.
    pub fn reload(&self, config: Config, log: &LogGuard) {
        let in_force = reload::apply(&self.config.load(), config, &self.services, log);
        if let Some(certificates) = &self.certificates {
            tls::reload_certificate(certificates, &in_force);
        }
        self.config.store(in_force);
    }

    /// One line for the service manager.
    pub(super) fn status(&self) -> String {
        let addresses: Vec<_> = self.listening.iter().map(|(address, _)| address.to_string()).collect();
        format!("listening on {}", addresses.join(", "))
    }

    pub(super) fn announce(&self) {
        listeners::announce(&self.listening, self.certificates.as_ref());
        for address in &self.monitoring.addresses {
            info!("health and metrics on {address}");
        }
        info!("data in {}", self.config.load().server.data.display());
    }

    /// Stops in order: accepts nothing more, answers received requests as far as the time allows, tells connected clients
    /// why, stores.
    ///
    /// # Errors
    /// [`ServerError::Deadline`] if that took too long.
    pub async fn stop(self) -> Result<(), ServerError> {
        let shutdown = self.config.load().server.shutdown;
        let last_words = LAST_WORDS.min(shutdown / 2);
        let deadline = Instant::now() + shutdown;
        self.monitoring.monitor.set_stopping(&self.services);
        self.services.stopping.cancel();
        self.services.admission.end_all(DisconnectReason::ShuttingDown);
        self.services.federation.manager.stop();
        self.services.tasks.close();
        let served_until = Instant::now() + last_words;
        if timeout_at(served_until.into(), self.services.tasks.wait()).await.is_err() {
            self.services.admission.abandon_all();
        }
        let in_time = timeout_at(deadline.into(), self.services.tasks.wait()).await.is_ok();
        self.services.hub.close();
        let committer = self.committer;
        let stored = tokio::task::spawn_blocking(move || committer.join());
        let stored_in_time = timeout_at(deadline.into(), stored).await.is_ok();
        if !(in_time && stored_in_time) {
            return Err(ServerError::Deadline(shutdown));
        }
        info!("stopped");
        Ok(())
    }
}

/// A server is started on this.
enum Base {
    Store(Box<dyn Store>),
    /// It has all of the log.
    Node(Box<RunningNode>),
}

/// What a server has from its base.
struct Started {
    hub: Hub,
    /// The newest time of the log, before this start has added to it.
    log_time: Time,
    committer: JoinHandle<()>,
    /// What a start has to change, and whether the store takes changes. A node does so when it begins to lead.
    start_up: Option<(StartUp, bool)>,
    node: Option<NodeParts>,
}

/// What a node has that a server on its own has not.
struct NodeParts {
    carrier: Carrier,
    duties: NodeDuties,
    /// Its join tokens.
    joins: Arc<Joins>,
}

/// What a node does something about, beside serving its clients: its role, and the links that other nodes carry to it.
type NodeDuties = (watch::Receiver<NodeRole>, mpsc::Receiver<CarriedLink>);

impl Started {
    fn of_node(node: RunningNode) -> Self {
        let (log_time, _) = node.hub.read(State::time);
        let parts = NodeParts { carrier: node.carrier, duties: (node.role, node.links), joins: node.joins };
        Self { hub: node.hub, log_time, committer: node.thread, start_up: None, node: Some(parts) }
    }

    fn alone(config: &Config, store: Box<dyn Store>) -> Result<Self, ServerError> {
        let (hub, mut committer) = Hub::open(store, config.server.realm.clone())?;
        let (log_time, _) = hub.read(State::time);
        Time::begin_after(log_time);
        let is_writable = committer.begin_epoch();
        let committer = std::thread::Builder::new()
            .name("committer".into())
            .spawn(move || committer.run())
            .map_err(|source| ServerError::System { what: "a thread", source })?;
        let start_up = Some((StartUp::new(&hub), is_writable));
        Ok(Self { hub, log_time, committer, start_up, node: None })
    }
}

/// The links, by the key of this server, which is made at its first start.
fn links(
    config: &Config,
    hub: &Hub,
    bindings: &[Listener],
    tasks: &TaskTracker,
    stopping: &CancellationToken,
    carrier: Option<Carrier>,
) -> Result<Federation, ServerError> {
    let identity = Identity::open(&config.server.data)?;
    let transport = Arc::new(TcpTransport::new(&identity, config.realms.dial.clone()));
    let policy = LinkPolicy {
        accept: config.realms.accept,
        port: listeners::link_port(bindings),
        text_bytes: config.connections.line_bytes,
    };
    let (tasks, stopping) = (tasks.clone(), stopping.clone());
    let manager = LinkManager::new(hub.clone(), identity.key(), transport.clone(), policy, tasks, stopping);
    let carrier = carrier.map(|carrier| Arc::new(carrier) as Arc<dyn LinkCarrier>);
    Ok(Federation { manager, transport, carrier })
}

fn services(
    config: &Config,
    hub: Hub,
    bindings: &[Listener],
    carrier: Option<Carrier>,
) -> Result<ServerContext, ServerError> {
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    let passwords = PasswordHasher::new(cores).map_err(|source| ServerError::System { what: "a thread", source })?;
    let (tasks, stopping) = (TaskTracker::new(), CancellationToken::new());
    let federation = links(config, &hub, bindings, &tasks, &stopping, carrier)?;
    let bans = hub.clone();
    let is_banned = move |address| bans.read(|state| state.is_address_banned(address, Time::now().paced())).0;
    let trusted_proxies = Arc::new(TrustedProxies::default());
    trusted_proxies.set(config.server.trusted_proxies.clone());
    let refused = Arc::new(RefusedLog::new(trusted_proxies.clone()));
    Ok(ServerContext {
        hub,
        federation,
        policy: ArcSwap::from_pointee(policies::policy(config)),
        admission: Arc::new(Admission::new(policies::places(config), is_banned).log_to(refused.clone())),
        passwords,
        throttle: Throttle::default(),
        requests: RequestCounts::default(),
        refused,
        logged_intrusions: LogLimit::default(),
        started: Instant::now(),
        logged_reads: LogLimit::default(),
        logged_proxies: LogLimit::default(),
        trusted_proxies,
        budgets: Budgets::new(policies::rates(&config.limits)),
        turns: Turns::default(),
        tasks,
        stopping,
    })
}
