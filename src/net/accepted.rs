//! A connection that was admitted.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use tokio::net::TcpStream;

use crate::hub::{SendQueue, SocketWriter};
use crate::net::admission::Permit;

/// A connection that was admitted.
pub(crate) struct Accepted {
    pub(crate) stream: Arc<TcpStream>,
    pub(crate) send_queue: Arc<SendQueue>,
    /// Of the client, behind a proxy, too.
    pub(crate) address: IpAddr,
    /// Held until the connection has ended.
    pub(crate) permit: Permit,
    /// What was read already.
    pub(crate) received: Bytes,
}

impl SocketWriter for TcpStream {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write(bytes)
    }
}
