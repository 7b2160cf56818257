//! A byte stream to a server, encrypted or not.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::address::ServerAddress;
use crate::client::error::ClientError;
use crate::client::tls;
use crate::client::trust::Trust;
use crate::limits::CLIENT_DIAL;
use crate::socket;

/// The transport of a connection.
pub(super) trait ByteStream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> ByteStream for T {}

/// Connects within [`CLIENT_DIAL`].
pub(super) async fn dial(server: &ServerAddress, trust: &Trust) -> Result<Box<dyn ByteStream>, ClientError> {
    match timeout(CLIENT_DIAL, connect(server, trust)).await {
        Ok(made) => made,
        Err(_) => Err(ClientError::Unreachable {
            server: server.clone(),
            source: io::Error::new(io::ErrorKind::TimedOut, "no answer in time"),
        }),
    }
}

async fn connect(server: &ServerAddress, trust: &Trust) -> Result<Box<dyn ByteStream>, ClientError> {
    let unreachable = |source| ClientError::Unreachable { server: server.clone(), source };
    let stream = TcpStream::connect((server.host.as_str(), server.port)).await.map_err(unreachable)?;
    socket::prepare(&stream).map_err(unreachable)?;
    if !server.tls {
        return Ok(Box::new(stream));
    }
    Ok(Box::new(tls::handshake(server, trust, stream).await?))
}
