//! What nodes of a cluster tell each other beside the log: soft state. Each node tells its leader who is connected to it. The
//! leader tells each node who is connected elsewhere, how its links to other realms are, and what became of messages to them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Notify;

use crate::hub::delivery_status::DeliveryStatus;
use crate::hub::forwarded_command::ForwardAnswer;
use crate::hub::link_states::{LinkStates, NodeLink};
use crate::id::{RealmId, UserId};
use crate::limits::{DELIVERIES_FRAME, LINKS_FRAME, PRESENCE_FRAME, PRESENCE_GRACE};

/// Whether users are online.
pub type PresenceStates = Vec<(UserId, bool)>;
/// What became of a message to another realm, by the number of the command that its node has forwarded.
pub type NodeDelivery = (u64, DeliveryStatus);

/// What other nodes tell, and what they are to be told.
#[derive(Default)]
pub(super) struct Elsewhere {
    nodes: HashMap<u64, NodeUsers>,
    feeds: HashMap<u64, Feed>,
    pub(super) links: LinkStates,
}

/// The users who are online by the word of another node.
#[derive(Default)]
struct NodeUsers {
    online: HashSet<UserId>,
    /// Users of an earlier channel that the node has not named again yet.
    unconfirmed: HashSet<UserId>,
    /// Since when there is no channel to the node.
    silent_since: Option<Instant>,
}

/// The users that a node is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedScope {
    /// Who is connected here: for the leader.
    Here,
    /// Who is online anywhere beside that node: for a follower.
    Anywhere,
}

/// Users whose states a node is to be told.
struct Feed {
    scope: FeedScope,
    changed: HashSet<UserId>,
    /// What became of messages to other realms that the node has forwarded, by the numbers of the commands.
    deliveries: Vec<NodeDelivery>,
    /// To commands of the node that took a while.
    answers: Vec<ForwardAnswer>,
    /// Realms of whose links the node is to be told; `None` if there is nothing new.
    links: Option<HashSet<RealmId>>,
    news: Arc<Notify>,
}

impl Elsewhere {
    /// A user came or went here, or at the node `by`: the others are to be told.
    pub(super) fn mark(&mut self, user: UserId, by: Option<u64>) {
        let concerns = |node: u64, scope| by.is_none_or(|by| by != node && scope == FeedScope::Anywhere);
        for (_, feed) in self.feeds.iter_mut().filter(|(node, feed)| concerns(**node, feed.scope)) {
            feed.changed.insert(user);
            feed.news.notify_one();
        }
    }

    /// Begins to tell a node, first of all who is online now.
    pub(super) fn open_feed(
        &mut self,
        node: u64,
        scope: FeedScope,
        online: impl Iterator<Item = UserId>,
    ) -> Arc<Notify> {
        let (changed, news) = (online.collect(), Arc::default());
        let links = (scope == FeedScope::Anywhere).then(|| self.links.realms().collect());
        let feed = Feed { scope, changed, deliveries: Vec::new(), answers: Vec::new(), links, news };
        feed.news.notify_one();
        let news = feed.news.clone();
        self.feeds.insert(node, feed);
        news
    }

    /// Ends what `open_feed` has begun. Returns whether the node was not told again since, over another channel.
    pub(super) fn close_feed(&mut self, node: u64, news: &Arc<Notify>) -> bool {
        let is_newest = self.feeds.get(&node).is_some_and(|feed| Arc::ptr_eq(&feed.news, news));
        if is_newest {
            self.feeds.remove(&node);
        }
        is_newest
    }

    /// The node is to be told what became of a message that it has forwarded. If there is no channel to it, it learns that
    /// from the log.
    pub(super) fn tell_delivery(&mut self, node: u64, delivery: NodeDelivery) {
        let Some(feed) = self.feeds.get_mut(&node) else { return };
        feed.deliveries.push(delivery);
        feed.news.notify_one();
    }

    /// The link to a realm has changed: all followers are to be told.
    pub(super) fn tell_link(&mut self, realm: RealmId) {
        for feed in self.feeds.values_mut().filter(|feed| feed.scope == FeedScope::Anywhere) {
            feed.links.get_or_insert_default().insert(realm);
            feed.news.notify_one();
        }
    }

