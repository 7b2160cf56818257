//! Accepts, dials and runs the links to other servers.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::chat::{CommandError, LinkStatus, Peer, PeerAddress};
use crate::federation::frame::CloseReason;
use crate::federation::handshake::{HandshakeError, HandshakeKind, Handshaken, LinkRequest, handshake};
use crate::federation::link::{Link, LinkEnd, LinkHandle};
use crate::federation::link_table::LinkTable;
use crate::federation::local_server::LocalServer;
use crate::federation::policy::LinkPolicy;
use crate::federation::reconnect::{Reconnect, Target, reconnect_loop};
use crate::federation::transport::{DialError, DialPurpose, PeerStream, Transport};
use crate::hub::{Hub, OutboxTail};
use crate::id::{PeerKey, RealmId, UserId};
use crate::limits::{HOST_BYTES, LINK_DIALS, LINK_HANDSHAKES, LINK_PING_TIMEOUT};
use crate::log_limit::LogLimit;
use crate::settings::Accept;
use crate::time::Time;

/// The links to other servers. Clones share them.
#[derive(Clone)]
pub struct LinkManager(Arc<Inner>);

struct Inner {
    local: LocalServer,
    transport: Arc<dyn Transport>,
    links: LinkTable,
    /// Bounds the inbound handshakes that run at a time.
    handshakes: Semaphore,
    /// Bounds the dials for users.
    dial_permits: Semaphore,
    logged_users: LogLimit<UserId>,
    logged_addresses: LogLimit<IpAddr>,
    /// By realm, and whether the link came up.
    logged_links: LogLimit<(RealmId, bool)>,
    tasks: TaskTracker,
}

/// A link that is in the table and not running yet.
struct EstablishedLink {
    realm: RealmId,
    key: PeerKey,
    handle: LinkHandle,
    outbox: Arc<OutboxTail>,
    link: Link,
}

/// One realm, for its reconnect loop.
struct ManagedRealm {
    manager: LinkManager,
    realm: RealmId,
}

impl LinkManager {
    /// Dials no server before [`LinkManager::start`].
    pub(crate) fn new(
        hub: Hub,
        key: PeerKey,
        transport: Arc<dyn Transport>,
        policy: LinkPolicy,
        tasks: TaskTracker,
        stopping: CancellationToken,
    ) -> Self {
        let links = LinkTable::new(hub.clone());
        let local = LocalServer { hub, key, policy: ArcSwap::from_pointee(policy), stopping };
        let (handshakes, dial_permits) = (Semaphore::new(LINK_HANDSHAKES), Semaphore::new(LINK_DIALS));
        Self(Arc::new(Inner {
            local,
            transport,
            links,
            handshakes,
            dial_permits,
            logged_users: LogLimit::default(),
            logged_addresses: LogLimit::default(),
            logged_links: LogLimit::default(),
            tasks,
        }))
    }

    /// Starts a reconnect loop for every known server.
    pub(crate) fn start(&self) {
        let (realms, _) = self.hub().read(|state| state.peers().map(|(realm, ..)| realm).collect::<Vec<_>>());
        realms.into_iter().for_each(|realm| self.ensure_reconnect_loop(realm));
    }

    /// Changes which unknown servers may link. Links that are up stay.
    pub(crate) fn set_accept(&self, accept: Accept) {
        let policy = LinkPolicy { accept, ..LinkPolicy::clone(&self.0.local.policy.load()) };
        self.0.local.policy.store(Arc::new(policy));
    }

    /// Looks again at which servers are known, where they are, and what may be dialled.
    pub(crate) fn peers_changed(&self) {
        self.start();
        self.0.links.wake_all();
    }

