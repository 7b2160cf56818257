//! What a chat port answers to the line that asks for a link, on either kind of listener (PROTOCOL §1).

use std::io;

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::limits::{LINK_ANSWER_BYTES, LINK_REASON_BYTES};

/// What a chat port said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It waits for the handshake.
    Welcome,
    /// It does not want to, and why: printable ASCII, of bounded length.
    Refused(String),
    /// It is another kind of server.
    Unknown,
}

/// An answer on a JSON listener, as far as it matters here.
#[derive(Deserialize)]
struct Frame {
    status: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
}

/// Reads the answer and not a byte more: what follows is the handshake's.
///
/// # Errors
/// Where the connection ends first.
pub(super) async fn read<R: AsyncRead + Unpin>(stream: &mut R) -> io::Result<Answer> {
    let mut left = LINK_ANSWER_BYTES;
    let Some(line) = read_line(stream, &mut left).await? else { return Ok(Answer::Unknown) };
    if !line.starts_with(b"{") {
        return Ok(of_line(&line));
    }
    // A frame ends with an empty line.
    match read_line(stream, &mut left).await? {
        Some(end) if end.is_empty() => Ok(of_frame(&line)),
        _ => Ok(Answer::Unknown),
    }
}

/// A line without its end; none where there are too many bytes for an answer.
async fn read_line<R: AsyncRead + Unpin>(stream: &mut R, left: &mut usize) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    while *left > 0 {
        *left -= 1;
        line.push(stream.read_u8().await?);
        if line.ends_with(b"\r\n") {
            line.truncate(line.len() - b"\r\n".len());
            return Ok(Some(line));
        }
    }
    Ok(None)
}

fn of_line(line: &[u8]) -> Answer {
    if line.starts_with(b"[OK] ") {
        return Answer::Welcome;
    }
    match line.strip_prefix(b"[ERR] ") {
        Some(reason) => Answer::Refused(printable(&String::from_utf8_lossy(reason))),
        None => Answer::Unknown,
    }
}

fn of_frame(line: &[u8]) -> Answer {
    let Ok(frame) = serde_json::from_slice::<Frame>(line) else { return Answer::Unknown };
    match frame.status.as_str() {
        "OK" => Answer::Welcome,
        "ERROR" => Answer::Refused(frame.reason()),
        _ => Answer::Unknown,
    }
}

impl Frame {
    fn reason(&self) -> String {
        let explained = if self.detail.is_empty() { &self.message } else { &self.detail };
        printable(&format!("{}: {explained}", self.code))
    }
}

/// A stranger's words, for a log and a terminal.
fn printable(text: &str) -> String {
    let shown = |character: char| if matches!(character, ' '..='~') { character } else { '?' };
    text.chars().map(shown).take(LINK_REASON_BYTES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(reason: &str) -> Answer {
        Answer::Refused(reason.to_owned())
    }

    async fn answer(mut bytes: &[u8]) -> Answer {
        let answer = read(&mut bytes).await.unwrap();
        assert!(bytes.is_empty(), "{} bytes were left", bytes.len());
        answer
    }

    #[tokio::test]
    async fn every_listener_is_understood() {
        let table = [
            ("{\"status\":\"OK\",\"message\":\"link\"}\r\n\r\n", Answer::Welcome),
            ("[OK] link\r\n", Answer::Welcome),
            (
                "{\"status\":\"ERROR\",\"message\":\"Tidak boleh\",\"code\":\"forbidden\",\"data\":\"Tidak boleh\",\
                 \"detail\":\"this server takes no links\"}\r\n\r\n",
                refused("forbidden: this server takes no links"),
            ),
            (
                "{\"status\":\"ERROR\",\"message\":\"*Maaf, command tidak benar\",\"code\":\"unknown_command\"}\r\n\r\n",
                refused("unknown_command: *Maaf, command tidak benar"),
            ),
            ("[ERR] Tidak boleh\r\n", refused("Tidak boleh")),
            ("[ERR] \u{1b}[2Jé\r\n", refused("?[2J?")),
            ("{\"status\":\"ERROR\",\"code\":\"x\",\"detail\":\"\\u001b[2J\\u202e\"}\r\n\r\n", refused("x: ?[2J?")),
            ("HTTP/1.1 400 Bad Request\r\n", Answer::Unknown),
            ("SSH-2.0-OpenSSH_9.2\r\n", Answer::Unknown),
            ("\r\n", Answer::Unknown),
            ("{}\r\n\r\n", Answer::Unknown),
            ("{\"status\":\"FINE\"}\r\n\r\n", Answer::Unknown),
            ("{\"status\":\"OK\"}\r\n{}\r\n", Answer::Unknown),
            ("{\"status\":\r\n\r\n", Answer::Unknown),
            ("{\"status\":1}\r\n\r\n", Answer::Unknown),
        ];
        for (bytes, expected) in table {
            assert_eq!(answer(bytes.as_bytes()).await, expected, "{bytes}");
        }
    }

    #[tokio::test]
    async fn what_follows_is_left_for_the_handshake() {
        for said in ["{\"status\":\"OK\"}\r\n\r\n", "[OK] link\r\n"] {
            let bytes = format!("{said}\x16\x03\x01");
            let mut rest = bytes.as_bytes();
            assert_eq!(read(&mut rest).await.unwrap(), Answer::Welcome);
            assert_eq!(rest, b"\x16\x03\x01");
        }
    }

    #[tokio::test]
    async fn endless_bytes_are_not_read_on() {
        for endless in ["x", "{", "[ERR] x", "\n"] {
            let bytes = endless.repeat(LINK_ANSWER_BYTES);
            let mut rest = bytes.as_bytes();
            assert_eq!(read(&mut rest).await.unwrap(), Answer::Unknown);
            assert_eq!(bytes.len() - rest.len(), LINK_ANSWER_BYTES);
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_cut_is_none() {
        for cut in ["", "{\"status\":\"OK\"}\r\n", "{\"status\":\"OK\"}\r\n\r", "[OK] link", "[OK] link\r"] {
            assert!(read(&mut cut.as_bytes()).await.is_err(), "{cut}");
        }
    }

    #[tokio::test]
    async fn a_long_reason_is_cut() {
        let said = format!("[ERR] {}\r\n", "x".repeat(LINK_ANSWER_BYTES - 8));
        assert_eq!(answer(said.as_bytes()).await, refused(&"x".repeat(LINK_REASON_BYTES)));
    }

    proptest! {
        #[test]
        fn a_strangers_reason_is_printable_and_short(text in ".*") {
            let reason = printable(&text);
            prop_assert!(reason.len() <= LINK_REASON_BYTES);
            prop_assert!(reason.bytes().all(|byte| matches!(byte, b' '..=b'~')));
        }
    }
}
