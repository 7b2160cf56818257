//! Channels between the nodes of a cluster: frames in order, in both directions, over TLS.
//!
//! - `endpoint`: connects to another node, or accepts one; possession of the realm's key is membership
//! - `frames`: length-prefixed frames
//! - `error`: why there is no channel, or none any more
//!
//! Never here: what the frames contain, who leads, when a channel is opened again.

mod endpoint;
mod error;
mod frames;

pub use endpoint::{Channel, ChannelEndpoint};
pub use error::ChannelError;
pub use frames::{FrameReader, FrameWriter};
