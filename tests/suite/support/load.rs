//! Load for servers that break: requests in a row on a connection, and what was answered to each.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

/// Requests on their way at a time on each connection, so that a kill meets full batches.
pub(crate) const WINDOW: usize = 16;

/// A request, and the reply if there was one.
pub(crate) type Exchange<A> = (A, Option<Value>);

/// Requests on a connection.
pub(crate) struct Conversation<A> {
    stream: TcpStream,
    replies: BufReader<TcpStream>,
    exchanges: Vec<Exchange<A>>,
}

impl<A> Conversation<A> {
    /// A connection that acts for whom the token was given to; none where it broke already.
    pub(crate) fn resume(mut stream: TcpStream, token: &str) -> Option<Self> {
        writeln!(stream, "whoami {token}").ok()?;
        let mut replies = BufReader::new(stream.try_clone().unwrap());
        hear(&mut replies)?;
        Some(Self { stream, replies, exchanges: Vec::new() })
    }

    /// Asks what `next` gives, a window of requests at a time, until the connection breaks, or all was answered that was
    /// asked before the end.
    pub(crate) fn run(
        mut self,
        is_over: &AtomicBool,
        line: impl Fn(&A) -> String,
        mut next: impl FnMut(usize) -> A,
    ) -> Vec<Exchange<A>> {
        let mut answered = 0;
        while !is_over.load(Ordering::Relaxed) {
            while self.exchanges.len() - answered < WINDOW {
                let asked = next(self.exchanges.len());
                let sent = self.stream.write_all(format!("{}\n", line(&asked)).as_bytes());
                self.exchanges.push((asked, None));
                if sent.is_err() {
                    break;
                }
            }
            if !self.hear_one(&mut answered) {
                break;
            }
        }
        // What was answered before a kill and not read yet was acknowledged all the same.
        while answered < self.exchanges.len() && self.hear_one(&mut answered) {}
        self.exchanges
    }

    fn hear_one(&mut self, answered: &mut usize) -> bool {
        let Some(reply) = hear(&mut self.replies) else { return false };
        self.exchanges[*answered].1 = Some(reply);
        *answered += 1;
        true
    }
}

/// The next whole frame; none where the connection broke.
pub(crate) fn hear(replies: &mut impl BufRead) -> Option<Value> {
    let (mut frame, mut empty) = (String::new(), String::new());
    replies.read_line(&mut frame).ok()?;
    replies.read_line(&mut empty).ok()?;
    if empty != "\r\n" {
        return None;
    }
    Some(serde_json::from_str(&frame).unwrap())
}
