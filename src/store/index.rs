//! The timeline index: which log entries stand in which timeline. The newest entries are here, in memory, the older
//! ones in the database, in chunks of one timeline or in runs of neighbouring ones; together they are all, at any moment.
//!
//! Entries come here once they are durable, and leave in the transaction that writes them, a timeline's all together, so
//! that the memory holds what is newer than all that the database has of the timeline, and nothing else.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::chat::{Entry, Event, Record, Span, Timeline};
use crate::id::Seq;
use crate::limits::{
    CHUNK_ENTRIES, INDEX_WINDOW, MAX_USERS, PAGE_ENTRIES, PARTITION_BYTES, PARTITION_RUNS, PARTITION_TIMELINES,
    PARTITIONS_PER_CLOSING, PARTITIONS_PER_COMMIT, RETENTION_CHUNKS,
};
use crate::store::packed::unpack;
use crate::store::partition::{Extents, Partition};
use crate::store::plan::{Draft, Plan, Round};
use crate::store::tails::Tails;
use crate::store::{StoreError, chunk, load, record, removed, runs};

/// The limits that the index works by, apart so that tests can have small ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tuning {
    pub(super) chunk_entries: usize,
    pub(super) window: u64,
    pub(super) partition_timelines: u32,
    pub(super) partition_runs: u32,
    pub(super) partition_bytes: usize,
    pub(super) partitions_per_commit: usize,
    pub(super) partitions_per_closing: usize,
    pub(super) page_entries: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            chunk_entries: CHUNK_ENTRIES,
            window: INDEX_WINDOW,
            partition_timelines: PARTITION_TIMELINES,
            partition_runs: PARTITION_RUNS,
            partition_bytes: PARTITION_BYTES,
            partitions_per_commit: PARTITIONS_PER_COMMIT,
            partitions_per_closing: PARTITIONS_PER_CLOSING,
            page_entries: PAGE_ENTRIES,
        }
    }
}

/// The index's part in memory.
pub(super) struct Index {
    tuning: Tuning,
    /// The newest durable log entry.
    head: Seq,
    /// The high-water mark as it is stored: all that the log holds up to it is in chunks and runs.
    mark: Seq,
    /// Each timeline's entries after what the database has of it.
    tails: Tails,
    extents: Extents,
    round: Round,
    /// Timelines with enough entries for a chunk: they do not wait for their turn.
    full: Vec<Timeline>,
}

impl Index {
    /// Reads again what the database has in the log alone: what came after the mark.
    pub(super) fn open(database: &Connection, tuning: Tuning) -> Result<Self, StoreError> {
        let (head, _) = load::head(database)?;
        let mark = Seq(database.query_row("SELECT upto FROM indexed", [], |row| row.get(0))?);
        let (tails, extents) = (Tails::new(tuning.chunk_entries), runs::extents(database, tuning.partition_timelines)?);
        let mut index = Self { tuning, head, mark, tails, extents, round: Round::default(), full: Vec::new() };
        index.read_log(database)?;
        index.round = Round::from(head);
        Ok(index)
    }

