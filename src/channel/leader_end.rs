//! The leader's end of a channel: it decides what a follower forwards, and sends it the log and who is online.

use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast, mpsc};
use tokio::time::interval;
use tracing::info;

use crate::channel::error::ChannelError;
use crate::channel::frames::{FrameReader, FrameWriter};
use crate::channel::greeting::NewFollower;
use crate::channel::messages::{FollowerMessage, LeaderMessage};
use crate::cluster::{EncodedBlock, Leadership, NodeStore};
use crate::hub::{FeedScope, ForwardAnswer, Hub};
use crate::limits::{CHANNEL_ALIVE, CHANNEL_ANSWERS};

/// A node that leads, as its followers see it.
#[derive(Clone)]
pub struct LeaderEnd {
    pub hub: Hub,
    pub store: NodeStore,
    pub leadership: Arc<Leadership>,
}

/// Serves a follower until the channel or the term ends.
///
/// # Errors
/// Why the channel ended, if not in order.
pub(crate) async fn serve_follower(follower: NewFollower, leader: LeaderEnd) -> Result<(), ChannelError> {
    let NewFollower { node, process, mut reader, mut writer } = follower;
    info!(node = &*node, "a node follows");
    // Before the welcome: the follower gets every block from then on.
    let blocks = leader.store.appended();
    let (term, upto) = (leader.leadership.term(), leader.store.end().seq);
    writer.queue(&LeaderMessage::Welcome { term, upto, process: leader.hub.process() })?;
    writer.flush().await?;
    let (answers, answered) = mpsc::channel(CHANNEL_ANSWERS);
    let news = leader.hub.begin_presence_of(process, FeedScope::Anywhere);
    let sending = Sending { leader: &leader, process, writer, answered, news: &news };
    let ended = tokio::select! {
        ended = decide(&mut reader, &leader, process, answers) => ended,
        ended = sending.run(blocks) => ended,
        _ = leader.leadership.over() => Ok(()),
    };
    leader.hub.end_presence_of(process, &news);
    info!(node = &*node, "a node follows no more");
    ended
}

/// Decides what the follower forwards, in order.
async fn decide(
    reader: &mut FrameReader,
    leader: &LeaderEnd,
    process: u64,
    answers: mpsc::Sender<ForwardAnswer>,
) -> Result<(), ChannelError> {
    while let Some(message) = reader.next().await? {
        match message {
            FollowerMessage::Forward(forwarded) => {
                leader.hub.wait_for_capacity().await;
                let answer = leader.hub.execute_forwarded(process, *forwarded);
                if let Some(answer) = answer
                    && answers.send(answer).await.is_err()
                {
                    return Ok(());
                }
            }
            FollowerMessage::Presence(states) => leader.hub.note_presence(process, &states),
            FollowerMessage::PresenceComplete => leader.hub.complete_presence_of(process),
            FollowerMessage::Hello { .. } | FollowerMessage::Link { .. } | FollowerMessage::Snapshot => return Ok(()),
        }
    }
    Ok(())
}

struct Sending<'a> {
    leader: &'a LeaderEnd,
    process: u64,
    writer: FrameWriter,
    answered: mpsc::Receiver<ForwardAnswer>,
    /// Wakes when there is something to tell beside the log.
    news: &'a Notify,
}

impl Sending<'_> {
    async fn run(mut self, mut blocks: broadcast::Receiver<EncodedBlock>) -> Result<(), ChannelError> {
        let mut alive = interval(CHANNEL_ALIVE);
        let mut is_complete = false;
        loop {
            tokio::select! {
                block = blocks.recv() => match block {
                    Ok(block) => self.writer.queue(&LeaderMessage::Block(block))?,
                    // It reads the log.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Ok(()),
                },
                answer = self.answered.recv() => match answer {
                    Some(answer) => self.writer.queue(&LeaderMessage::Answer(answer))?,
                    None => return Ok(()),
                },
                () = self.news.notified() => {
                    is_complete = self.queue_presence(is_complete)?;
                    self.queue_deliveries()?;
                    self.queue_links()?;
                    for answer in self.leader.hub.answer_news(self.process) {
                        self.writer.queue(&LeaderMessage::Answer(answer))?;
                    }
                }
                _ = alive.tick() => self.writer.queue(&LeaderMessage::Alive)?,
            }
            self.writer.flush().await?;
        }
    }

    fn queue_presence(&mut self, is_complete: bool) -> Result<bool, ChannelError> {
        loop {
            let states = self.leader.hub.presence_news(self.process);
            if states.is_empty() {
                break;
            }
            self.writer.queue(&LeaderMessage::Presence(states))?;
        }
        if !is_complete {
            self.writer.queue(&LeaderMessage::PresenceComplete)?;
        }
        Ok(true)
    }

    fn queue_deliveries(&mut self) -> Result<(), ChannelError> {
        loop {
            let deliveries = self.leader.hub.delivery_news(self.process);
            if deliveries.is_empty() {
                return Ok(());
            }
            self.writer.queue(&LeaderMessage::Deliveries(deliveries))?;
        }
    }

    fn queue_links(&mut self) -> Result<(), ChannelError> {
        while let Some(links) = self.leader.hub.link_news(self.process) {
            self.writer.queue(&LeaderMessage::Links(links))?;
        }
        Ok(())
    }
}
