//! The office: which links are up, who may become one, and who is dialled again.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::chat::{CommandError, IdempotencyKey, PeerAddress};
use crate::federation::carrier::{Carried, Carrier, DialError};
use crate::federation::frame::Reason;
use crate::federation::incarnation::begin_incarnation;
use crate::federation::link::{End, Handle, Link};
use crate::federation::meeting::{Met, Parting, Purpose, meet};
use crate::hub::{Hub, OutboxTail};
use crate::id::{PeerKey, RealmId, UserId};
use crate::limits::{LINK_MEETINGS, LINK_SIGN_OF_LIFE};
use crate::name::Name;
use crate::time::Time;

/// Which servers may link themselves to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// Those whose keys are known.
    Known,
    /// Those, and any other on this machine.
    Loopback,
    /// All.
    Any,
}

/// What the operator allows of links, and what this server says of itself.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Which servers may link themselves to this one.
    pub accept: Accept,
    /// The chat port, where there is one that other servers can dial.
    pub port: Option<u16>,
    /// The longest text of a message, in bytes.
    pub text_bytes: usize,
}

/// The office. Clones share it.
#[derive(Clone)]
pub struct Office(Arc<Inner>);

struct Inner {
    hub: Hub,
    key: PeerKey,
    carrier: Arc<dyn Carrier>,
    terms: Terms,
    standings: Mutex<HashMap<RealmId, Standing>>,
    /// Bounds how many strangers are met at a time.
    meetings: Semaphore,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

/// How the link to a server stands.
#[derive(Default)]
struct Standing {
    up: Option<Handle>,
    since: Option<Time>,
    problem: Option<Box<str>>,
    /// Somebody dials it again whenever it is down.
    is_dialled: bool,
    /// Wakes whoever dials: the link came up or went down, or the realm is gone.
    changed: Arc<Notify>,
}

/// A link that is up and is to be run.
struct Raised {
    realm: RealmId,
    key: PeerKey,
    handle: Handle,
    feed: Arc<OutboxTail>,
    link: Link,
}

/// How the link to a server stands, for those who ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The link is up.
    pub is_up: bool,
    /// Since when it is up or down, where that has changed since this server started.
    pub since: Option<Time>,
    /// What was wrong last, where it is down.
    pub problem: Option<Box<str>>,
}

impl Office {
    /// Opens the office; no server is dialled before [`Office::start`].
    #[must_use]
    pub fn new(
        hub: Hub,
        key: PeerKey,
        carrier: Arc<dyn Carrier>,
        terms: Terms,
        tasks: TaskTracker,
        stopping: CancellationToken,
    ) -> Self {
        let (standings, meetings) = (Mutex::default(), Semaphore::new(LINK_MEETINGS));
        Self(Arc::new(Inner { hub, key, carrier, terms, standings, meetings, tasks, stopping }))
    }

    /// Begins to dial the servers that are known.
    pub fn start(&self) {
        let (links, _) = self.hub().read(|state| state.peers().map(|(realm, ..)| realm).collect::<Vec<_>>());
        links.into_iter().for_each(|realm| self.keep_dialling(realm));
    }

    /// Links another server at a user's wish: once it is linked, or why not.
    ///
    /// # Errors
    /// The [`CommandError`] that says whether it was this server or the other one that did not want it, or whether there is none.
    pub async fn add(
        &self,
        by: UserId,
        name: Name,
        address: PeerAddress,
        once: Option<IdempotencyKey>,
    ) -> Result<PeerKey, CommandError> {
        let carried = self.dial(&address).await.map_err(|error| {
            info!(%name, host = %address.host, port = address.port, %error, "a realm could not be added");
            match error {
                DialError::Forbidden => CommandError::Forbidden,
                DialError::Unreachable(_) => CommandError::RealmUnreachable,
                DialError::Refused(_) => CommandError::RealmRefused,
            }
        })?;
        let key = carried.key;
        let purpose = Purpose::Adding { by, name: name.clone(), address, once };
        let met = meet(self, carried, &purpose).await.map_err(|parting| {
            info!(%name, %key, problem = parting.problem(), "a realm could not be added");
            parting.error()
        })?;
        self.keep_dialling(met.realm);
        // Whoever asked for it may send at once. Where there is a link already, that one stays.
        if let Some(raised) = self.raise(met).await {
            let office = self.clone();
            self.0.tasks.spawn(async move { office.run(raised).await });
        }
        Ok(key)
    }

