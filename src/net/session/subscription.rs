//! Live delivery to a connection that asked for it (PROTOCOL §7).

use std::time::Instant;

use tracing::error;

use crate::chat::{CommandError, Position, Response, ResumePoint, Topics};
use crate::hub::Replay;
use crate::net::session::reply::{Flow, PendingReply};
use crate::net::session::state::{Acting, Session};

impl Session {
    /// Another user's token cannot subscribe this connection. The reply names the entry after which everything is
    /// pushed: what this connection has done so far is not.
    pub(super) async fn subscribe(&mut self, acting: Acting, after: Option<Position>, topics: Topics) -> PendingReply {
        if !self.is_own(acting.actor) {
            return CommandError::Forbidden.into();
        }
        self.wait_for_own_changes().await;
        let position = after.unwrap_or_else(|| self.hub().delivered().into());
        let (resumes, ticket) = self.hub().read(|state| Ok((state.resume_point(position)?, state.epoch())));
        let subscribed =
            |(ResumePoint { after, is_reset }, epoch)| Response::Subscribed { after, is_reset, epoch, topics };
        PendingReply::new(resumes.map(subscribed), ticket)
    }

    /// Messages pushed to a text connection so far stay read.
    pub(super) fn unsubscribe(&self) -> PendingReply {
        if let Some(attachment) = self.attachment {
            self.hub().record_pushed_as_read(attachment.actor.user);
        }
        self.hub().end_subscription(&self.send_queue);
        PendingReply::at_once(Ok(Response::Done))
    }

    /// Begins the pushes once the reply to the subscription is queued, or first replays what came after the message that
    /// the reply named.
    pub(super) async fn begin_subscription(&self, resumes: ResumePoint, topics: Topics) -> Flow {
        let Some(attachment) = self.attachment else { return Flow::Continue };
        let user = attachment.actor.user;
        self.hub().record_pushed_as_read(user);
        if !self.hub().begin_subscription(user, &self.send_queue) {
            return Flow::Continue;
        }
        self.wait_for_own_changes().await;
        if resumes.is_reset {
            self.send_queue.reset(resumes.after);
        }
        if self.hub().listen(user, &self.send_queue, resumes.after, topics) {
            return Flow::Continue;
        }
        Flow::Replay(Replay::new(user, resumes.after, topics))
    }

    /// Queues the next page of a replay. `None` once the connection listens, its session ended, or the store cannot be
    /// read.
    pub(in crate::net) async fn replay_on(&self, mut replay: Replay) -> Option<Replay> {
        if !self.send_queue.is_subscribed() {
            return None;
        }
        let (hub, send_queue) = (self.hub().clone(), self.send_queue.clone());
        let step =
            tokio::task::spawn_blocking(move || replay.step(&hub, &send_queue).map(|live| (!live).then_some(replay)));
        let next = step.await.unwrap_or(Ok(None)).unwrap_or_else(|error| {
            if let Some(left_out) = self.server.logged_reads.allows((), Instant::now()) {
                error!(%error, left_out, "the store could not be read for a subscription");
            }
            None
        });
        self.send_queue.flush();
        next
    }
}
