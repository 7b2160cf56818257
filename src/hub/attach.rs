//! Attaching connections to sessions and detaching them, and recording what was pushed to text connections as read.

use std::sync::Arc;

use crate::chat::{Command, Context, SessionUse, State, Topics};
use crate::hub::presence::{Attached, Presence};
use crate::hub::send_queue::SendQueue;
use crate::hub::shared::Hub;
use crate::id::{Seq, SessionId, UserId};
use crate::limits::PRESENCE_PUSHES_LATER;
use crate::time::Time;
use crate::wire::ReplyFormat;

impl Hub {
    /// Attaches a connection to an open session, that of a login or of a token that was presented: its user is online, and a
    /// text connection is pushed to. A subscription ends with the attachment that it was made in.
    pub(crate) fn attach(&self, user: UserId, session: SessionId, by_token: bool, send_queue: &Arc<SendQueue>) {
        // Under the state's lock no message can come between reading the cursor and listening, nor can the session be
        // closed and its connections be detached before this one is among them.
        let state = self.0.read_state();
        if state.session(session).is_none_or(|open| open.user != user) {
            return;
        }
        let mut presence = self.0.presence();
        let comes = !presence.is_online(user);
        if by_token {
            presence.session_uses.record_token(session, Time::now());
        }
        presence.attach(user, Attached { session, send_queue: send_queue.clone() });
        send_queue.begin_binding(Time::now());
        match send_queue.format() {
            ReplyFormat::Json | ReplyFormat::WebSocket => {
                send_queue.stop_listening();
                presence.watchers.remove(send_queue);
            }
            ReplyFormat::Text(_) if send_queue.is_listening() => {}
            ReplyFormat::Text(_) => {
                send_queue.listen(state.read_upto(user).unwrap_or(presence.delivered), Topics::default());
            }
        }
        let watchers = if comes { notify_watchers(&mut presence, &state, user, true) } else { Vec::new() };
        drop(presence);
        drop(state);
        watchers.iter().for_each(|watcher| watcher.flush());
    }

    /// Detaches a connection from whatever session of the user it is attached to.
    pub(crate) fn detach(&self, user: UserId, send_queue: &Arc<SendQueue>) {
        let state = self.0.read_state();
        let mut presence = self.0.presence();
        let left = presence.detach(user, |attached| Arc::ptr_eq(&attached.send_queue, send_queue));
        let read: Vec<_> = left.iter().map(|left| left.send_queue.end_binding()).collect();
        let goes = !left.is_empty() && !presence.is_online(user);
        let watchers = if goes { notify_watchers(&mut presence, &state, user, false) } else { Vec::new() };
        drop(presence);
        drop(state);
        watchers.iter().for_each(|watcher| watcher.flush());
        for interval in read.into_iter().flatten() {
            self.note_read(user, interval);
        }
    }

    /// Begins a period of presence notices: the watchers are told the states of users who came and went more often in the
    /// period before than they were told, of so many as a period has pushes for.
    pub(crate) fn begin_presence_period(&self) {
        self.0.presence().begin_period();
        let mut pushes = PRESENCE_PUSHES_LATER;
        while let Some(watchers) = self.notify_of_states(&mut pushes) {
            watchers.iter().for_each(|watcher| watcher.flush());
        }
    }

    /// The lock is free again when the watchers are flushed.
    fn notify_of_states(&self, pushes: &mut usize) -> Option<Vec<Arc<SendQueue>>> {
        self.0.presence().notify_of_states(pushes)
    }

    /// The token of an open session was presented for one request, on a connection that is attached to another one.
    pub(crate) fn record_token_use(&self, session: SessionId) {
        let state = self.0.read_state();
        if state.session(session).is_some() {
            self.0.presence().session_uses.record_token(session, Time::now());
        }
    }

    /// The client that logged in quit at once.
    pub(crate) fn record_left(&self, session: SessionId) {
        let state = self.0.read_state();
        if state.session(session).is_some() {
            self.0.presence().session_uses.record_left(session, Time::now());
        }
    }

    /// Whether the session's token was presented since the server started.
    pub(crate) fn was_resumed(&self, session: SessionId) -> bool {
        self.0.presence().session_uses.was_resumed(session)
    }

    /// Whether a connection is attached to the session.
    pub(crate) fn is_connected(&self, user: UserId, session: SessionId) -> bool {
        self.0.presence().is_connected(user, session)
    }

    /// When a session of the user was used last, if this process knows.
    pub(crate) fn session_use(&self, user: UserId, session: SessionId) -> Option<SessionUse> {
        self.0.presence().session_use(user, session)
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

    pub(super) fn note_read(&self, user: UserId, (after, upto): (Seq, Seq)) {
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

pub(super) fn notify_watchers(
    presence: &mut Presence,
    state: &State,
    user: UserId,
    online: bool,
) -> Vec<Arc<SendQueue>> {
    state.user(user).map_or(Vec::new(), |known| presence.notify_watchers(user, &known.name, online))
}
