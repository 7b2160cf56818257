//! Records that are stored together, and what is pushed once they are durable.

use std::sync::Arc;

use crate::chat::{Audience, Event, Notification, Record, SessionEnd};
use crate::hub::send_queue::SendQueue;
use crate::id::{SessionId, UserId};
use crate::name::Name;

/// Records that are stored by one commit.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) ticket: u64,
    pub(super) records: Vec<Record>,
    /// Where the records of each command end.
    pub(super) command_ends: Vec<usize>,
    pub(super) pushes: Vec<Push>,
    /// Of the message bodies.
    pub(super) bytes: usize,
    pub(super) closing: bool,
}

/// One push of a batch.
pub(super) struct Push {
    pub(super) what: Payload,
    pub(super) audience: Audience,
    /// Sorted ids of recipients who block the author.
    pub(super) blocked_by: Option<Arc<Vec<UserId>>>,
    /// The user whose change it is of, and who must not get far ahead of the pushes.
    pub(super) by: Option<UserId>,
    /// The connection that sent it, which gets a reply and no push.
    pub(super) origin: Option<Arc<SendQueue>>,
}

pub(super) enum Payload {
    /// The message in the record at this place.
    Message(usize),
    Notification(Notification),
    /// Connections are detached from a session that was closed. Nobody else hears of it.
    SessionEnded(EndedSession),
}

pub(super) struct EndedSession {
    pub(super) session: SessionId,
    pub(super) user: UserId,
    pub(super) name: Name,
    pub(super) end: SessionEnd,
}

impl Batch {
    /// The records, in parts that are committed one after the other. A part ends with the command that brings its message
    /// bodies above `limit` bytes: the records of a command stay together.
    pub(super) fn parts(&self, limit: usize) -> impl Iterator<Item = &[Record]> {
        let mut begin = 0;
        let mut ends = self.command_ends.as_slice();
        std::iter::from_fn(move || {
            let (last, rest) = if self.bytes <= limit { (ends.len(), &[][..]) } else { self.cut(begin, ends, limit) };
            let end = *ends.get(last.checked_sub(1)?)?;
            let part = self.records.get(begin..end)?;
            (begin, ends) = (end, rest);
            Some(part)
        })
    }

    /// How many of the commands that follow a record belong to one part, and where the others end.
    fn cut<'a>(&self, begin: usize, ends: &'a [usize], limit: usize) -> (usize, &'a [usize]) {
        let (mut bytes, mut from) = (0, begin);
        for (place, end) in ends.iter().enumerate() {
            bytes += self.records.get(from..*end).unwrap_or_default().iter().map(body_size).sum::<usize>();
            from = *end;
            if bytes > limit {
                let (part, rest) = ends.split_at(place + 1);
                return (part.len(), rest);
            }
        }
        (ends.len(), &[])
    }

    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.command_ends.clear();
        self.pushes.clear();
        self.bytes = 0;
    }
}

fn body_size(record: &Record) -> usize {
    match &record.event {
        Event::MessageSent(message) => message.body.size(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Author, BodyFields, Destination, EscapedText, Kind, Message, MessageBody};
    use crate::id::Seq;
    use crate::time::Time;

    fn batch(commands: &[usize]) -> Batch {
        let mut batch = Batch::default();
        for (number, records) in commands.iter().enumerate() {
            for _ in 0..*records {
                let body = body(number);
                batch.bytes += body.size();
                let message = Message { from: Author::Server, to: Destination::Everyone, realm: None, body };
                let seq = Seq(batch.records.len() as u64 + 1);
                batch.records.push(Record { seq, time: Time(0), event: Event::MessageSent(message) });
            }
            batch.command_ends.push(batch.records.len());
        }
        batch
    }

    fn body(number: usize) -> MessageBody {
        let (text, kind) = (EscapedText::new(&number.to_string()), Kind::Broadcast);
        MessageBody::compose(&BodyFields { msg_from: "", msg_to: "", msg: &text, from: "", to: "*", kind, realm: None })
    }

    fn lengths(batch: &Batch, limit: usize) -> Vec<usize> {
        batch.parts(limit).map(<[Record]>::len).collect()
    }

    #[test]
    fn a_batch_within_the_limit_is_one_part() {
        assert_eq!(lengths(&batch(&[1, 2, 3]), usize::MAX), [6]);
    }

    #[test]
    fn the_records_of_a_command_stay_together() {
        assert_eq!(lengths(&batch(&[1, 2, 3]), 0), [1, 2, 3]);
        assert_eq!(lengths(&batch(&[3, 1, 1, 1]), body(0).size()), [3, 2, 1]);
    }

    #[test]
    fn an_empty_batch_has_no_parts() {
        assert_eq!(lengths(&Batch::default(), 0), [0; 0]);
    }
}
