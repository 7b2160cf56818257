//! The network: listeners, connections, and what a connection's session does with a request.
//!
//! Never here: the state's lock; rules of the chat; bytes of the protocol.

mod admission;
mod connection;
mod listener;
mod passwords;
mod read_buffer;
mod session;
mod throttle;
mod upgrade;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::federation::{LinkManager, TcpTransport};
use crate::hub::Hub;
use crate::name::FoldedName;

pub use admission::Admission;
pub use listener::{Listener, bind, serve};
pub use passwords::PasswordHasher;
pub use throttle::Throttle;

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

/// The links to other servers, and the transport for new ones.
pub struct Federation {
    /// The links.
    pub manager: LinkManager,
    /// Authenticates inbound connections.
    pub transport: Arc<TcpTransport>,
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

/// Whom an address stands for when connections and failures are counted: itself, or for IPv6 the network of 64 bits
/// that one subscriber holds.
fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
    }
}
