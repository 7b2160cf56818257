//! The end of a connection that its client asks for (PROTOCOL §2).

use crate::chat::{Command, Response};
use crate::net::session::reply::PendingReply;
use crate::net::session::state::{Acting, Session, SessionOrigin};

impl Session {
    /// Ends the session of a client that logged in, used it, and never presented its token: such a client logs in each time
    /// that it comes, and its sessions would push out those of others. One that only logged in wants the token for later.
    pub(super) fn quit(&self, acting: Acting) -> PendingReply {
        let session = acting.actor.session;
        let origin = self.attachment.filter(|attachment| attachment.actor == acting.actor).map(|own| own.origin);
        match origin {
            Some(SessionOrigin::InUse) if !self.hub().was_resumed(session) => {
                let close = Command::CloseSession { session };
                let closed = self.hub().execute_for(&self.context(acting), &close, self.origin(&acting));
                PendingReply::new(Ok(Response::Bye), closed.ticket)
            }
            Some(SessionOrigin::LoggedIn) if !self.hub().was_resumed(session) => {
                self.hub().record_left(session);
                PendingReply::at_once(Ok(Response::Bye))
            }
            _ => PendingReply::at_once(Ok(Response::Bye)),
        }
    }

    /// The connection's own session is used for more than its login.
    pub(super) fn record_use(&mut self, acting: &Acting) {
        if let Some(attachment) = &mut self.attachment
            && attachment.actor == acting.actor
            && attachment.origin == SessionOrigin::LoggedIn
        {
            attachment.origin = SessionOrigin::InUse;
        }
    }
}
