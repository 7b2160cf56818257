//! Why a server does not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::certificates::CertificateError;
use crate::channel::ChannelError;
use crate::cluster::ClusterError;
#[cfg(feature = "etcd")]
use crate::cluster::ConnectError;
use crate::config::HostPort;
use crate::identity::IdentityError;
use crate::limits::RESERVED_DESCRIPTORS;
use crate::name::Name;
use crate::store::StoreError;

/// Why the server did not start, or did not end in order.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The store refused.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// What TLS listeners show cannot be used.
    #[error("[tls] {0}")]
    Certificate(#[from] CertificateError),
    /// TLS cannot be spoken.
    #[error("TLS cannot be spoken: {0}")]
    Tls(String),
    /// There is no key by which other servers know this one.
    #[error("{0}")]
    Identity(#[from] IdentityError),
    /// A configured server is known here under another name, or its name is another realm's.
    #[error("the configured peer {name} cannot be known by that name ({code}): see the command realms, and delrealm")]
    Peer {
        /// As configured.
        name: Name,
        /// Of the refusal.
        code: &'static str,
    },
    /// An address could not be bound.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The address at which other nodes reach this one could not be bound.
    #[error("[cluster] listen: cannot listen on {address}: {source}")]
    ListenForNodes {
        /// The address that was asked for.
        address: HostPort,
        /// What the system said.
        source: io::Error,
    },
    /// A socket that a service manager handed over cannot be used.
    #[error("the socket {name:?} that the service manager handed over cannot be used: {source}")]
    Inherited {
        /// As the service manager calls it.
        name: String,
        /// A description of the mistake.
        source: io::Error,
    },
    /// A socket that a service manager handed over belongs to no listener.
    #[error(
        "the service manager handed over a socket named {0:?}: expected FileDescriptorName= json, text, web or metrics"
    )]
    InheritedName(String),
    /// There are too few file descriptors for a single connection.
    #[error(
        "the system allows {allowed} open files, too few for a single connection: the server needs {RESERVED_DESCRIPTORS} for \
         itself; raise the limit (ulimit -n, or LimitNOFILE= of systemd)"
    )]
    Descriptors {
        /// The limit.
        allowed: u64,
    },
    /// The system refused something that every process may have.
    #[error("the system refused {what}: {source}")]
    System {
        /// The requested limit.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A configured password could not be hashed.
    #[error("the password of the configured user {0} could not be hashed")]
    Password(String),
    /// This node cannot take part in its cluster.
    #[error("{0}")]
    Cluster(#[from] ClusterError),
    /// Another node does not answer as it should.
    #[error("{0}")]
    Channel(#[from] ChannelError),
    /// The join token is of another realm than the configuration.
    #[error("the token is of the realm {token}, and the configuration of {config}: set [server] realm")]
    JoinOtherRealm {
        /// Of the token.
        token: Box<str>,
        /// Of the configuration.
        config: Name,
    },
    /// The cluster's log is not that of the realm that the join token is of.
    #[error("the cluster at [cluster] log has another key than the realm that the token is of, though the same name")]
    JoinOtherCluster,
    /// A node of the same name is in the cluster's list.
    #[error(
        "a node called {0} is in the cluster already: choose another name for [cluster] node, or, if that node will not come \
         back, run kabar cluster remove {0}"
    )]
    NodeExists(Box<str>),
    /// A node with data does not join: it has joined already, or the data is of something else.
    #[error(
        "{} is not empty, and a node joins with an empty or a new directory. If a join was interrupted there, kabar serve does \
         the rest",
        .0.display()
    )]
    JoinNotEmpty(PathBuf),
    /// What the other node sent is not the key that the token is of.
    #[error("the node that made the token sent another key than that of its realm")]
    JoinOtherKey,
    /// A command for clusters without one.
    #[error("the configuration has no cluster: [cluster] log names its log")]
    NoCluster,
    /// There is no leader that could step down.
    #[error("no node leads at the moment: kabar cluster status shows the nodes")]
    NobodyLeads,
    /// Nobody would lead if this node stepped down.
    #[error("no other node than {0} has reported lately: there is nobody to lead instead")]
    NobodyElse(Box<str>),
    /// The leader goes on.
    #[error("no other node leads instead of {0}: kabar cluster status shows the nodes")]
    NotResigned(Box<str>),
    /// The members of the cluster's log cannot be connected to.
    #[cfg(feature = "etcd")]
    #[error("[cluster] {0}")]
    ClusterLog(#[from] ConnectError),
    /// A file for TLS to the cluster's log cannot be read.
    #[cfg(feature = "etcd")]
    #[error("[cluster] {} cannot be read: {source}", file.display())]
    ClusterFile {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A node binds its listeners whenever it leads.
    #[error("a node of a cluster takes no sockets of a service manager, since it listens only while it leads")]
    InheritedByNode,
    /// The store of a node that led did not take what the cluster's log has.
    #[error(
        "the node's own store could not be written while it led its cluster; a restart reads what is missing from the cluster's log"
    )]
    Replica,
    /// The stop took longer than allowed. Nothing acknowledged is lost.
    #[error("the stop took longer than {0:?}; what was left was cut off")]
    Deadline(Duration),
}

impl ServerError {
    /// Whether another start will fail, too, unless the operator changes something.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::Descriptors { .. } | Self::InheritedName(_) | Self::InheritedByNode | Self::Peer { .. })
    }
}
