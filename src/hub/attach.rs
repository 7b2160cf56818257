//! Attaching connections to sessions and detaching them, and recording what was pushed to text connections as read.

use std::sync::Arc;

use crate::chat::{Command, Context, Topics};
use crate::hub::presence::Attached;
use crate::hub::send_queue::SendQueue;
use crate::hub::shared::Hub;
use crate::id::{Seq, SessionId, UserId};
use crate::time::Time;
use crate::wire::ReplyFormat;

impl Hub {
    /// Attaches a connection to an open session: its user is online, and a text connection is pushed to. A subscription
    /// ends with the attachment that it was made in.
    pub(crate) fn attach(&self, user: UserId, session: SessionId, send_queue: &Arc<SendQueue>) {
        // Under the state's lock no message can come between reading the cursor and listening, nor can the session be
        // closed and its connections be detached before this one is among them.
        let state = self.0.read_state();
        if state.session(session).is_none_or(|open| open.user != user) {
            return;
        }
        let mut presence = self.0.presence();
        let comes = !presence.is_online(user);
        presence.attach(user, Attached { session, send_queue: send_queue.clone() });
        match send_queue.format() {
            ReplyFormat::Json | ReplyFormat::WebSocket => send_queue.stop_listening(),
            ReplyFormat::Text if send_queue.is_listening() => {}
            ReplyFormat::Text => {
                send_queue.listen(state.read_upto(user).unwrap_or(presence.delivered), Topics::default());
            }
        }
        let watchers = if comes { presence.notify_watchers(&state, user, true) } else { Vec::new() };
        drop(presence);
        drop(state);
        watchers.iter().for_each(|watcher| watcher.flush());
    }

    pub(crate) fn detach(&self, user: UserId, send_queue: &Arc<SendQueue>) {
        self.detach_where(user, |attached| Arc::ptr_eq(&attached.send_queue, send_queue));
    }

    /// Detaches all connections from a session that was closed.
    pub(super) fn detach_session(&self, user: UserId, session: SessionId) {
        self.detach_where(user, |attached| attached.session == session);
    }

    fn detach_where(&self, user: UserId, leaves: impl Fn(&Attached) -> bool) {
        let state = self.0.read_state();
        let mut presence = self.0.presence();
        let left: Vec<_> = presence.detach(user, leaves).iter().map(|left| left.send_queue.end_binding()).collect();
        let goes = !left.is_empty() && !presence.is_online(user);
        let watchers = if goes { presence.notify_watchers(&state, user, false) } else { Vec::new() };
        drop(presence);
        drop(state);
        watchers.iter().for_each(|watcher| watcher.flush());
        for interval in left.into_iter().flatten() {
            self.note_read(user, interval);
        }
    }

    /// Records what was pushed to the user's text connections as read (PROTOCOL §4).
    pub(crate) fn record_pushed_as_read(&self, user: UserId) {
        let presence = self.0.presence();
        let read: Vec<_> =
            presence.connections(user).iter().filter_map(|attached| attached.send_queue.take_read_range()).collect();
        drop(presence);
        for interval in read {
            self.note_read(user, interval);
        }
    }

    fn note_read(&self, user: UserId, (after, upto): (Seq, Seq)) {
        self.execute(&Context::on_behalf_of(user, Time::now()), &Command::ReadPushed { after, upto });
    }

    /// Resumes pushes to a connection that lagged and has taken everything before.
    pub(crate) fn recover(&self, user: UserId, send_queue: &SendQueue) {
        self.record_pushed_as_read(user);
        let presence = self.0.presence();
        send_queue.recover(presence.delivered);
        drop(presence);
        send_queue.flush();
    }
}
