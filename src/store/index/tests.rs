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
