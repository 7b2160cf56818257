//! The way out of a link: from the outbox to the other server, and what it says of it.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::time::Instant;

use crate::chat::{Bounce, BounceReason, Command, Kind, MessageFields, StoredMessage};
use crate::federation::frame::{self, Frame, Reason, WireMessage};
use crate::federation::link::out::Out;
use crate::federation::link::{End, Number};
use crate::hub::{CommitStatus, Hub, OutboxTail, TailRead, Ticket};
use crate::id::{Incarnation, RealmId, Seq};
use crate::limits::{CURSOR_SAVED, CURSOR_SAVED_MESSAGES, LINK_BATCH, LINK_BATCH_BYTES, LINK_WINDOW};
use crate::wire;

pub(super) struct Sending {
    realm: RealmId,
    feed: Arc<OutboxTail>,
    /// Everything up to here was put on its way.
    position: Seq,
    /// What the other server has not said anything of yet.
    in_flight: VecDeque<Sent>,
    /// When the place is noted up to which the other server has everything, if it is not.
    save_at: Option<Instant>,
    /// How many messages it is behind.
    unsaved: usize,
    /// Refusals that the other server may forget once they are on the disk here.
    noting: VecDeque<(Ticket, Number)>,
    /// Incarnations of this server of which the other one may still remember refusals.
    unnoted: Vec<Incarnation>,
}

struct Sent {
    number: Number,
    to: Box<str>,
}

impl Sending {
    /// Begins after what the other server has, by what it says of itself: that may be less than it once had.
    pub(super) fn new(hub: &Hub, feed: Arc<OutboxTail>, realm: RealmId, heads: &[Number]) -> Self {
        let position = hub.read(|state| state.peer(realm).map(|link| state.resend_position(link, heads))).0;
        let mut sending = Self {
            realm,
            feed,
            position: position.unwrap_or_default(),
            in_flight: VecDeque::new(),
            save_at: None,
            unsaved: 0,
            noting: VecDeque::new(),
            unnoted: heads.iter().map(|(incarnation, _)| *incarnation).collect(),
        };
        // What was said of this before may have been lost with the link.
        sending.note_earlier(hub);
        sending
    }

    /// Has the other server forget what it refused in earlier incarnations, as far as that is over.
    fn note_earlier(&mut self, hub: &Hub) {
        let unnoted = &self.unnoted;
        let (noted, ticket) = hub.read(|state| {
            let link = state.peer(self.realm)?;
            Some(unnoted.iter().map(|of| (*of, state.confirmed_up_to(link, *of))).collect::<Vec<_>>())
        });
        let noted = noted.unwrap_or_default();
        self.unnoted = noted.iter().filter(|(_, upto)| *upto != Seq(u64::MAX)).map(|(of, _)| *of).collect();
        self.noting.extend(noted.into_iter().map(|number| (ticket, number)));
    }

    pub(super) fn feed(&self) -> &OutboxTail {
        &self.feed
    }

    /// Whether it waits for something to be on the disk here.
    pub(super) fn waits(&self) -> bool {
        !self.noting.is_empty()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        [self.save_at, self.feed.next_timeout()].into_iter().flatten().min()
    }

    pub(super) fn feed_the_impatient(&mut self, hub: &Hub) {
        let now = Instant::now();
        hub.expire_waiters(&self.feed, now);
        if self.save_at.is_some_and(|at| at <= now) {
            self.save(hub);
        }
    }

    /// Puts on its way what waits, while the other server takes it. While some is on its way the next waits to be many, so
    /// that two disks are synced once for all that came meanwhile.
    pub(super) async fn fill(&mut self, hub: &Hub, out: &mut Out) -> Result<(), End> {
        while self.in_flight.len() < LINK_WINDOW && out.has_room_for_messages() {
            if !self.in_flight.is_empty() && self.feed.has_few(self.position, LINK_BATCH) {
                return Ok(());
            }
            let messages = match self.feed.take(self.position, LINK_BATCH) {
                TailRead::Messages(messages) if messages.is_empty() => return Ok(()),
                TailRead::Messages(messages) => messages,
                TailRead::ReadStore => self.read_older(hub).await?,
            };
            if messages.is_empty() {
                continue;
            }
            if let Some(last) = messages.last() {
                self.position = last.seq;
            }
            self.write(hub, &messages, &mut out.messages)?;
        }
        Ok(())
    }

    async fn read_older(&mut self, hub: &Hub) -> Result<Vec<StoredMessage>, End> {
        let (realm, after) = (self.realm, self.position);
        let page = hub.read_store(move |hub| hub.outbox_page(realm, after, LINK_BATCH)).await;
        let page = page.map_err(|_| End::Ours(Reason::NoRoom))?;
        if page.messages.is_empty() && page.upto <= after {
            // The feed knows of newer messages: a store that does not is not the one that they were put into.
            return Err(End::Ours(Reason::NoRoom));
        }
        if !page.more {
            self.position = page.upto;
        }
        Ok(page.messages)
    }

