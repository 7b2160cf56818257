//! The response of a chat port to the line `link 1`, from a JSON or a text listener (PROTOCOL §1).

use std::io;

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::limits::{LINK_REASON_BYTES, LINK_RESPONSE_BYTES};

/// The greeting of a text listener before its first response: one line, for people.
const GREETING: &[u8] = b"[kabar] ";

#[derive(Debug, PartialEq, Eq)]
pub(super) enum UpgradeResponse {
    /// The server waits for the TLS handshake.
    Accepted,
    /// The reason, in printable ASCII of at most [`LINK_REASON_BYTES`].
    Refused(String),
    /// Not a response of a kabar server.
    Unknown,
}

/// The fields of a JSON response that matter here.
#[derive(Deserialize)]
struct JsonResponse {
    status: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
}

/// Reads the response and not a byte more: the bytes that follow belong to the TLS handshake.
///
/// # Errors
/// If the connection ends first.
pub(super) async fn read<R: AsyncRead + Unpin>(stream: &mut R) -> io::Result<UpgradeResponse> {
    let mut left = LINK_RESPONSE_BYTES;
    let mut line = read_line(stream, &mut left).await?;
    if line.as_ref().is_some_and(|line| line.starts_with(GREETING)) {
        line = read_line(stream, &mut left).await?;
    }
    let Some(line) = line else { return Ok(UpgradeResponse::Unknown) };
    if !line.starts_with(b"{") {
        return Ok(parse_text(&line));
    }
    // A frame ends with an empty line.
    match read_line(stream, &mut left).await? {
        Some(end) if end.is_empty() => Ok(parse_json(&line)),
        _ => Ok(UpgradeResponse::Unknown),
    }
}

/// A line without CRLF, or `None` if the response exceeds [`LINK_RESPONSE_BYTES`].
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

fn parse_text(line: &[u8]) -> UpgradeResponse {
    if line.starts_with(b"[OK] ") {
        return UpgradeResponse::Accepted;
    }
    match line.strip_prefix(b"[ERR] ") {
        Some(reason) => UpgradeResponse::Refused(printable(&String::from_utf8_lossy(reason))),
        None => UpgradeResponse::Unknown,
    }
}

fn parse_json(line: &[u8]) -> UpgradeResponse {
    let Ok(frame) = serde_json::from_slice::<JsonResponse>(line) else { return UpgradeResponse::Unknown };
    match frame.status.as_str() {
        "OK" => UpgradeResponse::Accepted,
        "ERROR" => UpgradeResponse::Refused(frame.reason()),
        _ => UpgradeResponse::Unknown,
    }
}

impl JsonResponse {
    fn reason(&self) -> String {
        let explained = if self.detail.is_empty() { &self.message } else { &self.detail };
        printable(&format!("{}: {explained}", self.code))
    }
}

/// Untrusted text, made safe for a log and a terminal.
fn printable(text: &str) -> String {
    let shown = |character: char| if matches!(character, ' '..='~') { character } else { '?' };
    text.chars().map(shown).take(LINK_REASON_BYTES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(reason: &str) -> UpgradeResponse {
        UpgradeResponse::Refused(reason.to_owned())
    }

    async fn read_all(mut bytes: &[u8]) -> UpgradeResponse {
        let response = read(&mut bytes).await.unwrap();
        assert!(bytes.is_empty(), "{} bytes were left", bytes.len());
        response
    }

    #[tokio::test]
    async fn the_responses_of_all_listeners_are_parsed() {
        let table = [
            ("{\"status\":\"OK\",\"message\":\"link\"}\r\n\r\n", UpgradeResponse::Accepted),
            ("[OK] link\r\n", UpgradeResponse::Accepted),
            ("[kabar] welcome: help lists the commands\r\n[OK] link\r\n", UpgradeResponse::Accepted),
            ("[kabar] selamat datang\r\n[ERR] versi\r\n", refused("versi")),
            ("[kabar] one\r\n[kabar] two\r\n", UpgradeResponse::Unknown),
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
            ("HTTP/1.1 400 Bad Request\r\n", UpgradeResponse::Unknown),
            ("SSH-2.0-OpenSSH_9.2\r\n", UpgradeResponse::Unknown),
            ("\r\n", UpgradeResponse::Unknown),
            ("{}\r\n\r\n", UpgradeResponse::Unknown),
            ("{\"status\":\"FINE\"}\r\n\r\n", UpgradeResponse::Unknown),
            ("{\"status\":\"OK\"}\r\n{}\r\n", UpgradeResponse::Unknown),
            ("{\"status\":\r\n\r\n", UpgradeResponse::Unknown),
            ("{\"status\":1}\r\n\r\n", UpgradeResponse::Unknown),
        ];
        for (bytes, expected) in table {
            assert_eq!(read_all(bytes.as_bytes()).await, expected, "{bytes}");
        }
    }

    #[tokio::test]
    async fn bytes_after_the_response_are_not_read() {
        for response in ["{\"status\":\"OK\"}\r\n\r\n", "[OK] link\r\n", "[kabar] hi\r\n[OK] link\r\n"] {
            let bytes = format!("{response}\x16\x03\x01");
            let mut rest = bytes.as_bytes();
            assert_eq!(read(&mut rest).await.unwrap(), UpgradeResponse::Accepted);
            assert_eq!(rest, b"\x16\x03\x01");
        }
    }

    #[tokio::test]
    async fn an_endless_response_is_not_read_to_its_end() {
        for endless in ["x", "{", "[ERR] x", "\n"] {
            let bytes = endless.repeat(LINK_RESPONSE_BYTES);
            let mut rest = bytes.as_bytes();
            assert_eq!(read(&mut rest).await.unwrap(), UpgradeResponse::Unknown);
            assert_eq!(bytes.len() - rest.len(), LINK_RESPONSE_BYTES);
        }
    }

    #[tokio::test]
    async fn a_truncated_response_is_an_error() {
        for cut in ["", "{\"status\":\"OK\"}\r\n", "{\"status\":\"OK\"}\r\n\r", "[OK] link", "[OK] link\r"] {
            assert!(read(&mut cut.as_bytes()).await.is_err(), "{cut}");
        }
    }

    #[tokio::test]
    async fn a_long_reason_is_truncated() {
        let response = format!("[ERR] {}\r\n", "x".repeat(LINK_RESPONSE_BYTES - 8));
        assert_eq!(read_all(response.as_bytes()).await, refused(&"x".repeat(LINK_REASON_BYTES)));
    }

    proptest! {
        #[test]
        fn the_reason_is_printable_and_short(text in ".*") {
            let reason = printable(&text);
            prop_assert!(reason.len() <= LINK_REASON_BYTES);
            prop_assert!(reason.bytes().all(|byte| matches!(byte, b' '..=b'~')));
        }
    }
}
