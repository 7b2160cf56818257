//! A user's sessions: listed, ended from here or from another (PROTOCOL §2, §7).

use crate::chat::{Command, Response, SessionStatus};
use crate::id::SessionId;
use crate::net::session::{Answer, Identity, Session};

impl Session {
    pub(super) fn log_out(&self, who: Identity) -> Answer {
        let executed = self.hub().execute(&Command::CloseSession { session: who.session }, None);
        Answer::of(executed, |_| Response::LoggedOut)
    }

    pub(super) fn revoke(&self, who: Identity, session: SessionId) -> Answer {
        let executed = self.execute(&Command::RevokeSession { user: who.user, session });
        Answer::of(executed, |_| Response::Revoked)
    }

    pub(super) fn sessions(&self, who: Identity) -> Answer {
        let (sessions, ticket) = self.hub().read(|state| {
            let open = state.user(who.user).map_or(&[][..], |user| &user.sessions);
            let status = |id: &SessionId| {
                let session = state.session(*id)?;
                Some(SessionStatus {
                    id: *id,
                    opened: session.opened,
                    used: session.used,
                    origin: session.origin,
                    current: *id == who.session,
                })
            };
            open.iter().filter_map(status).collect()
        });
        Answer::new(Ok(Response::Sessions(sessions)), ticket)
    }
}
