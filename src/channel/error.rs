//! Why there is no channel to another node, or none any more.

use std::io;
use std::time::Duration;

use crate::id::PeerKey;
use crate::identity::TlsError;
use crate::limits::{
    CHANNEL_FRAME_BYTES, CHANNEL_HANDSHAKE, CHANNEL_SILENCE, CHANNEL_WRITE, JOIN_FRAME_BYTES, JOIN_REQUEST,
    SNAPSHOT_SILENCE,
};

/// After each of these there is no channel: it has to be opened again.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// As `HOST:PORT`.
        address: Box<str>,
        source: io::Error,
    },
    #[error("cannot connect to {address}: no answer within {after:?}")]
    ConnectTimeout {
        /// As `HOST:PORT`.
        address: Box<str>,
        after: Duration,
    },
    #[error("{0}")]
    Handshake(#[from] TlsError),
    #[error("the other end has another key ({0}): it is not a node of this realm, or was given another realm.key")]
    OtherKey(PeerKey),
    /// In either direction.
    #[error(
        "a frame of {0} bytes is too long: expected {CHANNEL_FRAME_BYTES} at most, and {JOIN_FRAME_BYTES} of a guest"
    )]
    TooLong(usize),
    #[error("a frame cannot be read or written: {0}")]
    Malformed(#[from] postcard::Error),
    #[error("the channel ended in the middle of a frame")]
    Torn,
    #[error("the other end has read nothing for {CHANNEL_WRITE:?}")]
    Stalled,
    #[error("the other end has been silent for {CHANNEL_SILENCE:?}")]
    Silent,
    #[error("the other end has not said within {CHANNEL_HANDSHAKE:?} what it wants")]
    NoGreeting,
    #[error("no answer within {JOIN_REQUEST:?}")]
    NoAnswer,
    /// The node that was asked for a snapshot sends none.
    #[error("that node sends no snapshot: {0}")]
    SnapshotRefused(Box<str>),
    #[error("the node that sends a snapshot has been silent for {SNAPSHOT_SILENCE:?}")]
    SnapshotSilent,
    #[error("the snapshot ended early, or is not what was announced")]
    SnapshotTorn,
    /// The node that was asked for the realm's key does not give it.
    #[error("{0}")]
    JoinRefused(Box<str>),
    #[error("the channel broke: {0}")]
    Broken(#[from] io::Error),
}
