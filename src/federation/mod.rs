//! Federation: links to other servers (PROTOCOL §6, `docs/REALMS.md`).
//!
//! Each line uses only modules of the lines below it:
//!
//! - `link_manager`: which links are up, and who may get one
//! - `link`: the task that runs one link; `reconnect`: when a server is dialled; `link_table`: the state of each link
//! - `handshake`: the exchange of hellos before a link is up
//! - `tcp`, `lookup`, `upgrade_response`: an authenticated and encrypted stream on the ordinary chat port
//! - `frame`, `transport`, `local_server`, `policy`: types that the others share
//!
//! Never here: rules of the chat. Only the hub changes the state.

mod frame;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod handshake;
#[cfg(test)]
mod hostile_peer;
mod link;
mod link_manager;
mod link_table;
mod local_server;
mod lookup;
mod policy;
mod reconnect;
#[cfg(test)]
mod simulation;
mod tcp;
#[cfg(test)]
mod testing;
mod transport;
mod upgrade_response;

pub(crate) use handshake::LinkRequest;
pub use link_manager::LinkManager;
pub(crate) use policy::LinkPolicy;
pub use tcp::TcpTransport;
pub use transport::{ByteStream, DialError, DialPurpose, PeerStream, Transport};