    /// The links of which the node is to be told next; first of all of them, though there may be none.
    pub(super) fn take_links(&mut self, node: u64) -> Option<Vec<NodeLink>> {
        let realms = &mut self.feeds.get_mut(&node)?.links;
        let taken: Vec<_> = realms.as_ref()?.iter().take(LINKS_FRAME).copied().collect();
        realms.as_mut()?.retain(|realm| !taken.contains(realm));
        *realms = realms.take().filter(|left| !left.is_empty());
        Some(taken.into_iter().map(|realm| (realm, self.links.status(realm))).collect())
    }

    /// The node is to be told the answer to a command. If there is no channel to it, it asks again over the next one.
    pub(super) fn tell_answer(&mut self, node: u64, answer: ForwardAnswer) {
        let Some(feed) = self.feeds.get_mut(&node) else { return };
        feed.answers.push(answer);
        feed.news.notify_one();
    }

    pub(super) fn take_answers(&mut self, node: u64) -> Vec<ForwardAnswer> {
        self.feeds.get_mut(&node).map(|feed| std::mem::take(&mut feed.answers)).unwrap_or_default()
    }

    /// What the node is to be told next of messages that it has forwarded.
    pub(super) fn take_deliveries(&mut self, node: u64) -> Vec<NodeDelivery> {
        let Some(feed) = self.feeds.get_mut(&node) else { return Vec::new() };
        let count = feed.deliveries.len().min(DELIVERIES_FRAME);
        feed.deliveries.drain(..count).collect()
    }

    /// To how many nodes there is a channel.
    pub(super) fn channels(&self) -> usize {
        self.feeds.len()
    }

    /// Users whose states the node is to be told next, and of which scope.
    pub(super) fn take_changed(&mut self, node: u64) -> (FeedScope, Vec<UserId>) {
        let Some(feed) = self.feeds.get_mut(&node) else { return (FeedScope::Here, Vec::new()) };
        let users: Vec<_> = feed.changed.iter().take(PRESENCE_FRAME).copied().collect();
        for user in &users {
            feed.changed.remove(user);
        }
        (feed.scope, users)
    }

    /// Whether a user is online at another node than `node`.
    pub(super) fn is_online_beside(&self, user: UserId, node: u64) -> bool {
        self.nodes.iter().any(|(other, users)| *other != node && users.online.contains(&user))
    }

    /// A channel to the node begins: it names all its users again.
    pub(super) fn begin(&mut self, node: u64) {
        let users = self.nodes.entry(node).or_default();
        users.unconfirmed = users.online.clone();
        users.silent_since = None;
    }

    /// Sets what the node says of a user. Returns whether that is new.
    pub(super) fn set(&mut self, node: u64, user: UserId, is_online: bool) -> bool {
        let users = self.nodes.entry(node).or_default();
        users.unconfirmed.remove(&user);
        if is_online { users.online.insert(user) } else { users.online.remove(&user) }
    }

    /// The node has named all its users: who is left is not online there any more.
    pub(super) fn take_unconfirmed(&mut self, node: u64) -> HashSet<UserId> {
        self.nodes.get_mut(&node).map(|users| std::mem::take(&mut users.unconfirmed)).unwrap_or_default()
    }

    /// There is no channel to the node any more.
    pub(super) fn end(&mut self, node: u64, now: Instant) {
        if let Some(users) = self.nodes.get_mut(&node) {
            users.silent_since.get_or_insert(now);
        }
    }

    /// Nodes that have been silent for too long, with who was online there.
    pub(super) fn take_silent(&mut self, now: Instant) -> Vec<(u64, Vec<UserId>)> {
        let is_over = |users: &NodeUsers| users.silent_since.is_some_and(|since| now >= since + PRESENCE_GRACE);
        let over = self.nodes.iter().filter(|(_, users)| is_over(users));
        over.map(|(node, users)| (*node, users.online.iter().copied().collect())).collect()
    }

