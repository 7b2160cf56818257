//! Connected users, in the order in which they came online (PROTOCOL §2).

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;
use tokio::sync::Notify;

use crate::chat::{Audience, Notification, SessionStanding, SessionUse, State, Topics};
use crate::hub::elsewhere::{Elsewhere, FeedScope, PresenceStates};
use crate::hub::outbox_tail::OutboxTail;
use crate::hub::presence_notices::PresenceNotices;
use crate::hub::send_queue::SendQueue;
use crate::hub::session_uses::SessionUses;
use crate::hub::user_bitset::UserBitset;
use crate::hub::watchers::Watchers;
use crate::id::{RealmId, Seq, SessionId, UserId};
use crate::limits::PRESENCE_PUSHES_AT_ONCE;
use crate::name::Name;
use crate::time::Time;

/// A connection that is attached to a session.
#[derive(Clone)]
pub(super) struct Attached {
    pub(super) session: SessionId,
    pub(super) send_queue: Arc<SendQueue>,
}

/// Connected users. A user with at least one attached connection is *online*.
#[derive(Default)]
pub(super) struct Presence {
    users: HashMap<UserId, Online>,
    /// The same users.
    online: UserBitset,
    arrivals: BTreeMap<u64, UserId>,
    last_arrival: u64,
    last_seen: HashMap<UserId, Time>,
    /// The most connections that a user has had at a time.
    pub(super) most_connections: usize,
    pub(super) session_uses: SessionUses,
    pub(super) watchers: Watchers,
    notices: PresenceNotices,
    elsewhere: Elsewhere,
    /// Of the links that are up.
    pub(super) outbox_tails: HashMap<RealmId, Arc<OutboxTail>>,
    /// Every message up to this one was pushed, or is being pushed, to the connections that listened then.
    pub(super) delivered: Seq,
}

struct Online {
    arrival: u64,
    connections: Vec<Attached>,
    /// At so many other nodes of the cluster, too.
    nodes: usize,
}

impl Presence {
    /// No connections, and everything up to `delivered` counts as pushed.
    pub(super) fn new(delivered: Seq) -> Self {
        Self { delivered, ..Self::default() }
    }

    /// Attaches a connection to a user. One that is attached already changes its session.
    pub(super) fn attach(&mut self, user: UserId, connection: Attached) {
        let online = self.online_mut(user);
        let known = online.connections.iter_mut().find(|known| Arc::ptr_eq(&known.send_queue, &connection.send_queue));
        match known {
            Some(known) => {
                let left = std::mem::replace(&mut known.session, connection.session);
                self.session_uses.record(left, Time::now());
            }
            None => {
                online.connections.push(connection);
                let count = online.connections.len();
                self.most_connections = self.most_connections.max(count);
                if count == 1 {
                    self.elsewhere.mark(user, None);
                }
            }
        }
    }

    fn online_mut(&mut self, user: UserId) -> &mut Online {
        self.users.entry(user).or_insert_with(|| {
            self.last_arrival += 1;
            self.arrivals.insert(self.last_arrival, user);
            self.online.insert(user);
            Online { arrival: self.last_arrival, connections: Vec::with_capacity(1), nodes: 0 }
        })
    }

    /// Detaches the connections of a user for which `leaves` is true, and returns them.
    pub(super) fn detach(&mut self, user: UserId, leaves: impl Fn(&Attached) -> bool) -> Vec<Attached> {
        let Some(online) = self.users.get_mut(&user) else { return Vec::new() };
        let left: Vec<_> = online.connections.extract_if(.., |connection| leaves(connection)).collect();
        for left in &left {
            self.session_uses.record(left.session, Time::now());
            self.watchers.remove(&left.send_queue);
        }
        if online.connections.is_empty() && !left.is_empty() {
            self.elsewhere.mark(user, None);
        }
        self.remove_if_offline(user);
        left
    }

    fn remove_if_offline(&mut self, user: UserId) {
        let Some(online) = self.users.get(&user) else { return };
        if online.connections.is_empty() && online.nodes == 0 {
            self.arrivals.remove(&online.arrival);
            self.users.remove(&user);
            self.online.remove(user);
            self.last_seen.insert(user, Time::now());
        }
    }

    /// Who is online elsewhere.
    pub(super) fn elsewhere(&mut self) -> &mut Elsewhere {
        &mut self.elsewhere
    }

    /// Sets whether a user is online at another node.
    pub(super) fn set_elsewhere(&mut self, node: u64, user: UserId, is_online: bool) {
        if !self.elsewhere.set(node, user, is_online) {
            return;
        }
        let online = self.online_mut(user);
        online.nodes = if is_online { online.nodes + 1 } else { online.nodes.saturating_sub(1) };
        self.remove_if_offline(user);
        self.elsewhere.mark(user, Some(node));
    }

    /// Begins to tell a node who is online.
    pub(super) fn open_feed(&mut self, node: u64, scope: FeedScope) -> Arc<Notify> {
        let Self { users, elsewhere, .. } = self;
        let is_told = |online: &Online| scope == FeedScope::Anywhere || !online.connections.is_empty();
        let told = users.iter().filter(|(_, online)| is_told(online)).map(|(user, _)| *user);
        elsewhere.open_feed(node, scope, told)
    }

    /// The states that a node is to be told next.
    pub(super) fn take_news(&mut self, node: u64) -> PresenceStates {
        let (scope, users) = self.elsewhere.take_changed(node);
        let is_beside = |user| scope == FeedScope::Anywhere && self.elsewhere.is_online_beside(user, node);
        users.into_iter().map(|user| (user, self.is_here(user) || is_beside(user))).collect()
    }

