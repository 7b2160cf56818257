//! One step of a sweep: a look at one moment of the store, without holding anybody up, then one short transaction.

use rusqlite::Connection;

use crate::chat::Timeline;
use crate::id::Seq;
use crate::limits::{RETENTION_CHUNKS, RETENTION_LOOK, RETENTION_PAGES};
use crate::store::index::chunk;
use crate::store::index::partition::Partition;
use crate::store::retention::cut::{self, Cut, Readers};
use crate::store::retention::log;
use crate::store::retention::{Stage, Sweep, Swept};
use crate::store::{StoreError, load, removed};

/// What a sweep needs of a store.
pub(in crate::store) trait Workplace {
    /// Calls `look` with one moment of the database.
    fn look<T>(&self, look: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError>;

    /// Calls `change` in one transaction of the writer, between two commits.
    fn change(&self, change: impl FnOnce(&Connection) -> Result<(), StoreError>) -> Result<(), StoreError>;

    /// Moves some of the timeline entries up to `upto`, or of timelines with more than `most` of them, from memory to
    /// chunks; whether there were any.
    fn move_to_chunks(&self, upto: Seq, most: usize) -> Result<bool, StoreError>;

    /// Moves what stands in runs of the next partition after one, with entries up to `upto` there, to chunks; the
    /// partition, where there is any.
    fn deal(&self, after: Option<Partition>, upto: Seq) -> Result<Option<Partition>, StoreError>;

    /// How many entries of a timeline are in memory.
    fn entries_in_memory(&self, timeline: Timeline) -> usize;

    /// Gives up to `pages` free pages of the database back to the system; whether there are more.
    fn give_back(&self, pages: u32) -> Result<bool, StoreError>;
}

/// What to cut, as much as one step may write or look at.
struct Found {
    cuts: Vec<Cut>,
    /// Timelines up to this one were looked at.
    after: Option<Timeline>,
    /// There are no others.
    done: bool,
}

impl Sweep {
    pub(in crate::store) fn step(&mut self, place: &impl Workplace) -> Result<Swept, StoreError> {
        self.stage = match self.stage {
            Stage::Begin => self.look_around(place)?,
            Stage::Memory => self.move_to_chunks(place)?,
            Stage::Runs(after) => self.deal(place, after)?,
            Stage::Timelines(after) => self.cut_timelines(place, after)?,
            Stage::Log { after, upto } => self.clear_log(place, after, upto)?,
            Stage::Pages if place.give_back(RETENTION_PAGES)? => Stage::Pages,
            Stage::Pages => return Ok(Swept::Wholly(self.deleted)),
        };
        Ok(Swept::Partly)
    }

    fn look_around(&mut self, place: &impl Workplace) -> Result<Stage, StoreError> {
        let rules = self.rules;
        let time;
        (self.head, time, self.old, self.readers) = place.look(|moment| {
            let (head, time) = load::head(moment)?;
            let old = rules.before.map_or(Ok(Seq(0)), |before| log::newest_before(moment, before, head))?;
            let readers = if rules.unread { Readers::default() } else { Readers::of(moment)? };
            Ok((head, time, old, readers))
        })?;
        // The newest entry may go too, and numbers and times must still never go back.
        let head = self.head;
        place.change(|transaction| {
            transaction.execute("UPDATE head SET seq = ?1, time = ?2", [head.0, time.0])?;
            Ok(())
        })?;
        Ok(Stage::Memory)
    }

    fn move_to_chunks(&self, place: &impl Workplace) -> Result<Stage, StoreError> {
        let most = self.rules.newest.unwrap_or(usize::MAX);
        Ok(if place.move_to_chunks(self.old, most)? { Stage::Memory } else { Stage::Runs(None) })
    }

    /// After the memory: from there nothing that is to be cut comes to stand in a run any more.
    fn deal(&self, place: &impl Workplace, after: Option<Partition>) -> Result<Stage, StoreError> {
        // By number any may be to be cut.
        let upto = if self.rules.newest.is_some() { Seq(u64::MAX) } else { self.old };
        Ok(place.deal(after, upto)?.map_or(Stage::Timelines(None), |partition| Stage::Runs(Some(partition))))
    }

    fn cut_timelines(&mut self, place: &impl Workplace, after: Option<Timeline>) -> Result<Stage, StoreError> {
        let found = place.look(|moment| self.find_cuts(moment, place, after))?;
        if let Some(oldest) = found.cuts.iter().map(|cut| cut.first).min() {
            self.swept = self.swept.min(Seq(oldest.0.saturating_sub(1)));
            place.change(|transaction| found.cuts.iter().try_for_each(|cut| cut.make(transaction)))?;
        }
        if !found.done {
            return Ok(Stage::Timelines(found.after));
        }
        let upto = self.old.max(place.look(|moment| Ok(removed::newest(moment)?))?).min(self.head);
        Ok(Stage::Log { after: self.swept, upto })
    }

    fn find_cuts(
        &self,
        moment: &Connection,
        place: &impl Workplace,
        after: Option<Timeline>,
    ) -> Result<Found, StoreError> {
        let mut found = Found { cuts: Vec::new(), after, done: false };
        let (mut looked, mut rows) = (0, 0);
        while looked < RETENTION_LOOK && rows < RETENTION_CHUNKS {
            let Some(timeline) = chunk::next_timeline(moment, found.after)? else {
                found.done = true;
                break;
            };
            let in_memory = || place.entries_in_memory(timeline);
            if let Some(cut) = cut::find(moment, self, timeline, in_memory, &mut looked)? {
                rows += cut.rows();
                let more = cut.more;
                found.cuts.push(cut);
                if more {
                    break;
                }
            }
            found.after = Some(timeline);
        }
        Ok(found)
    }

    fn clear_log(&mut self, place: &impl Workplace, after: Seq, upto: Seq) -> Result<Stage, StoreError> {
        let clearance = place.look(|moment| log::find(moment, self, after, upto))?;
        if !clearance.is_empty() {
            place.change(|transaction| clearance.make(transaction))?;
            self.deleted += clearance.messages;
        }
        if clearance.done {
            // What is older than the age and still here is unread: only a cut can free it, and that comes first again.
            self.swept = self.old;
            return Ok(Stage::Pages);
        }
        Ok(Stage::Log { after: clearance.upto, upto })
    }
}
