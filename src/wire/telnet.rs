//! Telnet sequences, which a terminal may send unasked, are taken out of the text, and each option is refused, as RFC 854
//! asks for: a telnet whose user pressed Ctrl-C shows nothing more until its `DO TIMING-MARK` is answered (RFC 860).

use memchr::memchr2;

use crate::limits::TELNET_ANSWER_BYTES;

pub(super) const NEWLINE: u8 = b'\n';

/// "Interpret as command": what follows is not text (RFC 854).
const IAC: u8 = 0xFF;
const WILL: u8 = 0xFB;
const WONT: u8 = 0xFC;
const DO: u8 = 0xFD;
const DONT: u8 = 0xFE;
/// Begins a subnegotiation, which `IAC SE` ends.
const SB: u8 = 0xFA;
const SE: u8 = 0xF0;

/// Takes telnet sequences out of a stream of lines, wherever reads have cut it. It stands inside a sequence at most
/// until the next newline, so that garbage never swallows the line after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Telnet {
    /// Outside of any sequence.
    #[default]
    Text,
    /// After IAC.
    Command,
    /// After IAC and this one of WILL, WONT, DO, DONT: one more byte belongs to it.
    Option(u8),
    /// After IAC SB.
    Subnegotiation,
    /// After an IAC inside a subnegotiation.
    SubnegotiationCommand,
}

/// The text of the bytes up to the first newline, or of all of them.
pub(super) struct Stripped {
    /// That many bytes at the front are text.
    pub(super) kept: usize,
    /// The position of the newline.
    pub(super) newline: Option<usize>,
}

impl Telnet {
    /// Moves the text before the first newline to the front of `bytes`. Bytes after the newline stay as they are.
    /// Appends what the peer is to be answered to `answers`, as far as that has room.
    pub(super) fn strip(&mut self, bytes: &mut [u8], answers: &mut Vec<u8>) -> Stripped {
        if *self != Self::Text {
            return self.strip_slowly(bytes, 0, answers);
        }
        match memchr2(NEWLINE, IAC, bytes) {
            Some(place) if bytes[place] == IAC => self.strip_slowly(bytes, place, answers),
            newline => Stripped { kept: newline.unwrap_or(bytes.len()), newline },
        }
    }

    /// Byte by byte from `start`; everything before it is text.
    fn strip_slowly(&mut self, bytes: &mut [u8], start: usize, answers: &mut Vec<u8>) -> Stripped {
        let mut kept = start;
        for place in start..bytes.len() {
            let byte = bytes[place];
            if byte == NEWLINE {
                *self = Self::Text;
                return Stripped { kept, newline: Some(place) };
            }
            if let Self::Option(request) = *self
                && answers.len() < TELNET_ANSWER_BYTES
            {
                answers.extend(refusal(request, byte).into_iter().flatten());
            }
            if !self.takes(byte) {
                bytes[kept] = byte;
                kept += 1;
            }
        }
        Stripped { kept, newline: None }
    }

    /// Whether the byte belongs to a sequence.
    fn takes(&mut self, byte: u8) -> bool {
        let (next, taken) = match (*self, byte) {
            (Self::Text, IAC) => (Self::Command, true),
            (Self::Text, _) => (Self::Text, false),
            (Self::Command, WILL..=DONT) => (Self::Option(byte), true),
            (Self::Command, SB) => (Self::Subnegotiation, true),
            (Self::Command | Self::Option(_), _) | (Self::SubnegotiationCommand, SE) => (Self::Text, true),
            (Self::Subnegotiation, IAC) => (Self::SubnegotiationCommand, true),
            (Self::Subnegotiation | Self::SubnegotiationCommand, _) => (Self::Subnegotiation, true),
        };
        *self = next;
        taken
    }
}

/// The refusal of an option. WONT and DONT need no answer: nothing is ever agreed on.
fn refusal(request: u8, option: u8) -> Option<[u8; 3]> {
    match request {
        DO => Some([IAC, WONT, option]),
        WILL => Some([IAC, DONT, option]),
        _ => None,
    }
}
