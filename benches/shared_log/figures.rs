//! Latencies, and other values of which the run keeps a summary.

use std::time::Duration;

/// The width of a bucket of [`Latencies`].
const BUCKET: Duration = Duration::from_micros(10);

/// Counts of latencies, by buckets: an hour has millions of them.
#[derive(Default)]
pub(crate) struct Latencies {
    buckets: Vec<u64>,
    count: u64,
    max: Duration,
}

impl Latencies {
    pub(crate) fn add(&mut self, latency: Duration) {
        let bucket = (latency.as_nanos() / BUCKET.as_nanos()) as usize;
        if bucket >= self.buckets.len() {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] += 1;
        self.count += 1;
        self.max = self.max.max(latency);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.buckets.resize(self.buckets.len().max(other.buckets.len()), 0);
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(own, more)| *own += more);
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// The upper end of the percentile's bucket.
    pub(crate) fn percentile(&self, percent: u64) -> Duration {
        let place = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let reaches = |count: &u64| {
            seen += count;
            seen >= place
        };
        self.buckets.iter().position(reaches).map_or(Duration::ZERO, |bucket| BUCKET * (bucket as u32 + 1))
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The median, the 99th percentile and the maximum, in milliseconds.
    pub(crate) fn shown(&self) -> String {
        let [p50, p99, max] = [self.percentile(50), self.percentile(99), self.max].map(milliseconds);
        format!("{p50:5.1} {p99:6.1} {max:7.1}")
    }
}

/// The latencies of a minute, or of the run.
#[derive(Default)]
pub(crate) struct Window {
    /// Of blocks: from the call of `append` to its return.
    pub(crate) appends: Latencies,
    /// Of messages: from the arrival to the acknowledgement of the block.
    pub(crate) messages: Latencies,
    /// Calls of `append` that failed, and were repeated.
    pub(crate) unanswered: u64,
}

impl Window {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.appends.merge(&other.appends);
        self.messages.merge(&other.messages);
        self.unanswered += other.unanswered;
    }
}

/// The least and the most of some values.
#[derive(Clone, Copy)]
pub(crate) struct Range {
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl Default for Range {
    fn default() -> Self {
        Self { min: u64::MAX, max: 0 }
    }
}

impl Range {
    pub(crate) fn add(&mut self, value: u64) {
        (self.min, self.max) = (self.min.min(value), self.max.max(value));
    }
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
