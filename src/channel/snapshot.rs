//! A snapshot: a copy of a node's store, sent to another node in chunks.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::{oneshot, watch};
use tokio::task;
use tokio::time::{interval, timeout};

use crate::channel::endpoint::Channel;
use crate::channel::error::ChannelError;
use crate::channel::frames::{FrameReader, FrameWriter};
use crate::channel::messages::{FollowerMessage, SnapshotMessage};
use crate::limits::{SNAPSHOT_ALIVE, SNAPSHOT_CHUNK_BYTES, SNAPSHOT_SILENCE};

/// A copy that is being made.
pub struct CopyInProgress {
    pub percent: watch::Receiver<u8>,
    /// The copy, or why there is none.
    pub done: oneshot::Receiver<Result<File, Box<str>>>,
}

/// Tells the node that asked why it gets no snapshot.
///
/// # Errors
/// If it does not read that.
pub async fn refuse_snapshot(mut to: FrameWriter, why: &str) -> Result<(), ChannelError> {
    to.queue(&SnapshotMessage::Refused(why.into()))?;
    to.close().await
}

/// Sends a copy once it is made. Returns its bytes.
///
/// # Errors
/// If the copy cannot be made or read, or the other end does not read it.
pub async fn send_snapshot(mut to: FrameWriter, copy: CopyInProgress) -> Result<u64, ChannelError> {
    match await_copy(&mut to, copy).await? {
        Ok(file) => send(to, file).await,
        Err(why) => {
            refuse_snapshot(to, &why).await?;
            Err(ChannelError::SnapshotRefused(why))
        }
    }
}

async fn await_copy(to: &mut FrameWriter, copy: CopyInProgress) -> Result<Result<File, Box<str>>, ChannelError> {
    let CopyInProgress { percent, mut done } = copy;
    let mut alive = interval(SNAPSHOT_ALIVE);
    loop {
        tokio::select! {
            done = &mut done => return Ok(done.unwrap_or_else(|_| Err("the copy was given up".into()))),
            _ = alive.tick() => {
                let percent = *percent.borrow();
                to.queue(&SnapshotMessage::Copying(percent))?;
                to.flush().await?;
            }
        }
    }
}

async fn send(mut to: FrameWriter, mut file: File) -> Result<u64, ChannelError> {
    let bytes = file.metadata()?.len();
    to.queue(&SnapshotMessage::Begins(bytes))?;
    let mut hash = Sha256::new();
    loop {
        let (returned, chunk) = read_chunk(file).await?;
        file = returned;
        if chunk.is_empty() {
            break;
        }
        hash.update(&chunk);
        to.queue(&SnapshotMessage::Chunk(chunk))?;
        to.flush().await?;
    }
    to.queue(&SnapshotMessage::Ends(hash.finalize().into()))?;
    to.close().await?;
    Ok(bytes)
}

/// The next bytes of a file, read off the threads that serve; none at its end.
async fn read_chunk(mut file: File) -> Result<(File, Bytes), ChannelError> {
    let read = task::spawn_blocking(move || {
        let mut chunk = Vec::with_capacity(SNAPSHOT_CHUNK_BYTES);
        (&mut file).take(SNAPSHOT_CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
        Ok::<_, io::Error>((file, chunk.into()))
    });
    Ok(read.await.map_err(io::Error::from)??)
}

/// The receiving end of a snapshot.
pub struct SnapshotReader {
    from: FrameReader,
    /// Kept: without it the other end would find the channel closed.
    _to: FrameWriter,
    /// Bytes that are to come, once it has begun.
    left: Option<u64>,
}

impl SnapshotReader {
    /// Asks another node for a snapshot.
    ///
    /// # Errors
    /// If the channel breaks.
    pub async fn ask(channel: Channel) -> Result<Self, ChannelError> {
        let (from, mut to) = channel.split();
        to.queue(&FollowerMessage::Snapshot)?;
        to.flush().await?;
        Ok(Self { from, _to: to, left: None })
    }

    /// What comes next: at last [`SnapshotMessage::Ends`], after as many bytes as were announced.
    ///
    /// # Errors
    /// If the other end refuses, is silent, or sends something else.
    pub async fn next(&mut self) -> Result<SnapshotMessage, ChannelError> {
        let next = timeout(SNAPSHOT_SILENCE, self.from.next()).await;
        let message = next.unwrap_or(Err(ChannelError::SnapshotSilent))?.ok_or(ChannelError::SnapshotTorn)?;
        match (&message, self.left) {
            (SnapshotMessage::Refused(why), None) => return Err(ChannelError::SnapshotRefused(why.clone())),
            (SnapshotMessage::Copying(_), None) | (SnapshotMessage::Ends(_), Some(0)) => {}
            (SnapshotMessage::Begins(bytes), None) => self.left = Some(*bytes),
            (SnapshotMessage::Chunk(chunk), Some(left)) if !chunk.is_empty() && chunk.len() as u64 <= left => {
                self.left = Some(left - chunk.len() as u64);
            }
            _ => return Err(ChannelError::SnapshotTorn),
        }
        Ok(message)
    }
}
