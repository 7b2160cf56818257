//! The messages of a channel. A node that has connected says first what it wants: to follow, to carry a link, or a snapshot. A guest
//! wants to become a node.

use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::chat::CommandError;
use crate::cluster::{EncodedBlock, Term};
use crate::hub::{ForwardAnswer, ForwardedCommand, NodeDelivery, NodeLink, PresenceStates};
use crate::id::Seq;

/// What a follower says to the leader.
#[derive(Serialize, Deserialize)]
pub(super) enum FollowerMessage {
    Hello {
        node: Box<str>,
        /// Its process, by which the log names what it forwards.
        process: u64,
    },
    Forward(Box<ForwardedCommand>),
    /// Who is connected to it: at first all, then what changes.
    Presence(PresenceStates),
    /// All who are connected to it were named.
    PresenceComplete,
    /// Instead of the hello: a server has asked the node for a link. If the leader takes it, what that server says follows
    /// until the connection ends, and in the other direction what it is answered.
    Link {
        /// The address of that server.
        peer: IpAddr,
    },
    /// Instead of a hello: it wants a copy of the store.
    Snapshot,
}

/// What the leader says to a follower.
#[derive(Serialize, Deserialize)]
pub(super) enum LeaderMessage {
    Welcome {
        term: Term,
        /// The log up to here has everything that older leaders have appended.
        upto: Seq,
        /// Its process.
        process: u64,
    },
    /// The engine has it on a quorum's disks.
    Block(EncodedBlock),
    Answer(ForwardAnswer),
    /// Who is connected elsewhere: at first all, then what changes.
    Presence(PresenceStates),
    PresenceComplete,
    /// The leader still leads.
    Alive,
    /// What became of messages to other realms that the follower has forwarded.
    Deliveries(Vec<NodeDelivery>),
    /// How its links to other realms are: at first all, then what changes.
    Links(Vec<NodeLink>),
    /// Whether the leader takes the link that a node carries.
    LinkTaken(Result<(), CommandError>),
}

/// What a node says that is asked for a snapshot, in this order.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SnapshotMessage {
    /// It sends none, and why.
    Refused(Box<str>),
    /// It is copying its store, and has done so many percent. Said again and again.
    Copying(u8),
    /// So many bytes follow.
    Begins(u64),
    Chunk(Bytes),
    /// Their SHA-256.
    Ends([u8; 32]),
}

/// What a guest says: it wants to become a node.
#[derive(Serialize, Deserialize)]
pub struct JoinRequest {
    /// That of its token.
    pub secret: [u8; 16],
    /// What it will be called.
    pub node: Box<str>,
}

/// The answer.
#[derive(Serialize, Deserialize)]
pub enum JoinReply {
    /// The text of the realm's key file.
    Welcome {
        key: Box<str>,
    },
    Refused(Box<str>),
}

impl fmt::Debug for JoinRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinRequest").field("node", &self.node).finish_non_exhaustive()
    }
}
