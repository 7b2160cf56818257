//! The way in: from the other server to the hub, and what it is told of it.

use std::collections::VecDeque;

use bytes::BytesMut;
use tokio::time::Instant;

use crate::chat::{BounceReason, Command, RemoteMessage};
use crate::federation::frame::{self, Frame, Reason, WireMessage};
use crate::federation::link::pace::Pace;
use crate::federation::link::{End, is_gone};
use crate::hub::{CommitStatus, Hub, Ticket};
use crate::id::{Incarnation, RealmId, Seq};
use crate::limits::{LINK_BATCH, LINK_IN_FLIGHT, PEER_BYTES_PER_SECOND, PEER_MESSAGES_PER_SECOND, PROFILE_BYTES};
use crate::name::Name;
use crate::wire;

pub(super) struct Receiving {
    realm: RealmId,
    /// The longest text of a message.
    text_bytes: usize,
    /// What was taken in and is not known to be on the disk.
    owed: VecDeque<Owed>,
    messages: Pace,
    bytes: Pace,
}

/// An acknowledgement that waits for the disk.
struct Owed {
    ticket: Ticket,
    incarnation: Incarnation,
    upto: Seq,
    refused: Vec<(Seq, BounceReason)>,
}

impl Receiving {
    pub(super) fn new(realm: RealmId, text_bytes: usize) -> Self {
        Self {
            realm,
            text_bytes,
            owed: VecDeque::new(),
            messages: Pace::new(PEER_MESSAGES_PER_SECOND),
            bytes: Pace::new(PEER_BYTES_PER_SECOND),
        }
    }

    /// Whether it waits for something to be on the disk here.
    pub(super) fn waits(&self) -> bool {
        !self.owed.is_empty()
    }

    /// Whether more is to be read: not while too much waits for the disk, or the other server is too fast.
    pub(super) fn has_room(&self, hub: &Hub, now: Instant) -> bool {
        self.owed.len() < LINK_IN_FLIGHT && hub.has_capacity() && self.too_fast_until(now).is_none()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.too_fast_until(Instant::now())
    }

    fn too_fast_until(&self, now: Instant) -> Option<Instant> {
        self.messages.empty_until(now).max(self.bytes.empty_until(now))
    }

    /// Whatever is said takes time, whether it has messages or not.
    pub(super) fn count_frame(&mut self, now: Instant) {
        self.messages.take(1, now);
    }

    /// Takes messages in. What was taken in before is only acknowledged again, and what was refused before refused again.
    pub(super) fn take(&mut self, hub: &Hub, incarnation: Incarnation, letters: Vec<WireMessage>) -> Result<(), End> {
        let numbers = letters.first().map(|first| first.number).zip(letters.last().map(|last| last.number));
        let Some((first, upto)) = numbers else { return Ok(()) };
        let in_order = letters.is_sorted_by(|one, next| one.number < next.number);
        if letters.len() > LINK_BATCH || !in_order {
            return Err(End::Ours(Reason::Malformed));
        }
        let now = Instant::now();
        self.messages.take(letters.len(), now);
        self.bytes.take(letters.iter().map(|letter| letter.text.len()).sum(), now);
        let letters = letters.into_iter().map(|letter| (letter.number, read(letter, self.text_bytes))).collect();
        let taken = hub.execute(&Command::Receive { realm: self.realm, incarnation, letters }, None);
        if taken.result.is_err() {
            let reason = if is_gone(hub, self.realm) { Reason::Removed } else { Reason::NoRoom };
            return Err(End::Ours(reason));
        }
        let refused = self.refused(hub, incarnation, first, upto);
        self.owed.push_back(Owed { ticket: taken.ticket, incarnation, upto, refused });
        Ok(())
    }

    fn refused(&self, hub: &Hub, incarnation: Incarnation, first: Seq, upto: Seq) -> Vec<(Seq, BounceReason)> {
        let of_these = |(of, number, why): &(Incarnation, Seq, BounceReason)| {
            let is_one = *of == incarnation && (first..=upto).contains(number);
            is_one.then_some((*number, *why))
        };
        hub.read(|state| state.peer(self.realm).map(|link| link.refused.iter().filter_map(of_these).collect()))
            .0
            .unwrap_or_default()
    }

