//! What a server says in its log about a snapshot that it fetches.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tracing::{info, warn};

use crate::limits::SNAPSHOT_SHOWN;
use crate::server::snapshot_fetch::{FetchProgress, FetchStep};

/// A line every few seconds, and when something else begins.
pub(super) fn logged() -> FetchProgress {
    let told: Mutex<Option<(u8, Instant)>> = Mutex::default();
    Arc::new(move |step| {
        let (kind, now) = (kind(&step), Instant::now());
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = told.is_none_or(|(before, at)| before != kind || now.duration_since(at) >= SNAPSHOT_SHOWN)
            || matches!(step, FetchStep::Failed { .. });
        if is_due {
            *told = Some((kind, now));
            log(&step);
        }
    })
}

fn kind(step: &FetchStep) -> u8 {
    match step {
        FetchStep::Copying { .. } => 0,
        FetchStep::Receiving { .. } => 1,
        FetchStep::Verifying { .. } => 2,
        FetchStep::Failed { .. } => 3,
    }
}

fn log(step: &FetchStep) {
    match step {
        FetchStep::Copying { node, percent } => {
            info!(node = &**node, percent, "another node copies its store for this one")
        }
        FetchStep::Receiving { node, bytes, of, bytes_per_second } => {
            let percent = bytes.saturating_mul(100).checked_div(*of).unwrap_or(100);
            let megabytes_per_second = bytes_per_second / 1_000_000;
            info!(node = &**node, percent, megabytes_per_second, "receiving a snapshot of {of} bytes");
        }
        FetchStep::Failed { node, problem } => warn!(node = &**node, %problem, "there is no snapshot yet"),
        FetchStep::Verifying { percent } => info!(percent, "the snapshot is being verified"),
    }
}
