//! Channels between the nodes of a cluster, encrypted: from each follower to the leader, and from a node that needs a snapshot to
//! another one; from a machine that is to become a node; and for links that nodes carry.
//!
//! - `endpoint`: connects to another node, or accepts one; possession of the realm's key is membership
//! - `frames`: length-prefixed frames
//! - `messages`: all that is said; `greeting`: the first message; `follower_end`, `leader_end`: the two ends
//! - `snapshot`: a copy of a node's store, for a node whose place in the log was cut
//! - `joining`: the realm's key, for a machine that has a join token
//! - `carried_link`: a link to another realm, on a connection of its own
//! - `error`: why there is no channel, or none any more
//!
//! Never here: who leads, when a channel is opened again, what commands do.

mod carried_link;
mod endpoint;
mod error;
mod follower_end;
mod frames;
mod greeting;
mod joining;
mod leader_end;
mod messages;
mod snapshot;

pub(crate) use carried_link::CarriedLink;
pub use endpoint::{Accepted, Channel, ChannelEndpoint};
pub use error::ChannelError;
pub(crate) use follower_end::{ChannelEvent, FollowerEnd};
pub use frames::{FrameReader, FrameWriter};
pub(crate) use greeting::{Greeting, NewFollower, read_greeting};
pub use joining::{answer_guest, ask_to_join, refuse_guest};
pub(crate) use leader_end::{LeaderEnd, serve_follower};
pub use messages::{JoinReply, JoinRequest, SnapshotMessage};
pub use snapshot::{CopyInProgress, SnapshotReader, refuse_snapshot, send_snapshot};
