//! Bytes to lines (PROTOCOL §1).

#[cfg(test)]
mod tests;

use std::{fmt, io, mem, str};

use bytes::{Buf, BytesMut};
use memchr::memchr;
use tokio_util::codec::Decoder;

use crate::wire::phrase::{Detail, counted, ours};
use crate::wire::telnet::{NEWLINE, Stripped, Telnet};

/// Cuts a stream of bytes into lines. A bad line is told once, and the line after it is served.
///
/// Between two calls bytes may only be appended to the buffer. It never keeps more than the limit and one byte of an
/// unfinished line, whatever comes.
#[derive(Debug)]
pub struct LineCodec {
    limit: usize,
    /// So many bytes at the front of the buffer are text of the unfinished line, without newline or telnet sequence.
    scanned: usize,
    telnet: Telnet,
    /// The answer to telnet.
    answers: Vec<u8>,
    /// The unfinished line was rejected; the rest of it is dropped.
    skipping: bool,
}

/// A line of a client. It may hold a password, so that its debug output shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub enum Line {
    /// Its text, without the line end and without control characters but tab.
    Text(String),
    /// Why it cannot be served.
    Invalid(LineError),
}

/// An error of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineError {
    /// It is longer than the server takes.
    TooLong {
        /// The longest line that is served, in bytes.
        limit: usize,
    },
    /// It is not UTF-8.
    NotUtf8,
    /// It holds a NUL, an escape, or the like.
    ControlCharacter,
    /// It is the hello of a TLS client, which need not have a line end.
    Tls,
}

impl LineError {
    /// What was expected.
    pub(super) fn detail(self) -> Detail {
        match self {
            Self::TooLong { limit } => {
                counted!(limit, "expected at most {} bytes in a line", "harus paling banyak {} byte dalam sebaris")
            }
            Self::NotUtf8 => ours("expected UTF-8", "harus UTF-8").into(),
            Self::ControlCharacter => {
                ours("expected no control character but tab", "tidak boleh ada karakter kendali selain tab").into()
            }
            Self::Tls => ours(
                "this port is not encrypted: connect without TLS, or to the port for it",
                "port ini tidak terenkripsi: sambungkan tanpa TLS, atau ke port untuk TLS",
            )
            .into(),
        }
    }
}

impl LineCodec {
    /// A codec for lines of at most `limit` bytes, not counting the line end and telnet sequences.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, scanned: 0, telnet: Telnet::default(), answers: Vec::new(), skipping: false }
    }

    /// The answer to the telnet sequences among the bytes so far; only a telnet's listener sends it.
    pub fn take_answers(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.answers)
    }

    /// Drops the rest of a rejected line. Returns whether its newline has come.
    fn skip(&mut self, buffer: &mut BytesMut) -> bool {
        let Some(newline) = memchr(NEWLINE, buffer) else {
            buffer.clear();
            return false;
        };
        buffer.advance(newline + 1);
        self.skipping = false;
        true
    }

    /// Rejects an unfinished line. The rest of it is dropped.
    fn skip_rest(&mut self, error: LineError) -> Line {
        *self = Self { skipping: true, ..Self::new(self.limit) };
        Line::Invalid(error)
    }

    /// Looks at the bytes that are new. Returns where in the buffer the line's newline stands, if it has come;
    /// `scanned` is then the length of the line.
    fn scan(&mut self, buffer: &mut BytesMut) -> Option<usize> {
        let start = self.scanned;
        let fresh = buffer.get_mut(start..).unwrap_or_default();
        let Stripped { kept, newline } = self.telnet.strip(fresh, &mut self.answers);
        self.scanned = start + kept;
        newline.map(|place| start + place)
    }

    /// An error that a line has, however it goes on. A line that grows has it as soon as the whole would, so that it is the
    /// same however the reads cut it. One `\r` of a line end may stand past the limit.
    fn early_error(&self, line: &[u8]) -> Option<LineError> {
        if is_tls_hello(line) {
            return Some(LineError::Tls);
        }
        let is_too_long = line.strip_suffix(b"\r").unwrap_or(line).len() > self.limit;
        is_too_long.then_some(LineError::TooLong { limit: self.limit })
    }

    fn read(&self, line: &[u8]) -> Line {
        if let Some(error) = self.early_error(line) {
            return Line::Invalid(error);
        }
        let Ok(text) = str::from_utf8(line) else {
            return Line::Invalid(LineError::NotUtf8);
        };
        Line::of_text(text)
    }
}

impl Line {
    /// The line of a text that is no longer than a line may be, without the newline.
    pub(super) fn of_text(text: &str) -> Self {
        let text = text.trim_end_matches('\r');
        if has_control_character(text) {
            return Self::Invalid(LineError::ControlCharacter);
        }
        Self::Text(text.to_owned())
    }
}

/// Whether a line begins as the hello of a TLS client: a record (22) of version 3.x, its length, and the message in it (1). A
/// hello whose length has a newline in it, or one of telnet's bytes, is not told from any other line that cannot be served.
fn is_tls_hello(line: &[u8]) -> bool {
    matches!(line, [22, 3, 0..=4, _, _, 1, ..])
}

/// Whether a text holds a control character that a line must not have: any but tab (PROTOCOL §1).
#[must_use]
pub fn has_control_character(text: &str) -> bool {
    // Without a way out early, which lets the compiler look at many bytes at once.
    text.bytes().fold(false, |found, byte| found | ((byte < b' ') & (byte != b'\t')) | (byte == 0x7F))
}

/// Its error is the trait's: decoding cannot fail.
impl Decoder for LineCodec {
    type Item = Line;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Line>> {
        if self.skipping && !self.skip(buffer) {
            return Ok(None);
        }
        if let Some(newline) = self.scan(buffer) {
            let length = mem::take(&mut self.scanned);
            let line = self.read(buffer.get(..length).unwrap_or_default());
            buffer.advance(newline + 1);
            return Ok(Some(line));
        }
        buffer.truncate(self.scanned);
        let Some(error) = self.early_error(buffer) else { return Ok(None) };
        buffer.clear();
        Ok(Some(self.skip_rest(error)))
    }

    /// A last line may come without a newline.
    fn decode_eof(&mut self, buffer: &mut BytesMut) -> io::Result<Option<Line>> {
        if let Some(line) = self.decode(buffer)? {
            return Ok(Some(line));
        }
        let last = (!buffer.is_empty()).then(|| self.read(buffer));
        buffer.clear();
        *self = Self::new(self.limit);
        Ok(last)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Invalid(error) => write!(f, "Invalid({error:?})"),
        }
    }
}
