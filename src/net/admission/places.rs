//! The limits of admission.

/// How many connections may be there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Places {
    pub(crate) most: usize,
    /// Of one address that is not loopback.
    pub(crate) per_address: usize,
    pub(crate) per_user: usize,
    /// Bytes that may wait for readers, over all connections.
    pub(crate) outbox_bytes: u64,
}
