//! A client of the web listener: HTTP by hand, and a WebSocket.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use kabar::wire::ListenerKind;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{Message, Role, WebSocket};
use tungstenite::{Error, Utf8Bytes};

use super::client::{PATIENCE, Reply};
use super::server::TestServer;

/// A raw connection to a web listener.
pub(crate) struct HttpClient(pub(crate) TcpStream);

/// A response, as it came.
pub(crate) struct HttpResponse {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct WebClient(pub(crate) WebSocket<TcpStream>);

impl TestServer {
    pub(crate) fn web_address(&self) -> SocketAddr {
        self.address(ListenerKind::Web)
    }

    pub(crate) fn connect_http(&self) -> HttpClient {
        HttpClient::connect(self.web_address())
    }

    pub(crate) fn connect_web(&self) -> WebClient {
        WebClient::connect(self.web_address())
    }
}

impl HttpClient {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    pub(crate) fn sends(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends a request with these header lines and reads the response.
    pub(crate) fn asks(&mut self, request_line: &str, headers: &[&str]) -> HttpResponse {
        let lines: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        self.sends(format!("{request_line} HTTP/1.1\r\n{lines}\r\n"));
        self.hears()
    }

    pub(crate) fn gets(&mut self, path: &str) -> HttpResponse {
        self.asks(&format!("GET {path}"), &["Host: x"])
    }

    /// Sends a handshake with these header lines besides those that every one has.
    pub(crate) fn shakes_hands(&mut self, headers: &[&str]) -> HttpResponse {
        let usual = [
            "Connection: keep-alive, Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ];
        self.asks("GET /ws", &[&usual, headers].concat())
    }

    pub(crate) fn hears(&mut self) -> HttpResponse {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).expect("a head");
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        self.0.read_exact(&mut body).expect("a body");
        HttpResponse { head, body }
    }

    /// The server closes, with a reset or without. What it sent before comes back.
    pub(crate) fn hears_the_end(&mut self) -> String {
        let mut rest = Vec::new();
        let ended = self.0.read_to_end(&mut rest);
        assert!(!ended.is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "the server did not close");
        String::from_utf8_lossy(&rest).into_owned()
    }
}

impl HttpResponse {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let start = format!("{name}: ");
        self.head.lines().find(|line| line.to_lowercase().starts_with(&start)).map(|line| &line[start.len()..])
    }
}

impl WebClient {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let mut http = HttpClient::connect(address);
        assert_eq!(http.shakes_hands(&[&format!("Host: {address}")]).status(), 101);
        Self::of(http)
    }

    /// A connection after its handshake.
    pub(crate) fn of(http: HttpClient) -> Self {
        Self(WebSocket::from_raw_socket(http.0, Role::Client, None))
    }

    pub(crate) fn registered(mut self, user: &str) -> Self {
        self.asks(&format!("register {user} rahasia")).expect_ok();
        self
    }

    pub(crate) fn says(&mut self, line: &str) {
        self.0.send(Message::text(line)).unwrap();
    }

    pub(crate) fn asks(&mut self, line: &str) -> Reply {
        self.says(line);
        self.hears()
    }

    /// Sends bytes below the frames.
    pub(crate) fn sends(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    /// The next object; pings on the way are answered.
    pub(crate) fn hears(&mut self) -> Reply {
        let text = self.hears_text();
        assert!(text.is_ascii() && !text.contains('\n'), "not one line of ASCII: {text}");
        Reply(serde_json::from_str(&text).unwrap())
    }

    fn hears_text(&mut self) -> Utf8Bytes {
        loop {
            match self.0.read().expect("a message") {
                Message::Text(text) => return text,
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("no text: {other}"),
            }
        }
    }

    /// The server closes: its code.
    pub(crate) fn hears_the_end(&mut self) -> u16 {
        match self.0.read().expect("a closing frame") {
            Message::Close(Some(frame)) => {
                let end = self.0.read();
                assert!(matches!(end, Err(Error::ConnectionClosed)), "the connection stays open");
                u16::from(frame.code)
            }
            other => panic!("no end: {other}"),
        }
    }

    /// Closes, and waits for the server to close.
    pub(crate) fn leaves(mut self) {
        self.0.close(None).unwrap();
        assert!(matches!(self.0.read().unwrap(), Message::Close(_)));
    }
}

/// Frames by hand: what no library would send.
pub(crate) fn frame(first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [1, 2, 3, 4];
    let mut bytes = vec![first_byte];
    match u16::try_from(payload.len()) {
        Ok(length) if length < 126 => bytes.push(0x80 | length as u8),
        Ok(length) => {
            bytes.push(0x80 | 126);
            bytes.extend(length.to_be_bytes());
        }
        Err(_) => {
            bytes.push(0x80 | 127);
            bytes.extend((payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// The number that stands for a code on the wire.
pub(crate) fn number(code: CloseCode) -> u16 {
    code.into()
}
