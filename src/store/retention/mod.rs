//! Retention: takes old messages out of the store, a little at a time, beside everything else that goes on.
//!
//! A timeline is only ever cut from its old end, so what was removed of it is one number ([`removed`]). A message stands
//! in one timeline or, a direct one, in its sender's and its receiver's: it leaves the log once every timeline it stood
//! in was cut past it. So the sender's copy outlives the receiver's, and the other way round, and a body is never gone
//! while somebody may read it.
//!
//! A sweep first makes chunks of what is to be cut and stands in no chunk yet. Then it goes through the timelines, in
//! their order, and cuts each; then through the log, in its order, and deletes what no timeline holds any more, with the
//! entries that are no messages, which only the entity rows matter of; at last it gives the freed pages back. Every step
//! is a transaction of its own and leaves a whole store behind: a kill at any time costs nothing but the step.
//!
//! [`removed`]: super::removed

mod cut;
mod log;
mod step;

use crate::chat::Timeline;
use crate::id::Seq;
use crate::store::index::partition::Partition;
use crate::time::Time;

pub(super) use step::Workplace;

use cut::Readers;

/// What retention removes: what any of the rules of age and number is for. Nothing is removed that is unread, and
/// nothing that came after it in the same timeline, unless `unread` says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Messages that were said before this. Log entries that are no messages, too.
    pub before: Option<Time>,
    /// Messages that are older than the newest so many of their timeline.
    pub newest: Option<usize>,
    /// Also what its readers have not read: a direct message that the receiver's inbox has not come to, a group's
    /// message that the inbox of somebody who was a member then has not come to, a broadcast that any user's has not.
    /// Nobody waits for those who have unregistered.
    pub unread: bool,
}

/// A sweep of retention through a store. It may be made anew at any time, and one that goes on where the last has ended
/// has less to look at.
#[derive(Debug, Default)]
pub struct Sweep {
    rules: Rules,
    stage: Stage,
    /// Log entries up to this are older than the rules' age.
    old: Seq,
    /// The newest log entry when the sweep began: nothing after it leaves the log.
    head: Seq,
    readers: Readers,
    /// The log holds nothing up to here that a sweep could delete.
    swept: Seq,
    /// Messages that this sweep deleted.
    deleted: u64,
}

#[derive(Clone, Copy, Debug, Default)]
enum Stage {
    #[default]
    Begin,
    /// Entries that are to be cut move from memory to chunks.
    Memory,
    /// And from the runs of the partitions after this one.
    Runs(Option<Partition>),
    /// The timelines after this one are to be cut.
    Timelines(Option<Timeline>),
    /// The log after this entry, up to and with the other, is to be looked at.
    Log { after: Seq, upto: Seq },
    /// Free pages are to be given back.
    Pages,
}

/// How far a step brought a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// There is more to do.
    Partly,
    /// The sweep is done. The number of messages that it deleted.
    Wholly(u64),
}

impl Sweep {
    /// Begins at the start, with these rules.
    pub fn begin(&mut self, rules: Rules) {
        *self = Self { rules, swept: self.swept, ..Self::default() };
    }
}

#[cfg(test)]
mod tests;