    /// Links another server for a user, and returns its key once it has accepted.
    ///
    /// # Errors
    /// A [`CommandError`] that distinguishes which of the two servers refused, or that none answered.
    pub(crate) async fn add(&self, request: LinkRequest) -> Result<PeerKey, CommandError> {
        let _dial = self.0.dial_permits.try_acquire().map_err(|_| CommandError::Busy)?;
        let LinkRequest { by, name, address, .. } = &request;
        let (by, name) = (*by, name.clone());
        let peer = self.dial(address, DialPurpose::ForUser).await.map_err(|error| {
            if let Some(left_out) = self.0.logged_users.allows(by, Instant::now()) {
                let host: String = address.host.chars().take(HOST_BYTES).collect();
                info!(user = %by, %name, host, port = address.port, %error, left_out, "a realm could not be added");
            }
            match error {
                DialError::Forbidden => CommandError::Forbidden,
                DialError::Unreachable(_) => CommandError::RealmUnreachable,
                DialError::Refused(_) => CommandError::RealmRefused,
            }
        })?;
        let key = peer.key;
        let handshaken = handshake(&self.0.local, peer, &HandshakeKind::AddPeer(request)).await.map_err(|error| {
            if let Some(left_out) = self.0.logged_users.allows(by, Instant::now()) {
                info!(user = %by, %name, %key, problem = error.problem(), left_out, "a realm could not be added");
            }
            error.error()
        })?;
        self.ensure_reconnect_loop(handshaken.realm);
        // The user may send as soon as this returns, so the link is in the table by then.
        if let Some(established) = self.establish(handshaken).await {
            let manager = self.clone();
            self.0.tasks.spawn(async move { manager.run(established).await });
        }
        Ok(key)
    }

    /// Serves a server that dialled this one, until the link ends.
    pub(crate) async fn serve(&self, peer: PeerStream) {
        let (key, address) = (peer.key, peer.address);
        let Ok(permit) = self.0.handshakes.try_acquire() else {
            return self.log_unmade(address, "too many handshakes at a time");
        };
        let handshaken = match handshake(&self.0.local, peer, &HandshakeKind::Inbound).await {
            Ok(handshaken) => handshaken,
            Err(error) => {
                self.log_unmade(address, &error.problem());
                let known = self.hub().read(|state| state.peer_of(&key).map(|(realm, ..)| realm)).0;
                if let Some(realm) = known {
                    self.ensure_reconnect_loop(realm);
                    self.0.links.set_problem(realm, &error.problem());
                }
                return;
            }
        };
        drop(permit);
        self.ensure_reconnect_loop(handshaken.realm);
        self.run_link(handshaken).await;
    }

    /// The link to a realm; on a node that follows, as its leader tells it.
    pub(crate) fn status(&self, realm: RealmId) -> LinkStatus {
        if self.hub().is_following() { self.hub().told_link(realm) } else { self.0.links.status(realm) }
    }

    /// How many links are up; on a node that follows, as its leader tells it, or `None` if it has not.
    pub(crate) fn up_count(&self) -> Option<usize> {
        if self.hub().is_following() { self.hub().told_links_up() } else { Some(self.0.links.up_count()) }
    }

    /// Ends the link to a realm that was removed.
    pub(crate) fn remove(&self, realm: RealmId) {
        self.0.links.remove(realm, LinkEnd::ClosedHere(CloseReason::Removed));
    }

    /// Ends the link to a realm that is banned now, or has one made that is not banned any more.
    pub(crate) fn reconsider(&self, realm: RealmId) {
        self.0.links.reconsider(realm, LinkEnd::ClosedHere(CloseReason::NotAccepted), self.is_banned(realm));
    }

    fn is_banned(&self, realm: RealmId) -> bool {
        self.hub().read(|state| state.is_realm_banned(realm, Time::now().paced())).0
    }

    /// This node of a cluster leads no more: its links end, and the node that leads makes them.
    pub(crate) fn pause(&self) {
        self.0.links.end_all(LinkEnd::ClosedHere(CloseReason::Stopping));
    }

