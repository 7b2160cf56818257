//! What is said on a channel. A follower has connected, and says hello first; or it carries a link.

use std::net::IpAddr;

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
