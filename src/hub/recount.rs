//! Counts, from the store, the messages that were unread before this process started: once for each inbox that a message is
//! sent to. Otherwise a restart would let every sender fill an inbox anew.

use tracing::debug;

use crate::chat::{Filter, InboxTally, SeqRange, State, StoredMessage, Timeline, TimelineQuery, UserRef};
use crate::hub::shared::Hub;
use crate::id::{Seq, UserId};
use crate::limits::{RECOUNTED_BYTES, RECOUNTED_PAGE};
use crate::name::Address;
use crate::store::StoreError;

impl Hub {
    /// Forgets the counts, and begins anew.
    pub(crate) fn recount_unread(&self) {
        let state = self.0.write_state();
        self.0.inboxes.clear();
        self.0.uncounted.begin(state.head());
    }

    /// Counts the inboxes that somebody has sent to since the last time. Reads the store.
    pub(crate) fn count_unread(&self) {
        let (upto, inboxes) = self.0.uncounted.take();
        for inbox in inboxes {
            let Some(mut tally) = self.0.inboxes.tally() else { return };
            match self.tally(inbox, upto, &mut tally) {
                Ok(()) => self.0.inboxes.add_earlier(inbox, tally),
                Err(error) => debug!(%error, "an inbox could not be counted"),
            }
        }
    }

    fn tally(&self, inbox: UserId, upto: Seq, tally: &mut InboxTally) -> Result<(), StoreError> {
        let (cursor, _) = self.read(|state| state.user(inbox).map_or(upto, |user| user.cursor));
        let (mut after, mut bytes) = (cursor, 0);
        while after < upto && bytes < RECOUNTED_BYTES {
            let page = self.0.store.page(&received(inbox, after, upto), RECOUNTED_PAGE)?;
            let senders = self.read(|state| {
                let sender = |message: &StoredMessage| sender(state, message.body.sender()?);
                page.messages.iter().map(sender).collect::<Vec<_>>()
            });
            for (message, sender) in page.messages.iter().zip(senders.0) {
                bytes += message.body.size();
                sender.into_iter().for_each(|sender| tally.add(sender, message.seq, message.body.size()));
            }
            if !page.more {
                break;
            }
            after = page.upto;
        }
        Ok(())
    }
}

/// The direct messages to a user.
fn received(inbox: UserId, after: Seq, upto: Seq) -> TimelineQuery {
    let span = SeqRange { timeline: Timeline::User(inbox), after, upto };
    TimelineQuery { reader: inbox, spans: vec![span], filter: Filter::Received, hidden: Vec::new(), only: None }
}

/// `None` for the server itself, and for somebody who is not known any more.
fn sender(state: &State, shown: &str) -> Option<UserRef> {
    let Address { name, realm } = Address::parse(shown).ok()?;
    match realm {
        None => state.name_owner(&name).map(|(id, _)| UserRef::Local(id)),
        Some(realm) => state.realm_named(&realm).map(|(id, _)| UserRef::Remote(id, name.folded())),
    }
}
