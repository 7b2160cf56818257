//! A link to another server that came to a node which follows: that node carries the bytes to the leader, on a connection like
//! that of a channel. What the two servers say on it is encrypted between them, inside.

use std::io::Cursor;
use std::net::IpAddr;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, Join, join};
use tokio::time::timeout;

use crate::channel::endpoint::ChannelEndpoint;
use crate::channel::error::ChannelError;
use crate::channel::frames::{FrameReader, FrameWriter};
use crate::channel::messages::{FollowerMessage, LeaderMessage};
use crate::chat::CommandError;
use crate::limits::CHANNEL_SILENCE;

type Reading = tokio::io::Chain<Cursor<BytesMut>, Box<dyn AsyncRead + Send + Unpin>>;

/// The bytes of a link between its two ends.
pub type CarriedStream = Join<Reading, Box<dyn AsyncWrite + Send + Unpin>>;

/// A link that a node offers to carry to this one.
pub(crate) struct CarriedLink {
    /// The address of the other server.
    pub(crate) peer: IpAddr,
    reader: FrameReader,
    writer: FrameWriter,
}

impl CarriedLink {
    pub(super) fn new(peer: IpAddr, reader: FrameReader, writer: FrameWriter) -> Self {
        Self { peer, reader, writer }
    }

    /// Takes the link.
    ///
    /// # Errors
    /// If the node is gone.
    pub(crate) async fn take(mut self) -> Result<CarriedStream, ChannelError> {
        self.writer.queue(&LeaderMessage::LinkTaken(Ok(())))?;
        self.writer.flush().await?;
        Ok(bytes_of(self.reader, self.writer))
    }

    /// Has the node tell the other server why this one does not take the link.
    ///
    /// # Errors
    /// If the node is gone.
    pub(crate) async fn refuse(mut self, why: CommandError) -> Result<(), ChannelError> {
        self.writer.queue(&LeaderMessage::LinkTaken(Err(why)))?;
        self.writer.close().await
    }
}

impl ChannelEndpoint {
    /// Offers the leader at `HOST:PORT` a link that came here from an address. The inner result is what the leader says.
    ///
    /// # Errors
    /// If nobody leads there.
    pub(crate) async fn offer_link(
        &self,
        address: &str,
        peer: IpAddr,
    ) -> Result<Result<CarriedStream, CommandError>, ChannelError> {
        let (mut reader, mut writer) = self.connect(address).await?.split();
        writer.queue(&FollowerMessage::Link { peer })?;
        writer.flush().await?;
        let answer = timeout(CHANNEL_SILENCE, reader.next()).await.unwrap_or(Err(ChannelError::Silent))?;
        Ok(match answer {
            Some(LeaderMessage::LinkTaken(Ok(()))) => Ok(bytes_of(reader, writer)),
            Some(LeaderMessage::LinkTaken(Err(why))) => Err(why),
            _ => Err(CommandError::Unavailable),
        })
    }
}

fn bytes_of(reader: FrameReader, writer: FrameWriter) -> CarriedStream {
    let (received, reader) = reader.into_parts();
    join(AsyncReadExt::chain(Cursor::new(received), reader), writer.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::endpoint::Accepted;
    use crate::channel::greeting::{Greeting, read_greeting};
    use crate::identity::testing::test_identity;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    const PEER: &str = "192.0.2.7";

    /// Has a node offer a link to a leader that does `leader` with it. Returns what the node gets.
    async fn offer<T, F: Future<Output = T>>(
        leader: impl FnOnce(CarriedLink) -> F,
    ) -> (Result<CarriedStream, CommandError>, T) {
        let endpoint = ChannelEndpoint::new(&test_identity());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let led = async {
            let accepted = endpoint.accept(listener.accept().await.unwrap().0).await.unwrap();
            let Accepted::Node(channel) = accepted else { panic!("a guest") };
            let Ok(Some(Greeting::Link(link))) = read_greeting(channel).await else { panic!("no link") };
            assert_eq!(link.peer.to_string(), PEER);
            leader(link).await
        };
        let (carried, led) = tokio::join!(endpoint.offer_link(&address, PEER.parse().unwrap()), led);
        (carried.unwrap(), led)
    }

    #[tokio::test]
    async fn what_one_end_says_and_its_end_reach_the_other() {
        let (here, there) = offer(|link| async { link.take().await.unwrap() }).await;
        let (mut here, mut there) = (here.unwrap(), there);
        here.write_all(b"halo").await.unwrap();
        here.shutdown().await.unwrap();
        let mut heard = String::new();
        there.read_to_string(&mut heard).await.unwrap();
        there.write_all(b"sampai jumpa").await.unwrap();
        there.shutdown().await.unwrap();
        let mut answered = String::new();
        here.read_to_string(&mut answered).await.unwrap();
        assert_eq!((&*heard, &*answered), ("halo", "sampai jumpa"));
    }

    #[tokio::test]
    async fn the_node_learns_why_a_link_is_not_taken() {
        let (refused, ()) = offer(|link| async { link.refuse(CommandError::Busy).await.unwrap() }).await;
        assert_eq!(refused.map(drop), Err(CommandError::Busy));
    }
}
