//! What the tasks of all connections share.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::federation::{Office, TcpCarrier};
use crate::hub::Hub;
use crate::name::FoldedName;
use crate::net::admission::Admission;
use crate::net::passwords::PasswordHasher;
use crate::net::throttle::Throttle;

/// What every connection works with.
pub struct ServerContext {
    /// The hub.
    pub hub: Hub,
    /// What the operator allows.
    pub policy: Policy,
    /// Who may connect.
    pub admission: Arc<Admission>,
    /// The links to other servers.
    pub links: Federation,
    /// The bounded password hasher.
    pub passwords: PasswordHasher,
    /// Who failed to log in too often.
    pub throttle: Throttle,
    /// The tasks of all listeners and connections.
    pub tasks: TaskTracker,
    /// Cancelled when the server stops accepting.
    pub stopping: CancellationToken,
}

/// The links to other servers, and what makes one of a connection.
pub struct Federation {
    /// The links.
    pub office: Office,
    /// What makes a channel of a connection.
    pub carrier: Arc<TcpCarrier>,
}

/// What the operator allows.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The longest request line, in bytes.
    pub line_bytes: usize,
    /// The most messages of an inbox page.
    pub inbox_page: usize,
    /// How long a session stays valid unused.
    pub session_idle: Duration,
    /// The shortest password, in bytes.
    pub password_min_bytes: usize,
    /// Whether anybody may register.
    pub registration_open: bool,
    /// Only administrators may broadcast.
    pub broadcast_restricted: bool,
    /// Only administrators may add realms.
    pub realms_restricted: bool,
    /// Who the administrators are.
    pub administrators: Vec<FoldedName>,
}
