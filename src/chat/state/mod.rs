//! The fold of all events: everything except message bodies.

mod apply;
mod bans;
mod blocks;
mod epochs;
mod groups;
mod idempotency;
mod name_index;
mod peers;
mod read_marks;
mod realms;
mod sessions;
mod snapshot;
mod tables;
mod users;

pub use epochs::ResumePoint;
pub use snapshot::Snapshot;
pub use tables::State;
