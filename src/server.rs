//! Starts the server: store, hub, links, listeners; and stops it in order.

mod disk;
mod error;
mod housekeeping;
mod provision;
mod retention;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::chat::{self, Command, State};
use crate::config::{Allowed, Config, Connections, Limits, Registration};
use crate::federation::{self, Identity, LinkManager, LinkPolicy, TcpTransport};
use crate::hub::{Hub, Step};
use crate::id::SessionId;
use crate::limits::RESERVED_DESCRIPTORS;
use crate::log_limit::LogLimit;
use crate::name::Name;
use crate::net::{
    self, Admission, Budgets, Federation, Listener, PasswordHasher, Places, Policy, Rate, Rates, RequestCounts,
    ServerContext, Throttle,
};
use crate::store::SqliteStore;
use crate::web::{self, Monitor, Web};
use crate::wire::{DisconnectReason, ReplyFormat};

use disk::DiskWatch;

pub use error::ServerError;

/// A server that runs.
pub struct Server {
    services: Arc<ServerContext>,
    committer: JoinHandle<()>,
    listening: Vec<(SocketAddr, ReplyFormat)>,
    shutdown: Duration,
    monitor: Arc<Monitor>,
    monitored_on: Vec<SocketAddr>,
    /// Ends the monitoring listener.
    _monitoring: DropGuard,
}

/// Runs a server until a signal ends it.
///
/// # Errors
/// [`ServerError`], before anything was served or at the end.
pub fn run(config: &Config) -> Result<(), ServerError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| ServerError::System { what: "threads", source })?;
    runtime.block_on(async {
        let signals = (until(SignalKind::terminate())?, until(SignalKind::interrupt())?);
        let server = Server::start(config)?;
        server.announce(config);
        let signals = one_of(signals).await;
        info!("stopping; a second signal stops at once");
        tokio::select! {
            stopped = server.stop() => stopped,
            _ = one_of(signals) => {
                warn!("stopped at once");
                std::process::exit(1)
            }
        }
    })
}

fn until(kind: SignalKind) -> Result<Signal, ServerError> {
    signal(kind).map_err(|source| ServerError::System { what: "a signal handler", source })
}

async fn one_of((mut terminate, mut interrupt): (Signal, Signal)) -> (Signal, Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    (terminate, interrupt)
}

impl Server {
    /// Opens the store, binds everything, and serves. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`ServerError`]; nothing is left running then.
    pub fn start(config: &Config) -> Result<Self, ServerError> {
        let monitor = Arc::new(Monitor::new(config.server.data.clone()));
        let (monitored_on, monitoring) = serve_monitoring(&config.metrics.listen, &monitor)?;
        let store = SqliteStore::open(&config.server.data, config.server.durability)?;
        let bindings = bind_all(config)?;
        let (hub, mut committer) = Hub::open(Box::new(store), config.server.realm.clone())?;
        if federation::begin_incarnation(&hub).is_err() || committer.step() != Step::Stored {
            return Err(ServerError::Links);
        }
        let committer = std::thread::Builder::new()
            .name("committer".into())
            .spawn(move || committer.run())
            .map_err(|source| ServerError::System { what: "a thread", source })?;
        end_ephemeral_sessions(&hub);
        provision::accounts(&hub, &config.users)?;
        let services = Arc::new(services(config, hub, &bindings)?);
        provision::peers(&services.hub, &config.peers)?;
        services.federation.manager.start();
        let disk = DiskWatch::new(config.server.data.clone(), config.server.disk_reserve);
        disk.check(&services.hub);
        let listening = serve_all(bindings, &config.server.trusted_proxies, &services);
        housekeeping::start(&services, &config.retention, disk)?;
        monitor.set_serving(&services);
        let shutdown = config.server.shutdown;
        Ok(Self { services, committer, listening, shutdown, monitor, monitored_on, _monitoring: monitoring })
    }

    /// The addresses of the listeners, with the ports that the system chose for port 0.
    #[must_use]
    pub fn listening(&self) -> &[(SocketAddr, ReplyFormat)] {
        &self.listening
    }

