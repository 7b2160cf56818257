//! A client of a cluster: it goes to another node when its own fails, and repeats with the same tag what was not answered.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use serde_json::Value;

use super::pause::{PATIENCE, connect, pause, wait_for};

/// Refusals that pass: the same request, with the same tag, succeeds later.
const PASSING: [&str; 5] = ["unknown_outcome", "unavailable", "storage_failed", "shutting_down", "busy"];

/// A connection that may break at any moment.
pub(super) struct Connection {
    stream: TcpStream,
    frames: BufReader<TcpStream>,
    opened: Instant,
}

impl Connection {
    pub(super) fn open(address: SocketAddr) -> Option<Self> {
        let opened = Instant::now();
        let stream = connect(address)?;
        Some(Self { frames: BufReader::new(stream.try_clone().unwrap()), stream, opened })
    }

    /// Sends a request with a tag, and returns the reply to it. `None` if the connection is broken, or silent for too long.
    pub(super) fn ask(&mut self, tag: &str, request: &str) -> Option<Value> {
        self.send(tag, request)?;
        self.reply(tag)
    }

    pub(super) fn send(&mut self, tag: &str, request: &str) -> Option<()> {
        self.stream.write_all(format!("#{tag} {request}\n").as_bytes()).ok()
    }

    /// Waits for replies and pushes however late they are, from now on.
    pub(super) fn wait_longer(&self) {
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
    }

    /// As [`Connection::ask`], without a tag.
    pub(super) fn ask_untagged(&mut self, request: &str) -> Option<Value> {
        self.stream.write_all(format!("{request}\n").as_bytes()).ok()?;
        self.frame()
    }

    /// The next message that is pushed.
    pub(super) fn pushed(&mut self) -> Option<Value> {
        loop {
            let frame = self.frame()?;
            if frame["event"] == "message" {
                return Some(frame["data"].clone());
            }
        }
    }

    /// The reply with a tag, however late. `None` if the connection ends instead.
    pub(super) fn late_reply(&mut self, tag: &str) -> Option<Value> {
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        self.reply(tag)
    }

    fn frame(&mut self) -> Option<Value> {
        let (mut frame, mut end) = (String::new(), String::new());
        self.frames.read_line(&mut frame).ok()?;
        self.frames.read_line(&mut end).ok()?;
        (end == "\r\n").then(|| serde_json::from_str(&frame).unwrap())
    }

    /// The reply with a tag. Frames without it are the server's own.
    pub(super) fn reply(&mut self, tag: &str) -> Option<Value> {
        loop {
            let frame = self.frame()?;
            if frame["tag"] == tag {
                return Some(frame);
            }
        }
    }
}

/// A change that was acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Acknowledged {
    pub(super) reply: Value,
    pub(super) at: Instant,
    /// When its connection was opened.
    pub(super) connected: Instant,
}

/// A client that does not give up.
pub(super) struct Client {
    addresses: Vec<SocketAddr>,
    token: String,
    connection: Option<Connection>,
}

impl Client {
    pub(super) fn new(addresses: Vec<SocketAddr>, token: &str) -> Self {
        Self { addresses, token: token.to_owned(), connection: None }
    }

    /// A new account. Nobody repeats that with the same tag: the reply is waited for, however busy the machine is.
    pub(super) fn registered(addresses: Vec<SocketAddr>, user: &str) -> Self {
        let registered = wait_for("an account is made", || {
            let mut connection = Connection::open(addresses[0])?;
            connection.wait_longer();
            done(connection.ask("register", &format!("register {user} rahasia"))?)
        });
        Self::new(addresses, registered["tokenid"].as_str().unwrap())
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Sends a request, to one node after the other, again and again, until it is acknowledged.
    #[track_caller]
    pub(super) fn ask(&mut self, tag: &str, request: &str) -> Acknowledged {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(acknowledged) = self.try_once(tag, request) {
                return acknowledged;
            }
            self.connection = None;
            self.addresses.rotate_left(1);
            pause();
        }
        panic!("nobody does it: {request}");
    }

    #[track_caller]
    fn try_once(&mut self, tag: &str, request: &str) -> Option<Acknowledged> {
        if self.connection.is_none() {
            self.connection = Some(self.connect()?);
        }
        let connection = self.connection.as_mut()?;
        let reply = done(connection.ask(tag, request)?)?;
        Some(Acknowledged { reply, at: Instant::now(), connected: connection.opened })
    }

    fn connect(&self) -> Option<Connection> {
        let mut connection = Connection::open(self.addresses[0])?;
        if !self.token.is_empty() {
            done(connection.ask("whoami", &format!("whoami {}", self.token))?)?;
        }
        Some(connection)
    }

    /// Waits until the node has an entry of the log that another one has acknowledged: it may have come back just now.
    #[track_caller]
    pub(super) fn waits_for(&mut self, entry: u64) {
        wait_for("the node has what was acknowledged", || {
            let newest = self.ask("newest", "history limit 1").reply;
            (newest["data"][0]["id"].as_u64() >= Some(entry)).then_some(())
        });
    }

    /// The texts of its unread messages with their ids and senders, which are read by that.
    pub(super) fn inbox(&mut self) -> Vec<Value> {
        let mut messages = Vec::new();
        for page in 0.. {
            let Value::Object(reply) = self.ask(&format!("inbox{page}"), "inbox").reply else { panic!("no inbox") };
            messages.extend(reply["data"].as_array().unwrap().iter().cloned());
            if reply.get("more") != Some(&Value::Bool(true)) {
                break;
            }
        }
        messages
    }
}

/// A reply, unless it is a refusal that passes. No other is expected.
#[track_caller]
fn done(reply: Value) -> Option<Value> {
    let is_done = reply["status"] == "OK";
    assert!(is_done || PASSING.iter().any(|code| reply["code"] == *code), "{reply}");
    is_done.then_some(reply)
}
