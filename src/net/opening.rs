//! The opening of a connection, before the first request: the header of a proxy, and the TLS handshake.

use std::io;

use tokio::time::timeout;
use tracing::debug;

use crate::hub::{ConnectionEnd, SendQueue};
use crate::limits::OPENING;
use crate::net::accepted::Accepted;
use crate::net::client_stream::ClientStream;
use crate::net::proxy_header;
use crate::net::tls_stream::TlsStream;

/// The first byte of every TLS handshake.
const TLS_HANDSHAKE: u8 = 22;

/// Why a connection ends before its first request.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpeningError {
    #[error("it took longer than {OPENING:?}")]
    Late,
    #[error("the server refused or ended it: {0:?}")]
    Ended(ConnectionEnd),
    #[error("its proxy did not name the client: {0}")]
    Header(io::Error),
    #[error("others needed its place")]
    Evicted,
    #[error("the TLS handshake failed: {0}")]
    Handshake(io::Error),
    #[error("the client does not speak TLS")]
    NoTls,
}

impl OpeningError {
    /// For the operator's counts. `None` if it was counted when the server decided it.
    pub(super) fn label(&self) -> Option<&'static str> {
        match self {
            Self::Late => Some("opening_late"),
            Self::Ended(_) => None,
            Self::Header(_) => Some("proxy_header"),
            Self::Evicted => Some("evicted"),
            Self::Handshake(_) => Some("tls_handshake"),
            Self::NoTls => Some("tls_expected"),
        }
    }
}

/// Opens a connection: afterwards its client is known, and can be read from and written to.
pub(super) async fn open(accepted: &mut Accepted, is_proxied: bool) -> Result<(), OpeningError> {
    let send_queue = accepted.send_queue.clone();
    tokio::select! {
        opened = timeout(OPENING, open_in_time(accepted, is_proxied)) => opened.unwrap_or(Err(OpeningError::Late)),
        end = ending(&send_queue) => Err(OpeningError::Ended(end)),
    }
}

async fn ending(send_queue: &SendQueue) -> ConnectionEnd {
    std::future::poll_fn(|context| send_queue.poll_until(|status| status.is_closing, context)).await;
    send_queue.ending().unwrap_or(ConnectionEnd::Gone)
}

async fn open_in_time(accepted: &mut Accepted, is_proxied: bool) -> Result<(), OpeningError> {
    if is_proxied {
        let named = proxy_header::read(accepted.stream.tcp()).await.map_err(OpeningError::Header)?;
        accepted.address = named.unwrap_or(accepted.address);
        let is_admitted = accepted.permit.set_client(accepted.address);
        is_admitted.map_err(|reason| OpeningError::Ended(ConnectionEnd::Disconnected(reason)))?;
    }
    let ClientStream::Tls(stream) = &*accepted.stream else { return Ok(()) };
    let permit = accepted.permit.begin_handshake(accepted.address);
    tokio::select! {
        made = make_tls(stream) => made,
        () = permit.end.cancelled() => Err(OpeningError::Evicted),
    }
}

async fn make_tls(stream: &TlsStream) -> Result<(), OpeningError> {
    let mut first = [0];
    let received = stream.tcp().peek(&mut first).await.map_err(OpeningError::Handshake)?;
    if received > 0 && !begins_tls(&first) {
        return Err(OpeningError::NoTls);
    }
    stream.handshake().await.map_err(OpeningError::Handshake)?;
    debug!("encrypted");
    Ok(())
}

/// Whether bytes can be the beginning of TLS.
pub(crate) fn begins_tls(received: &[u8]) -> bool {
    received.first() == Some(&TLS_HANDSHAKE)
}
