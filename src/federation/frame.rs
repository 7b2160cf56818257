//! What two servers say to each other on a link: frames, each its length in four bytes and then its postcard form.
//! `docs/REALMS.md` tells them one by one.

use bytes::{Buf, BufMut, BytesMut};
use serde::{Deserialize, Serialize};

use crate::chat::BounceReason;
use crate::id::{Incarnation, Seq};
use crate::limits::{LINK_FRAME_BYTES, LINK_VERSION};

/// The first that each side says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    /// Its own home name.
    pub(super) home: Box<str>,
    /// What it calls the other server, where it has a name for it.
    pub(super) calls_you: Option<Box<str>>,
    /// Its own chat port.
    pub(super) port: Option<u16>,
    /// How it counts.
    pub(super) incarnation: Incarnation,
    /// What the other server has acknowledged to it so far.
    pub(super) acknowledged: Seq,
    /// Up to which of the other server's numbers it has everything, in each of its incarnations.
    pub(super) heads: Vec<(Incarnation, Seq)>,
}

/// A message on its way. Whose realm it comes from is not in it: that is known from the link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WireMessage {
    pub(super) number: Seq,
    pub(super) from: Box<str>,
    pub(super) full_name: Box<str>,
    pub(super) to: Box<str>,
    pub(super) to_group: bool,
    pub(super) text: Box<str>,
}

/// Why a server ends a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub(super) enum Reason {
    /// The hello was of another version.
    #[error("it speaks another version of the link protocol")]
    Version,
    /// Its policy does not let this server in.
    #[error("it lets only servers in that it knows")]
    NotWelcome,
    /// It knows another key for this server.
    #[error("it knows another key for this server")]
    KeyChanged,
    /// There is a link already, and that one stays.
    #[error("there is a link already")]
    AlreadyLinked,
    /// It stops.
    #[error("it stops")]
    Stopping,
    /// It cannot make sense of what this server said.
    #[error("it did not understand this server")]
    Malformed,
    /// It cannot take more realms or messages now.
    #[error("it has no room, or its store fails")]
    NoRoom,
    /// It has forgotten this server.
    #[error("the realm was removed there")]
    Removed,
}

/// Everything that is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Frame {
    Hello(Hello),
    /// The other server is welcome.
    Welcome,
    /// Messages, in the order of their numbers, all of one incarnation.
    Letters {
        incarnation: Incarnation,
        letters: Vec<WireMessage>,
    },
    /// Everything up to a number is on the disk, or was refused.
    Acknowledged {
        incarnation: Incarnation,
        upto: Seq,
        refused: Vec<(Seq, BounceReason)>,
    },
    /// What was refused up to a number is noted, and need not be said again.
    Noted {
        incarnation: Incarnation,
        upto: Seq,
    },
    Ping,
    Pong,
    Bye(Reason),
}

/// What a frame stands behind: its length.
const HEAD: usize = size_of::<u32>();

/// Appends a frame. The hello stands behind the version, so that another version is told from garbage.
pub(super) fn write(out: &mut BytesMut, frame: &Frame) -> Result<(), Reason> {
    let start = out.len();
    out.put_u32(0);
    if matches!(frame, Frame::Hello(_)) {
        out.put_u16(LINK_VERSION);
    }
    let body = postcard::to_extend(frame, Vec::new()).map_err(|_| Reason::Malformed)?;
    out.extend_from_slice(&body);
    let length = u32::try_from(out.len() - start - HEAD).map_err(|_| Reason::Malformed)?;
    if let Some(head) = out.get_mut(start..start + HEAD) {
        head.copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

/// Takes the next frame from what was read; none where it is not all there.
pub(super) fn read(input: &mut BytesMut, expects_hello: bool) -> Result<Option<Frame>, Reason> {
    let Some(head) = input.first_chunk::<HEAD>() else { return Ok(None) };
    let length = u32::from_be_bytes(*head) as usize;
    if length > LINK_FRAME_BYTES {
        return Err(Reason::Malformed);
    }
    if input.len() < HEAD + length {
        return Ok(None);
    }
    input.advance(HEAD);
    let mut body = input.split_to(length);
    if expects_hello && body.try_get_u16().map_err(|_| Reason::Malformed)? != LINK_VERSION {
        return Err(Reason::Version);
    }
    let frame: Frame = postcard::from_bytes(&body).map_err(|_| Reason::Malformed)?;
    if matches!(frame, Frame::Hello(_)) == expects_hello { Ok(Some(frame)) } else { Err(Reason::Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hello() -> Frame {
        let heads = vec![(Incarnation(7), Seq(8))];
        let (home, calls_you) = ("timur".into(), Some("barat".into()));
        let (incarnation, acknowledged) = (Incarnation(5), Seq(6));
        Frame::Hello(Hello { home, calls_you, port: Some(8889), incarnation, acknowledged, heads })
    }

    fn letters() -> Frame {
        let letter = WireMessage {
            number: Seq(9),
            from: "messi".into(),
            full_name: "Lionel Messi".into(),
            to: "henderson".into(),
            to_group: false,
            text: "apa kabar?".into(),
        };
        Frame::Letters { incarnation: Incarnation(7), letters: vec![letter] }
    }

    fn bytes(frame: &Frame) -> BytesMut {
        let mut out = BytesMut::new();
        write(&mut out, frame).unwrap();
        out
    }

    #[test]
    fn a_frame_is_read_once_it_is_all_there() {
        for (frame, expects_hello) in [(hello(), true), (letters(), false), (Frame::Ping, false)] {
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
    fn the_hello_comes_first_and_once() {
        assert_eq!(read(&mut bytes(&hello()), false), Err(Reason::Malformed));
        assert!(read(&mut bytes(&letters()), true).is_err());
    }

    #[test]
    fn another_version_is_told_from_garbage() {
        let mut input = bytes(&hello());
        input[HEAD + 1] ^= 0x7f;
        assert_eq!(read(&mut input, true), Err(Reason::Version));
    }

    #[test]
    fn an_endless_frame_is_refused_at_its_head() {
        let mut input = BytesMut::from(&u32::MAX.to_be_bytes()[..]);
        assert_eq!(read(&mut input, false), Err(Reason::Malformed));
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_something(garbage: Vec<u8>, expects_hello: bool) {
            let mut input = BytesMut::from(&garbage[..]);
            let _ = read(&mut input, expects_hello);
        }
    }
}
