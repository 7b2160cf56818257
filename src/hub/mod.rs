//! The hub: the one owner of the state, the one order of changes, and who is connected.
//!
//! A change is decided and applied at once, on the thread that brings it, under the state's write lock; its records
//! join the pending batch. The `Committer` stores batch after batch, each with one sync, and only then sends the
//! replies and pushes of a batch. While one batch is being synced the next is being decided.
//!
//! Locks are taken in the order state, pending, presence, then outbox tail or send queue; none is held over an await or a
//! read of the store.

mod attach;
mod awaited_deliveries;
mod batch;
mod commit_metrics;
mod commit_waiters;
mod committer;
mod contact;
mod deferred_reply;
mod deliveries;
mod delivery_status;
mod dials;
mod elsewhere;
mod epoch;
mod execute;
mod fanout;
mod follow;
mod forward;
mod forwarded_command;
mod forwarded_deliveries;
mod forwarded_dials;
mod forwards;
#[cfg(all(test, feature = "loom"))]
mod interleavings;
mod link_states;
mod node;
mod node_links;
mod node_presence;
mod node_status;
mod outbox_tail;
mod outboxes;
mod presence;
mod presence_notices;
mod push_backlog;
mod push_guard;
mod push_slot;
mod push_state;
mod queue_binding;
mod queue_state;
mod queue_status;
mod recount;
mod round;
mod send_queue;
mod session_uses;
mod shared;
mod socket_writer;
mod subscription;
mod sync;
#[cfg(all(test, not(feature = "loom")))]
mod tests;
mod tickets;
mod uncounted_inboxes;
mod user_bitset;
mod watchers;

pub use committer::{Committer, Step};
pub use deferred_reply::{Awaited, DeferredReply};
#[cfg(test)]
pub use delivery_status::{DeliveryHandle, DeliveryStatus};
pub use dials::WantedDial;
pub use elsewhere::{FeedScope, NodeDelivery, PresenceStates};
pub use execute::{Executed, Origin};
pub use forwarded_command::{ForwardAnswer, ForwardedCommand};
pub use link_states::NodeLink;
pub(crate) use node_status::NodeStatus;
pub use outbox_tail::{OutboxTail, TailRead};
pub use queue_status::{Backlog, QueueStatus};
pub use send_queue::SendQueue;
pub use shared::Hub;
pub use socket_writer::{ConnectionEnd, SocketWriter};
pub use subscription::Replay;
pub use tickets::{CommitStatus, Ticket};
