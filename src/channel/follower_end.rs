//! The follower's end of a channel: it forwards the commands of its clients, and takes the log and who is online.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tracing::info;

use crate::channel::endpoint::{Channel, ChannelEndpoint};
use crate::channel::error::ChannelError;
use crate::channel::frames::{FrameReader, FrameWriter};
use crate::channel::messages::{FollowerMessage, LeaderMessage};
use crate::cluster::EncodedBlock;
use crate::hub::{FeedScope, Hub};
use crate::id::Seq;
use crate::limits::{CHANNEL_FORWARDS, CHANNEL_SILENCE, FOLLOWER_CURRENT};

/// What a follower's thread is told by its channel.
pub enum ChannelEvent {
    /// The leader has appended a block.
    Block(EncodedBlock),
    /// There may be something to tell.
    Answer,
    /// The channel is over: the leader may be, too.
    Ended,
}

/// A node that follows.
pub struct FollowerEnd {
    pub hub: Hub,
    pub node: Box<str>,
    /// The newest entry of the log that this node has.
    pub newest: watch::Receiver<Seq>,
    /// The leader sends its blocks.
    pub is_up: Arc<AtomicBool>,
    /// To the node's thread. What does not fit is left out: the thread reads the log all the same.
    pub events: std::sync::mpsc::SyncSender<ChannelEvent>,
}

impl FollowerEnd {
    /// Follows the leader at `address` until the channel ends.
    ///
    /// # Errors
    /// Why there is no channel, or none any more.
    pub async fn follow(&mut self, endpoint: &ChannelEndpoint, address: &str) -> Result<(), ChannelError> {
        self.run(endpoint.connect(address).await?).await
    }

    async fn run(&mut self, channel: Channel) -> Result<(), ChannelError> {
        let (mut reader, mut writer) = channel.split();
        writer.queue(&FollowerMessage::Hello { node: self.node.clone(), process: self.hub.process() })?;
        writer.flush().await?;
        let Some(LeaderMessage::Welcome { term, upto, process }) = next(&mut reader).await? else { return Ok(()) };
        info!(term = term.0, "following the leader");
        self.hub.forget_links();
        let news = self.hub.begin_presence_of(process, FeedScope::Here);
        let _ended_when_dropped = Following { end: self, leader: process, news: news.clone() };
        self.is_up.store(true, Ordering::Release);
        let mut newest = self.newest.clone();
        let forwarding = async {
            // By then it is known which commands an older leader has done.
            if newest.wait_for(|newest| *newest >= upto).await.is_err() {
                return Ok(());
            }
            self.hub.begin_forwarding();
            forward(&self.hub, &mut writer, (process, &news)).await
        };
        tokio::select! {
            ended = self.receive(&mut reader, process) => ended,
            ended = forwarding => ended,
        }
    }

    async fn receive(&self, reader: &mut FrameReader, process: u64) -> Result<(), ChannelError> {
        while let Some(message) = next(reader).await? {
            self.hub.note_contact(Instant::now() + FOLLOWER_CURRENT);
            match message {
                LeaderMessage::Block(block) => {
                    let _read_from_the_log_otherwise = self.events.try_send(ChannelEvent::Block(block));
                }
                LeaderMessage::Answer(answer) => {
                    self.hub.note_answer(answer);
                    let _told_with_the_next_block_otherwise = self.events.try_send(ChannelEvent::Answer);
                }
                LeaderMessage::Presence(states) => self.hub.note_presence(process, &states),
                LeaderMessage::PresenceComplete => self.hub.complete_presence_of(process),
                LeaderMessage::Deliveries(deliveries) => self.hub.note_deliveries(&deliveries),
                LeaderMessage::Links(links) => self.hub.note_links(links),
                LeaderMessage::Alive => {}
                LeaderMessage::Welcome { .. } | LeaderMessage::LinkTaken(_) => return Ok(()),
            }
        }
        Ok(())
    }
}

