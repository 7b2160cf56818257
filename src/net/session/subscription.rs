//! Live delivery to a connection that asked for it (PROTOCOL §7).

use tracing::error;

use crate::chat::{CommandError, Response, Topics};
use crate::hub::Replay;
use crate::id::Seq;
use crate::net::session::{Answer, Flow, Identity, Session};

impl Session {
    /// Another user's token cannot subscribe this connection.
    pub(super) fn subscribe(&self, who: Identity, after: Option<Seq>, topics: Topics) -> Answer {
        let is_own = self.bound.is_some_and(|bound| bound.who.user == who.user);
        if !is_own {
            return CommandError::Forbidden.into();
        }
        Answer::at_once(Ok(Response::Subscribed { after, topics }))
    }

    pub(super) fn unsubscribe(&self) -> Answer {
        self.stop_listening();
        Answer::at_once(Ok(Response::Unsubscribed))
    }

    /// What was pushed to a text connection so far stays read.
    fn stop_listening(&self) {
        if let Some(bound) = self.bound {
            self.hub().record_pushed_as_read(bound.who.user);
        }
        self.send_queue.stop_listening();
    }

    /// The reply to the subscription leaves; then the connection listens, or first hears what came after a message.
    pub(super) async fn begin_to_listen(&self, after: Option<Seq>, topics: Topics) -> Flow {
        let Some(bound) = self.bound else { return Flow::Continue };
        self.stop_listening();
        self.wait_for_own_changes().await;
        if let Some(after) = after {
            return Flow::Replay(Replay::new(bound.who.user, after, topics));
        }
        self.hub().listen(bound.who.user, &self.send_queue, topics);
        Flow::Continue
    }

    /// Puts the next page of a replay into the connection's queue; none when the connection listens, its session was
    /// ended, or the store cannot be read.
    pub(in crate::net) async fn replay_on(&self, mut replay: Replay) -> Option<Replay> {
        let session = self.bound?.who.session;
        let (is_open, _) = self.hub().read(|state| state.session(session).is_some());
        if !is_open {
            return None;
        }
        let (hub, send_queue) = (self.hub().clone(), self.send_queue.clone());
        let step =
            tokio::task::spawn_blocking(move || replay.step(&hub, &send_queue).map(|live| (!live).then_some(replay)));
        let next = step.await.unwrap_or(Ok(None)).unwrap_or_else(|error| {
            error!(%error, "the store could not be read for a subscription");
            None
        });
        self.send_queue.flush();
        next
    }
}
