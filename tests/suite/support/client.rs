//! A client as somebody would write it in an afternoon: one socket, one frame at a time.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use socket2::SockRef;

/// How long a test waits for what must come. Only a failing test waits that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).unwrap())
    }

    fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, received: Vec::new() }
    }

    /// A connection from another address of this machine.
    pub(crate) fn connect_from(source: [u8; 4], address: SocketAddr) -> Self {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((source, 0)).into()).unwrap();
        socket.connect(&address.into()).unwrap();
        Self::new(socket.into())
    }

    /// Logged in, under the documents' names and passwords.
    pub(crate) fn logged_in(mut self, user: &str, password: &str) -> Self {
        self.asks(&format!("auth {user} {password}")).expect_ok();
        self
    }

    /// A new account, logged in.
    pub(crate) fn registered(mut self, user: &str) -> Self {
        self.asks(&format!("register {user} rahasia")).expect_ok();
        self
    }

    /// Sends bytes as they are.
    pub(crate) fn sends(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends bytes, if the connection is still there.
    pub(crate) fn tries(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Sends one line.
    pub(crate) fn says(&mut self, line: &str) {
        self.sends(format!("{line}\n"));
    }

    /// Sends one line and reads the one reply to it.
    pub(crate) fn asks(&mut self, line: &str) -> Reply {
        self.says(line);
        self.hears()
    }

    /// All messages that a reading command returns, page by page.
    pub(crate) fn reads_all(&mut self, line: &str) -> Vec<Value> {
        let mut messages = Vec::new();
        loop {
            let page = self.asks(line).expect_ok();
            messages.extend(page.0["data"].as_array().unwrap().iter().cloned());
            if page.0["more"] != true {
                return messages;
            }
        }
    }

    /// The next frame.
    pub(crate) fn hears(&mut self) -> Reply {
        let frame = self.hears_frame();
        Reply(serde_json::from_str(&frame).unwrap_or_else(|_| panic!("not JSON: {frame}")))
    }

    /// The next frame as it came, without its end.
    pub(crate) fn hears_frame(&mut self) -> String {
        let frame = String::from_utf8(self.hears_until(b"\r\n\r\n")).unwrap();
        assert!(frame.is_ascii(), "not ASCII: {frame}");
        frame.trim_end_matches("\r\n").to_owned()
    }

    /// The next line of a text listener.
    pub(crate) fn hears_line(&mut self) -> String {
        let line = String::from_utf8(without_telnet(self.hears_until(b"\r\n"))).unwrap();
        line.trim_end_matches("\r\n").to_owned()
    }

    /// These bytes come next.
    pub(crate) fn hears_bytes(&mut self, expected: &[u8]) {
        assert_eq!(self.hears_until(expected), expected);
    }

    /// The connection breaks, as if the machine had lost it.
    pub(crate) fn resets(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Nothing is on its way: the reply to a `ping` comes next.
    pub(crate) fn hears_nothing(&mut self) {
        assert_eq!(self.asks("ping").message(), "pong");
    }

    /// On a text listener, the same.
    pub(crate) fn hears_no_line(&mut self) {
        self.says("ping");
        assert_eq!(self.hears_line(), "[OK] pong");
    }

    /// Whether nothing has come so far.
    pub(crate) fn has_heard_nothing(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let nothing = matches!(self.stream.peek(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock);
        self.stream.set_nonblocking(false).unwrap();
        nothing && self.received.is_empty()
    }

    pub(crate) fn half_closes(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// The first bytes of a longer reply.
    pub(crate) fn hears_some_bytes(&mut self) {
        self.stream.read_exact(&mut [0; 8]).unwrap();
    }

    /// Everything until the server closes.
    pub(crate) fn hears_the_rest(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.received);
        self.stream.read_to_end(&mut rest).unwrap();
        rest
    }

    /// The server closes, with a reset or without.
    pub(crate) fn hears_it_end(&mut self) {
        let ended = self.stream.read_to_end(&mut Vec::new());
        let is_late = ended.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        assert!(!is_late, "the server did not close");
    }

    /// The server closes and sends nothing more.
    pub(crate) fn hears_the_end(&mut self) {
        assert_eq!(String::from_utf8_lossy(&self.hears_the_rest()), "");
    }

    fn hears_until(&mut self, end: &[u8]) -> Vec<u8> {
        loop {
            if let Some(at) = self.received.windows(end.len()).position(|window| window == end) {
                return self.received.drain(..at + end.len()).collect();
            }
            let mut chunk = [0; 16 * 1024];
            let count = self.stream.read(&mut chunk).expect("an answer in time");
            assert!(count > 0, "the server closed after {:?}", String::from_utf8_lossy(&self.received));
            self.received.extend_from_slice(&chunk[..count]);
        }
    }
}

/// A terminal shows nothing of the refusal of a telnet option: three bytes.
fn without_telnet(mut bytes: Vec<u8>) -> Vec<u8> {
    while let Some(at) = bytes.iter().position(|byte| *byte == 0xFF) {
        bytes.drain(at..at + 3);
    }
    bytes
}

/// One JSON frame.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply(pub(crate) Value);

impl Reply {
    pub(crate) fn is_ok(&self) -> bool {
        self.0["status"] == "OK"
    }

    #[track_caller]
    pub(crate) fn expect_ok(self) -> Self {
        assert!(self.is_ok(), "{}", self.0);
        self
    }

    /// The error's code.
    #[track_caller]
    pub(crate) fn code(&self) -> &str {
        self.0["code"].as_str().unwrap_or_else(|| panic!("no error: {}", self.0))
    }

    #[track_caller]
    pub(crate) fn message(&self) -> &str {
        self.0["message"].as_str().unwrap_or_else(|| panic!("no message: {}", self.0))
    }

    #[track_caller]
    pub(crate) fn token(&self) -> String {
        self.0["tokenid"].as_str().unwrap_or_else(|| panic!("no token: {}", self.0)).to_owned()
    }

    /// The texts of the messages in `data`, in order.
    #[track_caller]
    pub(crate) fn texts(&self) -> Vec<String> {
        let messages = self.0["data"].as_array().unwrap_or_else(|| panic!("no messages: {}", self.0));
        messages.iter().map(|message| message["msg"].as_str().unwrap().to_owned()).collect()
    }
}
