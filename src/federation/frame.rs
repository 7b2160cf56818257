//! The frames of a link: a length of four bytes, then the postcard encoding. `docs/REALMS.md` specifies them.

use bytes::{Buf, BufMut, BytesMut};
use serde::{Deserialize, Serialize};

use crate::chat::BounceReason;
use crate::id::{Epoch, Seq};
use crate::limits::{LINK_FRAME_BYTES, LINK_VERSION};

/// A sequence number of the server that sent it, with the epoch in which it was given.
pub(super) type SourceSeq = (Epoch, Seq);

/// The first frame of each side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    /// The home realm of the sender.
    pub(super) home: Box<str>,
    /// The sender's name for the receiver, if it has one.
    pub(super) calls_you: Option<Box<str>>,
    /// The sender's chat port, if it can be dialled.
    pub(super) port: Option<u16>,
    /// The sender's current epoch.
    pub(super) epoch: Epoch,
    /// How far the receiver has acknowledged; the newest number if the servers have never met.
    pub(super) acknowledged: Seq,
    /// For each epoch of the receiver, the number up to which the sender has everything.
    pub(super) heads: Vec<SourceSeq>,
}

/// A message as it is sent. All names are bare: the link determines their realms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WireMessage {
    pub(super) number: Seq,
    pub(super) from: Box<str>,
    pub(super) full_name: Box<str>,
    pub(super) to: Box<str>,
    pub(super) to_group: bool,
    pub(super) text: Box<str>,
}

/// Why a server closes a link. The error text describes it from the receiver of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub(super) enum CloseReason {
    #[error("it speaks another version of the link protocol")]
    Version,
    #[error("it accepts only servers that it knows")]
    NotAccepted,
    #[error("it knows another key for this server")]
    KeyChanged,
    #[error("there is a link already")]
    AlreadyLinked,
    #[error("it is stopping")]
    Stopping,
    #[error("this server violated the protocol")]
    Malformed,
    /// A limit is reached, or the store fails.
    #[error("it has no room, or its store fails")]
    NoRoom,
    #[error("the realm was removed there")]
    Removed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Frame {
    Hello(Hello),
    /// The sender of the hello is accepted.
    Accepted,
    /// In the order of their numbers.
    Messages {
        epoch: Epoch,
        messages: Vec<WireMessage>,
    },
    /// Everything up to a number is durable, or was refused.
    Acknowledged {
        epoch: Epoch,
        upto: Seq,
        refused: Vec<(Seq, BounceReason)>,
    },
    /// The refusals up to a number are durable at the sender, and need not be repeated.
    RefusalsConfirmed {
        epoch: Epoch,
        upto: Seq,
    },
    Ping,
    Pong,
    Close(CloseReason),
}

/// The bytes of the length prefix.
const HEAD: usize = size_of::<u32>();

/// Appends a frame. The version precedes the hello, so that another version is distinguished from garbage.
pub(super) fn write(out: &mut BytesMut, frame: &Frame) -> Result<(), CloseReason> {
    let start = out.len();
    out.put_u32(0);
    if matches!(frame, Frame::Hello(_)) {
        out.put_u16(LINK_VERSION);
    }
    let body = postcard::to_extend(frame, Vec::new()).map_err(|_| CloseReason::Malformed)?;
    out.extend_from_slice(&body);
    let length = u32::try_from(out.len() - start - HEAD).map_err(|_| CloseReason::Malformed)?;
    if let Some(head) = out.get_mut(start..start + HEAD) {
        head.copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

/// Takes the next frame off the input, or `None` if it is not complete.
pub(super) fn read(input: &mut BytesMut, expects_hello: bool) -> Result<Option<Frame>, CloseReason> {
    let Some(head) = input.first_chunk::<HEAD>() else { return Ok(None) };
    let length = u32::from_be_bytes(*head) as usize;
    if length > LINK_FRAME_BYTES {
        return Err(CloseReason::Malformed);
    }
    if input.len() < HEAD + length {
        return Ok(None);
    }
    input.advance(HEAD);
    let mut body = input.split_to(length);
    if expects_hello && body.try_get_u16().map_err(|_| CloseReason::Malformed)? != LINK_VERSION {
        return Err(CloseReason::Version);
    }
    let frame: Frame = postcard::from_bytes(&body).map_err(|_| CloseReason::Malformed)?;
    if matches!(frame, Frame::Hello(_)) == expects_hello { Ok(Some(frame)) } else { Err(CloseReason::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hello() -> Frame {
        let heads = vec![(Epoch(7), Seq(8))];
        let (home, calls_you) = ("timur".into(), Some("barat".into()));
        let (epoch, acknowledged) = (Epoch(5), Seq(6));
        Frame::Hello(Hello { home, calls_you, port: Some(8889), epoch, acknowledged, heads })
    }

    fn messages() -> Frame {
        let message = WireMessage {
            number: Seq(9),
            from: "messi".into(),
            full_name: "Lionel Messi".into(),
            to: "henderson".into(),
            to_group: false,
            text: "apa kabar?".into(),
        };
        Frame::Messages { epoch: Epoch(7), messages: vec![message] }
    }

    fn bytes(frame: &Frame) -> BytesMut {
        let mut out = BytesMut::new();
        write(&mut out, frame).unwrap();
        out
    }

    #[test]
    fn a_frame_is_read_when_it_is_complete() {
        for (frame, expects_hello) in [(hello(), true), (messages(), false), (Frame::Ping, false)] {
            let written = bytes(&frame);
            for cut in 0..written.len() {
                assert_eq!(read(&mut BytesMut::from(&written[..cut]), expects_hello), Ok(None));
            }
            let mut input = written.clone();
            input.extend_from_slice(b"rest");
            assert_eq!(read(&mut input, expects_hello), Ok(Some(frame)));
            assert_eq!(input, "rest");
        }
    }

    #[test]
    fn the_hello_comes_first_and_only_once() {
        assert_eq!(read(&mut bytes(&hello()), false), Err(CloseReason::Malformed));
        assert!(read(&mut bytes(&messages()), true).is_err());
    }

    #[test]
    fn another_version_is_distinguished_from_garbage() {
        let mut input = bytes(&hello());
        input[HEAD + 1] ^= 0x7f;
        assert_eq!(read(&mut input, true), Err(CloseReason::Version));
    }

    #[test]
    fn a_frame_too_long_is_refused_by_its_length() {
        let mut input = BytesMut::from(&u32::MAX.to_be_bytes()[..]);
        assert_eq!(read(&mut input, false), Err(CloseReason::Malformed));
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_refused(garbage: Vec<u8>, expects_hello: bool) {
            let mut input = BytesMut::from(&garbage[..]);
            let _ = read(&mut input, expects_hello);
        }
    }
}