    fn write(&mut self, hub: &Hub, messages: &[StoredMessage], out: &mut BytesMut) -> Result<(), End> {
        let mut rest = messages;
        while let Some(first) = rest.first() {
            let (incarnation, end) = hub.read(|state| state.incarnation_of(first.seq)).0;
            let mut bytes = 0;
            let fits = |message: &&StoredMessage| {
                bytes += message.body.0.len();
                message.seq == first.seq || (message.seq <= end && bytes <= LINK_BATCH_BYTES)
            };
            let count = rest.iter().take_while(fits).count();
            let (batch, later) = rest.split_at(count);
            rest = later;
            let (letters, addresses): (Vec<_>, Vec<_>) = batch.iter().filter_map(letter).unzip();
            let sent = |(letter, to): (&WireMessage, Box<str>)| Sent { number: (incarnation, letter.number), to };
            self.in_flight.extend(letters.iter().zip(addresses).map(sent));
            frame::write(out, &Frame::Letters { incarnation, letters }).map_err(End::Ours)?;
        }
        Ok(())
    }

    /// The other server has everything up to a number, but for what it refused.
    pub(super) fn acknowledged(
        &mut self,
        hub: &Hub,
        incarnation: Incarnation,
        upto: Seq,
        refused: &[(Seq, BounceReason)],
    ) -> Result<(), End> {
        let of_these = |sent: &&Sent| sent.number.0 == incarnation && sent.number.1 <= upto;
        let count = self.in_flight.iter().take_while(of_these).count();
        let settled: Vec<Sent> = self.in_flight.drain(..count).collect();
        let Some(last) = settled.last().map(|sent| sent.number.1) else { return Ok(()) };
        let refused = refused_of(&settled, refused);
        let untold = hub.note_acknowledged(&self.feed, last, &refused);
        self.unsaved += settled.len();
        if refused.is_empty() && self.unsaved < CURSOR_SAVED_MESSAGES {
            self.save_at.get_or_insert_with(|| Instant::now() + CURSOR_SAVED);
            return Ok(());
        }
        if refused.is_empty() {
            self.save(hub);
            return Ok(());
        }
        let notification = |number: Seq, why| {
            let sent = settled.get(place_of(&settled, number)?)?;
            let is_untold = untold.binary_search_by_key(&number, |(untold, _)| *untold).is_ok();
            is_untold.then(|| wire::returned(&sent.to, why).into())
        };
        let returned =
            |&(number, why): &(Seq, BounceReason)| Bounce { number, why, notification: notification(number, why) };
        let command = Command::AcknowledgeOutbox {
            realm: self.realm,
            upto: last,
            returned: refused.iter().map(returned).collect(),
        };
        let noted = hub.execute(&command, None);
        noted.result.map_err(|_| End::Ours(Reason::NoRoom))?;
        self.save_at = None;
        self.noting.push_back((noted.ticket, (incarnation, last)));
        Ok(())
    }

    /// Tells the other server what it need not remember any more.
    pub(super) fn confirm(&mut self, hub: &Hub, out: &mut BytesMut) -> Result<(), End> {
        while let Some((ticket, (incarnation, upto))) = self.noting.front().copied() {
            match hub.commit_status(ticket) {
                CommitStatus::Pending => return Ok(()),
                CommitStatus::Failed(_) => return Err(End::Ours(Reason::NoRoom)),
                CommitStatus::Durable => {}
            }
            self.noting.pop_front();
            frame::write(out, &Frame::Noted { incarnation, upto }).map_err(End::Ours)?;
        }
        Ok(())
    }

    /// Notes how far the other server has everything. That may be late: what is sent twice is taken once.
    pub(super) fn save(&mut self, hub: &Hub) {
        self.save_at = None;
        self.unsaved = 0;
        let upto = self.feed.acknowledged();
        let command = Command::AcknowledgeOutbox { realm: self.realm, upto, returned: Vec::new() };
        // A store that fails forgets it, and a realm that was removed needs it no more.
        let _noted = hub.execute(&command, None);
        self.note_earlier(hub);
    }
}

/// Only what was sent can be refused, and once: of anything else the other server says nobody is told.
fn refused_of(settled: &[Sent], refused: &[(Seq, BounceReason)]) -> Vec<(Seq, BounceReason)> {
    let was_sent = |(number, _): &&(Seq, BounceReason)| place_of(settled, *number).is_some();
    let mut refused: Vec<_> = refused.iter().filter(was_sent).copied().collect();
    refused.sort_by_key(|(number, _)| *number);
    refused.dedup_by_key(|(number, _)| *number);
    refused
}

fn place_of(settled: &[Sent], number: Seq) -> Option<usize> {
    settled.binary_search_by_key(&number, |sent| sent.number.1).ok()
}

/// A message as it travels, and the address that it was sent to. One that cannot be read was not written by this server,
/// and stays.
fn letter(message: &StoredMessage) -> Option<(WireMessage, Box<str>)> {
    let parts = message.body.read(|parts: MessageFields<'_>| {
        let to = parts.to.split_once('@').map_or(&*parts.to, |(name, _)| name);
        let letter = WireMessage {
            number: message.seq,
            from: (&*parts.from).into(),
            full_name: (&*parts.msg_from).into(),
            to: to.into(),
            to_group: parts.kind == Kind::Group,
            text: (&*parts.msg).into(),
        };
        (letter, parts.to.into())
    });
    parts.ok()
}