    /// The addresses of the monitoring listener, likewise.
    #[must_use]
    pub fn monitored_on(&self) -> &[SocketAddr] {
        &self.monitored_on
    }

    fn announce(&self, config: &Config) {
        for (address, format) in &self.listening {
            let format = match format {
                ReplyFormat::Json => "json",
                ReplyFormat::Text => "text",
                ReplyFormat::WebSocket => "web",
            };
            info!("listening on {address} ({format})");
        }
        for address in &self.monitored_on {
            info!("health and metrics on {address}");
        }
        info!("data in {}", config.server.data.display());
        // Lines are for people, frames for programs.
        let for_people = self.listening.iter().find(|(_, format)| *format == ReplyFormat::Text);
        if let Some((address, _)) = for_people.or(self.listening.first()) {
            info!("try:  nc {} {}  and type  help", address.ip(), address.port());
        }
        if let Some((address, _)) = self.listening.iter().find(|(_, format)| *format == ReplyFormat::WebSocket) {
            info!("or open  http://{address}  in a browser");
        }
    }

    /// Stops in order: accepts nothing more, answers what was received, tells connected clients why, stores.
    ///
    /// # Errors
    /// [`ServerError::Deadline`] if that took too long.
    pub async fn stop(self) -> Result<(), ServerError> {
        let deadline = Instant::now() + self.shutdown;
        self.monitor.set_stopping(&self.services);
        self.services.stopping.cancel();
        self.services.admission.end_all(DisconnectReason::ShuttingDown);
        self.services.federation.manager.stop();
        self.services.tasks.close();
        let in_time = tokio::time::timeout_at(deadline.into(), self.services.tasks.wait()).await.is_ok();
        self.services.hub.close();
        let committer = self.committer;
        let stored = tokio::task::spawn_blocking(move || committer.join());
        let stored_in_time = tokio::time::timeout_at(deadline.into(), stored).await.is_ok();
        if !(in_time && stored_in_time) {
            return Err(ServerError::Deadline(self.shutdown));
        }
        info!("stopped");
        Ok(())
    }
}

fn bind_all(config: &Config) -> Result<Vec<Listener>, ServerError> {
    let json = config.server.listen.iter().map(|address| (*address, ReplyFormat::Json));
    let text = config.server.listen_text.iter().map(|address| (*address, ReplyFormat::Text));
    let web = config.server.web.iter().map(|address| (*address, ReplyFormat::WebSocket));
    json.chain(text)
        .chain(web)
        .map(|(address, format)| net::bind(address, format).map_err(|source| ServerError::Listen { address, source }))
        .collect()
}

/// Serves health and metrics from before the store is opened.
fn serve_monitoring(
    addresses: &[SocketAddr],
    monitor: &Arc<Monitor>,
) -> Result<(Vec<SocketAddr>, DropGuard), ServerError> {
    let stop = CancellationToken::new();
    let mut bound = Vec::new();
    for &address in addresses {
        let listener = bind_monitoring(address).map_err(|source| ServerError::Listen { address, source })?;
        bound.extend(listener.local_addr());
        tokio::spawn(web::serve_monitoring(listener, monitor.clone(), stop.clone()));
    }
    Ok((bound, stop.drop_guard()))
}

