//! Connections that are being ended: all of them, or those that make room for others.

use tokio::time::timeout;

use crate::hub::ConnectionEnd;
use crate::limits::{ENDING_CONNECTIONS, ENDING_WAIT};
use crate::net::admission::Admission;
use crate::wire::DisconnectReason;

impl Admission {
    /// Waits while many connections are being ended to make room: newcomers wait, and are not refused. Those that do not
    /// end soon, because their readers take nothing, are closed without a last frame.
    pub(in crate::net) async fn wait_for_room(&self) {
        loop {
            let has_ended = self.has_ended.notified();
            if self.admitted().ending.len() < ENDING_CONNECTIONS {
                return;
            }
            if timeout(ENDING_WAIT, has_ended).await.is_err() {
                self.abandon_ending();
            }
        }
    }

    fn abandon_ending(&self) {
        let admitted = self.admitted();
        let ending = admitted.ending.iter().filter_map(|number| admitted.connections.get(number));
        ending.for_each(|connected| connected.send_queue.close(ConnectionEnd::Gone));
    }

    /// Ends all connections, and admits no more.
    pub(crate) fn end_all(&self, reason: DisconnectReason) {
        let mut admitted = self.admitted();
        admitted.closed = Some(reason);
        for connected in admitted.connections.values() {
            connected.send_queue.close(ConnectionEnd::Disconnected(reason));
        }
    }

    /// Closes the connections that are left. Their requests that were not begun are not done.
    pub(crate) fn abandon_all(&self) {
        for connected in self.admitted().connections.values() {
            connected.send_queue.close(ConnectionEnd::Gone);
        }
    }
}
