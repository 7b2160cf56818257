//! How many requests were served, by command and outcome, and why requests failed. A request costs one addition without a
//! lock.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::wire::{self, COMMANDS, CommandSpec, ReplyContext};

/// Counts since the start.
pub(crate) struct RequestCounts {
    /// Of each row of the table of commands.
    commands: Box<[CommandCounts]>,
    /// Sorted by code.
    refusals: Box<[(&'static str, AtomicU64)]>,
}

#[derive(Default)]
struct CommandCounts {
    done: AtomicU64,
    failed: AtomicU64,
}

/// Requests of one command.
pub(crate) struct CommandCount {
    pub(crate) word: &'static str,
    pub(crate) done: u64,
    pub(crate) failed: u64,
}

impl Default for RequestCounts {
    fn default() -> Self {
        Self {
            commands: COMMANDS.iter().map(|_| CommandCounts::default()).collect(),
            refusals: wire::codes().into_iter().map(|code| (code, AtomicU64::new(0))).collect(),
        }
    }
}

impl RequestCounts {
    pub(super) fn record_done(&self, context: &ReplyContext) {
        if let Some(counts) = self.of(context.spec) {
            counts.done.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a request that failed, or a line that is none (without a command).
    pub(super) fn record_failed(&self, spec: Option<&'static CommandSpec>, code: &str) {
        if let Some(counts) = spec.and_then(|spec| self.of(spec)) {
            counts.failed.fetch_add(1, Ordering::Relaxed);
        }
        let place = self.refusals.binary_search_by_key(&code, |(known, _)| known);
        if let Some((_, count)) = place.ok().and_then(|place| self.refusals.get(place)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn of(&self, spec: &'static CommandSpec) -> Option<&CommandCounts> {
        self.commands.get(COMMANDS.element_offset(spec)?)
    }

    pub(crate) fn commands(&self) -> impl Iterator<Item = CommandCount> {
        let counted = |(spec, counts): (&CommandSpec, &CommandCounts)| CommandCount {
            word: spec.word,
            done: counts.done.load(Ordering::Relaxed),
            failed: counts.failed.load(Ordering::Relaxed),
        };
        COMMANDS.iter().zip(&self.commands).map(counted)
    }

    /// Codes of error replies, and how often each was sent.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.refusals.iter().map(|(code, count)| (*code, count.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::CommandError;

    #[test]
    fn every_error_has_a_count() {
        let counts = RequestCounts::default();
        for error in CommandError::ALL {
            counts.record_failed(None, wire::code(*error));
        }
        let counted: u64 = counts.refusals().map(|(_, count)| count).sum();
        assert_eq!(counted, CommandError::ALL.len() as u64);
    }

    #[test]
    fn a_request_is_counted_in_the_row_of_its_command() {
        let counts = RequestCounts::default();
        counts.record_failed(CommandSpec::find("send"), "user_not_found");
        let failed: Vec<_> = counts.commands().filter(|count| count.failed > 0).map(|count| count.word).collect();
        assert_eq!(failed, ["send"]);
        assert_eq!(counts.refusals().find(|(_, count)| *count > 0), Some(("user_not_found", 1)));
    }
}
