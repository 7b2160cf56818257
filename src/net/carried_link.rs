//! Links that other nodes of a cluster carry to this one, which leads (`docs/CLUSTER.md`).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::chat::CommandError;
use crate::federation::ByteStream;
use crate::hub::{SendQueue, SocketWriter};
use crate::net::admission::{HandshakePermit, Permit};
use crate::net::context::ServerContext;
use crate::net::upgrade;
use crate::wire::{DisconnectReason, ListenerKind};

/// The places that a carried link has at the leader: those that it would have if it had come there.
pub(crate) struct CarriedPlaces {
    permit: Permit,
    handshake: HandshakePermit,
}

/// Takes the places for a link that another node offers to carry.
///
/// # Errors
/// Why this server does not take it.
pub(crate) fn admit_carried(context: &Arc<ServerContext>, peer: IpAddr) -> Result<CarriedPlaces, CommandError> {
    let format = ListenerKind::Json.format(context.policy.load().language);
    let send_queue = Arc::new(SendQueue::new(Arc::new(NoSocket), format));
    let permit = context.admission.admit(Some(peer), &send_queue).map_err(|reason| match reason {
        DisconnectReason::AddressBanned => CommandError::Forbidden,
        _ => CommandError::Busy,
    })?;
    let handshake = context.admission.begin_link(permit.number()).ok_or(CommandError::Busy)?;
    Ok(CarriedPlaces { permit, handshake })
}

impl CarriedPlaces {
    /// Serves the link until it ends.
    pub(crate) async fn serve(self, stream: impl ByteStream + 'static, peer: IpAddr, context: &ServerContext) {
        let Self { permit, handshake } = self;
        // Nobody asks for the port.
        upgrade::serve(Box::new(stream), SocketAddr::new(peer, 0), handshake, context).await;
        drop(permit);
    }
}

/// Nothing is written by the queue of a carried link: it stands for the link among the connections.
struct NoSocket;

impl SocketWriter for NoSocket {
    fn try_write(&self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}
