//! Upgrade of a connection of the chat port to a link with another server (PROTOCOL §6).

use std::sync::Arc;

use tracing::debug;

use crate::net::admission::HandshakePermit;
use crate::net::client_stream::{ClientStream, SharedStream};
use crate::net::context::ServerContext;

/// Serves the link until it ends.
pub(super) async fn serve(stream: Arc<ClientStream>, half_link: Option<Box<HandshakePermit>>, context: &ServerContext) {
    let Ok(address) = stream.peer_addr() else { return };
    let links = &context.federation;
    let Some(half_link) = half_link else { return };
    let accepted = tokio::select! {
        () = half_link.end.cancelled() => return debug!("a link was not made: newer ones needed its place"),
        accepted = links.transport.accept(Box::new(SharedStream(stream)), address) => accepted,
        () = context.stopping.cancelled() => return,
    };
    match accepted {
        Ok(carried) => {
            // Handshakes after this one have a bound of their own.
            drop(half_link);
            links.manager.serve(carried).await;
        }
        Err(error) => debug!(%error, "the handshake of a link failed"),
    }
}
