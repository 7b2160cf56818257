//! A connection that is to become a link to another server (PROTOCOL §6).

use std::sync::Mutex;

use crate::chat::{CommandError, Response};
use crate::net::link_carrier::HalfLink;
use crate::net::session::reply::PendingReply;
use crate::net::session::state::Session;

impl Session {
    /// Takes a place of the links that are not made yet.
    pub(super) fn begin_link(&mut self) -> Result<(), CommandError> {
        let handshake = self.server.admission.begin_link(self.place).ok_or(CommandError::Busy)?;
        self.half_link = Some(HalfLink { handshake, carrier: None }.into());
        Ok(())
    }

    /// Likewise on a node that follows: it asks the leader, which has all links, and carries this one there.
    pub(super) async fn carry_link(&mut self) -> PendingReply {
        PendingReply::at_once(self.offer_link().await.map(|()| Response::Linking))
    }

    async fn offer_link(&mut self) -> Result<(), CommandError> {
        let carrier = self.server.federation.carrier.clone().ok_or(CommandError::Unavailable)?;
        let handshake = self.server.admission.begin_link(self.place).ok_or(CommandError::Busy)?;
        let carrier = tokio::select! {
            offered = self.unless_gone(carrier.offer(self.address)) => offered??,
            () = handshake.end.cancelled() => return Err(CommandError::Busy),
        };
        self.half_link = Some(HalfLink { handshake, carrier: Some(Mutex::new(carrier)) }.into());
        Ok(())
    }
}
