//! Frames that the server sends a connection without a request.

use crate::hub::Ticket;
use crate::net::session::state::Session;
use crate::settings::Language;
use crate::wire::DisconnectReason;

impl Session {
    /// Tells the client why the server closes the connection.
    pub(in crate::net) fn send_disconnect_reason(&self, reason: DisconnectReason) {
        let format = self.send_queue.format();
        self.send_queue.reply(Ticket::NONE, None, |out| format.disconnect(out, reason));
        self.send_replies();
    }

    /// Sends bytes below the protocol, after the replies so far.
    pub(in crate::net) fn send_control(&self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.send_queue.reply(Ticket::NONE, None, |out| out.extend_from_slice(bytes));
            self.send_replies();
        }
    }

    /// Greets the person who has connected, unless it is a client of the documents.
    pub(in crate::net) fn greet(&self) {
        let format = self.send_queue.format();
        if format.language() != Language::Documents {
            self.send_queue.reply(Ticket::NONE, None, |out| format.greet(out));
            self.send_replies();
        }
    }

    /// Tells a person at a text listener that a line was begun and not ended.
    pub(in crate::net) fn send_unfinished_line(&self) {
        let format = self.send_queue.format();
        self.send_queue.reply(Ticket::NONE, None, |out| format.unfinished_line(out));
        self.send_replies();
    }
}