    fn read_log(&mut self, database: &Connection) -> Result<(), StoreError> {
        // Two entries a message: a list that grew would hold twice as much while it is copied.
        let mut entries =
            Vec::with_capacity(2 * self.head.0.saturating_sub(self.mark.0).min(self.tuning.window) as usize);
        let mut statement =
            database.prepare("SELECT seq, event FROM log WHERE seq > ?1 AND body IS NOT NULL ORDER BY seq")?;
        let mut rows = statement.query([self.mark.0])?;
        while let Some(row) = rows.next()? {
            let event = record::decode(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
            if let Event::MessageSent(message) = event {
                entries.extend(message.placements(Seq(row.get(0)?)));
            }
        }
        self.insert_unstored(database, entries)
    }

    /// Adds those entries that stand neither in a chunk nor in a run and were not removed either. They are looked up in
    /// the order of the tables, so that each page is read once.
    fn insert_unstored(
        &mut self,
        database: &Connection,
        mut entries: Vec<(Timeline, Entry)>,
    ) -> Result<(), StoreError> {
        let removed: HashMap<_, _> = removed::all(database)?.into_iter().collect();
        entries.sort_unstable_by_key(|(timeline, entry)| (*timeline, entry.seq));
        let of = |timeline: &Timeline| Partition::of(*timeline, self.tuning.partition_timelines);
        let mut in_partitions = Vec::new();
        for entries in entries.chunk_by(|(one, _), (other, _)| of(one) == of(other)) {
            in_partitions.extend(entries.first().map(|(timeline, _)| (of(timeline), entries)));
        }
        for (partition, entries) in in_partitions {
            let in_runs =
                if self.extents.of(partition).runs > 0 { runs::newest(database, partition)? } else { Vec::new() };
            for entries in entries.chunk_by(|(one, _), (other, _)| one == other) {
                let Some((timeline, _)) = entries.first() else { continue };
                let in_run = in_runs.get(usize::from(partition.place(*timeline))).copied().unwrap_or_default();
                let stored = if in_run > Seq(0) { in_run } else { newest_chunked(database, *timeline)? };
                let upto = stored.max(removed.get(timeline).copied().unwrap_or_default());
                for (timeline, entry) in entries.iter().filter(|(_, entry)| entry.seq > upto) {
                    self.insert(*timeline, *entry);
                }
            }
        }
        Ok(())
    }

    pub(super) fn head(&self) -> Seq {
        self.head
    }

    pub(super) fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    /// What memory has of a span, and up to where the database has it.
    ///
    /// # Errors
    /// Damage, which what was packed here does not have.
    pub(super) fn recent(&self, span: &Span) -> Result<(Vec<Entry>, Seq), StoreError> {
        let mut recent = Vec::new();
        let mut stored_upto = span.upto;
        for packed in self.tails.chunks(span.timeline) {
            stored_upto = stored_upto.min(Seq(packed.oldest().0 - 1));
            if packed.newest() > span.after && packed.oldest() <= span.upto {
                recent.extend(unpack(packed.bytes(), span.after)?);
            }
        }
        recent.truncate(recent.partition_point(|entry| entry.seq <= span.upto));
        Ok((recent, stored_upto))
    }

    /// The partition in whose runs a timeline may have entries; none where it has no runs.
    pub(super) fn runs_of(&self, timeline: Timeline) -> Option<Partition> {
        let partition = Partition::of(timeline, self.tuning.partition_timelines);
        (self.extents.of(partition).runs > 0).then_some(partition)
    }

    /// How many entries of a timeline are in memory.
    pub(super) fn entries_of(&self, timeline: Timeline) -> usize {
        self.tails.length(timeline)
    }

    /// The newest entry of each timeline that has entries in memory.
    pub(super) fn newest(&self) -> impl Iterator<Item = (Timeline, Seq)> {
        let newest = |timeline| Some((timeline, self.tails.newest(timeline)?));
        self.tails.all().filter_map(newest)
    }

    /// What the transaction of a batch of that many records is to write: the full timelines, and the partitions whose
    /// turn it is.
    pub(super) fn plan(&self, records: usize) -> Plan {
        let Tuning { partition_timelines: size, window, chunk_entries, .. } = self.tuning;
        let mut draft = self.draft();
        self.full.iter().for_each(|timeline| draft.chunk(*timeline));
        let left = self.tails.partitions(self.round.after, size).count();
        let time_left = self.round.time_left(self.mark, self.head, window);
        let turns = self.round.turns(records, left, time_left, self.tuning.partitions_per_commit);
        // Most turns are one row, so that a round that is late is soon over.
        let most = self.tuning.partitions_per_commit + records;
        let (mut passed, mut written) = (0, 0);
        for partition in self.tails.partitions(self.round.after, size).take(turns) {
            let due = |timeline: &Timeline| {
                self.has_up_to(*timeline, self.round.began) && self.tails.length(*timeline) < chunk_entries
            };
            let timelines: Vec<_> = self.tails.of(partition).filter(due).collect();
            written += usize::from(!timelines.is_empty());
            if written > most {
                break;
            }
            draft.partition(partition, timelines);
            draft.plan.after = Some(partition);
            passed += 1;
        }
        let is_over = passed == left && time_left <= records;
        Plan { mark: is_over.then_some(self.round.began), ..draft.plan }
    }

    fn has_up_to(&self, timeline: Timeline, upto: Seq) -> bool {
        self.tails.oldest(timeline).is_some_and(|oldest| oldest <= upto)
    }

    /// What the next transaction of a closing store is to write, and the partition that it comes to, from which the one
    /// after it goes on; none when all is written.
    pub(super) fn plan_closing(&self, after: Option<Partition>) -> Option<(Plan, Option<Partition>)> {
        let size = self.tuning.partition_timelines;
        let mut partitions = self.tails.partitions(after, size);
        if self.tails.timelines() == 0 && self.mark == self.head {
            return None;
        }
        let mut draft = self.draft();
        let mut last = after;
        for partition in partitions.by_ref().take(self.tuning.partitions_per_closing) {
            draft.partition(partition, self.tails.of(partition).collect());
            last = Some(partition);
        }
        let is_all = partitions.next().is_none();
        Some((Plan { mark: is_all.then_some(self.head), ..draft.plan }, last))
    }

    /// What the next transaction is to write so that no runs stand in the partitions after one, and the partition that
    /// it comes to; none where there are none.
    pub(super) fn plan_dealing(&self, after: Option<Partition>) -> Option<(Plan, Partition)> {
        let partition = self.extents.with_runs(after, self.tuning.partition_timelines).next()?;
        let mut draft = self.draft();
        draft.deal(partition);
        Some((draft.plan, partition))
    }

    /// What the next transaction is to write so that chunks hold every entry of the memory up to `upto`, and all entries
    /// of timelines with more than `most` there; none when they do.
    pub(super) fn plan_sweep(&self, upto: Seq, most: usize) -> Option<Plan> {
        // A timeline that fills a chunk leaves with the next commit anyway.
        if upto <= self.mark && most >= self.tuning.chunk_entries {
            return None;
        }
        let leaves = |timeline: &Timeline| self.tails.length(*timeline) > most || self.has_up_to(*timeline, upto);
        let mut draft = self.draft();
        let leaving = self.tails.all().filter(leaves).take(RETENTION_CHUNKS);
        leaving.for_each(|timeline| draft.chunk(timeline));
        (!draft.plan.chunks.is_empty()).then_some(draft.plan)
    }

    fn draft(&self) -> Draft<'_> {
        Draft::new(&self.tails, &self.extents, &self.tuning, self.round.after)
    }

