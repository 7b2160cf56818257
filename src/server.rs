//! Starts the server: store, hub, links, listeners; and stops it in order.

mod activation;
mod admin_socket;
mod blocking;
mod carried_links;
mod channel;
mod cluster;
mod disk;
mod error;
mod housekeeping;
mod join_token;
mod joining;
mod joins;
mod listeners;
mod monitoring;
mod node;
mod node_channels;
mod node_duties;
mod node_thread;
mod offline;
mod paced_clock;
mod places;
mod policies;
mod process;
mod provision;
mod reload;
mod retention;
mod service_manager;
mod serving;
mod shared_log;
mod signals;
mod snapshot_fetch;
mod snapshot_log;
mod snapshots;
mod start_up;
mod tls;

pub use admin_socket::{JOIN_TOKEN_REQUEST, admin_socket};
pub use cluster::{
    ClusterStatus, begin as begin_cluster, is_silent, leave as leave_cluster, remove as remove_node,
    status as cluster_status, step_down,
};
pub use error::ServerError;
pub use join_token::{JoinToken, NotAJoinToken};
pub use joining::join_cluster;
pub use listeners::reachable;
pub use offline::administer_store;
pub use process::run;
pub use serving::Server;
pub use snapshot_fetch::{FetchProgress, FetchStep};
pub use tls::check;
