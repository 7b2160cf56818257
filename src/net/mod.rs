//! The network: listeners, connections, and what a connection's session does with a request.
//!
//! Never here: the state's lock; rules of the chat; bytes of the protocol.

mod accepted;
mod admission;
mod budget;
mod carried_link;
mod client_stream;
mod connection;
mod context;
mod enforcement;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod link_carrier;
mod listener;
mod opening;
mod operator;
mod origin;
mod passwords;
mod proxy_header;
mod pruned_map;
mod read_buffer;
mod refused_log;
mod request_counts;
mod session;
mod throttle;
mod tls_stream;
mod trusted_proxies;
mod turns;
mod upgrade;

pub(crate) use accepted::Accepted;
pub use admission::{Admission, Places};
pub(crate) use admission::{Census, Permit};
pub use budget::{Budgets, Rate, Rates};
pub(crate) use carried_link::admit_carried;
pub(crate) use client_stream::{ClientStream, SharedStream};
pub(crate) use connection::run;
pub use context::{Federation, Policy, ServerContext};
pub(crate) use link_carrier::{CarrierConnection, LinkCarrier};
pub use listener::Listener;
pub(crate) use listener::{Service, accept, bind, discard_rest, serve, take_over};
pub(crate) use operator::Operator;
pub(crate) use origin::origin;
pub use passwords::PasswordHasher;
pub(crate) use refused_log::RefusedLog;
pub(crate) use request_counts::RequestCounts;
pub use throttle::Throttle;
pub(crate) use trusted_proxies::TrustedProxies;
pub(crate) use turns::Turns;
