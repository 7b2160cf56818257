//! What a node that has connected says first: it follows, it carries a link, or it wants a snapshot.

use tokio::time::timeout;

use crate::channel::carried_link::CarriedLink;
use crate::channel::endpoint::Channel;
use crate::channel::error::ChannelError;
use crate::channel::frames::{FrameReader, FrameWriter};
use crate::channel::messages::FollowerMessage;
use crate::limits::CHANNEL_HANDSHAKE;

/// What a node wants that has connected.
pub(crate) enum Greeting {
    Follow(Box<NewFollower>),
    /// A link to another server, which it carries.
    Link(CarriedLink),
    /// A copy of the store, sent on this.
    Snapshot(FrameWriter),
}

/// A node that wants to follow.
pub(crate) struct NewFollower {
    pub(super) node: Box<str>,
    pub(super) process: u64,
    pub(super) reader: FrameReader,
    pub(super) writer: FrameWriter,
}

/// Reads what a node wants; `None` if it says something else.
///
/// # Errors
/// If it says nothing.
pub(crate) async fn read_greeting(channel: Channel) -> Result<Option<Greeting>, ChannelError> {
    let (mut reader, writer) = channel.split();
    let said = timeout(CHANNEL_HANDSHAKE, reader.next()).await.unwrap_or(Err(ChannelError::NoGreeting))?;
    Ok(match said {
        Some(FollowerMessage::Hello { node, process }) => {
            Some(Greeting::Follow(NewFollower { node, process, reader, writer }.into()))
        }
        Some(FollowerMessage::Link { peer }) => Some(Greeting::Link(CarriedLink::new(peer, reader, writer))),
        Some(FollowerMessage::Snapshot) => Some(Greeting::Snapshot(writer)),
        _ => None,
    })
}