fn bind_monitoring(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

fn serve_all(
    bindings: Vec<Listener>,
    trusted_proxies: &[IpNet],
    services: &Arc<ServerContext>,
) -> Vec<(SocketAddr, ReplyFormat)> {
    let web = Arc::new(Web::new(trusted_proxies.to_vec()));
    let mut listening = Vec::new();
    for binding in bindings {
        listening.extend(binding.address().map(|address| (address, binding.format())));
        match binding.format() {
            ReplyFormat::WebSocket => services.tasks.spawn(web::serve(binding, web.clone(), services.clone())),
            ReplyFormat::Json | ReplyFormat::Text => services.tasks.spawn(net::serve(binding, services.clone())),
        };
    }
    listening
}

/// The links, by the key of this server, which is made at its first start.
fn links(
    config: &Config,
    hub: &Hub,
    bindings: &[Listener],
    tasks: &TaskTracker,
    stopping: &CancellationToken,
) -> Result<Federation, ServerError> {
    let identity = Identity::open(&config.server.data)?;
    let transport = Arc::new(TcpTransport::new(&identity, config.realms.dial.clone()));
    let policy = LinkPolicy {
        accept: config.realms.accept,
        port: bindings.iter().find_map(|binding| binding.address().ok()).map(|address| address.port()),
        text_bytes: config.connections.line_bytes,
    };
    let (tasks, stopping) = (tasks.clone(), stopping.clone());
    let manager = LinkManager::new(hub.clone(), identity.key(), transport.clone(), policy, tasks, stopping);
    Ok(Federation { manager, transport })
}

fn services(config: &Config, hub: Hub, bindings: &[Listener]) -> Result<ServerContext, ServerError> {
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    let passwords = PasswordHasher::new(cores).map_err(|source| ServerError::System { what: "a thread", source })?;
    let (tasks, stopping) = (TaskTracker::new(), CancellationToken::new());
    let federation = links(config, &hub, bindings, &tasks, &stopping)?;
    Ok(ServerContext {
        hub,
        federation,
        policy: policy(config),
        admission: Arc::new(Admission::new(places(config))),
        passwords,
        throttle: Throttle::default(),
        requests: RequestCounts::default(),
        logged_reads: LogLimit::default(),
        budgets: Budgets::new(rates(&config.limits)),
        tasks,
        stopping,
    })
}

fn rates(limits: &Limits) -> Rates {
    let rate = |most: Option<u64>, period| most.map(|most| Rate { most, period });
    let (second, day) = (Duration::from_secs(1), Duration::from_secs(24 * 3600));
    Rates {
        messages: [rate(limits.messages_per_second, second), rate(limits.messages_per_day, day)],
        bytes: [rate(limits.bytes_per_second, second), rate(limits.bytes_per_day, day)],
        groups: rate(limits.groups_per_day.map(u64::from), day),
        realms: rate(limits.realms_per_day.map(u64::from), day),
        registrations: rate(limits.registrations_per_address.map(u64::from), day),
    }
}

fn places(config: &Config) -> Places {
    let Connections { per_address, per_user, outbox_bytes, .. } = config.connections;
    Places { most: connections(config), per_address, per_user, outbox_bytes }
}

/// As many connections as are configured, and as the process may have descriptors for.
fn connections(config: &Config) -> usize {
    let allowed = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1_024);
    let allowed = usize::try_from(allowed).unwrap_or(usize::MAX).saturating_sub(RESERVED_DESCRIPTORS);
    if allowed < config.connections.max {
        warn!("the system allows {allowed} connections, fewer than the {} configured", config.connections.max);
    }
    allowed.min(config.connections.max)
}

fn policy(config: &Config) -> Policy {
    Policy {
        line_bytes: config.connections.line_bytes,
        inbox_page: config.messages.inbox_page,
        session_idle: config.accounts.session_idle,
        password_min_bytes: config.accounts.password_min_bytes,
        registration_open: config.accounts.registration == Registration::Open,
        chat: chat::Policy {
            administrators: config.accounts.administrators.iter().map(Name::folded).collect(),
            broadcast_restricted: config.messages.broadcast == Allowed::Administrators,
            realms_restricted: config.realms.add == Allowed::Administrators,
            quotas: chat::Quotas { groups: config.limits.groups_per_user, realms: config.limits.realms_per_user },
        },
    }
}

/// Sessions that should have ended with their connections, before the server was killed.
fn end_ephemeral_sessions(hub: &Hub) {
    let ephemeral = |state: &State| -> Vec<SessionId> {
        state.sessions().filter(|(_, session)| session.ephemeral).map(|(id, _)| id).collect()
    };
    for session in hub.read(ephemeral).0 {
        hub.execute_as_server(&Command::CloseSession { session });
    }
}
