//! Replies that cannot be written yet: what became of a message to another realm is in them (PROTOCOL §6).

use std::sync::Arc;

use crate::chat::{Outcome, Receipt};
use crate::hub::fate::{Fate, SharedFate};
use crate::wire::{Heading, Style};

/// A reply that is written once it is known what became of a message to another realm.
pub struct Late {
    /// Of the request.
    pub heading: Heading,
    /// What became of the message.
    pub fate: Arc<SharedFate>,
    /// The outcome, given whether the message was delivered.
    pub outcome: fn(Receipt, bool) -> Outcome,
    /// The message's.
    pub receipt: Receipt,
}

impl Late {
    /// Appends the reply, if it can be written yet.
    pub(super) fn write(&self, out: &mut Vec<u8>, style: Style) -> bool {
        let delivered = match self.fate.get() {
            Fate::Open => return false,
            Fate::Delivered => true,
            Fate::Queued => false,
            Fate::Refused(why) => {
                style.reply(out, &self.heading, Err(why.into()));
                return true;
            }
        };
        style.reply(out, &self.heading, Ok(&(self.outcome)(self.receipt, delivered)));
        true
    }
}