    /// Takes in what a transaction has made durable: a plan of this index, and a batch of records.
    pub(super) fn settle(&mut self, plan: &Plan, batch: &[Record]) {
        self.round.after = plan.after;
        plan.dealt.iter().for_each(|partition| self.extents.clear(*partition));
        plan.runs.iter().for_each(|run| self.extents.add(run.partition, run.length()));
        plan.leaving.iter().for_each(|timeline| self.tails.remove(*timeline));
        self.full.retain(|timeline| self.tails.length(*timeline) > 0);
        for record in batch {
            self.head = record.seq;
            if let Event::MessageSent(message) = &record.event {
                message.placements(record.seq).for_each(|(timeline, entry)| self.insert(timeline, entry));
            }
        }
        if let Some(mark) = plan.mark {
            self.mark = mark;
            self.round = Round::from(self.head);
        }
    }

    fn insert(&mut self, timeline: Timeline, entry: Entry) {
        if self.tails.push(timeline, entry) == self.tuning.chunk_entries {
            self.full.push(timeline);
        }
    }
}

/// The newest entry of a timeline's chunks.
fn newest_chunked(database: &Connection, timeline: Timeline) -> Result<Seq, StoreError> {
    let (_, owner) = chunk::key(timeline);
    if owner as usize >= MAX_USERS {
        return Err(StoreError::Damaged("a message of somebody that cannot be".into()));
    }
    chunk::newest(database, timeline)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Destination;
    use crate::id::UserId;
    use crate::store::testing::{TINY, said};
    use std::path::Path;

    fn empty() -> Index {
        empty_tuned(TINY)
    }

    fn empty_tuned(tuning: Tuning) -> Index {
        let mut database = Connection::open_in_memory().unwrap();
        crate::store::schema::prepare(&mut database, Path::new("here")).unwrap();
        Index::open(&database, tuning).unwrap()
    }

    fn entries(index: &Index) -> usize {
        index.tails.all().map(|timeline| index.tails.length(timeline)).sum()
    }

    /// The timelines that a plan gives chunks, and how many entries they have.
    fn chunks(plan: &Plan) -> Vec<(u32, usize)> {
        plan.chunks.iter().map(|(timeline, entries)| (chunk::key(*timeline).1, entries.length())).collect()
    }

    /// The runs of a plan: their partitions, numbers and lengths.
    fn runs(plan: &Plan) -> Vec<(u32, u32, usize)> {
        plan.runs.iter().map(|run| (run.partition.number, run.number, run.length())).collect()
    }

    #[test]
    fn memory_stays_bounded_however_many_timelines_take_turns() {
        let mut index = empty();
        for batch in 0..100 {
            let to_new_timelines = |seq: u64| said(seq, 2 * seq as u32, to(2 * seq as u32 + 1), "");
            let batch: Vec<_> = (3 * batch + 1..=3 * batch + 3).map(to_new_timelines).collect();
            let plan = index.plan(batch.len());
            index.settle(&plan, &batch);
            assert!(index.head.0 - index.mark.0 <= TINY.window + batch.len() as u64);
            assert!(entries(&index) <= 2 * (TINY.window as usize + batch.len()));
        }
    }

    #[test]
    fn each_timeline_with_entries_from_before_a_round_leaves_once_in_it() {
        let mut index = empty_tuned(Tuning { chunk_entries: 99, partition_timelines: 1, partition_bytes: 0, ..TINY });
        let mut turns = Vec::new();
        for seq in 1..=12 {
            let plan = index.plan(1);
            turns.extend(chunks(&plan).into_iter().map(|(user, entries)| (seq, user, entries)));
            index.settle(&plan, &[said(seq, 1, to(2), "")]);
        }
        assert_eq!(turns, [(7, 1, 6), (8, 2, 7), (11, 1, 4), (12, 2, 4)]);
        assert_eq!((index.mark, index.round.began), (Seq(8), Seq(12)));
    }

    #[test]
    fn a_timeline_that_is_full_does_not_wait_for_its_turn() {
        let mut index = empty();
        index.settle(&index.plan(1), &[said(1, 7, to(7), "")]);
        let batch: Vec<_> = (2..=6).map(|seq| said(seq, 7, to(7), "")).collect();
        index.settle(&index.draft().plan, &batch);
        let plan = index.plan(0);
        assert_eq!(chunks(&plan), [(7, 4), (7, 2)]);
        index.settle(&plan, &[said(7, 7, to(7), "")]);
        assert_eq!((entries(&index), index.full.len()), (1, 0));
    }

    #[test]
    fn neighbours_with_few_entries_share_a_run_and_those_with_many_get_chunks() {
        let mut index = empty();
        let batch = [said(1, 2, to(3), ""), said(2, 4, to(4), ""), said(3, 4, to(4), "")];
        index.settle(&index.plan(0), &batch);
        let (few, many) = (index.draft(), Tuning { partition_bytes: 1, ..TINY });
        let planned = |mut draft: Draft<'_>| {
            let partition = Partition { kind: 0, number: 1, size: 2 };
            draft.partition(partition, index.tails.of(partition).collect());
            (runs(&draft.plan), chunks(&draft.plan), draft.plan.leaving.len())
        };
        assert_eq!(planned(few), (vec![(1, 0, 15)], vec![], 2));
        let many = Draft::new(&index.tails, &index.extents, &many, None);
        assert_eq!(planned(many), (vec![], vec![(2, 1), (3, 1)], 2));
    }

    #[test]
    fn runs_are_dealt_out_once_there_are_many_and_before_a_neighbour_gets_a_chunk() {
        let mut index = empty();
        let partition = Partition { kind: 0, number: 0, size: 2 };
        let mut numbers = Vec::new();
        for seq in 1..=4 {
            index.settle(&index.draft().plan, &[said(seq, 1, to(1), "")]);
            let mut draft = index.draft();
            draft.partition(partition, index.tails.of(partition).collect());
            numbers.push((runs(&draft.plan)[0].1, draft.plan.dealt.len()));
            let plan = draft.plan;
            index.settle(&plan, &[]);
        }
        assert_eq!(numbers, [(0, 0), (1, 0), (0, 1), (1, 0)]);
        let batch: Vec<_> = (5..=8).map(|seq| said(seq, 0, to(0), "")).collect();
        index.settle(&index.draft().plan, &batch);
        let plan = index.plan(0);
        assert_eq!((plan.dealt.contains(&partition), chunks(&plan)), (true, vec![(0, 4)]));
        index.settle(&plan, &[]);
        assert_eq!(index.extents.of(partition).runs, 0);
    }

    #[test]
    fn closing_moves_everything_in_bounded_steps() {
        let mut index = empty();
        let batch: Vec<_> = (1..=5).map(|seq| said(seq, seq as u32, to(seq as u32), "")).collect();
        index.settle(&index.plan(0), &batch);
        let (mut steps, mut after) = (Vec::new(), None);
        while let Some((plan, last)) = index.plan_closing(after) {
            steps.push(plan.leaving.len());
            index.settle(&plan, &[]);
            after = last;
        }
        assert_eq!((steps, index.mark, entries(&index)), (vec![1, 2, 2], Seq(5), 0));
    }

    fn to(user: u32) -> Destination {
        Destination::User(UserId(user))
    }
}
