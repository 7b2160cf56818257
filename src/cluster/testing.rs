//! Shared helpers of the tests of clusters.

use std::time::Duration;

use crate::chat::{
    Author, BodyFields, CommandMark, Destination, EscapedText, Event, Kind, Message, MessageBody, Record, SessionEnd,
};
use crate::cluster::follower::NodeInfo;
use crate::id::{PeerKey, Seq};
use crate::time::Time;

pub(super) const LEASE: Duration = Duration::from_secs(3);

/// The record of a message to everybody.
pub(super) fn message(seq: u64, text: &str) -> Record {
    let (msg, kind) = (EscapedText::new(text), Kind::Broadcast);
    let fields = BodyFields { msg_from: "", msg_to: "", msg: &msg, from: "", to: "*", kind, realm: None };
    let message =
        Message { from: Author::Server, to: Destination::Everyone, realm: None, body: MessageBody::compose(&fields) };
    Record { seq: Seq(seq), time: Time(seq), event: Event::MessageSent(message) }
}

/// Each record as one command.
pub(super) fn commands(records: &[Record]) -> Vec<CommandMark> {
    let mark = |record: &Record| CommandMark { last: record.seq, forward: None, session_end: SessionEnd::Expired };
    records.iter().map(mark).collect()
}

/// A node.
pub(super) fn node_info() -> NodeInfo {
    NodeInfo { node: "a".into(), advertise: "".into(), channel: "".into(), lease: LEASE, key: PeerKey([7; 32]) }
}
