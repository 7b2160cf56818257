//! Tags of requests.

use std::sync::atomic::{AtomicU64, Ordering};

/// Makes tags that no other client makes.
#[derive(Debug)]
pub(super) struct Tags {
    prefix: String,
    next: AtomicU64,
}

impl Tags {
    pub(super) fn new() -> Self {
        Self { prefix: uuid::Uuid::new_v4().simple().to_string(), next: AtomicU64::new(1) }
    }

    pub(super) fn next(&self) -> String {
        format!("{}-{}", self.prefix, self.next.fetch_add(1, Ordering::Relaxed))
    }
}