    fn is_here(&self, user: UserId) -> bool {
        !self.connections(user).is_empty()
    }

    /// Notifies the watchers that a user came or went; at the end of the period if they were told so in it already. Returns
    /// the queues to flush.
    pub(super) fn notify_watchers(&mut self, user: UserId, name: &Name, online: bool) -> Vec<Arc<SendQueue>> {
        let watchers = self.watchers.len();
        if watchers > 0 && self.notices.is_told_at_once(user, name, online, watchers) {
            self.tell_watchers(name, online)
        } else {
            Vec::new()
        }
    }

    /// Begins a period of presence notices.
    pub(super) fn begin_period(&mut self) {
        self.notices.begin_period();
    }

    /// Notifies the watchers of states that they were not told in the periods before, with as many pushes as the lock may be
    /// held for. Takes them off `pushes`, those that are left at the end of a period. Returns the queues to flush; `None`
    /// once there is nothing to tell or no push is left.
    pub(super) fn notify_of_states(&mut self, pushes: &mut usize) -> Option<Vec<Arc<SendQueue>>> {
        let watchers = self.watchers.len().max(1);
        let at_once = (PRESENCE_PUSHES_AT_ONCE.min(*pushes) / watchers).max(1);
        let users = if *pushes > 0 { self.notices.take_waiting(at_once) } else { Vec::new() };
        *pushes = pushes.saturating_sub(users.len() * watchers);
        let mut to_flush = Vec::new();
        for (user, name) in &users {
            let online = self.is_online(*user);
            self.notices.record(*user, online);
            to_flush.extend(self.tell_watchers(name, online));
        }
        (!users.is_empty()).then_some(to_flush)
    }

    fn tell_watchers(&mut self, user: &Name, online: bool) -> Vec<Arc<SendQueue>> {
        self.watchers.notify(&Notification::Presence { user: user.clone(), online })
    }

    /// Calls `begin` for a connection that is attached to the user, and adds it to the watchers if it asked for presence.
    pub(super) fn listen(
        &mut self,
        user: UserId,
        send_queue: &Arc<SendQueue>,
        topics: Topics,
        begin: impl FnOnce(&SendQueue),
    ) {
        if !self.is_attached(user, send_queue) {
            return;
        }
        begin(send_queue);
        if topics.presence {
            self.watchers.add(send_queue);
        } else {
            self.watchers.remove(send_queue);
        }
    }

    /// Detaches connections from sessions that a failed commit took back: their numbers will be given out again.
    pub(super) fn detach_lost_sessions(&mut self, state: &State) {
        let users: Vec<UserId> = self.users.keys().copied().collect();
        for user in users {
            let is_open = |id| state.session(id).is_some_and(|open| open.user == user);
            for lost in self.detach(user, |attached| !is_open(attached.session)) {
                lost.send_queue.end_binding();
                self.session_uses.forget(lost.session);
            }
            if !self.is_online(user)
                && let Some(gone) = state.user(user)
            {
                self.notices.defer(user, gone.name.clone());
            }
        }
    }

    pub(super) fn connections(&self, user: UserId) -> &[Attached] {
        self.users.get(&user).map_or(&[], |online| &online.connections)
    }

    pub(super) fn is_attached(&self, user: UserId, send_queue: &Arc<SendQueue>) -> bool {
        self.connections(user).iter().any(|attached| Arc::ptr_eq(&attached.send_queue, send_queue))
    }

    pub(super) fn is_connected(&self, user: UserId, session: SessionId) -> bool {
        self.connections(user).iter().any(|attached| attached.session == session)
    }

    /// When a session of the user was used last, if that is known. One that a connection is attached to is in use.
    pub(super) fn session_use(&self, user: UserId, session: SessionId) -> Option<SessionUse> {
        let attached = self.connections(user).iter().filter(|attached| attached.session == session);
        match attached.map(|attached| attached.send_queue.last_use()).max() {
            Some(at) => Some(SessionUse { session, standing: SessionStanding::Connected, at }),
            None => self.session_uses.of(session),
        }
    }

    /// Whether pushes are on their way to a connection of the user.
    pub(super) fn is_pushed_to(&self, user: UserId) -> bool {
        self.connections(user).iter().any(|attached| attached.send_queue.push_slot().is_some())
    }

    /// How many connections of an audience listen.
    pub(super) fn count_listening(&self, audience: &Audience) -> usize {
        let mut count = 0;
        self.each_of(audience, |_, send_queue| count += usize::from(send_queue.is_listening()));
        count
    }

    pub(super) fn is_online(&self, user: UserId) -> bool {
        self.users.contains_key(&user)
    }

    /// When the user's last connection ended, since this server started.
    pub(super) fn last_seen(&self, user: UserId) -> Option<Time> {
        self.last_seen.get(&user).copied()
    }

    pub(super) fn online_count(&self) -> usize {
        self.users.len()
    }

    /// Users who are online, in the order of coming online.
    pub(super) fn online(&self) -> impl Iterator<Item = UserId> {
        self.arrivals.values().copied()
    }

    /// Calls `deliver` for each connection of the audience.
    pub(super) fn each_of(&self, audience: &Audience, mut deliver: impl FnMut(UserId, &Arc<SendQueue>)) {
        let mut tell = |user: UserId| {
            for connection in self.connections(user) {
                deliver(user, &connection.send_queue);
            }
        };
        match audience {
            Audience::Pair(to, from) => {
                tell(*to);
                if from != to {
                    tell(*from);
                }
            }
            Audience::Members(members) => {
                members.iter().copied().filter(|member| self.online.contains(*member)).for_each(tell);
            }
            Audience::Everyone => self.users.keys().copied().for_each(tell),
        }
    }
}
