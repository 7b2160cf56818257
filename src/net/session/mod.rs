//! One connection's session: who asks, what is done about it, when the reply may leave.

pub(in crate::net) mod administration;
mod change;
mod conversations;
mod dispatch;
mod groups;
mod link;
mod login;
mod notices;
mod passwords;
mod quit;
mod read;
mod realms;
mod reply;
mod state;
mod subscription;

pub(super) use reply::Flow;
pub(super) use state::Session;
