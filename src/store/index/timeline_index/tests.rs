use super::*;
use crate::chat::Destination;
use crate::id::UserId;
use crate::store::testing::{TINY, sent};
use crate::store::timeline_key;
use std::path::Path;

fn empty() -> Index {
    empty_with(TINY)
}

fn empty_with(config: IndexConfig) -> Index {
    let mut database = Connection::open_in_memory().unwrap();
    crate::store::schema::prepare(&mut database, Path::new("here")).unwrap();
    Index::open(&database, config, &DamageLog::new("here".into())).unwrap()
}

fn entries(index: &Index) -> usize {
    index.memtable.all().map(|timeline| index.memtable.len(timeline)).sum()
}

/// The chunks of a plan: their owners and numbers of entries.
fn chunks(plan: &FlushPlan) -> Vec<(u64, usize)> {
    plan.chunks.iter().map(|(timeline, entries)| (timeline_key::encode(*timeline).1, entries.len())).collect()
}

/// The runs of a plan: their partitions, numbers and lengths.
fn runs(plan: &FlushPlan) -> Vec<(u64, u32, usize)> {
    plan.runs.iter().map(|run| (run.partition.number, run.number, run.len())).collect()
}

#[test]
fn memory_stays_bounded_with_ever_new_timelines() {
    let mut index = empty();
    for batch in 0..100 {
        let to_new_timelines = |seq: u64| sent(seq, 2 * seq, to(2 * seq + 1), "");
        let batch: Vec<_> = (3 * batch + 1..=3 * batch + 3).map(to_new_timelines).collect();
        let plan = index.plan_commit(batch.len());
        index.apply(&plan, &batch);
        assert!(index.head.0 - index.mark.0 <= TINY.window + batch.len() as u64);
        assert!(entries(&index) <= 2 * (TINY.window as usize + batch.len()));
    }
}

#[test]
fn each_timeline_with_entries_from_before_a_cycle_is_flushed_once_in_it() {
    let mut index = empty_with(IndexConfig { chunk_entries: 99, partition_timelines: 1, run_bytes: 0, ..TINY });
    let mut turns = Vec::new();
    for seq in 1..=12 {
        let plan = index.plan_commit(1);
        turns.extend(chunks(&plan).into_iter().map(|(user, entries)| (seq, user, entries)));
        index.apply(&plan, &[sent(seq, 1, to(2), "")]);
    }
    assert_eq!(turns, [(6, 1, 5), (7, 2, 6), (10, 1, 4), (11, 2, 4)]);
    assert_eq!((index.mark, index.cycle.start), (Seq(8), Seq(12)));
}

#[test]
fn a_timeline_that_fills_a_chunk_is_flushed_before_its_turn() {
    let mut index = empty();
    index.apply(&index.plan_commit(1), &[sent(1, 7, to(7), "")]);
    let batch: Vec<_> = (2..=6).map(|seq| sent(seq, 7, to(7), "")).collect();
    index.apply(&index.planner().plan, &batch);
    let plan = index.plan_commit(0);
    assert_eq!(chunks(&plan), [(7, 6)]);
    index.apply(&plan, &[sent(7, 7, to(7), "")]);
    assert_eq!((entries(&index), index.memtable.full().len()), (1, 0));
}

#[test]
fn a_partition_is_flushed_to_a_run_if_it_is_small_else_to_chunks() {
    let mut index = empty();
    let batch = [sent(1, 2, to(3), ""), sent(2, 4, to(4), ""), sent(3, 4, to(4), "")];
    index.apply(&index.plan_commit(0), &batch);
    let (few, many) = (index.planner(), IndexConfig { run_bytes: 1, ..TINY });
    let planned = |mut planner: FlushPlanner<'_>| {
        let partition = Partition { kind: 0, number: 1, size: 2 };
        planner.flush(partition, index.memtable.of_partition(partition).collect());
        (runs(&planner.plan), chunks(&planner.plan), planner.plan.flushed.len())
    };
    assert_eq!(planned(few), (vec![(1, 0, 11)], vec![], 2));
    let many = FlushPlanner::new(&index.memtable, &index.stats, &many, None);
    assert_eq!(planned(many), (vec![], vec![(2, 1), (3, 1)], 2));
}

const FIRST: Partition = Partition { kind: 0, number: 0, size: 2 };

/// Flushes the first partition. Returns the number of its run, and whether the runs before were merged, or split.
fn turn(index: &mut Index) -> (u32, bool, bool) {
    let mut planner = index.planner();
    planner.flush(FIRST, index.memtable.of_partition(FIRST).collect());
    let plan = planner.plan;
    index.apply(&plan, &[]);
    (runs(&plan)[0].1, plan.merged.contains_key(&FIRST), plan.split.contains(&FIRST))
}

