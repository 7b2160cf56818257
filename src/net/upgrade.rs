//! Upgrade of a connection of the chat port to a link with another server (PROTOCOL §6).

use std::net::SocketAddr;

use tracing::debug;

use crate::federation::ByteStream;
use crate::net::admission::HandshakePermit;
use crate::net::context::ServerContext;

/// Serves the link until it ends.
pub(super) async fn serve(
    stream: Box<dyn ByteStream>,
    address: SocketAddr,
    handshake: HandshakePermit,
    context: &ServerContext,
) {
    let links = &context.federation;
    let accepted = tokio::select! {
        () = handshake.end.cancelled() => return debug!("a link was not made: newer ones needed its place"),
        accepted = links.transport.accept(stream, address) => accepted,
        () = context.stopping.cancelled() => return,
    };
    match accepted {
        Ok(carried) => {
            // Handshakes after this one have a bound of their own.
            drop(handshake);
            links.manager.serve(carried).await;
        }
        Err(error) => debug!(%error, "the handshake of a link failed"),
    }
}