    /// Tells the other server what is on the disk.
    pub(super) fn acknowledge(&mut self, hub: &Hub, out: &mut BytesMut) -> Result<(), End> {
        let mut settled: Option<Owed> = None;
        while let Some(owed) = self.owed.front() {
            match hub.commit_status(owed.ticket) {
                CommitStatus::Pending => break,
                CommitStatus::Failed(_) => return Err(End::Ours(Reason::NoRoom)),
                CommitStatus::Durable => {}
            }
            let Some(owed) = self.owed.pop_front() else { break };
            match settled.as_mut().filter(|before| before.incarnation == owed.incarnation) {
                Some(before) => {
                    before.upto = owed.upto.max(before.upto);
                    before.refused.extend(owed.refused);
                }
                None => {
                    if let Some(before) = settled.replace(owed) {
                        write(before, out)?;
                    }
                }
            }
        }
        settled.map_or(Ok(()), |owed| write(owed, out))
    }

    /// The other server has noted what was refused.
    pub(super) fn noted(&self, hub: &Hub, incarnation: Incarnation, upto: Seq) -> Result<(), End> {
        let noted = hub.execute(&Command::ConfirmReceived { realm: self.realm, incarnation, upto }, None);
        noted.result.map(drop).map_err(|_| End::Ours(Reason::NoRoom))
    }
}

fn write(owed: Owed, out: &mut BytesMut) -> Result<(), End> {
    let Owed { incarnation, upto, refused, .. } = owed;
    frame::write(out, &Frame::Acknowledged { incarnation, upto, refused }).map_err(End::Ours)
}

/// What another server sends is held to the rules that clients are held to (PROTOCOL §1, §3).
fn read(letter: WireMessage, text_bytes: usize) -> Result<RemoteMessage, BounceReason> {
    let WireMessage { from, full_name, to, to_group, text, .. } = letter;
    let is_text = !text.trim().is_empty() && text.len() <= text_bytes && !wire::has_control_character(&text);
    let is_full_name = full_name.len() <= PROFILE_BYTES && !wire::has_control_character(&full_name);
    let (Ok(from), true, true) = (Name::parse(&from), is_text, is_full_name) else {
        return Err(BounceReason::Malformed);
    };
    let nobody = if to_group { BounceReason::GroupNotFound } else { BounceReason::UserNotFound };
    let to = Name::parse(&to).map_err(|_| nobody)?;
    Ok(RemoteMessage { from, full_name, to, to_group, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 100;

    fn letter() -> WireMessage {
        WireMessage {
            number: Seq(1),
            from: "messi".into(),
            full_name: "Lionel Messi".into(),
            to: "henderson".into(),
            to_group: false,
            text: "apa kabar?".into(),
        }
    }

    #[test]
    fn another_server_is_held_to_the_rules_of_clients() {
        assert!(read(letter(), LIMIT).is_ok());
        for wrong in [
            WireMessage { from: "messi@barat".into(), ..letter() },
            WireMessage { from: "realm".into(), ..letter() },
            WireMessage { from: "".into(), ..letter() },
            WireMessage { full_name: "x".repeat(PROFILE_BYTES + 1).into(), ..letter() },
            WireMessage { full_name: "a\u{1b}[2J".into(), ..letter() },
            WireMessage { text: "".into(), ..letter() },
            WireMessage { text: " \t".into(), ..letter() },
            WireMessage { text: "a\r\n[OK] b".into(), ..letter() },
            WireMessage { text: "x".repeat(LIMIT + 1).into(), ..letter() },
        ] {
            assert_eq!(read(wrong.clone(), LIMIT), Err(BounceReason::Malformed), "{wrong:?}");
        }
        let nobody = WireMessage { to: "@".into(), ..letter() };
        assert_eq!(read(nobody.clone(), LIMIT), Err(BounceReason::UserNotFound));
        assert_eq!(read(WireMessage { to_group: true, ..nobody }, LIMIT), Err(BounceReason::GroupNotFound));
    }
}
