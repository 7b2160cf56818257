//! A connection that was admitted.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;

use crate::hub::SendQueue;
use crate::net::admission::Permit;
use crate::net::client_stream::ClientStream;

/// A connection that was admitted.
pub(crate) struct Accepted {
    pub(crate) stream: Arc<ClientStream>,
    pub(crate) send_queue: Arc<SendQueue>,
    /// Of the client, behind a proxy, too.
    pub(crate) address: IpAddr,
    /// Held until the connection has ended.
    pub(crate) permit: Permit,
    /// Bytes that were read already.
    pub(crate) received: Bytes,
}
