//! The opening of a connection, before the first request: the header of a proxy, and the TLS handshake.

use std::io;

use tokio::net::TcpStream;
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
    #[error("it ended before it sent anything")]
    Unused,
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
    /// For the operator's counts. `None` if it was counted when the server decided it, or is nothing to count: load balancers
    /// connect and close every other second, to learn whether somebody is there.
    pub(super) fn label(&self) -> Option<&'static str> {
        match self {
            Self::Late => Some("opening_late"),
            Self::Ended(_) | Self::Unused => None,
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

/// Waits until the server ends the connection.
pub(super) async fn ending(send_queue: &SendQueue) -> ConnectionEnd {
    std::future::poll_fn(|context| send_queue.poll_until(|status| status.is_closing, context)).await;
    send_queue.ending().unwrap_or(ConnectionEnd::Gone)
}

async fn open_in_time(accepted: &mut Accepted, is_proxied: bool) -> Result<(), OpeningError> {
    if is_proxied {
        first_byte(accepted.stream.tcp()).await?;
        match proxy_header::read(accepted.stream.tcp()).await.map_err(OpeningError::Header)? {
            Some(client) => {
                accepted.address = client;
                let is_admitted = accepted.permit.set_client(client);
                is_admitted.map_err(|reason| OpeningError::Ended(ConnectionEnd::Disconnected(reason)))?;
            }
            None => accepted.permit.set_proxy(accepted.address),
        }
    }
    let ClientStream::Tls(stream) = &*accepted.stream else { return Ok(()) };
    let permit = accepted.permit.begin_handshake(accepted.address);
    tokio::select! {
        made = make_tls(stream) => made,
        () = permit.end.cancelled() => Err(OpeningError::Evicted),
    }
}

/// Waits for the first byte, and leaves it to be read.
async fn first_byte(tcp: &TcpStream) -> Result<u8, OpeningError> {
    let mut first = [0];
    match tcp.peek(&mut first).await {
        Ok(1..) => Ok(first[0]),
        Ok(0) | Err(_) => Err(OpeningError::Unused),
    }
}

async fn make_tls(stream: &TlsStream) -> Result<(), OpeningError> {
    if !begins_tls(&[first_byte(stream.tcp()).await?]) {
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
