//! Messages to another realm that are sent on a node that follows: their senders learn what became of them, as on the leader.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::nodes::{Node, USER};
use crate::chat::{Bounce, BounceReason, Command, Context, IdempotencyKey};
use crate::hub::elsewhere::FeedScope;
use crate::hub::{DeliveryStatus, Executed, Hub, Origin, OutboxTail};
use crate::id::{Hash64, PeerKey, RealmId, Seq};
use crate::limits::FORWARD_DELIVERY_WAIT;
use crate::name::{Address, Name};
use crate::time::Time;

/// A leader that knows another realm, and a follower with a channel to it.
struct Cluster {
    leader: Node,
    follower: Node,
    realm: RealmId,
}

impl Cluster {
    fn new() -> Self {
        let mut leader = Node::leader();
        let name = Name::parse("timur").unwrap();
        leader.execute(&Command::ConfigurePeer { name: name.clone(), key: Some(PeerKey([7; 32])), address: None });
        let realm = leader.hub.read(|state| state.realm_named(&name).unwrap().0).0;
        let follower = Node::follower(&leader);
        leader.hub.begin_presence_of(follower.hub.process(), FeedScope::Anywhere);
        Self { leader, follower, realm }
    }

    /// The leader's link comes up.
    fn link(&self) -> Arc<OutboxTail> {
        self.leader.hub.open_outbox_tail(self.realm, Seq(0))
    }

    /// Sends a message on the follower. The leader has decided it, and the follower does not know of it.
    fn send(&mut self, key: Option<&IdempotencyKey>) -> (Executed, Vec<u64>) {
        let to = Address { name: Name::parse("joko").unwrap(), realm: Some(Name::parse("timur").unwrap()) };
        let command = Command::SendDirect { to, text: "halo".into() };
        let context = Context::on_behalf_of(USER, Time::now());
        let sent = self.follower.hub.execute_for(&context, &command, Origin::new(None, key));
        (sent, self.follower.forward_to(&mut self.leader))
    }

    /// Sends a message on the follower, which has it from the log.
    fn send_and_follow(&mut self) -> Executed {
        let (sent, changed) = self.send(None);
        self.follower.take_over(&self.leader, &changed);
        sent
    }

    /// The other server has the newest entry of the log, or refuses it.
    fn acknowledge(&self, tail: &OutboxTail, refused: Option<BounceReason>) -> Vec<(Seq, BounceReason)> {
        let newest = self.leader.hub.read(|state| state.head()).0;
        let refused: Vec<_> = refused.iter().map(|why| (newest, *why)).collect();
        self.leader.hub.note_acknowledged(tail, newest, &refused).unwrap()
    }

    /// The leader tells the follower over the channel what is new.
    fn tell(&self) {
        self.follower.hub.note_deliveries(&self.leader.hub.delivery_news(self.follower.hub.process()));
    }
}

fn status(sent: &Executed) -> Option<DeliveryStatus> {
    Hub::delivery_of(sent)
}

#[test]
fn the_sender_is_told_once_the_other_realm_has_the_message() {
    let mut cluster = Cluster::new();
    let tail = cluster.link();
    let sent = cluster.send_and_follow();
    cluster.tell();
    assert_eq!(status(&sent), Some(DeliveryStatus::Open));
    cluster.acknowledge(&tail, None);
    cluster.tell();
    assert_eq!(status(&sent), Some(DeliveryStatus::Delivered));
}

#[test]
fn the_leader_may_tell_it_before_the_log_does() {
    let mut cluster = Cluster::new();
    let tail = cluster.link();
    let (sent, changed) = cluster.send(None);
    cluster.acknowledge(&tail, None);
    cluster.tell();
    assert_eq!(status(&sent), None);
    cluster.follower.take_over(&cluster.leader, &changed);
    assert_eq!(status(&sent), Some(DeliveryStatus::Delivered));
}

#[test]
fn without_a_link_the_message_is_queued_at_once() {
    let mut cluster = Cluster::new();
    let sent = cluster.send_and_follow();
    cluster.tell();
    assert_eq!(status(&sent), Some(DeliveryStatus::Queued));
}

#[test]
fn a_link_that_ends_leaves_the_message_queued() {
    let mut cluster = Cluster::new();
    let tail = cluster.link();
    let sent = cluster.send_and_follow();
    cluster.leader.hub.close_outbox_tail(&tail);
    cluster.tell();
    assert_eq!(status(&sent), Some(DeliveryStatus::Queued));
}

#[test]
fn a_refusal_is_in_the_reply_and_needs_no_notification() {
    let mut cluster = Cluster::new();
    let tail = cluster.link();
    let sent = cluster.send_and_follow();
    assert_eq!(cluster.acknowledge(&tail, Some(BounceReason::Blocked)), []);
    cluster.tell();
    assert_eq!(status(&sent), Some(DeliveryStatus::Refused(BounceReason::Blocked)));
}

#[test]
fn the_log_tells_it_if_the_word_of_the_leader_is_lost() {
    for refused in [None, Some(BounceReason::UserNotFound)] {
        let mut cluster = Cluster::new();
        let tail = cluster.link();
        let sent = cluster.send_and_follow();
        cluster.acknowledge(&tail, refused);
        let newest = cluster.leader.hub.read(|state| state.head()).0;
        let bounces = refused.iter().map(|why| Bounce { number: newest, why: *why, notification: None }).collect();
        cluster.leader.execute(&Command::AcknowledgeOutbox { realm: cluster.realm, upto: newest, bounces });
        cluster.follower.take_over(&cluster.leader, &[]);
        assert_eq!(status(&sent), Some(refused.map_or(DeliveryStatus::Delivered, DeliveryStatus::Refused)));
    }
}

#[test]
fn a_new_leader_is_not_waited_for() {
    let mut cluster = Cluster::new();
    let _tail = cluster.link();
    let sent = cluster.send_and_follow();
    cluster.follower.committer.begin_to_lead().unwrap();
    assert_eq!(status(&sent), Some(DeliveryStatus::Queued));
}

#[test]
fn who_hears_nothing_is_told_that_it_is_queued_or_that_nobody_knows() {
    for (is_cut_off, expected) in [(false, DeliveryStatus::Queued), (true, DeliveryStatus::Unknown)] {
        let mut cluster = Cluster::new();
        let _tail = cluster.link();
        let sent = cluster.send_and_follow();
        let late = Instant::now() + FORWARD_DELIVERY_WAIT;
        cluster.follower.hub.note_contact(if is_cut_off { Instant::now() } else { late + Duration::from_secs(60) });
        cluster.follower.hub.0.expire_deliveries(late);
        assert_eq!(status(&sent), Some(expected));
    }
}

#[test]
fn a_repetition_under_a_tag_is_told_what_became_of_the_message_meanwhile() {
    let mut cluster = Cluster::new();
    let tail = cluster.link();
    let key = IdempotencyKey { user: USER, tag: Hash64(1), request: Hash64(1) };
    let (_, changed) = cluster.send(Some(&key));
    cluster.follower.take_over(&cluster.leader, &[&changed[..], &changed[..]].concat());
    let (again, _) = cluster.send(Some(&key));
    cluster.follower.committer.rest(Duration::ZERO);
    assert_eq!(status(&again), Some(DeliveryStatus::Open));
    cluster.acknowledge(&tail, None);
    cluster.tell();
    assert_eq!(status(&again), Some(DeliveryStatus::Delivered));
}