    /// Forgets a node of which nobody is online any more.
    pub(super) fn forget(&mut self, node: u64) {
        self.nodes.remove(&node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::LinkStatus;

    const USER: UserId = UserId(7);

    #[test]
    fn a_node_is_told_what_changed_elsewhere_and_not_what_it_said_itself() {
        let mut elsewhere = Elsewhere::default();
        elsewhere.open_feed(1, FeedScope::Anywhere, [USER].into_iter());
        elsewhere.open_feed(2, FeedScope::Anywhere, std::iter::empty());
        assert_eq!(elsewhere.take_changed(1).1, [USER]);
        elsewhere.mark(USER, Some(2));
        assert_eq!((elsewhere.take_changed(1).1, elsewhere.take_changed(2).1), (vec![USER], vec![]));
    }

    #[test]
    fn a_channel_that_ends_late_does_not_end_the_next_one() {
        let mut elsewhere = Elsewhere::default();
        let first = elsewhere.open_feed(1, FeedScope::Anywhere, std::iter::empty());
        let second = elsewhere.open_feed(1, FeedScope::Anywhere, std::iter::empty());
        assert!(!elsewhere.close_feed(1, &first));
        elsewhere.tell_delivery(1, (7, DeliveryStatus::Delivered));
        assert_eq!(elsewhere.take_deliveries(1), [(7, DeliveryStatus::Delivered)]);
        assert!(elsewhere.close_feed(1, &second));
    }

    #[test]
    fn a_follower_is_told_of_all_links_and_then_of_those_that_change() {
        let mut elsewhere = Elsewhere::default();
        let (up, down) = (LinkStatus { is_up: true, ..LinkStatus::default() }, LinkStatus::default());
        elsewhere.links.set(RealmId(1), up.clone());
        elsewhere.open_feed(1, FeedScope::Anywhere, std::iter::empty());
        elsewhere.open_feed(2, FeedScope::Here, std::iter::empty());
        assert_eq!(elsewhere.take_links(1), Some(vec![(RealmId(1), up)]));
        assert_eq!(elsewhere.take_links(1), None);
        elsewhere.links.set(RealmId(1), down.clone());
        elsewhere.tell_link(RealmId(1));
        assert_eq!(elsewhere.take_links(1), Some(vec![(RealmId(1), down)]));
        assert_eq!(elsewhere.take_links(2), None, "the leader is told of its own links");
    }

    #[test]
    fn a_follower_is_told_that_there_are_no_links() {
        let mut elsewhere = Elsewhere::default();
        elsewhere.open_feed(1, FeedScope::Anywhere, std::iter::empty());
        assert_eq!((elsewhere.take_links(1), elsewhere.take_links(1)), (Some(vec![]), None));
    }

    #[test]
    fn the_leader_is_told_only_who_is_here() {
        let mut elsewhere = Elsewhere::default();
        elsewhere.open_feed(1, FeedScope::Here, std::iter::empty());
        elsewhere.mark(USER, Some(2));
        elsewhere.mark(UserId(8), None);
        assert_eq!(elsewhere.take_changed(1), (FeedScope::Here, vec![UserId(8)]));
    }

    #[test]
    fn whom_a_node_does_not_name_again_is_gone() {
        let mut elsewhere = Elsewhere::default();
        assert!(elsewhere.set(1, USER, true) && elsewhere.set(1, UserId(8), true));
        elsewhere.begin(1);
        assert!(!elsewhere.set(1, USER, true));
        assert_eq!(elsewhere.take_unconfirmed(1), HashSet::from([UserId(8)]));
    }

    #[test]
    fn the_users_of_a_silent_node_stay_for_a_while() {
        let (mut elsewhere, now) = (Elsewhere::default(), Instant::now());
        elsewhere.set(1, USER, true);
        elsewhere.end(1, now);
        assert!(elsewhere.take_silent(now).is_empty());
        assert_eq!(elsewhere.take_silent(now + PRESENCE_GRACE), [(1, vec![USER])]);
        elsewhere.begin(1);
        assert!(elsewhere.take_silent(now + PRESENCE_GRACE).is_empty());
    }
}
