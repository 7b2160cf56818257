//! Whether a node leads: until its term is over, or until it could not renew it in time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use crate::cluster::shared_log::Term;
use crate::limits::LEASE_MARGIN;

/// Why a node leads no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeadershipEnd {
    /// The engine says that the term is over: another node leads, or may.
    TermOver,
    /// The term could not be renewed in time: another node may lead by now.
    NotRenewed,
    /// An append was not answered for so long that nobody knows what became of it.
    Unanswered,
    /// This node's own store does not take what the shared log has.
    StoreFailed,
    /// An operator asked for it, or the server stops.
    Resigned,
}

/// A term of this node, shared by all that depend on it.
pub struct Leadership {
    term: Term,
    lease: Duration,
    state: Mutex<State>,
    over: CancellationToken,
    is_asked_to_resign: AtomicBool,
}

struct State {
    /// When the newest renewal that succeeded was begun: from then on the lease counts.
    renewed: Instant,
    end: Option<LeadershipEnd>,
}

impl Leadership {
    /// A term that began with a campaign which was begun at a time.
    #[must_use]
    pub fn new(term: Term, lease: Duration, begun: Instant) -> Self {
        let state = Mutex::new(State { renewed: begun, end: None });
        Self { term, lease, state, over: CancellationToken::new(), is_asked_to_resign: AtomicBool::new(false) }
    }

    #[must_use]
    pub fn term(&self) -> Term {
        self.term
    }

    /// Why this node leads no more; `None` while it does.
    #[must_use]
    pub fn end(&self) -> Option<LeadershipEnd> {
        self.state().end.clone()
    }

    /// Whether this node may still answer for the cluster at a time. Ends the leadership if not.
    pub fn holds(&self, now: Instant) -> bool {
        let is_current = self.is_current(now);
        if !is_current {
            self.finish(LeadershipEnd::NotRenewed);
        }
        is_current
    }

    /// As [`Leadership::holds`], and changes nothing.
    pub(super) fn is_current(&self, now: Instant) -> bool {
        let state = self.state();
        state.end.is_none() && now < state.renewed + self.usable()
    }

    /// Until when this node may answer for the cluster.
    #[must_use]
    pub fn holds_until(&self) -> Instant {
        self.state().renewed + self.usable()
    }

    /// Notes a renewal that succeeded and was begun at a time.
    pub fn renew(&self, begun: Instant) {
        self.state().renewed = begun;
    }

    /// Ends the leadership. The first reason counts.
    pub fn finish(&self, end: LeadershipEnd) {
        self.state().end.get_or_insert(end);
        self.over.cancel();
    }

    /// An operator has asked for another leader: what was decided is still appended.
    pub fn ask_to_resign(&self) {
        self.is_asked_to_resign.store(true, Ordering::Release);
    }

    #[must_use]
    pub fn is_asked_to_resign(&self) -> bool {
        self.is_asked_to_resign.load(Ordering::Acquire)
    }

    /// Waits until this node leads no more, and returns why.
    pub async fn over(&self) -> LeadershipEnd {
        loop {
            if let Some(end) = self.end() {
                return end;
            }
            let until = self.state().renewed + self.usable();
            tokio::select! {
                () = self.over.cancelled() => {}
                () = sleep_until(until.into()) => { self.holds(Instant::now()); }
            }
        }
    }

    /// How long a renewal counts here: shorter than in the engine, so that this node stops before another begins.
    fn usable(&self) -> Duration {
        self.lease.saturating_sub(LEASE_MARGIN)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(3);

    #[test]
    fn a_term_that_is_not_renewed_ends_before_the_lease_does() {
        let begun = Instant::now();
        let leadership = Leadership::new(Term(1), LEASE, begun);
        assert!(leadership.holds(begun + LEASE - LEASE_MARGIN - Duration::from_millis(1)));
        leadership.renew(begun + Duration::from_secs(1));
        assert!(leadership.holds(begun + LEASE));
        assert!(!leadership.holds(begun + LEASE + Duration::from_secs(1) - LEASE_MARGIN));
        assert_eq!(leadership.end(), Some(LeadershipEnd::NotRenewed));
    }

    #[test]
    fn an_ended_term_stays_ended_and_the_first_reason_counts() {
        let leadership = Leadership::new(Term(1), LEASE, Instant::now());
        leadership.finish(LeadershipEnd::TermOver);
        leadership.finish(LeadershipEnd::Resigned);
        leadership.renew(Instant::now());
        assert!(!leadership.holds(Instant::now()));
        assert_eq!(leadership.end(), Some(LeadershipEnd::TermOver));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_the_end_is_woken_by_it() {
        let leadership = Leadership::new(Term(1), LEASE, Instant::now());
        let (end, ()) = tokio::join!(leadership.over(), async { leadership.finish(LeadershipEnd::Resigned) });
        assert_eq!(end, LeadershipEnd::Resigned);
    }
}
