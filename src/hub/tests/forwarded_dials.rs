//! Realms that users of a follower add: the leader dials them, and each command is done once.

use std::time::Duration;

use super::nodes::{Node, USER};
use crate::chat::{Command, CommandError, Context, PeerAddress, Policy, Response};
use crate::hub::elsewhere::FeedScope;
use crate::hub::{Executed, Hub, Origin, WantedDial};
use crate::id::PeerKey;
use crate::name::Name;
use crate::time::Time;

const KEY: PeerKey = PeerKey([7; 32]);

struct Cluster {
    leader: Node,
    follower: Node,
}

impl Cluster {
    fn new(realms_restricted: bool) -> Self {
        let leader = Node::leader();
        let follower = Node::follower(&leader);
        leader.hub.set_policy(Policy { realms_restricted, ..Policy::default() });
        leader.hub.begin_presence_of(follower.hub.process(), FeedScope::Anywhere);
        Self { leader, follower }
    }

    fn add(&mut self) -> Executed {
        let address = PeerAddress { host: "127.0.0.1".into(), port: 8888 };
        self.follower.execute(&Command::AddPeer { name: Name::parse("timur").unwrap(), key: None, address })
    }

    /// The dial that the leader is to make.
    fn dial(&self) -> WantedDial {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(self.leader.hub.next_dial())
    }

    /// The server has shown its key.
    fn link(&mut self, WantedDial { term, forward, by, name, address, .. }: WantedDial) -> u64 {
        let add = Command::AddPeer { name, key: Some(KEY), address };
        let origin = Origin::default().forwarded(Some(forward));
        let executed = self.leader.hub.execute_for(&Context::on_behalf_of(by, Time::now()), &add, origin);
        self.leader.committer.step();
        self.leader.hub.end_dial(term, forward, executed.result.map(drop));
        forward.number
    }

    /// The leader tells the follower over the channel what is new.
    fn tell(&mut self) {
        let answers = self.leader.hub.answer_news(self.follower.hub.process());
        answers.into_iter().for_each(|answer| self.follower.hub.note_answer(answer));
        self.follower.committer.rest(Duration::ZERO);
    }
}

fn told(executed: &Executed) -> Option<Result<Option<PeerKey>, CommandError>> {
    let told = Hub::outcome_of(executed)?;
    Some(told.map(|response| match response {
        Response::RealmAdded { key, .. } => key,
        other => panic!("{other:?}"),
    }))
}

#[test]
fn the_user_is_told_the_key_once_the_log_has_the_realm() {
    let mut cluster = Cluster::new(false);
    let added = cluster.add();
    assert_eq!(cluster.follower.forward_to(&mut cluster.leader).len(), 1, "it is answered later");
    let dial = cluster.dial();
    assert_eq!(dial.by, USER);
    let number = cluster.link(dial);
    cluster.tell();
    assert_eq!(told(&added), None, "the answer comes after the log");
    cluster.follower.take_over(&cluster.leader, &[number]);
    assert_eq!(told(&added), Some(Ok(Some(KEY))));
}

#[test]
fn the_user_is_told_why_the_dial_failed() {
    let mut cluster = Cluster::new(false);
    let added = cluster.add();
    cluster.follower.forward_to(&mut cluster.leader);
    let dial = cluster.dial();
    cluster.leader.hub.end_dial(dial.term, dial.forward, Err(CommandError::RealmUnreachable));
    cluster.tell();
    assert_eq!(told(&added), Some(Err(CommandError::RealmUnreachable)));
}

#[test]
fn who_may_not_add_realms_has_none_dialled() {
    let mut cluster = Cluster::new(true);
    let added = cluster.add();
    assert_eq!(cluster.follower.forward_to(&mut cluster.leader), [0; 0]);
    cluster.tell();
    assert_eq!(told(&added), Some(Err(CommandError::Forbidden)));
}

#[test]
fn a_command_that_comes_again_waits_for_the_dial_that_was_begun() {
    let mut cluster = Cluster::new(false);
    let added = cluster.add();
    cluster.follower.forward_to(&mut cluster.leader);
    let dial = cluster.dial();
    // The channel has broken, and another one has begun.
    cluster.leader.hub.begin_presence_of(cluster.follower.hub.process(), FeedScope::Anywhere);
    cluster.follower.hub.begin_forwarding();
    cluster.follower.forward_to(&mut cluster.leader);
    cluster.leader.hub.end_dial(dial.term, dial.forward, Err(CommandError::RealmRefused));
    cluster.tell();
    assert_eq!(told(&added), Some(Err(CommandError::RealmRefused)));
}

#[test]
fn a_node_that_begins_to_lead_lets_the_user_ask_again() {
    let mut cluster = Cluster::new(false);
    let added = cluster.add();
    cluster.follower.committer.begin_to_lead().unwrap();
    cluster.follower.committer.commit_next().unwrap();
    assert_eq!(told(&added), Some(Err(CommandError::Unavailable)));
}
