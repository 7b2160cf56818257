//! The domain: what a chat is, whatever carries it.
//!
//! [`decide()`] turns a [`Command`] into [`Event`]s or a [`CommandError`]; [`State::apply`] is the only thing that changes
//! [`State`]. Both are pure: time, random values and what one node alone knows come in the command, so that the same log
//! gives the same state anywhere.
//!
//! Never here: async, clocks, randomness, I/O, the wording of replies.

mod accounts;
mod blocks;
mod command;
mod decide;
mod error;
mod event;
#[cfg(test)]
mod fixture;
mod groups;
mod history;
mod idempotency;
mod inbox;
mod message;
mod messages;
mod name_index;
mod notification;
mod peer;
mod peer_registration;
mod realms;
mod remote;
mod response;
mod sessions;
mod state;
mod timeline;

pub use accounts::{PasswordHash, User};
pub use command::{Command, NewSession};
pub use decide::decide;
pub use error::{BounceReason, CommandError, Limit};
pub use event::{Event, Record};
pub use groups::{Group, Membership};
pub use history::Conversation;
pub use idempotency::{CompletedRequest, CompletedRequests, IdempotencyKey, ReadPage, remember};
pub use inbox::{Counterpart, Filter, SeqRange, TimelineQuery};
pub use message::{Author, Destination, Kind, Message, MessageBody, MessageFields, RemoteName, UserRef};
pub use notification::{GroupChange, Notification, Topics};
pub use peer::{OutboxEntry, OutboxQueue, Peer, PeerAddress, PeerInfo};
pub use peer_registration::PeerHello;
pub use realms::{Realm, RealmKind};
pub use remote::{Bounce, RemoteMessage};
pub use response::{Profile, RealmState, RealmStatus, Receipt, Response, SessionStatus, StoredMessage};
pub use sessions::Session;
pub use state::{Audience, Snapshot, State};
pub use timeline::{Entry, Timeline};
