//! What a connection's other end has said and was not served yet.

use std::cell::RefCell;
use std::io;
use std::ops::{Deref, DerefMut};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::net::TcpStream;

use crate::limits::READ_BYTES;

thread_local! {
    /// What is read comes here first: one such room a thread, so that a connection holds no more than was said.
    static ROOM: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// What was said and not served.
#[derive(Default)]
pub(super) struct ReadBuffer(BytesMut);

impl ReadBuffer {
    /// Waits until the socket has something, and takes it: so many bytes, none at the end.
    pub(super) fn poll_take(&mut self, stream: &TcpStream, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            ready!(stream.poll_read_ready(context))?;
            match self.take(stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                taken => return Poll::Ready(taken),
            }
        }
    }

    /// Takes what the socket has.
    ///
    /// # Errors
    /// `WouldBlock` where it has nothing now; anything else where the connection broke.
    pub(super) fn take(&mut self, stream: &TcpStream) -> io::Result<usize> {
        ROOM.with_borrow_mut(|room| {
            let count = stream.try_read(room)?;
            self.0.extend_from_slice(room.get(..count).unwrap_or_default());
            Ok(count)
        })
    }

    /// Gives back the room of what was served.
    pub(super) fn give_back(&mut self) {
        let rest = std::mem::take(&mut self.0);
        if !rest.is_empty() {
            self.0 = BytesMut::from(&rest[..]);
        }
    }
}

/// What was not served yet is cut into lines from the front.
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
