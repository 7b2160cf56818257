//! Servers that say what no server of ours would, frame by frame: none of it harms more than their own link.
//!
//! One server is real but for its disk and its network, in time that does not pass; the other is driven by hand.

mod flood;
mod letters;
mod meeting;
mod verdicts;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Duration, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chat::{BounceReason, Peer};
use crate::federation::carrier::{Carried, Carrier, DialError};
use crate::federation::frame::{self, Frame, Hello, Reason, WireMessage};
use crate::federation::incarnation::begin_incarnation;
use crate::federation::office::{Accept, Office, Terms};
use crate::federation::testing::{Disk, DiskStore, commit, name, send, settle_in};
use crate::hub::{DeliveryStatus, Executed, Hub};
use crate::id::{Incarnation, PeerKey, Seq, UserId};
use crate::name::Address;

const LOCALHOST: &str = "127.0.0.1:9";
/// Of the server `timur`, which most tests drive.
const TIMUR: PeerKey = PeerKey([2; 32]);
/// How `timur` counts.
const COUNT: Incarnation = Incarnation(77);
const TEXT_BYTES: usize = 100;
/// So much goes through a channel until the other end reads.
const PIPE_BYTES: usize = 16 * 1024;

/// The server `barat`.
struct House {
    hub: Hub,
    office: Office,
    disk: Disk,
    stopping: CancellationToken,
}

/// Dials in vain.
struct Nowhere;

impl Carrier for Nowhere {
    fn dial(&self, _: &str, _: u16) -> Pin<Box<dyn Future<Output = Result<Carried, DialError>> + Send + '_>> {
        Box::pin(async { Err(DialError::Unreachable("nobody is there".into())) })
    }
}

impl House {
    fn new() -> Self {
        Self::that_lets_in(Accept::Loopback)
    }

    fn that_lets_in(accept: Accept) -> Self {
        let disk = Disk::default();
        let store = DiskStore { disk: disk.clone(), home: name("barat") };
        let (hub, mut committer) = Hub::open(Box::new(store), name("barat")).unwrap();
        let terms = Terms { accept, port: Some(8889), text_bytes: TEXT_BYTES };
        let stopping = CancellationToken::new();
        let (carrier, tasks) = (Arc::new(Nowhere), TaskTracker::new());
        let office = Office::new(hub.clone(), PeerKey([1; 32]), carrier, terms, tasks, stopping.clone());
        begin_incarnation(&hub).unwrap();
        settle_in(&hub);
        committer.step();
        office.start();
        tokio::spawn(commit(committer, fastrand::Rng::with_seed(1)));
        Self { hub, office, disk, stopping }
    }

    /// Somebody has made a channel to it.
    fn dialled(&self, key: PeerKey, address: &str) -> HostilePeer {
        let (ours, theirs) = duplex(PIPE_BYTES);
        let address: SocketAddr = address.parse().unwrap();
        let (office, carried) = (self.office.clone(), Carried { stream: Box::new(ours), key, address });
        tokio::spawn(async move { office.serve(carried).await });
        HostilePeer { stream: theirs, input: BytesMut::new(), expects_hello: true }
    }

    /// `timur` has met it, and the link is up.
    async fn linked(&self) -> HostilePeer {
        let mut peer = self.dialled(TIMUR, LOCALHOST);
        peer.meets(hello()).await;
        peer
    }

    /// What it knows of `timur`.
    fn link<T>(&self, read: impl FnOnce(&Peer) -> T) -> T {
        self.hub.read(|state| read(state.peer_of(&TIMUR).unwrap().2)).0
    }

    fn is_up(&self) -> bool {
        let realm = self.hub.read(|state| state.peer_of(&TIMUR).map(|(realm, ..)| realm)).0;
        realm.is_some_and(|realm| self.office.report(realm).is_up)
    }

    /// Messi writes to henderson of `timur`.
    fn sends(&self, text: &str) -> Executed {
        let to = Address { name: name("henderson"), realm: Some(name("timur")) };
        send(&self.hub, UserId(0), to, false, text)
    }

    /// What messi's inbox has from others.
    fn inbox(&self) -> Vec<(String, String)> {
        let view = self.hub.read(|state| state.inbox(UserId(0)).unwrap()).0;
        let messages = self.hub.page(&view, usize::MAX).unwrap().messages;
        let said = |parts: crate::chat::MessageFields<'_>| (parts.from.into_owned(), parts.msg.into_owned());
        messages.iter().map(|message| message.body.read(said).unwrap()).collect()
    }
}

/// The end of a channel that is driven by hand.
struct HostilePeer {
    stream: DuplexStream,
    input: BytesMut,
    expects_hello: bool,
}

impl HostilePeer {
    async fn says(&mut self, frame: &Frame) {
        let mut out = BytesMut::new();
        frame::write(&mut out, frame).unwrap();
        self.sends(&out).await;
    }

    /// Bytes as they are. Whether anybody still listens is not asked.
    async fn sends(&mut self, bytes: &[u8]) {
        let _taken = self.stream.write_all(bytes).await;
    }

    /// The next frame but for heartbeats; none where the channel has ended.
    async fn hears(&mut self) -> Option<Frame> {
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

    /// Meets the server as one of ours would.
    async fn meets(&mut self, hello: Hello) {
        self.says(&Frame::Hello(hello)).await;
        assert!(matches!(self.hears().await, Some(Frame::Hello(_))));
        assert_eq!(self.hears().await, Some(Frame::Welcome));
        self.says(&Frame::Welcome).await;
        // Until it is up and on the disk.
        sleep(Duration::from_secs(1)).await;
    }

    /// The channel ends for that reason.
    async fn is_sent_away(&mut self, reason: Reason) {
        assert_eq!(self.hears().await, Some(Frame::Bye(reason)));
        assert_eq!(self.hears().await, None);
    }

    /// Sends messages, and hears which of them were refused.
    async fn writes(&mut self, letters: Vec<WireMessage>) -> Vec<(Seq, BounceReason)> {
        let last = letters.last().unwrap().number;
        self.says(&Frame::Letters { incarnation: COUNT, letters }).await;
        match self.hears().await {
            Some(Frame::Acknowledged { incarnation: COUNT, upto, refused }) if upto == last => refused,
            other => panic!("no acknowledgement of {last:?}: {other:?}"),
        }
    }

    /// The next messages that it is sent, and how the server counts.
    async fn is_sent(&mut self) -> (Incarnation, Vec<WireMessage>) {
        loop {
            match self.hears().await {
                Some(Frame::Letters { incarnation, letters }) => break (incarnation, letters),
                Some(Frame::Noted { .. }) => {}
                other => panic!("no messages: {other:?}"),
            }
        }
    }
}

fn hello() -> Hello {
    Hello {
        home: "timur".into(),
        calls_you: None,
        port: None,
        incarnation: COUNT,
        acknowledged: Seq(0),
        heads: Vec::new(),
    }
}

fn letter(number: u64) -> WireMessage {
    WireMessage {
        number: Seq(number),
        from: "henderson".into(),
        full_name: "Jordan Henderson".into(),
        to: "messi".into(),
        to_group: false,
        text: number.to_string().into(),
    }
}

/// Waits until it is known what became of a message.
async fn delivery(sent: &Executed) -> DeliveryStatus {
    loop {
        match sent.delivery.as_ref().unwrap().get() {
            DeliveryStatus::Open => sleep(Duration::from_millis(10)).await,
            delivery => return delivery,
        }
    }
}