    /// Serves a server that has dialled this one, until the link ends.
    pub async fn serve(&self, carried: Carried) {
        let (key, address) = (carried.key, carried.address);
        let Ok(meeting) = self.0.meetings.try_acquire() else {
            return info!(%address, "a link was not made: too many servers come at once");
        };
        let met = match meet(self, carried, &Purpose::Dialled).await {
            Ok(met) => met,
            Err(parting) => {
                info!(%key, %address, problem = parting.problem(), "a link was not made");
                let known = self.hub().read(|state| state.peer_of(&key).map(|(realm, ..)| realm)).0;
                if let Some(realm) = known {
                    self.keep_dialling(realm);
                    self.note_problem(realm, &parting.problem());
                }
                return;
            }
        };
        drop(meeting);
        self.keep_dialling(met.realm);
        self.bring_up(met).await;
    }

    /// How the link to a server stands.
    #[must_use]
    pub fn report(&self, realm: RealmId) -> Report {
        let standings = self.standings();
        let Some(standing) = standings.get(&realm) else { return Report::default() };
        let is_up = standing.up.is_some();
        Report { is_up, since: standing.since, problem: standing.problem.clone().filter(|_| !is_up) }
    }

    /// Ends the link to a realm that was removed.
    pub fn forget(&self, realm: RealmId) {
        let Some(standing) = self.standings().remove(&realm) else { return };
        if let Some(up) = standing.up {
            up.end(End::Ours(Reason::Removed));
        }
        standing.changed.notify_one();
    }

    pub(super) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// This server's own key.
    #[must_use]
    pub fn key(&self) -> PeerKey {
        self.0.key
    }

    pub(super) fn port(&self) -> Option<u16> {
        self.0.terms.port
    }

    /// Whether a server may come that is not known.
    pub(super) fn welcomes(&self, address: IpAddr) -> bool {
        match self.0.terms.accept {
            Accept::Known => false,
            Accept::Loopback => address.to_canonical().is_loopback(),
            Accept::Any => true,
        }
    }

    pub(super) fn stopping(&self) -> &CancellationToken {
        &self.0.stopping
    }

    pub(super) async fn dial(&self, PeerAddress { host, port }: &PeerAddress) -> Result<Carried, DialError> {
        tokio::select! {
            dialled = self.0.carrier.dial(host, *port) => dialled,
            () = self.stopping().cancelled() => Err(DialError::Unreachable("this server stops".into())),
        }
    }

    fn standings(&self) -> MutexGuard<'_, HashMap<RealmId, Standing>> {
        self.0.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that somebody dials the server of a realm whenever the link is down.
    pub(super) fn keep_dialling(&self, realm: RealmId) {
        let mut standings = self.standings();
        let standing = standings.entry(realm).or_default();
        if std::mem::replace(&mut standing.is_dialled, true) {
            return;
        }
        let changed = standing.changed.clone();
        drop(standings);
        let office = self.clone();
        self.0.tasks.spawn(async move { office.dial_again_and_again(realm, &changed).await });
    }

    fn name(&self, realm: RealmId) -> String {
        let name = self.hub().read(|state| state.realm(realm).map(|realm| realm.name.to_string())).0;
        name.unwrap_or_default()
    }

    pub(super) fn note_problem(&self, realm: RealmId, problem: &str) {
        if let Some(standing) = self.standings().get_mut(&realm) {
            standing.problem = Some(problem.into());
        }
    }

    pub(super) fn is_up(&self, realm: RealmId) -> bool {
        self.standings().get(&realm).is_some_and(|standing| standing.up.is_some())
    }

    /// Runs the link to a server that was met, unless there is one that stays.
    pub(super) async fn bring_up(&self, met: Met) {
        if let Some(raised) = self.raise(met).await {
            self.run(raised).await;
        }
    }

