//! One connection: lines out, frames in.

use std::io;

use bytes::BytesMut;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::timeout;

use crate::client::address::ServerAddress;
use crate::client::dial::{ByteStream, dial};
use crate::client::error::ClientError;
use crate::client::event::Event;
use crate::client::reply::Reply;
use crate::client::trust::Trust;
use crate::limits::{CLIENT_DEAD, CLIENT_FRAME_BYTES, CLIENT_READ_BYTES};

const END: &[u8] = b"\r\n\r\n";

/// A frame of the server.
#[derive(Clone, Debug)]
pub enum Frame {
    /// The answer to a request, or, without a tag, why the server ends the connection.
    Reply(Box<Reply>),
    /// Something that nobody asked for.
    Event(Event),
}

/// An open session.
#[derive(Clone, Debug, Deserialize)]
pub struct Login {
    /// The name as it was registered.
    pub user: String,
    /// The token, by which another connection resumes the session: keep it as a password.
    #[serde(rename = "tokenid")]
    pub token: String,
}

/// A connection to a json listener. It does not reconnect: [`Client`](super::Client) does.
pub struct Connection {
    server: ServerAddress,
    reader: ReadHalf<Box<dyn ByteStream>>,
    writer: WriteHalf<Box<dyn ByteStream>>,
    received: BytesMut,
    /// Bytes of `received` that hold no end of a frame.
    searched: usize,
    unsent: BytesMut,
    is_flushed: bool,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`], or [`ClientError::Untrusted`] with the fingerprint to pin.
    pub async fn open(server: &ServerAddress, trust: &Trust) -> Result<Self, ClientError> {
        let (reader, writer) = tokio::io::split(dial(server, trust).await?);
        Ok(Self {
            server: server.clone(),
            reader,
            writer,
            received: BytesMut::new(),
            searched: 0,
            unsent: BytesMut::new(),
            is_flushed: true,
        })
    }

    /// Takes one request to be sent by the next [`receive`](Self::receive).
    ///
    /// # Errors
    /// [`ClientError::SeveralLines`].
    pub fn send(&mut self, line: &str) -> Result<(), ClientError> {
        check_line(line)?;
        self.unsent.extend_from_slice(line.as_bytes());
        self.unsent.extend_from_slice(b"\n");
        self.is_flushed = false;
        Ok(())
    }

    /// Sends what was taken, and returns the next frame. May be cancelled and called again.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] if the connection broke, [`ClientError::NotKabar`].
    pub async fn receive(&mut self) -> Result<Frame, ClientError> {
        loop {
            if let Some(frame) = self.take_frame()? {
                return Ok(frame);
            }
            self.received.reserve(CLIENT_READ_BYTES);
            // Reads while it writes: a server whose replies are not taken stops reading.
            tokio::select! {
                read = self.reader.read_buf(&mut self.received) => match read {
                    Ok(0) => return Err(self.broken(io::ErrorKind::UnexpectedEof.into())),
                    Ok(_) => {}
                    Err(error) => return Err(self.broken(error)),
                },
                written = write_some(&mut self.writer, &mut self.unsent, &mut self.is_flushed), if !self.is_flushed => {
                    if let Err(error) = written {
                        return Err(self.broken(error));
                    }
                }
            }
        }
    }

    /// Sends one request and waits for its reply; events before it are dropped.
    ///
    /// # Errors
    /// As [`receive`](Self::receive), and [`ClientError::Refused`].
    pub async fn ask(&mut self, line: &str) -> Result<Reply, ClientError> {
        self.ask_with_events(line, |_| {}).await
    }

    /// The same, with the events that come before the reply.
    pub(super) async fn ask_with_events(
        &mut self,
        line: &str,
        mut take: impl FnMut(Event),
    ) -> Result<Reply, ClientError> {
        self.send(line)?;
        let answered = timeout(CLIENT_DEAD, async {
            loop {
                match self.receive().await? {
                    Frame::Reply(reply) => return Ok(reply),
                    Frame::Event(event) => take(event),
                }
            }
        });
        let reply = answered.await.unwrap_or(Err(self.broken(io::ErrorKind::TimedOut.into())))?;
        if reply.is_ok() { Ok(*reply) } else { Err(ClientError::Refused(reply)) }
    }

    fn broken(&self, source: io::Error) -> ClientError {
        ClientError::Unreachable { server: self.server.clone(), source }
    }

    fn take_frame(&mut self) -> Result<Option<Frame>, ClientError> {
        let not_kabar = || ClientError::NotKabar(self.server.clone());
        if self.received.first().is_some_and(|first| *first != b'{') {
            return Err(not_kabar());
        }
        let unsearched = self.received.get(self.searched..).unwrap_or_default();
        let Some(end) = memchr::memmem::find(unsearched, END) else {
            self.searched = self.received.len().saturating_sub(END.len() - 1);
            if self.received.len() > CLIENT_FRAME_BYTES {
                return Err(not_kabar());
            }
            return Ok(None);
        };
        let bytes = self.received.split_to(self.searched + end + END.len());
        self.searched = 0;
        read_frame(&bytes).ok_or_else(not_kabar).map(Some)
    }
}

/// Writes what the transport takes, and flushes it after the last byte. May be cancelled.
async fn write_some(
    writer: &mut WriteHalf<Box<dyn ByteStream>>,
    unsent: &mut BytesMut,
    is_flushed: &mut bool,
) -> io::Result<()> {
    if !unsent.is_empty() {
        writer.write_buf(unsent).await?;
        return Ok(());
    }
    writer.flush().await?;
    *is_flushed = true;
    Ok(())
}

fn read_frame(bytes: &[u8]) -> Option<Frame> {
    let mut frame: Value = serde_json::from_slice(bytes).ok()?;
    if let Some(word) = frame["event"].as_str().map(str::to_owned) {
        return Some(Frame::Event(Event::read(&word, &mut frame)));
    }
    Some(Frame::Reply(Box::new(serde_json::from_value(frame).ok()?)))
}

/// # Errors
/// [`ClientError::SeveralLines`].
pub(super) fn check_line(line: &str) -> Result<(), ClientError> {
    if line.contains(['\n', '\r']) { Err(ClientError::SeveralLines) } else { Ok(()) }
}

/// Opens a session.
///
/// # Errors
/// As [`Connection::open`] and [`Connection::ask`].
pub async fn log_in(server: &ServerAddress, trust: &Trust, user: &str, password: &str) -> Result<Login, ClientError> {
    open_session(server, trust, &format!("auth {user} {password}")).await
}

/// Makes an account and opens a session.
///
/// # Errors
/// As [`log_in`].
pub async fn register(server: &ServerAddress, trust: &Trust, user: &str, password: &str) -> Result<Login, ClientError> {
    open_session(server, trust, &format!("register {user} {password}")).await
}

async fn open_session(server: &ServerAddress, trust: &Trust, request: &str) -> Result<Login, ClientError> {
    let mut connection = Connection::open(server, trust).await?;
    let reply = connection.ask(request).await?;
    serde_json::from_value(reply.data).map_err(|_| ClientError::NotKabar(server.clone()))
}
