//! Metrics of commits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

/// Measurements of the committer. It writes them once a batch; a scrape reads them.
pub struct CommitMetrics {
    /// How long the store took for a batch, its sync included, in seconds.
    pub(crate) seconds: Histogram,
    /// Records of a batch.
    pub(crate) records: Histogram,
    failures: AtomicU64,
    begun: Instant,
    /// When the committer last finished a step or found nothing to do, in nanoseconds since the start.
    last_step: AtomicU64,
}

impl Default for CommitMetrics {
    fn default() -> Self {
        Self {
            // 50 us (a memory disk) to 26 s (a disk that dies).
            seconds: Histogram::new(exponential_buckets(0.000_05, 2.0, 20)),
            records: Histogram::new(exponential_buckets(1.0, 4.0, 9)),
            failures: AtomicU64::new(0),
            begun: Instant::now(),
            last_step: AtomicU64::new(0),
        }
    }
}

impl CommitMetrics {
    pub(super) fn record(&self, records: usize, taken: Duration) {
        self.records.observe(records as f64);
        self.seconds.observe(taken.as_secs_f64());
    }

    pub(super) fn record_failure(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Batches that could not be stored.
    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// The committer is not stuck.
    pub(super) fn record_step(&self) {
        let elapsed = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.last_step.store(elapsed, Ordering::Relaxed);
    }

    /// How long ago the committer last finished a step. It does one a second if it has nothing to do.
    pub(crate) fn since_last_step(&self) -> Duration {
        self.begun.elapsed().saturating_sub(Duration::from_nanos(self.last_step.load(Ordering::Relaxed)))
    }
}
