//! Engines that are wrong: a node that sees it takes nothing more.

use std::time::Instant;

use crate::chat::Record;
use crate::cluster::error::ClusterError;
use crate::cluster::shared_log::{EncodedBlock, SharedLog, Term};
use crate::cluster::simulation::engine::Engine;
use crate::cluster::simulation::node::Node;
use crate::cluster::testing::{LEASE, commands, message};
use crate::cluster::{block, shared_log};
use crate::id::Seq;
use crate::store::{LogPosition, Part};

const BEGIN: LogPosition = LogPosition { seq: Seq(0), hash: [9; 32] };

/// An engine with three blocks of one record, whose leader is away, and a node that has followed the first two.
fn engine_and_node() -> (Engine, Node) {
    let engine = Engine::new(1);
    let client = engine.client();
    client.begin(BEGIN).unwrap();
    let term = client.campaign("z", LEASE).unwrap().unwrap();
    let mut node = Node::new("a", &engine, Instant::now());
    let mut after = BEGIN;
    for seq in 1..=3 {
        after = append(&client, term, after, seq);
        if seq == 2 {
            (0..3).for_each(|_| node.step().unwrap());
        }
    }
    (engine, node)
}

fn encoded(after: LogPosition, term: Term, records: &[Record]) -> EncodedBlock {
    block::encode(after, term, "z", Part { records, commands: &commands(records) }).unwrap()
}

fn append(log: &impl SharedLog, term: Term, after: LogPosition, seq: u64) -> LogPosition {
    let block: EncodedBlock = encoded(after, term, &[message(seq, "text")]);
    assert_eq!(log.append(term, after, &block).unwrap(), shared_log::Appended::Done);
    block.end
}

fn refusal(node: &mut Node) -> ClusterError {
    (0..3).find_map(|_| node.step().err()).unwrap()
}

#[test]
fn a_node_does_not_begin_without_a_log() {
    let engine = Engine::new(1);
    assert!(matches!(refusal(&mut Node::new("a", &engine, Instant::now())), ClusterError::NotBegun));
}

#[test]
fn a_node_does_not_take_an_altered_block() {
    let (engine, mut node) = engine_and_node();
    engine.alter(Seq(3));
    assert!(matches!(refusal(&mut node), ClusterError::Altered(Seq(3))));
    assert_eq!(node.disk.copy().len(), 2);
}

#[test]
fn a_node_does_not_follow_an_engine_that_lost_what_it_had_acknowledged() {
    let (engine, mut node) = engine_and_node();
    engine.lose_behind(Seq(1));
    assert!(matches!(refusal(&mut node), ClusterError::Diverged(Seq(2))));
}

#[test]
fn a_node_does_not_follow_a_fork() {
    let (engine, mut node) = engine_and_node();
    engine.lose_behind(Seq(1));
    let client = engine.client();
    let (head, term) = (client.head().unwrap().unwrap(), client.leader().unwrap().unwrap().term);
    let other = encoded(head, term, &[message(2, "other"), message(3, "other")]);
    client.append(term, head, &other).unwrap();
    assert!(matches!(refusal(&mut node), ClusterError::Gone(Seq(2)) | ClusterError::Diverged(Seq(2))));
    assert_eq!(node.disk.copy().len(), 2);
}

#[test]
fn a_node_that_was_away_while_the_log_was_cut_says_where_it_left_off() {
    let (engine, mut node) = engine_and_node();
    let client = engine.client();
    let term = client.leader().unwrap().unwrap().term;
    client.truncate(term, Seq(3)).unwrap();
    assert!(matches!(refusal(&mut node), ClusterError::Gone(Seq(2))));
}

#[test]
fn a_store_with_other_data_does_not_join() {
    let (engine, _) = engine_and_node();
    let mut other = Node::new("b", &engine, Instant::now());
    other.disk.replace(vec![message(1, "other")]);
    assert!(matches!(refusal(&mut other), ClusterError::NotACopy));
}
