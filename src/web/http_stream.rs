//! The stream below hyper, which explains what hyper refuses without a word.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::hub::SocketWriter;
use crate::net::{ClientStream, SharedStream};
use crate::web::refusal;

pub(super) struct HttpStream {
    stream: SharedStream,
    /// Something was written: a request was answered, at least in part.
    pub(super) has_answered: bool,
}

impl HttpStream {
    pub(super) fn new(stream: Arc<ClientStream>) -> Self {
        Self { stream: SharedStream(stream), has_answered: false }
    }
}

impl AsyncRead for HttpStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for HttpStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.has_answered = true;
        let Some(refusal) = refusal::in_place_of(bytes) else {
            return Pin::new(&mut self.stream).poll_write(context, bytes);
        };
        // A client that has not taken what it was answered before loses the explanation, and hyper ends the connection.
        let _written = self.stream.0.try_write(&refusal.to_bytes());
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
