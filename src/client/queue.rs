//! Requests that wait for their reply, in the order of the program, across connections.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::client::error::ClientError;
use crate::client::reply::Reply;
use crate::limits::{CLIENT_IN_FLIGHT, CLIENT_REPEAT, CLIENT_SLOW_DOWN_MAX};

/// Takes the reply of a request.
pub(super) type Answer = oneshot::Sender<Result<Reply, ClientError>>;

/// A request, for which somebody waits if there is an answer to give: those of the client itself have none.
struct Request {
    tag: String,
    line: String,
    answer: Option<Answer>,
    first_sent: Option<Instant>,
}

/// The requests: first those that the server put off, then those that were sent on this connection, then those that were
/// not. The order of messages is kept: the server refuses those behind a refused one, and all of them are sent again.
#[derive(Default)]
pub(super) struct Queue {
    requests: VecDeque<Request>,
    put_off: usize,
    sent: usize,
    /// Nothing is sent before.
    resumes: Option<Instant>,
}

/// The kind of a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// The reply to the request of this tag.
    Reply(String),
    /// The server wants the request later: it is sent again after this long.
    PutOff(Duration),
    /// Nothing was asked with that tag: the server speaks of the connection.
    Nothing,
}

impl Queue {
    pub(super) fn push(&mut self, tag: String, line: String, answer: Option<Answer>) {
        self.requests.push_back(Request { tag, line, answer, first_sent: None });
    }

    /// The next line to send, if so few are unanswered that all of them can be repeated.
    pub(super) fn next_line(&mut self) -> Option<String> {
        if self.sent >= CLIENT_IN_FLIGHT || self.is_put_off() {
            return None;
        }
        let request = self.requests.get_mut(self.sent)?;
        self.sent += 1;
        request.first_sent.get_or_insert_with(Instant::now);
        Some(format!("#{} {}", request.tag, request.line))
    }

    /// Whether requests wait for their time, or for the replies to those that were sent with them.
    fn is_put_off(&mut self) -> bool {
        if self.put_off == 0 {
            return false;
        }
        if self.sent > 0 || self.resumes.is_some_and(|resumes| resumes > Instant::now()) {
            return true;
        }
        (self.put_off, self.resumes) = (0, None);
        false
    }

    /// When there is something to send again.
    pub(super) fn resumes(&self) -> Option<Instant> {
        self.resumes.filter(|_| self.sent == 0)
    }

    /// Hands a reply to its request: replies come in the order of the requests.
    pub(super) fn answer(&mut self, reply: Reply) -> Answered {
        let asked = self.requests.get(self.put_off).filter(|_| self.sent > 0);
        if asked.is_none_or(|asked| reply.tag.as_ref() != Some(&asked.tag)) {
            return Answered::Nothing;
        }
        self.sent -= 1;
        if let Some(pause) = reply.slow_down().filter(|pause| *pause <= CLIENT_SLOW_DOWN_MAX) {
            self.put_off += 1;
            self.resumes = self.resumes.max(Some(Instant::now() + pause));
            return Answered::PutOff(pause);
        }
        let Some(Request { tag, answer, .. }) = self.requests.remove(self.put_off) else { return Answered::Nothing };
        if let Some(answer) = answer {
            // Nobody may wait any more.
            let _unheard =
                answer.send(if reply.is_ok() { Ok(reply) } else { Err(ClientError::Refused(Box::new(reply))) });
        }
        Answered::Reply(tag)
    }

    /// The connection broke: everything is to be sent again, except the client's own requests and those whose tags the
    /// server may have forgotten.
    pub(super) fn disconnected(&mut self) {
        (self.sent, self.put_off) = (0, 0);
        for mut request in std::mem::take(&mut self.requests) {
            let is_forgotten = request.first_sent.is_some_and(|sent| sent.elapsed() > CLIENT_REPEAT);
            match request.answer.take() {
                Some(answer) if is_forgotten => {
                    let _unheard = answer.send(Err(ClientError::UnknownOutcome));
                }
                Some(answer) => self.requests.push_back(Request { answer: Some(answer), ..request }),
                None => {}
            }
        }
    }

