//! The domain: what a chat is, whatever carries it.
//!
//! [`decide()`] turns a [`Command`] into [`Event`]s or a [`CommandError`]; [`State::apply`] is the only thing that changes
//! [`State`]; [`answer()`] answers a [`Query`]. All are pure: the time, random values and what one process alone knows
//! come in the [`Context`], so that the same log gives the same state anywhere.
//!
//! In layers, each of which uses only those before it: `error`, `model` (data), `event`, `state` (the fold of all
//! events), `views` and `rules`, `command` and `query`.
//!
//! Never here: async, clocks, randomness, I/O, the wording of replies.

mod command;
mod error;
mod event;
#[cfg(test)]
mod fixture;
mod model;
mod query;
mod response;
mod rules;
mod state;
mod views;

pub use command::{Command, decide, response};
pub use error::{BounceReason, CommandError};
pub use event::{Event, Record};
pub use model::ban::{Ban, BanSubject, BanTarget, Invite, Network};
pub use model::bans::Bans;
pub use model::body::{BodyFields, EscapedText, Kind, MessageBody, MessageFields};
pub use model::command_mark::{CommandMark, ForwardId};
pub use model::conversation::{ConversationId, ReadMark};
pub use model::group::Group;
pub use model::idempotency::{CompletedRequest, CompletedRequests, IdempotencyKey, ReadPage, Receipt};
pub use model::inbox_shares::{InboxLimits, InboxShares, InboxTally};
pub use model::message::{Author, Destination, Message, RemoteName, StoredMessage, UserRef};
pub use model::peer::{OutboxEntry, OutboxQueue, Peer, PeerAddress, PeerInfo};
pub use model::position::Position;
pub use model::realm::{Realm, RealmKind};
pub use model::remote_message::{Bounce, PeerHello, RemoteMessage};
pub use model::session::{NewSession, Session, SessionEnd, SessionStanding, SessionUse};
pub use model::timeline::{Entry, Timeline};
pub use model::user::{Membership, PasswordHash, User};
pub use query::{Query, answer};
pub use response::{
    BanStatus, ConversationSummary, InviteStatus, Profile, RealmState, RealmStatus, Response, SessionStatus, Stats,
    Unread, UserStatus,
};
pub use rules::context::{Context, Policy, Quotas};
pub use rules::groups::owned_group;
pub use state::{ResumePoint, Snapshot, State};
pub use views::administration::invite_status;
pub use views::conversations::{ConversationPage, ConversationQuery, ConversationStatus, ConversationTally};
pub use views::history::Conversation;
pub use views::inbox::{Filter, SeqRange, TimelineQuery};
pub use views::lists::{LinkStatus, Process};
pub use views::notification::{GroupChange, Notification, Topics};
pub use views::recipients::Audience;
