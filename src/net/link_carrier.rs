//! How a node of a cluster carries links to other servers to the one that leads, which has all links (`docs/CLUSTER.md`).

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::debug;

use crate::chat::CommandError;
use crate::federation::ByteStream;
use crate::limits::{CARRIED_BUFFER, CARRIED_IDLE, LINK_HANDSHAKE, LINK_HELLO};
use crate::net::admission::HandshakePermit;

/// What a connection has that is to become a link.
pub(super) struct HalfLink {
    pub(super) handshake: HandshakePermit,
    /// On a node that follows: the way to the leader. Only ever taken out, which several threads could do.
    pub(super) carrier: Option<Mutex<CarrierConnection>>,
}

/// How a node reaches the one that leads.
pub trait LinkCarrier: Send + Sync {
    /// Offers the leader a link that came here from an address.
    fn offer(&self, peer: IpAddr)
    -> Pin<Box<dyn Future<Output = Result<CarrierConnection, CommandError>> + Send + '_>>;
}

/// The way to a leader that has taken a link.
pub struct CarrierConnection {
    pub(crate) stream: Box<dyn ByteStream>,
    /// Comes when that node does not lead any more.
    pub(crate) over: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl CarrierConnection {
    /// Carries a link until one end closes it or is silent, another node leads, or newer links need its place, which it has
    /// until it must be made. Then the other server dials again.
    pub(super) async fn carry(self, peer: impl ByteStream, handshake: HandshakePermit) {
        let evicted = async {
            if timeout(LINK_HANDSHAKE + LINK_HELLO, handshake.end.cancelled()).await.is_err() {
                drop(handshake);
                std::future::pending().await
            }
        };
        tokio::select! {
            why = self.copy(peer) => debug!(why, "a carried link is over"),
            () = evicted => debug!("a carried link is over: newer ones needed its place"),
        }
    }

    /// Returns why it ends.
    async fn copy(self, peer: impl ByteStream) -> &'static str {
        let activity = Activity::default();
        let Self { stream, over } = self;
        let ((from_peer, to_peer), (from_leader, to_leader)) = (split(peer), split(stream));
        let copied =
            async { tokio::try_join!(activity.copy(from_peer, to_leader), activity.copy(from_leader, to_peer)) };
        tokio::select! {
            copied = copied => if copied.is_ok() { "both ends have closed it" } else { "an end is gone" },
            () = activity.ceases() => "it was silent",
            () = over => "another node leads",
        }
    }
}

/// When something has passed on a link.
struct Activity {
    begun: Instant,
    /// Milliseconds after that.
    last: AtomicU64,
}

impl Default for Activity {
    fn default() -> Self {
        Self { begun: Instant::now(), last: AtomicU64::new(0) }
    }
}

impl Activity {
    /// Copies what one end says, and that it says no more.
    async fn copy(&self, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
        let mut buffer = vec![0; CARRIED_BUFFER];
        loop {
            let count = from.read(&mut buffer).await?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
                return to.shutdown().await;
            };
            to.write_all(bytes).await?;
            to.flush().await?;
            let passed = self.begun.elapsed().as_millis();
            self.last.store(u64::try_from(passed).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// Waits until nothing has passed for [`CARRIED_IDLE`].
    async fn ceases(&self) {
        loop {
            let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
            let until = self.begun + last + CARRIED_IDLE;
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{DuplexStream, duplex};

    /// The two ends of a link, and what carries it until `over` comes. A direction holds a few bytes.
    fn carried(
        over: impl Future<Output = ()> + Send + 'static,
    ) -> (DuplexStream, DuplexStream, impl Future<Output = &'static str>) {
        let ((peer, here), (there, leader)) = (duplex(4), duplex(4));
        let connection = CarrierConnection { stream: Box::new(there), over: Box::pin(over) };
        (peer, leader, connection.copy(here))
    }

    /// Says something, ends, and hears the other end out.
    async fn converse(mut end: DuplexStream, said: &str) -> String {
        let mut heard = String::new();
        end.write_all(said.as_bytes()).await.unwrap();
        end.shutdown().await.unwrap();
        end.read_to_string(&mut heard).await.unwrap();
        heard
    }

    #[tokio::test]
    async fn an_end_hears_the_other_out_also_when_it_has_said_all() {
        let (peer, mut leader, carrying) = carried(std::future::pending());
        let answered = async {
            let mut heard = String::new();
            leader.read_to_string(&mut heard).await.unwrap();
            assert_eq!(heard, "more than the pipe holds");
            converse(leader, "an answer after that end").await
        };
        let (heard, rest, why) = tokio::join!(converse(peer, "more than the pipe holds"), answered, carrying);
        assert_eq!((&*heard, &*rest, why), ("an answer after that end", "", "both ends have closed it"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_on_which_nothing_passes_is_given_up() {
        let (mut peer, mut leader, carrying) = carried(std::future::pending());
        let begun = Instant::now();
        let talking = async {
            tokio::time::advance(CARRIED_IDLE / 2).await;
            peer.write_all(b"ping").await.unwrap();
            leader.read_exact(&mut [0; 4]).await.unwrap();
            std::future::pending::<()>().await
        };
        tokio::select! {
            why = carrying => assert_eq!(why, "it was silent"),
            () = talking => {}
        }
        assert_eq!(begun.elapsed().as_secs(), (CARRIED_IDLE * 3 / 2).as_secs());
    }

    #[tokio::test]
    async fn a_link_ends_when_another_node_leads() {
        let (_peer, _leader, carrying) = carried(std::future::ready(()));
        assert_eq!(carrying.await, "another node leads");
    }
}
