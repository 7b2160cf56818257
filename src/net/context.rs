//! The context that the tasks of all connections share.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chat;
use crate::federation::{LinkManager, TcpTransport};
use crate::hub::Hub;
use crate::log_limit::LogLimit;
use crate::net::admission::Admission;
use crate::net::budget::Budgets;
use crate::net::link_carrier::LinkCarrier;
use crate::net::passwords::PasswordHasher;
use crate::net::refused_log::RefusedLog;
use crate::net::request_counts::RequestCounts;
use crate::net::throttle::Throttle;
use crate::net::trusted_proxies::TrustedProxies;
use crate::net::turns::Turns;
use crate::settings::{Language, Registration};

/// The server as its connections see it.
pub struct ServerContext {
    pub(crate) hub: Hub,
    pub(crate) policy: ArcSwap<Policy>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) federation: Federation,
    pub(crate) passwords: PasswordHasher,
    pub(crate) throttle: Throttle,
    pub(crate) budgets: Budgets,
    pub(crate) turns: Turns,
    pub(crate) requests: RequestCounts,
    pub(crate) refused: Arc<RefusedLog>,
    /// Uses of administrators' commands by others.
    pub(crate) logged_intrusions: LogLimit<IpAddr>,
    pub(crate) started: Instant,
    pub(crate) logged_reads: LogLimit<()>,
    pub(crate) logged_proxies: LogLimit<IpAddr>,
    pub(crate) trusted_proxies: Arc<TrustedProxies>,
    /// The tasks of all listeners and connections.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when the server stops accepting.
    pub(crate) stopping: CancellationToken,
}

/// The links to other servers.
pub struct Federation {
    pub(crate) manager: LinkManager,
    pub(crate) transport: Arc<TcpTransport>,
    /// Of a node of a cluster.
    pub(crate) carrier: Option<Arc<dyn LinkCarrier>>,
}

/// The part of the configuration that decides what connections may do.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The language of text connections that begin from now on.
    pub(crate) language: Language,
    /// The longest request line, in bytes.
    pub(crate) line_bytes: usize,
    /// The most messages of an inbox page.
    pub(crate) inbox_page: usize,
    /// How long a session stays valid unused.
    pub(crate) session_idle: Duration,
    /// The shortest password, in bytes.
    pub(crate) password_min_bytes: usize,
    pub(crate) registration: Registration,
    /// Permissions of administrators.
    pub(crate) chat: chat::Policy,
}
