//! The bytes that a connection received and has not served yet.

use std::cell::RefCell;
use std::io;
use std::ops::{Deref, DerefMut};
use std::task::{Context, Poll};

use bytes::BytesMut;

use crate::limits::READ_BYTES;
use crate::net::client_stream::ClientStream;

thread_local! {
    /// Reads go to this buffer first, one for each thread, so that a connection holds no more than it received.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

#[derive(Default)]
pub(super) struct ReadBuffer(BytesMut);

impl ReadBuffer {
    /// A buffer of bytes that were read elsewhere.
    pub(super) fn of(received: &[u8]) -> Self {
        Self(BytesMut::from(received))
    }

    /// Waits until the socket has bytes and reads some of them. Returns how many; 0 means that the peer closed its side.
    pub(super) fn poll_take(
        &mut self,
        stream: &ClientStream,
        limit: usize,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        stream.poll_read(context, |stream| self.take(stream, limit))
    }

    /// Reads what the socket has, `limit` bytes at the most.
    ///
    /// # Errors
    /// `WouldBlock` if it has nothing now; any other error if the connection broke.
    pub(super) fn take(&mut self, stream: &ClientStream, limit: usize) -> io::Result<usize> {
        SCRATCH.with_borrow_mut(|scratch| {
            let room = limit.min(scratch.len());
            let count = stream.try_read(scratch.get_mut(..room).unwrap_or_default())?;
            self.0.extend_from_slice(scratch.get(..count).unwrap_or_default());
            Ok(count)
        })
    }

    /// Frees the memory of the bytes that were served.
    pub(super) fn shrink(&mut self) {
        let rest = std::mem::take(&mut self.0);
        if !rest.is_empty() {
            self.0 = BytesMut::from(&rest[..]);
        }
    }
}

/// The codec cuts lines off the front.
impl Deref for ReadBuffer {
    type Target = BytesMut;

    fn deref(&self) -> &BytesMut {
        &self.0
    }
}

impl DerefMut for ReadBuffer {
    fn deref_mut(&mut self) -> &mut BytesMut {
        &mut self.0
    }
}
