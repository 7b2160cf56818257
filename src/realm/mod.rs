//! What joins servers (PROTOCOL §6): who we are, and how two servers get an authenticated and encrypted channel on the
//! ordinary chat port.
//!
//! Never here: which peer is welcome under which name; that is decided by its [`PeerKey`](crate::id::PeerKey) above.

mod answer;
mod carrier;
mod channel;
mod identity;
mod proof;
mod tcp;
#[cfg(test)]
mod testing;

pub use carrier::{Carried, Carrier, DialError, Stream};
pub use channel::ChannelError;
pub use identity::{Identity, IdentityError};
pub use tcp::{LINK_VERSION, TcpCarrier};