    /// Makes a link of a server that was met, unless there is one that stays: from then on the link is up.
    async fn raise(&self, met: Met) -> Option<Raised> {
        let (realm, key) = (met.realm, met.key);
        let handle = Handle::new(met.is_dialler);
        if !self.takes_its_place(realm, key, &handle).await {
            let Met { mut channel, .. } = met;
            channel.bid_farewell(Reason::AlreadyLinked).await;
            return None;
        }
        let hub = self.hub();
        if hub.read(|state| state.is_behind(&met.heads)).0
            && let Err(error) = begin_incarnation(hub)
        {
            warn!(code = error.code(), "a restored server could not begin to count anew");
            self.note_end(realm, key, &handle, End::Ours(Reason::NoRoom));
            return None;
        }
        let cursor = hub.read(|state| state.peer(realm).map(|link| link.cursor)).0.unwrap_or_default();
        let feed = hub.open_outbox_tail(realm, cursor);
        let name = self.name(realm);
        info!(realm = name, %key, "link is up");
        let link = Link::new(hub.clone(), feed.clone(), met, handle.clone(), self.0.terms.text_bytes);
        Some(Raised { realm, key, handle, feed, link })
    }

    async fn run(&self, Raised { realm, key, handle, feed, link }: Raised) {
        let end = link.run().await;
        self.hub().close_outbox_tail(&feed);
        self.note_end(realm, key, &handle, end);
    }

    fn note_end(&self, realm: RealmId, key: PeerKey, handle: &Handle, end: End) {
        let mut standings = self.standings();
        let Some(standing) = standings.get_mut(&realm) else { return };
        let is_current = standing.up.as_ref().is_some_and(|up| up.is_same(handle));
        if !is_current {
            return;
        }
        info!(%key, %end, "link is down");
        standing.up = None;
        standing.since = Some(Time::now());
        standing.problem = Some(end.to_string().into());
        standing.changed.notify_one();
    }

    /// Makes a link the one of its realm. Where there is one already and it was dialled from the other side, both servers
    /// may have dialled at once: then both keep the link that the smaller key has dialled, unless that one is dead. Where
    /// the same side has dialled again, it has lost the first.
    async fn takes_its_place(&self, realm: RealmId, key: PeerKey, new: &Handle) -> bool {
        let is_preferred = new.is_dialler == (self.key() < key);
        let up = self.standings().get(&realm).and_then(|standing| standing.up.clone());
        if let Some(up) = up.filter(|up| up.is_dialler != new.is_dialler && !is_preferred) {
            let alive = up.alive.notified();
            up.ask.notify_one();
            if timeout(LINK_SIGN_OF_LIFE, alive).await.is_ok() && !up.ended.is_cancelled() {
                return false;
            }
        }
        let mut standings = self.standings();
        let standing = standings.entry(realm).or_default();
        if let Some(before) = standing.up.replace(new.clone()) {
            before.end(End::Replaced);
        }
        standing.since = Some(Time::now());
        standing.problem = None;
        standing.changed.notify_one();
        if self.stopping().is_cancelled() {
            new.end(End::Ours(Reason::Stopping));
        }
        true
    }

    /// Ends all links, for the server stops.
    pub fn stop(&self) {
        for standing in self.standings().values() {
            if let Some(up) = &standing.up {
                up.end(End::Ours(Reason::Stopping));
            }
            standing.changed.notify_one();
        }
    }

    /// Two servers that met have no link: an operator is told of what will not pass by itself.
    pub(super) fn parted(&self, realm: RealmId, met: PeerKey, parting: Parting) {
        let mut problem = parting.problem();
        if parting.error() == CommandError::RealmKeyChanged {
            let known = self.hub().read(|state| state.peer(realm).and_then(|link| link.info.key)).0;
            let known = known.map_or_else(|| "none".to_owned(), |known| known.to_string());
            problem += &format!(" (known here {known}, met {met}, this server's own {})", self.key());
            if self.report(realm).problem.as_deref() != Some(&problem) {
                let realm = self.name(realm);
                warn!(
                    realm,
                    problem, "a link was refused: if a key was changed on purpose, delrealm and addrealm again"
                );
            }
        }
        self.note_problem(realm, &problem);
    }
}