    /// Fails everything.
    pub(super) fn fail(&mut self, error: impl Fn() -> ClientError) {
        (self.sent, self.put_off) = (0, 0);
        for answer in self.requests.drain(..).filter_map(|request| request.answer) {
            let _unheard = answer.send(Err(error()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(queue: &mut Queue, tag: &str) -> oneshot::Receiver<Result<Reply, ClientError>> {
        let (answer, reply) = oneshot::channel();
        queue.push(tag.into(), "ping".into(), Some(answer));
        reply
    }

    fn reply(tag: &str) -> Reply {
        Reply { status: "OK".into(), tag: Some(tag.into()), ..Reply::default() }
    }

    #[test]
    fn replies_are_matched_in_order() {
        let mut queue = Queue::default();
        let (mut one, mut two) = (asked(&mut queue, "1"), asked(&mut queue, "2"));
        assert_eq!(queue.next_line().as_deref(), Some("#1 ping"));
        assert_eq!(queue.answer(reply("2")), Answered::Nothing, "it was not sent");
        assert_eq!(queue.next_line().as_deref(), Some("#2 ping"));
        assert_eq!(queue.answer(reply("1")), Answered::Reply("1".into()));
        assert!(one.try_recv().unwrap().is_ok() && two.try_recv().is_err());
    }

    #[test]
    fn a_frame_without_a_tag_answers_nothing() {
        let mut queue = Queue::default();
        let mut one = asked(&mut queue, "1");
        queue.next_line();
        let farewell = Reply { status: "ERROR".into(), code: Some("shutting_down".into()), ..Reply::default() };
        assert_eq!(queue.answer(farewell), Answered::Nothing);
        assert!(one.try_recv().is_err());
    }

    #[test]
    fn what_was_not_answered_is_sent_again_with_its_tag_and_before_the_rest() {
        let mut queue = Queue::default();
        let _waiting = [asked(&mut queue, "1"), asked(&mut queue, "2")];
        queue.next_line();
        queue.push("own".into(), "ping".into(), None);
        queue.disconnected();
        let lines: Vec<_> = std::iter::from_fn(|| queue.next_line()).collect();
        assert_eq!(lines, ["#1 ping", "#2 ping"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_sent_too_long_ago_is_not_repeated() {
        let mut queue = Queue::default();
        let mut old = asked(&mut queue, "1");
        queue.next_line();
        let _unsent = asked(&mut queue, "2");
        tokio::time::advance(CLIENT_REPEAT * 2).await;
        queue.disconnected();
        assert!(matches!(old.try_recv().unwrap(), Err(ClientError::UnknownOutcome)));
        assert_eq!(queue.next_line().as_deref(), Some("#2 ping"));
    }

    #[test]
    fn no_more_is_in_flight_than_can_be_repeated() {
        let mut queue = Queue::default();
        let _waiting: Vec<_> = (0..CLIENT_IN_FLIGHT + 1).map(|tag| asked(&mut queue, &tag.to_string())).collect();
        assert_eq!(std::iter::from_fn(|| queue.next_line()).count(), CLIENT_IN_FLIGHT);
        queue.answer(reply("0"));
        assert!(queue.next_line().is_some());
    }

    fn too_fast(tag: &str, seconds: u64) -> Reply {
        let code = Some("slow_down".to_owned());
        Reply { status: "ERROR".into(), code, retry_after: Some(seconds), ..reply(tag) }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_too_fast_is_sent_again_in_order_after_the_wait() {
        let mut queue = Queue::default();
        let mut waiting: Vec<_> = ["1", "2", "3"].map(|tag| asked(&mut queue, tag)).into();
        assert_eq!(std::iter::from_fn(|| queue.next_line()).count(), 3);
        queue.answer(reply("1"));
        assert_eq!(queue.answer(too_fast("2", 2)), Answered::PutOff(Duration::from_secs(2)));
        waiting.push(asked(&mut queue, "4"));
        assert_eq!(queue.next_line(), None, "a reply is still to come");
        assert_eq!(queue.answer(too_fast("3", 1)), Answered::PutOff(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(queue.next_line(), None);
        tokio::time::advance(Duration::from_secs(1)).await;
        let lines: Vec<_> = std::iter::from_fn(|| queue.next_line()).collect();
        assert_eq!(lines, ["#2 ping", "#3 ping", "#4 ping"]);
        for tag in ["2", "3", "4"] {
            assert_eq!(queue.answer(reply(tag)), Answered::Reply(tag.into()));
        }
        assert!(waiting.iter_mut().all(|reply| reply.try_recv().unwrap().is_ok()));
    }

    #[test]
    fn a_wait_that_nobody_would_wait_is_refused() {
        let mut queue = Queue::default();
        let mut asked = asked(&mut queue, "1");
        queue.next_line();
        assert_eq!(queue.answer(too_fast("1", 3600)), Answered::Reply("1".into()));
        assert!(matches!(asked.try_recv().unwrap(), Err(ClientError::Refused(_))));
    }
}