/// A channel that is open. When it ends, also because nobody waits for it any more, everything that it has begun ends.
struct Following<'a> {
    end: &'a FollowerEnd,
    /// The process of the leader.
    leader: u64,
    news: Arc<Notify>,
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        let FollowerEnd { hub, is_up, events, .. } = self.end;
        is_up.store(false, Ordering::Release);
        hub.end_presence_of(self.leader, &self.news);
        if hub.is_following() {
            hub.forget_links();
        }
        let _woken_by_its_clock_otherwise = events.try_send(ChannelEvent::Ended);
    }
}

/// The next message of a leader, which is never silent for long.
async fn next(reader: &mut FrameReader) -> Result<Option<LeaderMessage>, ChannelError> {
    let silence: Duration = CHANNEL_SILENCE;
    tokio::time::timeout(silence, reader.next()).await.unwrap_or(Err(ChannelError::Silent))
}

/// Sends commands as they come, in order, and who comes and goes.
async fn forward(hub: &Hub, writer: &mut FrameWriter, (leader, news): (u64, &Notify)) -> Result<(), ChannelError> {
    let mut is_complete = false;
    loop {
        tokio::select! {
            () = hub.wait_for_forward() => {}
            () = news.notified() => {
                loop {
                    let states = hub.presence_news(leader);
                    if states.is_empty() {
                        break;
                    }
                    writer.queue(&FollowerMessage::Presence(states))?;
                }
                if !std::mem::replace(&mut is_complete, true) {
                    writer.queue(&FollowerMessage::PresenceComplete)?;
                }
            }
        }
        let mut queued = 0;
        while let Some(forwarded) = hub.next_forward() {
            writer.queue(&FollowerMessage::Forward(Box::new(forwarded)))?;
            queued += 1;
            if queued % CHANNEL_FORWARDS == 0 {
                writer.flush().await?;
            }
        }
        writer.flush().await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::endpoint::Accepted;
    use crate::cluster::Term;
    use crate::identity::testing::test_identity;
    use crate::name::Name;
    use crate::store::{MemoryDisk, MemoryStore};
    use std::sync::mpsc::sync_channel;
    use tokio::net::TcpListener;

    fn follower() -> (FollowerEnd, std::sync::mpsc::Receiver<ChannelEvent>) {
        let home = Name::parse("kota").unwrap();
        let store = MemoryStore { disk: MemoryDisk::default(), home: home.clone() };
        let (hub, _committer) = Hub::open(Box::new(store), home).unwrap();
        hub.follow();
        let (events, told) = sync_channel(8);
        let newest = watch::channel(Seq(0)).1;
        (FollowerEnd { hub, node: "b".into(), newest, is_up: Arc::default(), events }, told)
    }

    /// Welcomes a follower, and then says nothing.
    async fn welcome(endpoint: &ChannelEndpoint, listener: &TcpListener) -> (FrameReader, FrameWriter) {
        let accepted = endpoint.accept(listener.accept().await.unwrap().0).await.unwrap();
        let Accepted::Node(channel) = accepted else { panic!("a guest") };
        let (mut reader, mut writer) = channel.split();
        assert!(matches!(reader.next().await.unwrap(), Some(FollowerMessage::Hello { .. })));
        writer.queue(&LeaderMessage::Welcome { term: Term(1), upto: Seq(0), process: 7 }).unwrap();
        writer.flush().await.unwrap();
        (reader, writer)
    }

    #[tokio::test]
    async fn a_channel_that_is_given_up_leaves_nothing_behind() {
        let (endpoint, (mut follower, told)) = (ChannelEndpoint::new(&test_identity()), follower());
        let (hub, is_up) = (follower.hub.clone(), follower.is_up.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let leader = async {
            let channel = welcome(&endpoint, &listener).await;
            while !is_up.load(Ordering::Acquire) {
                tokio::task::yield_now().await;
            }
            (channel, hub.node_status().unwrap().channels)
        };
        tokio::select! {
            ended = follower.follow(&endpoint, &address) => panic!("{ended:?}"),
            (_channel, channels) = leader => assert_eq!(channels, 1),
        }
        assert_eq!(hub.node_status().unwrap().channels, 0);
        assert!(!is_up.load(Ordering::Acquire));
        assert!(matches!(told.try_recv(), Ok(ChannelEvent::Ended)));
    }
}
