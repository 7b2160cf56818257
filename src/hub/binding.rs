//! Connections and the sessions that they are bound to: who comes, who goes, and what a person at a terminal has read.

use std::sync::Arc;

use crate::chat::{Command, Topics};
use crate::hub::Hub;
use crate::hub::outbox::Outbox;
use crate::hub::presence::Attached;
use crate::id::{Seq, SessionId, UserId};
use crate::wire::Style;

impl Hub {
    /// Binds a connection to an open session: its user is online, and a text listener's hears what comes. A subscription
    /// ends with the binding that it was made in.
    pub fn attach(&self, user: UserId, session: SessionId, outbox: &Arc<Outbox>) {
        // Under the state's lock nothing new can come between finding the inbox read and listening, nor can the session
        // be closed and its connections be detached before this one is among them.
        let state = self.0.read_state();
        if state.session(session).is_none_or(|open| open.user != user) {
            return;
        }
        let mut presence = self.0.presence();
        let comes = !presence.is_online(user);
        presence.attach(user, Attached { session, outbox: outbox.clone() });
        outbox.set_stranger(false);
        match outbox.style() {
            Style::Json => outbox.stop_listening(),
            Style::Text if outbox.is_listening() => {}
            Style::Text => {
                outbox.listen(state.read_upto(user).unwrap_or(presence.delivered), Topics::default());
            }
        }
        let watchers = if comes { presence.tell_watchers(&state, user, true) } else { Vec::new() };
        drop(presence);
        drop(state);
        watchers.iter().for_each(|watcher| watcher.flush());
    }

    /// Ends a connection's binding.
    pub fn detach(&self, user: UserId, outbox: &Arc<Outbox>) {
        self.detach_where(user, |attached| Arc::ptr_eq(&attached.outbox, outbox));
    }

    /// Ends the bindings of all connections to a session that was closed.
    pub(super) fn detach_session(&self, user: UserId, session: SessionId) {
        self.detach_where(user, |attached| attached.session == session);
    }

    fn detach_where(&self, user: UserId, leaves: impl Fn(&Attached) -> bool) {
        let state = self.0.read_state();
        let mut presence = self.0.presence();
        let left: Vec<_> = presence.detach(user, leaves).iter().map(|left| left.outbox.end_binding()).collect();
        let goes = !left.is_empty() && !presence.is_online(user);
        let watchers = if goes { presence.tell_watchers(&state, user, false) } else { Vec::new() };
        drop(presence);
        drop(state);
        watchers.iter().for_each(|watcher| watcher.flush());
        for interval in left.into_iter().flatten() {
            self.note_read(user, interval);
        }
    }

    /// Records what was pushed to the user's text connections: there, live push counts as read (PROTOCOL §4).
    pub fn note_live_reading(&self, user: UserId) {
        let presence = self.0.presence();
        let read: Vec<_> =
            presence.connections(user).iter().filter_map(|attached| attached.outbox.take_read()).collect();
        drop(presence);
        for interval in read {
            self.note_read(user, interval);
        }
    }

    fn note_read(&self, user: UserId, (after, upto): (Seq, Seq)) {
        self.execute(&Command::ReadLive { user, after, upto }, None);
    }

    /// Pushes again to a connection of the user that lagged and has caught up.
    pub fn recover(&self, user: UserId, outbox: &Outbox) {
        self.note_live_reading(user);
        let presence = self.0.presence();
        outbox.recover(presence.delivered);
        drop(presence);
        outbox.flush();
    }
}
