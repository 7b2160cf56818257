//! Records that are stored together, and what is pushed once they are durable.

use std::sync::Arc;

use crate::chat::{Audience, CommandMark, Event, Notification, Record, SessionEnd};
use crate::hub::forward::ToTell;
use crate::hub::send_queue::SendQueue;
use crate::id::{SessionId, UserId};
use crate::name::Name;
use crate::store::Part;

/// Records that are stored by one commit.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) ticket: u64,
    pub(super) records: Vec<Record>,
    pub(super) commands: Vec<CommandMark>,
    pub(super) pushes: Vec<Push>,
    /// Outcomes of commands that this node has forwarded.
    pub(super) to_tell: Vec<ToTell>,
    /// Of the message bodies.
    pub(super) bytes: usize,
    /// With so many commands the committer, which waits for them, is woken.
    pub(super) wanted: usize,
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
    pub(super) fn parts(&self, limit: usize) -> impl Iterator<Item = Part<'_>> {
        let (mut records, mut commands) = (self.records.as_slice(), self.commands.as_slice());
        std::iter::from_fn(move || {
            let count = if self.bytes <= limit { commands.len() } else { commands_within(records, commands, limit) };
            let (part, rest) = commands.split_at_checked(count)?;
            let (first, last) = (records.first()?.seq, part.last()?.last);
            let (now, later) = records.split_at_checked((last.0 + 1 - first.0) as usize)?;
            (records, commands) = (later, rest);
            Some(Part { records: now, commands: part })
        })
    }

    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.commands.clear();
        self.pushes.clear();
        self.to_tell.clear();
        self.bytes = 0;
    }
}

/// How many of the commands belong to one part.
fn commands_within(records: &[Record], commands: &[CommandMark], limit: usize) -> usize {
    let (mut bytes, mut records) = (0, records.iter().peekable());
    for (place, command) in commands.iter().enumerate() {
        while let Some(record) = records.next_if(|record| record.seq <= command.last) {
            bytes += body_size(record);
        }
        if bytes > limit {
            return place + 1;
        }
    }
    commands.len()
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
            let last = Seq(batch.records.len() as u64);
            batch.commands.push(CommandMark { last, forward: None, session_end: SessionEnd::Expired });
        }
        batch
    }

    fn body(number: usize) -> MessageBody {
        let (text, kind) = (EscapedText::new(&number.to_string()), Kind::Broadcast);
        MessageBody::compose(&BodyFields { msg_from: "", msg_to: "", msg: &text, from: "", to: "*", kind, realm: None })
    }

    fn lengths(batch: &Batch, limit: usize) -> Vec<usize> {
        batch.parts(limit).map(|part| part.records.len()).collect()
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
