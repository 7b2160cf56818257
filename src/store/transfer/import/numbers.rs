//! The numbers of the log that the lines name, and those that are given to lines that name none.

use crate::id::Seq;
use crate::limits::MAX_LOG_NUMBER;
use crate::store::transfer::import::{Problem, wrong};

/// Every number that stands in a line counts as given. Messages ascend; what has no number gets the next.
#[derive(Default)]
pub(super) struct Numbers {
    highest: u64,
    message: u64,
    /// The highest of those that were given here: messages come after it, or joining would not come before them.
    given: u64,
    realm_cursors: u64,
}

impl Numbers {
    pub(super) fn highest(&self) -> u64 {
        self.highest
    }

    pub(super) fn have_messages(&self) -> bool {
        self.message > 0
    }

    /// Notes a number that stands in a line.
    pub(super) fn note(&mut self, number: u64) {
        self.highest = self.highest.max(number);
    }

    /// Checks and notes a number that stands in a line.
    pub(super) fn known(&mut self, what: &str, number: u64) -> Result<u64, Problem> {
        self.note(Self::foreign(what, number)?);
        Ok(number)
    }

    /// Checks a number of another server's log.
    pub(super) fn foreign(what: &str, number: u64) -> Result<u64, Problem> {
        if number > MAX_LOG_NUMBER {
            return wrong(format!("{what}: {number} is too large a number"));
        }
        Ok(number)
    }

    /// The place of somebody's joining.
    pub(super) fn joined(&mut self, joined: Option<u64>) -> Result<u64, Problem> {
        let Some(joined) = joined else {
            self.given = self.highest.max(self.message) + 1;
            self.note(self.given);
            return Ok(self.given);
        };
        self.known("joined", joined)
    }

    /// A message's.
    pub(super) fn message(&mut self, id: Option<u64>) -> Result<Seq, Problem> {
        let id = id.unwrap_or(self.message.max(self.given) + 1);
        if id <= self.message {
            return wrong(format!("id: {id} does not come after {}, the message before", self.message));
        }
        if id <= self.given {
            let given = self.given;
            return wrong(format!(
                "id: {id} was given to a member whose line has no joined; expected more than {given}"
            ));
        }
        self.message = self.known("id", id)?;
        Ok(Seq(id))
    }

    /// The place of a first reading of a realm's messages: only their order counts.
    pub(super) fn realm_cursor(&mut self) -> u64 {
        self.realm_cursors += 1;
        self.note(self.realm_cursors);
        self.realm_cursors
    }
}
