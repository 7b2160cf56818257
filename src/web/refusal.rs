//! Responses that end a connection: what hyper does not write, or writes without a word of explanation.

use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header;

use crate::limits::HTTP_HEAD_BYTES;
use crate::web::response::{Reply, reply, set};
use crate::wire::DisconnectReason;

/// Why a connection ends, as a status and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    sentence: String,
}

/// Seconds after which a client that was not at fault may come again.
const RETRY_AFTER: &str = "30";

impl Refusal {
    fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self { status, sentence: sentence.into() }
    }

    /// Of a connection that the server does not admit, or ends.
    pub(super) fn of(reason: DisconnectReason) -> Self {
        let (status, sentence) = match reason {
            DisconnectReason::ShuttingDown => {
                (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping: connect again later")
            }
            DisconnectReason::Evicted => {
                (StatusCode::SERVICE_UNAVAILABLE, "others needed the place of this connection: connect again later")
            }
            DisconnectReason::TooManyOfUser | DisconnectReason::TooManyConnections => {
                (StatusCode::SERVICE_UNAVAILABLE, "too many connections: connect again later")
            }
            DisconnectReason::Kicked => (StatusCode::FORBIDDEN, "an administrator has ended this connection"),
            DisconnectReason::Banned => (StatusCode::FORBIDDEN, "this user is banned"),
            DisconnectReason::AddressBanned => (StatusCode::FORBIDDEN, "your address is banned"),
            DisconnectReason::TlsExpected => (StatusCode::BAD_REQUEST, "this port speaks TLS: use https://..."),
        };
        Self::new(status, sentence)
    }

    /// Of a proxy that sends no header of the PROXY protocol.
    pub(super) fn no_proxy_header() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "this port is for proxies that send a header of the PROXY protocol")
    }

    /// Of an address that is no proxy which the operator trusts.
    pub(super) fn untrusted_proxy() -> Self {
        Self::new(StatusCode::FORBIDDEN, "this port is for the proxies of this server only")
    }

    /// Of a request that was begun and did not come.
    pub(super) fn late() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "the head of the request took too long")
    }

    /// Of a client that begins HTTP/2 at once.
    pub(super) fn other_version() -> Self {
        Self::new(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "expected HTTP/1.1")
    }

    /// Of a request that hyper answers by itself, without a body.
    pub(super) fn of_status(status: StatusCode) -> Self {
        let sentence = match status {
            StatusCode::URI_TOO_LONG => "the address is too long".to_owned(),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
                format!("the head of the request is too large: expected at most {HTTP_HEAD_BYTES} bytes, and 100 lines")
            }
            _ => "expected a request of HTTP/1.1".to_owned(),
        };
        Self::new(status, sentence)
    }

    /// As it goes over the wire.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let Self { status, sentence } = self;
        let retry = if self.is_for_now() { format!("retry-after: {RETRY_AFTER}\r\n") } else { String::new() };
        let length = sentence.len() + 1;
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\nx-content-type-options: nosniff\r\n\
             cache-control: no-store\r\ncontent-length: {length}\r\n{retry}connection: close\r\n\r\n{sentence}\n"
        )
        .into_bytes()
    }

    /// As the response to a request that was read.
    pub(super) fn to_reply(&self) -> Reply {
        let mut response = reply(self.status, Bytes::from(format!("{}\n", self.sentence)));
        set(&mut response, header::CONTENT_TYPE, "text/plain; charset=utf-8");
        set(&mut response, header::CACHE_CONTROL, "no-store");
        set(&mut response, header::CONNECTION, "close");
        if self.is_for_now() {
            set(&mut response, header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }

    fn is_for_now(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
    }
}

/// The refusal in place of a response that hyper wrote by itself. `None` for the responses of this server, which all have a
/// header that hyper's own lack.
pub(super) fn in_place_of(written: &[u8]) -> Option<Refusal> {
    let head = written.get(..written.windows(4).position(|window| window == b"\r\n\r\n")?)?;
    let status = StatusCode::from_bytes(head.strip_prefix(b"HTTP/1.1 ")?.get(..3)?).ok()?;
    let is_ours = head.windows(OURS.len()).any(|window| window == OURS);
    (status.is_client_error() && !is_ours).then(|| Refusal::of_status(status))
}

const OURS: &[u8] = b"x-content-type-options";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_without_a_word_of_explanation_is_replaced_and_no_other() {
        let bare = |status: &str| format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        let replaced = |status: &str| in_place_of(bare(status).as_bytes());
        assert_eq!(replaced("431 Request Header Fields Too Large").map(|refusal| refusal.status.as_u16()), Some(431));
        assert_eq!(replaced("400 Bad Request"), Some(Refusal::of_status(StatusCode::BAD_REQUEST)));
        assert_eq!(replaced("100 Continue"), None);
        assert_eq!(replaced("200 OK"), None);
        assert_eq!(in_place_of(b"a page's HTTP/1.1 400 Bad Request\r\n\r\n"), None);
        let ours = Refusal::of(DisconnectReason::AddressBanned).to_bytes();
        assert_eq!(in_place_of(&ours), None);
    }
}
