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
    let mut index = empty_tuned(Tuning { chunk_entries: 99, partition_timelines: 1, run_bytes: 0, ..TINY });
    let mut turns = Vec::new();
    for seq in 1..=12 {
        let plan = index.plan(1);
        turns.extend(chunks(&plan).into_iter().map(|(user, entries)| (seq, user, entries)));
        index.settle(&plan, &[said(seq, 1, to(2), "")]);
    }
    assert_eq!(turns, [(6, 1, 5), (7, 2, 6), (10, 1, 4), (11, 2, 4)]);
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
    let (few, many) = (index.draft(), Tuning { run_bytes: 1, ..TINY });
    let planned = |mut draft: Draft<'_>| {
        let partition = Partition { kind: 0, number: 1, size: 2 };
        draft.partition(partition, index.tails.of(partition).collect());
        (runs(&draft.plan), chunks(&draft.plan), draft.plan.leaving.len())
    };
    assert_eq!(planned(few), (vec![(1, 0, 15)], vec![], 2));
    let many = Draft::new(&index.tails, &index.extents, &many, None);
    assert_eq!(planned(many), (vec![], vec![(2, 1), (3, 1)], 2));
}

const FIRST: Partition = Partition { kind: 0, number: 0, size: 2 };

/// Gives the first partition its turn. The number of its run, and whether it made one of the runs before, and chunks.
fn turn(index: &mut Index) -> (u32, bool, bool) {
    let mut draft = index.draft();
    draft.partition(FIRST, index.tails.of(FIRST).collect());
    let plan = draft.plan;
    index.settle(&plan, &[]);
    (runs(&plan)[0].1, plan.merged.contains_key(&FIRST), plan.dealt.contains(&FIRST))
}

#[test]
fn runs_become_one_and_those_become_chunks_once_there_are_many() {
    let mut index = empty();
    let mut turns = Vec::new();
    for seq in 1..=5 {
        index.settle(&index.draft().plan, &[said(seq, 1, to(1), "")]);
        turns.push(turn(&mut index));
    }
    let merges = (0, true, false);
    assert_eq!(turns, [(0, false, false), (1, false, false), merges, (1, false, false), (0, false, true)]);
    assert_eq!(index.extents.of(FIRST).after, Seq(0));
}

#[test]
fn what_stands_in_runs_becomes_chunks_before_a_neighbour_gets_one() {
    let mut index = empty();
    index.settle(&index.draft().plan, &[said(1, 1, to(1), "")]);
    turn(&mut index);
    let batch: Vec<_> = (2..=5).map(|seq| said(seq, 0, to(0), "")).chain([said(6, 1, to(1), "")]).collect();
    index.settle(&index.draft().plan, &batch);
    let mut draft = index.draft();
    index.full.iter().for_each(|timeline| draft.chunk(*timeline));
    draft.partition(FIRST, vec![Timeline::User(UserId(1))]);
    let plan = draft.plan;
    assert_eq!((plan.dealt.contains(&FIRST), chunks(&plan), runs(&plan)[0].1), (true, vec![(0, 4)], 0));
    index.settle(&plan, &[]);
    let extent = index.extents.of(FIRST);
    assert_eq!((extent.fresh, extent.merged, extent.upto), (1, 0, Seq(6)));
}

#[test]
fn who_has_read_what_stands_in_runs_need_not_look_there() {
    let mut index = empty();
    index.settle(&index.draft().plan, &[said(1, 1, to(1), ""), said(2, 1, to(1), "")]);
    turn(&mut index);
    let runs_after = |seq| index.runs_of(Timeline::User(UserId(0)), Seq(seq)).is_some();
    assert_eq!((runs_after(1), runs_after(2)), (true, false));
    let next = |upto| index.extents.next(None, Seq(upto), 2);
    assert_eq!((next(0), next(1), index.extents.next(Some(FIRST), Seq(9), 2)), (None, Some(FIRST), None));
}

#[test]
fn partitions_apart_make_room_in_different_rounds() {
    let tuning = Tuning { partition_runs: 4, ..TINY };
    let mut index = empty_tuned(tuning);
    let users = |seq: u64| [said(2 * seq - 1, 0, to(0), ""), said(2 * seq, 2, to(2), "")];
    let mut merges = Vec::new();
    for seq in 1..=5 {
        index.settle(&index.draft().plan, &users(seq));
        let mut draft = index.draft();
        index
            .tails
            .partitions(None, 2)
            .for_each(|partition| draft.partition(partition, index.tails.of(partition).collect()));
        let plan = draft.plan;
        merges.extend(plan.merged.keys().map(|partition| (seq, partition.number)));
        index.settle(&plan, &[]);
    }
    assert_eq!(merges, [(4, 1), (5, 0)]);
}

#[test]
fn a_round_that_is_late_is_spread_over_some_commits() {
    let mut index = empty_tuned(Tuning { run_bytes: 0, window: 200, ..TINY });
    let to_new_timelines = |seq: u64| said(seq, 2 * seq as u32, to(2 * seq as u32 + 1), "");
    index.settle(&index.draft().plan, &(1..=100).map(to_new_timelines).collect::<Vec<_>>());
    index.settle(&index.plan(0), &[]);
    index.settle(&index.draft().plan, &(101..=200).map(to_new_timelines).collect::<Vec<_>>());
    assert_eq!((index.round.began, index.mark), (Seq(100), Seq(0)));
    let mut written = Vec::new();
    while index.mark == Seq(0) {
        let plan = index.plan(1);
        written.push(plan.chunks.len());
        index.settle(&plan, &[to_new_timelines(index.head.next().0)]);
    }
    assert_eq!((written.iter().sum::<usize>(), index.mark), (200, Seq(100)));
    assert!(written.iter().all(|chunks| *chunks <= 6), "{written:?}");
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
