//! A server with a simulated disk and network, and a peer that the test drives frame by frame.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Duration, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chat::{BounceReason, Peer};
use crate::federation::frame::{self, CloseReason, Frame, Hello, WireMessage};
use crate::federation::link_manager::LinkManager;
use crate::federation::policy::LinkPolicy;
use crate::federation::testing::{MemoryDisk, MemoryStore, commit, create_users, name, send};
use crate::federation::transport::{DialError, DialPurpose, PeerStream, Transport};
use crate::hub::{DeliveryStatus, Executed, Hub};
use crate::id::{Epoch, PeerKey, Seq, UserId};
use crate::name::Address;
use crate::settings::Accept;

pub(super) const LOCALHOST: &str = "127.0.0.1:9";
/// The key of the server `barat`.
pub(super) const BARAT: PeerKey = PeerKey([1; 32]);
/// The key of the server `timur`, which most tests drive.
pub(super) const TIMUR: PeerKey = PeerKey([2; 32]);
/// The epoch of `timur`.
pub(super) const EPOCH: Epoch = Epoch(77);
pub(super) const TEXT_BYTES: usize = 100;
/// The buffer of a stream in one direction.
pub(super) const PIPE_BYTES: usize = 16 * 1024;

/// The server `barat`.
pub(super) struct TestServer {
    pub(super) hub: Hub,
    pub(super) manager: LinkManager,
    pub(super) disk: MemoryDisk,
    pub(super) stopping: CancellationToken,
}

pub(super) struct UnreachableTransport;

impl Transport for UnreachableTransport {
    fn dial(
        &self,
        _: &str,
        _: u16,
        _: DialPurpose,
    ) -> Pin<Box<dyn Future<Output = Result<PeerStream, DialError>> + Send + '_>> {
        Box::pin(async { Err(DialError::Unreachable("no server there".into())) })
    }
}

impl TestServer {
    pub(super) fn new() -> Self {
        Self::with_accept(Accept::Loopback)
    }

    pub(super) fn with_accept(accept: Accept) -> Self {
        let disk = MemoryDisk::default();
        let store = MemoryStore { disk: disk.clone(), home: name("barat") };
        let (hub, mut committer) = Hub::open(Box::new(store), name("barat")).unwrap();
        let policy = LinkPolicy { accept, port: Some(8889), text_bytes: TEXT_BYTES };
        let stopping = CancellationToken::new();
        let (transport, tasks) = (Arc::new(UnreachableTransport), TaskTracker::new());
        let manager = LinkManager::new(hub.clone(), BARAT, transport, policy, tasks, stopping.clone());
        hub.begin_epoch().unwrap();
        create_users(&hub);
        committer.step();
        manager.start();
        tokio::spawn(commit(committer, fastrand::Rng::with_seed(1)));
        Self { hub, manager, disk, stopping }
    }

    /// An authenticated stream from a peer to this server.
    pub(super) fn connect(&self, key: PeerKey, address: &str) -> HostilePeer {
        let (ours, theirs) = duplex(PIPE_BYTES);
        let address: SocketAddr = address.parse().unwrap();
        let (manager, peer_stream) = (self.manager.clone(), PeerStream { stream: Box::new(ours), key, address });
        tokio::spawn(async move { manager.serve(peer_stream).await });
        HostilePeer { stream: theirs, input: BytesMut::new(), expects_hello: true }
    }

    /// A peer `timur` whose link is up.
    pub(super) async fn connect_linked(&self) -> HostilePeer {
        let mut peer = self.connect(TIMUR, LOCALHOST);
        peer.complete_handshake(hello()).await;
        peer
    }

    /// Reads the record of `timur`.
    pub(super) fn peer<T>(&self, read: impl FnOnce(&Peer) -> T) -> T {
        self.hub.read(|state| read(state.peer_of(&TIMUR).unwrap().2)).0
    }

    pub(super) fn is_up(&self) -> bool {
        let realm = self.hub.read(|state| state.peer_of(&TIMUR).map(|(realm, ..)| realm)).0;
        realm.is_some_and(|realm| self.manager.status(realm).is_up)
    }

