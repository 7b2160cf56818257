//! Realms: what joins servers (PROTOCOL §6, `docs/REALMS.md`).
//!
//! Below, who this server is and how two servers get an authenticated and encrypted channel on the ordinary chat port;
//! above, the [`Office`], which knows which links are up and dials those that are not. Two servers that have a channel
//! meet, each says how far it has the other's messages, and from then on one task serves the link until it breaks.
//!
//! Never here: rules of the chat; the state is changed by the hub alone.

mod answer;
mod carrier;
mod channel;
mod dialling;
mod frame;
mod identity;
#[cfg(test)]
mod impostors;
mod incarnation;
mod link;
mod meeting;
mod office;
mod proof;
#[cfg(test)]
mod simulation;
mod tcp;
#[cfg(test)]
mod testing;

pub use carrier::{Carried, Carrier, DialError, Stream};
pub use channel::ChannelError;
pub use identity::{Identity, IdentityError};
pub use incarnation::begin_incarnation;
pub use office::{Accept, Office, Report, Terms};
pub use tcp::TcpCarrier;
