//! The log that the nodes of a cluster share: what it promises, whichever engine has it.
//!
//! Every call blocks its thread, for some seconds at most.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::id::{PeerKey, Seq};
use crate::store::LogPosition;
use crate::time::Time;

/// The right to append, from when a node begins to lead until it ends. Later terms are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Term(pub u64);

/// A block as the engine has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncodedBlock {
    /// The number of the record before its first.
    pub after: Seq,
    pub end: LogPosition,
    pub bytes: Bytes,
}

/// The outcome of an append that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// The block stands in the log, on a quorum's disks: by this call or by an earlier one with the same block.
    Done,
    /// The block does not stand in the log, and never will: the term is over, or another block follows `after`.
    Fenced,
}

/// What stands in the log behind a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Following {
    /// The next blocks, oldest first; none at the end of the log.
    Blocks(Vec<EncodedBlock>),
    /// The log was cut: what follows the place is gone.
    Gone,
}

/// A node as the others see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub node: Box<str>,
    /// Where clients reach it, as its configuration says.
    pub advertise: Box<str>,
    /// Where other nodes reach it, as `HOST:PORT`.
    pub channel: Box<str>,
    /// Of the program.
    pub version: Box<str>,
    /// By which other realms know this one: the same on all nodes.
    pub key: PeerKey,
    /// Everything up to this entry is on its own disk, synced.
    pub synced: Seq,
    /// When it said so, by its clock.
    pub reported: Time,
    /// The paced time of the newest leader that it knows of.
    pub paced: Time,
}

/// The node that leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leader {
    pub node: Box<str>,
    pub term: Term,
}

/// The engine did not answer in time, or not as it should. It is unknown whether what was asked for is done.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the cluster's log cannot be reached: {0}")]
pub struct Unreachable(pub Box<str>);

/// The log that the nodes of a cluster share.
pub trait SharedLog: Send + Sync + 'static {
    /// Begins the log at a place. False if it was begun before.
    ///
    /// # Errors
    /// [`Unreachable`], as for every call.
    fn begin(&self, at: LogPosition) -> Result<bool, Unreachable>;

    /// The end of the log; `None` if it was never begun. Linearizable: all that was acknowledged before is in front of it.
    ///
    /// # Errors
    /// [`Unreachable`].
    fn head(&self) -> Result<Option<LogPosition>, Unreachable>;

    /// Appends a block that follows `after`, unless the term is over. After an error it may be called again with the same
    /// block, which is then neither appended twice nor refused falsely.
    ///
    /// # Errors
    /// [`Unreachable`]: nobody knows yet whether the block was appended.
    fn append(&self, term: Term, after: LogPosition, block: &EncodedBlock) -> Result<Appended, Unreachable>;

    /// Blocks that follow a place: at most some `limit` bytes of them, but one at least. Linearizable.
    ///
    /// # Errors
    /// [`Unreachable`].
    fn read(&self, after: Seq, limit: usize) -> Result<Following, Unreachable>;

    /// Begins a term, unless a node leads. It ends unless it is renewed within `lease`. `None` if a node leads.
    ///
    /// # Errors
    /// [`Unreachable`].
    fn campaign(&self, node: &str, lease: Duration) -> Result<Option<Term>, Unreachable>;

    /// Renews a term. False if it is over.
    ///
    /// # Errors
    /// [`Unreachable`].
    fn renew(&self, term: Term) -> Result<bool, Unreachable>;

    /// Ends a term at once.
    ///
    /// # Errors
    /// [`Unreachable`].
    fn resign(&self, term: Term) -> Result<(), Unreachable>;

    /// Asks the leader of a term to end it in order.
    ///
    /// # Errors
    /// [`Unreachable`].
    fn ask_to_resign(&self, term: Term) -> Result<(), Unreachable>;

    /// Whether the leader of a term was asked to end it.
    ///
    /// # Errors
    /// [`Unreachable`].
    fn is_asked_to_resign(&self, term: Term) -> Result<bool, Unreachable>;

    /// The node that leads, if one does.
    ///
    /// # Errors
    /// [`Unreachable`].
    fn leader(&self) -> Result<Option<Leader>, Unreachable>;

    /// Publishes what the others see of this node, which makes it a member.
    ///
    /// # Errors
    /// [`Unreachable`].
    fn report(&self, member: &Member) -> Result<(), Unreachable>;

    /// All members, by name: also those that are away.
    ///
    /// # Errors
    /// [`Unreachable`].
    fn members(&self) -> Result<Vec<Member>, Unreachable>;

    /// Forgets a member. False if there is none of that name.
    ///
    /// # Errors
    /// [`Unreachable`].
    fn remove(&self, node: &str) -> Result<bool, Unreachable>;

    /// Cuts the log behind an entry, unless the term is over: the blocks up to it are removed, and their room is given back.
    ///
    /// # Errors
    /// [`Unreachable`].
    fn truncate(&self, term: Term, upto: Seq) -> Result<(), Unreachable>;

    /// How many bytes the engine's database has in use, about.
    ///
    /// # Errors
    /// [`Unreachable`].
    fn size(&self) -> Result<u64, Unreachable>;

    /// What the engine says is wrong with it, in its operator's words.
    ///
    /// # Errors
    /// [`Unreachable`].
    fn alarms(&self) -> Result<Vec<&'static str>, Unreachable>;
}