#[test]
fn many_runs_are_merged_and_many_merged_runs_are_split() {
    let mut index = empty();
    let mut turns = Vec::new();
    for seq in 1..=5 {
        index.apply(&index.planner().plan, &[sent(seq, 1, to(1), "")]);
        turns.push(turn(&mut index));
    }
    let merges = (0, true, false);
    assert_eq!(turns, [(0, false, false), (1, false, false), merges, (1, false, false), (0, false, true)]);
    assert_eq!(index.stats.get(FIRST).after, Seq(0));
}

#[test]
fn runs_are_split_before_a_timeline_of_their_partition_gets_a_chunk() {
    let mut index = empty();
    index.apply(&index.planner().plan, &[sent(1, 1, to(1), "")]);
    turn(&mut index);
    let batch: Vec<_> = (2..=5).map(|seq| sent(seq, 0, to(0), "")).chain([sent(6, 1, to(1), "")]).collect();
    index.apply(&index.planner().plan, &batch);
    let mut planner = index.planner();
    index.memtable.full().iter().for_each(|timeline| planner.flush_to_chunks(*timeline));
    planner.flush(FIRST, vec![Timeline::User(UserId(1))]);
    let plan = planner.plan;
    assert_eq!((plan.split.contains(&FIRST), chunks(&plan), runs(&plan)[0].1), (true, vec![(0, 4)], 0));
    index.apply(&plan, &[]);
    let stats = index.stats.get(FIRST);
    assert_eq!((stats.fresh, stats.merged, stats.upto), (1, 0, Seq(6)));
}

#[test]
fn runs_are_skipped_if_all_their_entries_were_read() {
    let mut index = empty();
    index.apply(&index.planner().plan, &[sent(1, 1, to(1), ""), sent(2, 1, to(1), "")]);
    turn(&mut index);
    let runs_after = |seq| index.runs_of(Timeline::User(UserId(0)), Seq(seq)).is_some();
    assert_eq!((runs_after(1), runs_after(2)), (true, false));
    let next = |upto| index.stats.next(None, Seq(upto), 2);
    assert_eq!((next(0), next(1), index.stats.next(Some(FIRST), Seq(9), 2)), (None, Some(FIRST), None));
}

#[test]
fn distant_partitions_are_compacted_in_different_cycles() {
    let config = IndexConfig { partition_runs: 4, ..TINY };
    let mut index = empty_with(config);
    let users = |seq: u64| [sent(2 * seq - 1, 0, to(0), ""), sent(2 * seq, 2, to(2), "")];
    let mut merges = Vec::new();
    for seq in 1..=5 {
        index.apply(&index.planner().plan, &users(seq));
        let mut planner = index.planner();
        index
            .memtable
            .partitions(None, 2)
            .for_each(|partition| planner.flush(partition, index.memtable.of_partition(partition).collect()));
        let plan = planner.plan;
        merges.extend(plan.merged.keys().map(|partition| (seq, partition.number)));
        index.apply(&plan, &[]);
    }
    assert_eq!(merges, [(4, 1), (5, 0)]);
}

#[test]
fn a_late_cycle_is_spread_over_several_commits() {
    let mut index = empty_with(IndexConfig { run_bytes: 0, window: 200, ..TINY });
    let to_new_timelines = |seq: u64| sent(seq, 2 * seq, to(2 * seq + 1), "");
    index.apply(&index.planner().plan, &(1..=100).map(to_new_timelines).collect::<Vec<_>>());
    index.apply(&index.plan_commit(0), &[]);
    index.apply(&index.planner().plan, &(101..=200).map(to_new_timelines).collect::<Vec<_>>());
    assert_eq!((index.cycle.start, index.mark), (Seq(100), Seq(0)));
    let mut written = Vec::new();
    while index.mark == Seq(0) {
        let plan = index.plan_commit(1);
        written.push(plan.chunks.len());
        index.apply(&plan, &[to_new_timelines(index.head.next().0)]);
    }
    assert_eq!((written.iter().sum::<usize>(), index.mark), (200, Seq(100)));
    assert!(written.iter().all(|chunks| *chunks <= 6), "{written:?}");
}

#[test]
fn closing_flushes_everything_in_bounded_steps() {
    let mut index = empty();
    let batch: Vec<_> = (1..=5).map(|seq| sent(seq, seq, to(seq), "")).collect();
    index.apply(&index.plan_commit(0), &batch);
    let (mut steps, mut after) = (Vec::new(), None);
    while let Some((plan, last)) = index.plan_closing(after) {
        steps.push(plan.flushed.len());
        index.apply(&plan, &[]);
        after = last;
    }
    assert_eq!((steps, index.mark, entries(&index)), (vec![1, 2, 2], Seq(5), 0));
}

fn to(user: u64) -> Destination {
    Destination::User(UserId(user))
}
