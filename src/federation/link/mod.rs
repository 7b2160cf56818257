//! A link that is up.

mod end;
mod handle;
mod receiver;
mod sender;
mod task;
mod token_bucket;
mod write_buffers;

pub(super) use end::LinkEnd;
pub(super) use handle::LinkHandle;
pub(super) use task::Link;
