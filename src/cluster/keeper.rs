//! What a leader does beside appending: it renews its term, and cuts the log behind what all nodes have.

use std::sync::Arc;
use std::time::Instant;

use tracing::{debug, warn};

use crate::cluster::follower::NodeInfo;
use crate::cluster::leadership::{Leadership, LeadershipEnd};
use crate::cluster::node_store::NodeStore;
use crate::cluster::shared_log::{Member, SharedLog, Unreachable};
use crate::id::Seq;
use crate::limits::{CUT_INTERVAL, LOG_BYTES, LOG_KEEP_BYTES, REPORT_INTERVAL, TRUNCATE_ENTRIES};
use crate::time::Time;

/// Keeps a leadership up. To be stepped some times during a lease.
pub struct Keeper {
    log: Arc<dyn SharedLog>,
    leadership: Arc<Leadership>,
    info: NodeInfo,
    store: NodeStore,
    reported: Option<Instant>,
    /// The log is cut up to here.
    cut: Seq,
    cut_at: Option<Instant>,
    /// It is cut when so many entries can go.
    cut_entries: u64,
}

impl Keeper {
    #[must_use]
    pub fn new(log: Arc<dyn SharedLog>, leadership: Arc<Leadership>, info: NodeInfo, store: NodeStore) -> Self {
        Self { log, leadership, info, store, reported: None, cut: Seq(0), cut_at: None, cut_entries: TRUNCATE_ENTRIES }
    }

    /// Cuts the log for each few entries.
    #[cfg(test)]
    pub(super) fn cut_often(mut self) -> Self {
        self.cut_entries = 5;
        self
    }

    /// Renews the term, and does the rest if it is due.
    pub fn step(&mut self, clock: impl Fn() -> Instant) {
        let begun = clock();
        match self.log.renew(self.leadership.term()) {
            Ok(true) => self.leadership.renew(begun),
            Ok(false) => self.leadership.finish(LeadershipEnd::TermOver),
            Err(error) => warn!(%error, "the lease of this node, which leads, could not be renewed"),
        }
        if !self.leadership.holds(clock()) || self.reported.is_some_and(|reported| begun < reported + REPORT_INTERVAL) {
            return;
        }
        self.reported = Some(begun);
        self.heed_operator();
        if let Err(error) = self.cut_and_report(begun) {
            debug!(%error, "the log was not cut, or how far this node is not reported; it is tried again");
        }
    }

    fn heed_operator(&self) {
        match self.log.is_asked_to_resign(self.leadership.term()) {
            Ok(true) => self.leadership.ask_to_resign(),
            Ok(false) => {}
            Err(error) => debug!(%error, "whether this node is to resign is not known; it is asked again"),
        }
    }

    fn cut_and_report(&mut self, now: Instant) -> Result<(), Unreachable> {
        // Cut first: an engine that is full takes no report, and must become less full.
        self.cut(now)?;
        self.log.report(&self.info.member(self.store.sync_if_due(), Time::now().paced()))
    }

    fn cut(&mut self, now: Instant) -> Result<(), Unreachable> {
        let size = self.log.size()?;
        if size < LOG_KEEP_BYTES {
            return Ok(());
        }
        let upto = needless(&self.log.members()?, size);
        // Reports and leases, too, leave something behind.
        let is_due = self.cut_at.is_none_or(|cut_at| now >= cut_at + CUT_INTERVAL);
        if is_due || upto.0 >= self.cut.0 + self.cut_entries {
            self.log.truncate(self.leadership.term(), upto)?;
            (self.cut, self.cut_at) = (upto, Some(now));
        }
        Ok(())
    }
}

/// Up to where nobody needs the log: all nodes have it; or, if it has become too large, a majority of them has.
fn needless(members: &[Member], size: u64) -> Seq {
    let mut synced: Vec<Seq> = members.iter().map(|member| member.synced).collect();
    synced.sort_unstable();
    // In ascending order, a majority has what the one before the middle has.
    let place = if size < LOG_BYTES { 0 } else { synced.len().saturating_sub(1) / 2 };
    synced.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::node_info;

    fn members(synced: &[u64]) -> Vec<Member> {
        synced.iter().map(|synced| Member { synced: Seq(*synced), ..node_info().member(Seq(0), Time(0)) }).collect()
    }

    #[test]
    fn the_log_keeps_what_any_node_lacks() {
        assert_eq!(needless(&members(&[30, 10, 20]), LOG_KEEP_BYTES), Seq(10));
    }

    #[test]
    fn a_log_that_is_too_large_keeps_only_what_a_majority_lacks() {
        assert_eq!(needless(&members(&[30, 10, 20]), LOG_BYTES), Seq(20));
        assert_eq!(needless(&members(&[30, 10]), LOG_BYTES), Seq(10));
        assert_eq!(needless(&members(&[50, 10, 20, 40, 30]), LOG_BYTES), Seq(30));
    }

    #[test]
    fn nothing_is_cut_without_members() {
        assert_eq!(needless(&[], LOG_BYTES), Seq(0));
    }
}
