//! Nodes that follow: what they forward is done once and told once, in order.

use std::time::Duration;

use super::nodes::{Node, USER};
use crate::chat::{Command, CommandError, CommandMark, Context, ForwardId, IdempotencyKey, Response, SessionEnd};
use crate::hub::{Executed, Hub, Origin};
use crate::id::{Hash64, Seq};
use crate::name::{Address, Name};
use crate::time::Time;

fn say(text: &str) -> Command {
    Command::Broadcast { text: text.into() }
}

fn told(executed: &Executed) -> Option<Result<Seq, CommandError>> {
    let told = Hub::outcome_of(executed)?;
    Some(told.map(|response| match response {
        Response::Sent { receipt, .. } => receipt.seq,
        other => panic!("{other:?}"),
    }))
}

#[test]
fn a_forwarded_command_is_told_once_its_node_has_what_it_did() {
    let mut leader = Node::leader();
    let mut follower = Node::follower(&leader);
    let (one, two) = (follower.execute(&say("one")), follower.execute(&say("two")));
    let changed = follower.forward_to(&mut leader);
    assert_eq!((told(&one), told(&two)), (None, None));
    follower.take_over(&leader, &changed);
    assert_eq!((told(&one), told(&two)), (Some(Ok(Seq(2))), Some(Ok(Seq(3)))));
}

#[test]
fn a_refusal_is_told_once_its_node_has_what_the_leader_had() {
    let mut leader = Node::leader();
    let mut follower = Node::follower(&leader);
    leader.execute(&say("before"));
    let nobody = Address { name: Name::parse("nobody").unwrap(), realm: None };
    let refused = follower.execute(&Command::SendDirect { to: nobody, text: "x".into() });
    follower.forward_to(&mut leader);
    follower.committer.rest(Duration::ZERO);
    assert_eq!(told(&refused), None, "the node does not have what the refusal may show");
    follower.take_over(&leader, &[]);
    assert_eq!(told(&refused), Some(Err(CommandError::UserNotFound)));
}

#[test]
fn a_command_that_comes_again_in_a_term_is_not_done_again() {
    let mut leader = Node::leader();
    let mut follower = Node::follower(&leader);
    let once = follower.execute(&say("once"));
    let changed = follower.forward_to(&mut leader);
    follower.hub.begin_forwarding();
    assert_eq!(follower.forward_to(&mut leader), [0; 0], "done twice");
    follower.take_over(&leader, &changed);
    assert_eq!(told(&once), Some(Ok(Seq(2))));
}

#[test]
fn a_repetition_under_a_tag_is_told_what_was_done_first() {
    let mut leader = Node::leader();
    let mut follower = Node::follower(&leader);
    let key = IdempotencyKey { user: USER, tag: Hash64(1), request: Hash64(1) };
    let tagged = |node: &Node| {
        let context = Context::on_behalf_of(USER, Time::now());
        node.hub.execute_for(&context, &say("tagged"), Origin::new(None, Some(&key)))
    };
    tagged(&leader);
    leader.committer.step();
    follower.take_over(&leader, &[]);
    let again = tagged(&follower);
    assert_eq!(follower.forward_to(&mut leader), [0; 0]);
    follower.committer.rest(Duration::ZERO);
    assert_eq!(told(&again), Some(Ok(Seq(2))));
}

#[test]
fn who_begins_to_lead_first_decides_what_its_clients_have_asked_before() {
    let leader = Node::leader();
    let mut follower = Node::follower(&leader);
    let waiting = follower.execute(&say("waiting"));
    follower.committer.begin_to_lead().unwrap();
    let later = follower.execute(&say("later"));
    assert!(!follower.hub.is_following());
    assert_eq!(told(&waiting), Some(Ok(Seq(3))), "after the epoch of the term");
    assert!(later.forward.is_none() && later.result.is_ok());
}

#[test]
fn forwarded_commands_are_done_in_the_order_in_which_they_came() {
    let mut leader = Node::leader();
    let mut follower = Node::follower(&leader);
    let sent: Vec<Executed> = (0..20).map(|number| follower.execute(&say(&number.to_string()))).collect();
    let changed = follower.forward_to(&mut leader);
    follower.take_over(&leader, &changed);
    let numbers: Vec<Seq> = sent.iter().map(|executed| told(executed).unwrap().unwrap()).collect();
    assert!(numbers.is_sorted() && numbers.len() == 20);
}

#[test]
fn what_comes_once_a_node_lets_others_in_as_their_leader_is_decided() {
    let leader = Node::leader();
    let (mut next, mut other) = (Node::follower(&leader), Node::follower(&leader));
    let waiting = other.execute(&say("waiting"));
    let (hub, process) = (next.hub.clone(), other.hub.process());
    let mut answer = None;
    let let_in = || answer = hub.execute_forwarded(process, other.hub.next_forward().unwrap());
    next.committer.lead(let_in, || true);
    assert!(answer.is_none(), "{answer:?}");
    assert_eq!(next.disk.copy().last().unwrap().seq, Seq(3), "after the epoch of the term");
    let marks = [(2, None), (3, Some(ForwardId { process, number: 1 }))];
    let mark = |(last, forward)| CommandMark { last: Seq(last), forward, session_end: SessionEnd::Expired };
    other.committer.take_over(next.disk.copy().split_off(1), &marks.map(mark)).unwrap();
    assert_eq!(told(&waiting), Some(Ok(Seq(3))));
}

#[test]
fn a_node_that_does_not_lead_yet_leaves_what_comes_to_the_leader() {
    let leader = Node::leader();
    let (mut next, mut other) = (Node::follower(&leader), Node::follower(&leader));
    other.execute(&say("early"));
    let early = other.hub.next_forward().unwrap();
    assert!(next.hub.execute_forwarded(other.hub.process(), early.clone()).is_none());
    next.committer.begin_to_lead().unwrap();
    assert!(next.hub.execute_forwarded(other.hub.process(), early).is_none(), "forwarded again, it is decided");
    next.committer.step();
    assert_eq!(next.disk.copy().last().unwrap().seq, Seq(3));
}
