//! Requests that wait for their reply, in the order of the program, across connections.

use std::collections::VecDeque;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::client::error::ClientError;
use crate::client::reply::Reply;
use crate::limits::{CLIENT_IN_FLIGHT, CLIENT_REPEAT};

/// Takes the reply of a request.
pub(super) type Answer = oneshot::Sender<Result<Reply, ClientError>>;

/// A request, for which somebody waits if there is an answer to give: those of the client itself have none.
struct Request {
    tag: String,
    line: String,
    answer: Option<Answer>,
    first_sent: Option<Instant>,
}

/// The requests: first those that were sent on this connection, then those that were not.
#[derive(Default)]
pub(super) struct Queue {
    requests: VecDeque<Request>,
    sent: usize,
}

impl Queue {
    pub(super) fn push(&mut self, tag: String, line: String, answer: Option<Answer>) {
        self.requests.push_back(Request { tag, line, answer, first_sent: None });
    }

    /// The next line to send, if so few are unanswered that all of them can be repeated.
    pub(super) fn next_line(&mut self) -> Option<String> {
        if self.sent >= CLIENT_IN_FLIGHT {
            return None;
        }
        let request = self.requests.get_mut(self.sent)?;
        self.sent += 1;
        request.first_sent.get_or_insert_with(Instant::now);
        Some(format!("#{} {}", request.tag, request.line))
    }

    /// Hands a reply to its request: replies come in the order of the requests. Returns the tag, or `None` if nothing
    /// was asked with it, and the server spoke of the connection.
    pub(super) fn answer(&mut self, reply: Reply) -> Option<String> {
        let front = self.requests.front().filter(|front| self.sent > 0 && reply.tag.as_ref() == Some(&front.tag));
        front?;
        let Request { tag, answer, .. } = self.requests.pop_front()?;
        self.sent -= 1;
        if let Some(answer) = answer {
            // Nobody may wait any more.
            let _unheard =
                answer.send(if reply.is_ok() { Ok(reply) } else { Err(ClientError::Refused(Box::new(reply))) });
        }
        Some(tag)
    }

    /// The connection broke: everything is to be sent again, except the client's own requests and those whose tags the
    /// server may have forgotten.
    pub(super) fn disconnected(&mut self) {
        self.sent = 0;
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
        self.sent = 0;
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
        assert_eq!(queue.answer(reply("2")), None, "it was not sent");
        assert_eq!(queue.next_line().as_deref(), Some("#2 ping"));
        assert_eq!(queue.answer(reply("1")).as_deref(), Some("1"));
        assert!(one.try_recv().unwrap().is_ok() && two.try_recv().is_err());
    }

    #[test]
    fn a_frame_without_a_tag_answers_nothing() {
        let mut queue = Queue::default();
        let mut one = asked(&mut queue, "1");
        queue.next_line();
        let farewell = Reply { status: "ERROR".into(), code: Some("shutting_down".into()), ..Reply::default() };
        assert_eq!(queue.answer(farewell), None);
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
}