    /// Ends the links that must not be up any more.
    pub(crate) fn enforce(&self) {
        let up = self.0.links.up();
        let is_known = |realm: RealmId| self.hub().read(|state| state.peer(realm).is_some()).0;
        for realm in up {
            if is_known(realm) { self.reconsider(realm) } else { self.remove(realm) }
        }
    }

    /// Ends all links. The `stopping` token is to be cancelled before.
    pub(crate) fn stop(&self) {
        self.0.links.end_all(LinkEnd::ClosedHere(CloseReason::Stopping));
    }

    fn hub(&self) -> &Hub {
        &self.0.local.hub
    }

    fn stopping(&self) -> &CancellationToken {
        &self.0.local.stopping
    }

    fn name(&self, realm: RealmId) -> String {
        let name = self.hub().read(|state| state.realm(realm).map(|realm| realm.name.to_string())).0;
        name.unwrap_or_default()
    }

    async fn dial(
        &self,
        PeerAddress { host, port }: &PeerAddress,
        purpose: DialPurpose,
    ) -> Result<PeerStream, DialError> {
        tokio::select! {
            dialled = self.0.transport.dial(host, *port, purpose) => dialled,
            () = self.stopping().cancelled() => Err(DialError::Unreachable("this server is stopping".into())),
        }
    }

    fn ensure_reconnect_loop(&self, realm: RealmId) {
        let Some(changed) = self.0.links.claim_reconnect_loop(realm) else { return };
        let managed = ManagedRealm { manager: self.clone(), realm };
        self.0.tasks.spawn(async move { reconnect_loop(&managed, &changed).await });
    }

    /// Runs a link to its end, unless another link to the same server stays.
    async fn run_link(&self, handshaken: Handshaken) {
        if let Some(established) = self.establish(handshaken).await {
            self.run(established).await;
        }
    }

    /// Puts a link into the table: it is up from then on. `None` if another link to the same server stays.
    async fn establish(&self, mut handshaken: Handshaken) -> Option<EstablishedLink> {
        let (realm, key) = (handshaken.realm, handshaken.key);
        let handle = LinkHandle::new(handshaken.is_dialler);
        if !self.resolve_duplicate(realm, key, &handle).await {
            handshaken.stream.close(CloseReason::AlreadyLinked).await;
            return None;
        }
        let hub = self.hub();
        if hub.read(|state| state.is_behind(&handshaken.heads)).0
            && let Err(error) = hub.begin_epoch()
        {
            warn!(code = crate::wire::code(error), "a restored server could not begin a new epoch");
            self.record_end(realm, key, &handle, LinkEnd::ClosedHere(CloseReason::NoRoom));
            return None;
        }
        let cursor = hub.read(|state| state.peer(realm).map(|peer| peer.cursor)).0.unwrap_or_default();
        let outbox = hub.open_outbox_tail(realm, cursor);
        if let Some(left_out) = self.0.logged_links.allows((realm, true), Instant::now()) {
            info!(realm = self.name(realm), %key, left_out, "link is up");
        }
        let text_bytes = self.0.local.policy.load().text_bytes;
        let link = Link::new(hub.clone(), outbox.clone(), handshaken, handle.clone(), text_bytes);
        Some(EstablishedLink { realm, key, handle, outbox, link })
    }

    async fn run(&self, EstablishedLink { realm, key, handle, outbox, link }: EstablishedLink) {
        let end = link.run().await;
        self.hub().close_outbox_tail(&outbox);
        self.record_end(realm, key, &handle, end);
    }

    fn record_end(&self, realm: RealmId, key: PeerKey, handle: &LinkHandle, end: LinkEnd) {
        if self.0.links.record_end(realm, handle, end)
            && let Some(left_out) = self.0.logged_links.allows((realm, false), Instant::now())
        {
            info!(%key, %end, left_out, "link is down");
        }
    }

