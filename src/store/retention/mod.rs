//! Retention: removes old messages from the store in small steps, between commits.
//!
//! A timeline is truncated only from its old end, so its low watermark tells what is gone. A message is in one timeline
//! or, if it is direct, in its sender's and its receiver's; it is deleted from the log once every timeline that had it was
//! truncated past it. So a body exists for as long as any of its readers may read it.
//!
//! A sweep first moves the entries that are due to chunks. Then it truncates the timelines, in the order of the table.
//! Then it deletes from the log, in its order, the messages that no timeline has any more, and other events that are old
//! enough (their effect is in the entity rows). At last it returns free pages to the file system. Every step is a
//! transaction that leaves a consistent store, so a kill loses at most one step.

mod log_deletion;
mod read_positions;
pub(super) mod rules;
pub(super) mod sweep;
mod truncation;
