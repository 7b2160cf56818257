//! Load for servers that break: pipelined requests on a connection, each with its reply.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::replies::ReplyCounter;

/// Unanswered requests of each connection, enough that a kill meets full batches.
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
    /// Binds a connection to the session of a token. `None` if it is broken already.
    pub(crate) fn resume(mut stream: TcpStream, token: &str) -> Option<Self> {
        writeln!(stream, "whoami {token}").ok()?;
        let mut replies = BufReader::new(stream.try_clone().unwrap());
        hear(&mut replies)?;
        Some(Self { stream, replies, exchanges: Vec::new() })
    }

    /// Sends the requests that `next` returns, a window of them at a time, until the connection breaks, or until it is
    /// over and every request is answered. Counts each reply.
    pub(crate) fn run(
        mut self,
        is_over: &AtomicBool,
        replies: &ReplyCounter,
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
            if !self.hear_one(&mut answered, replies) {
                break;
            }
        }
        // Replies that left before a kill and were not read yet are acknowledgements all the same.
        while answered < self.exchanges.len() && self.hear_one(&mut answered, replies) {}
        self.exchanges
    }

    fn hear_one(&mut self, answered: &mut usize, replies: &ReplyCounter) -> bool {
        let Some(reply) = hear(&mut self.replies) else { return false };
        self.exchanges[*answered].1 = Some(reply);
        *answered += 1;
        replies.add_one();
        true
    }
}

/// The next whole frame. `None` if the connection is broken.
pub(crate) fn hear(replies: &mut impl BufRead) -> Option<Value> {
    let (mut frame, mut empty) = (String::new(), String::new());
    replies.read_line(&mut frame).ok()?;
    replies.read_line(&mut empty).ok()?;
    if empty != "\r\n" {
        return None;
    }
    Some(serde_json::from_str(&frame).unwrap())
}
