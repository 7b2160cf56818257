//! Channels between the nodes of a cluster, each from a follower to the leader, encrypted; and links that nodes carry.
//!
//! - `endpoint`: connects to another node, or accepts one; possession of the realm's key is membership
//! - `frames`: length-prefixed frames
//! - `messages`: what is said; `follower_end`, `leader_end`: by whom
//! - `carried_link`: a link to another realm, on a connection of its own
//! - `error`: why there is no channel, or none any more
//!
//! Never here: who leads, when a channel is opened again, what commands do.

mod carried_link;
mod endpoint;
mod error;
mod follower_end;
mod frames;
mod leader_end;
mod messages;

pub(crate) use carried_link::CarriedLink;
pub use endpoint::{Channel, ChannelEndpoint};
pub use error::ChannelError;
pub(crate) use follower_end::{ChannelEvent, FollowerEnd};
pub use frames::{FrameReader, FrameWriter};
pub(crate) use leader_end::{LeaderEnd, Opened, open, serve_follower};