    fn log_unmade(&self, address: SocketAddr, problem: &str) {
        if let Some(left_out) = self.0.logged_addresses.allows(address.ip(), Instant::now()) {
            info!(%address, problem, left_out, "a link was not made");
        }
    }

    /// Makes a link the current one of its realm; `false` if the link that is up stays.
    ///
    /// If the link that is up was dialled from the other side, both servers may have dialled at once: both keep the link
    /// that the smaller key dialled, unless it is dead. If the same side dials again, it has lost its first link.
    async fn resolve_duplicate(&self, realm: RealmId, key: PeerKey, new: &LinkHandle) -> bool {
        let is_preferred = new.is_dialler == (self.0.local.key < key);
        let up = self.0.links.current(realm);
        if let Some(up) = up.filter(|up| up.is_dialler != new.is_dialler && !is_preferred)
            && up.is_alive_within(LINK_PING_TIMEOUT).await
        {
            return false;
        }
        self.0.links.install(realm, new.clone());
        if self.stopping().is_cancelled() {
            new.end(LinkEnd::ClosedHere(CloseReason::Stopping));
        }
        true
    }

    /// Warns of a server that cannot be dialled, once for each problem: it is tried again without end.
    fn log_dial_failure(&self, realm: RealmId, PeerAddress { host, port }: &PeerAddress, error: &DialError) {
        let problem = error.to_string();
        if self.status(realm).problem.as_deref() != Some(&problem)
            && let Some(left_out) = self.0.logged_links.allows((realm, false), Instant::now())
        {
            let realm = self.name(realm);
            warn!(
                realm,
                %host,
                port,
                problem,
                left_out,
                "a server cannot be dialled: it is tried again, and messages for it wait. If it has moved, write its address \
                 under [[peers]] and reload"
            );
        }
        self.0.links.set_problem(realm, &problem);
    }

    /// Warns if the problem needs the operator.
    fn log_handshake_failure(&self, realm: RealmId, shown: PeerKey, error: HandshakeError) {
        let mut problem = error.problem();
        if error.error() == CommandError::RealmKeyChanged {
            let known = self.hub().read(|state| state.peer(realm).and_then(|peer| peer.info.key)).0;
            let known = known.map_or_else(|| "none".to_owned(), |known| known.to_string());
            problem += &format!(" (known here {known}, met {shown}, this server's own {})", self.0.local.key);
            if self.status(realm).problem.as_deref() != Some(&problem) {
                let realm = self.name(realm);
                warn!(
                    realm,
                    problem,
                    "a link was refused. If that server has a new key on purpose, write it under [[peers]] and reload: what \
                     waits for it is kept. delrealm and addrealm give it up"
                );
            }
        }
        self.0.links.set_problem(realm, &problem);
    }
}

impl Reconnect for ManagedRealm {
    fn target(&self) -> Target {
        if self.manager.stopping().is_cancelled() {
            return Target::Stop;
        }
        let must_wait = self.manager.0.links.current(self.realm).is_some()
            || self.manager.is_banned(self.realm)
            || self.manager.hub().is_following();
        let target = |peer: &Peer| peer.info.address.clone().filter(|_| !must_wait).map_or(Target::Wait, Target::Dial);
        self.manager.hub().read(|state| state.peer(self.realm).map_or(Target::Stop, target)).0
    }

    async fn connect(&self, address: &PeerAddress) -> bool {
        let Self { manager, realm } = self;
        let peer = match manager.dial(address, DialPurpose::Reconnect).await {
            Ok(peer) => peer,
            Err(error) => {
                manager.log_dial_failure(*realm, address, &error);
                return false;
            }
        };
        let shown = peer.key;
        match handshake(&manager.0.local, peer, &HandshakeKind::Reconnect(*realm)).await {
            Ok(handshaken) => {
                manager.run_link(handshaken).await;
                true
            }
            Err(error) => {
                manager.log_handshake_failure(*realm, shown, error);
                false
            }
        }
    }
}