    /// Sends from messi to `henderson@timur`.
    pub(super) fn send(&self, text: &str) -> Executed {
        let to = Address { name: name("henderson"), realm: Some(name("timur")) };
        send(&self.hub, UserId(0), to, false, text)
    }

    /// Senders and texts in messi's inbox.
    pub(super) fn inbox(&self) -> Vec<(String, String)> {
        let view = self.hub.read(|state| state.inbox(UserId(0)).unwrap()).0;
        let messages = self.hub.page(&view, usize::MAX).unwrap().messages;
        let fields = messages.iter().map(|message| message.body.fields().unwrap());
        fields.map(|fields| (fields.from.into_owned(), fields.msg.into_owned())).collect()
    }
}

pub(super) struct HostilePeer {
    pub(super) stream: DuplexStream,
    pub(super) input: BytesMut,
    pub(super) expects_hello: bool,
}

impl HostilePeer {
    pub(super) async fn send(&mut self, frame: &Frame) {
        let mut out = BytesMut::new();
        frame::write(&mut out, frame).unwrap();
        self.send_bytes(&out).await;
    }

    /// Ignores errors: the server may have closed the stream.
    pub(super) async fn send_bytes(&mut self, bytes: &[u8]) {
        let _ignored = self.stream.write_all(bytes).await;
    }

    /// The next frame except heartbeats, or `None` at the end of the stream.
    pub(super) async fn receive(&mut self) -> Option<Frame> {
        loop {
            let frame = frame::read(&mut self.input, self.expects_hello).expect("a frame");
            match frame {
                Some(Frame::Ping | Frame::Pong) => continue,
                Some(frame) => {
                    self.expects_hello = false;
                    return Some(frame);
                }
                None => {}
            }
            if self.stream.read_buf(&mut self.input).await.unwrap() == 0 {
                return None;
            }
        }
    }

    /// Completes the handshake as a correct server would, and waits until the link is up and durable.
    pub(super) async fn complete_handshake(&mut self, hello: Hello) {
        self.send(&Frame::Hello(hello)).await;
        assert!(matches!(self.receive().await, Some(Frame::Hello(_))));
        assert_eq!(self.receive().await, Some(Frame::Accepted));
        self.send(&Frame::Accepted).await;
        sleep(Duration::from_secs(1)).await;
    }

    pub(super) async fn expect_close(&mut self, reason: CloseReason) {
        assert_eq!(self.receive().await, Some(Frame::Close(reason)));
        assert_eq!(self.receive().await, None);
    }

    /// Sends messages and returns those that are refused.
    pub(super) async fn send_messages(&mut self, messages: Vec<WireMessage>) -> Vec<(Seq, BounceReason)> {
        let last = messages.last().unwrap().number;
        self.send(&Frame::Messages { epoch: EPOCH, messages }).await;
        match self.receive().await {
            Some(Frame::Acknowledged { epoch: EPOCH, upto, refused }) if upto == last => refused,
            other => panic!("no acknowledgement of {last:?}: {other:?}"),
        }
    }

    /// The next messages from the server, and their epoch.
    pub(super) async fn receive_messages(&mut self) -> (Epoch, Vec<WireMessage>) {
        loop {
            match self.receive().await {
                Some(Frame::Messages { epoch, messages }) => break (epoch, messages),
                Some(Frame::RefusalsConfirmed { .. }) => {}
                other => panic!("no messages: {other:?}"),
            }
        }
    }
}

pub(super) fn hello() -> Hello {
    Hello { home: "timur".into(), calls_you: None, port: None, epoch: EPOCH, acknowledged: Seq(0), heads: Vec::new() }
}

pub(super) fn message(number: u64) -> WireMessage {
    WireMessage {
        number: Seq(number),
        from: "henderson".into(),
        full_name: "Jordan Henderson".into(),
        to: "messi".into(),
        to_group: false,
        text: number.to_string().into(),
    }
}

/// Waits for the final delivery status.
pub(super) async fn delivery(sent: &Executed) -> DeliveryStatus {
    loop {
        match sent.delivery.as_ref().unwrap().get() {
            DeliveryStatus::Open => sleep(Duration::from_millis(10)).await,
            delivery => return delivery,
        }
    }
}
