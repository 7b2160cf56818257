//! The domain: what a chat is, whatever carries it.
//!
//! [`decide()`] turns a [`Command`] into [`Event`]s or a [`Refusal`]; [`State::apply`] is the only thing that changes
//! [`State`]. Both are pure: time, random values and what one node alone knows come in the command, so that the same log
//! gives the same state anywhere.
//!
//! Never here: async, clocks, randomness, I/O, the wording of replies.

mod accounts;
mod blocks;
mod command;
mod crossing;
mod decide;
mod event;
mod groups;
mod history;
mod inbox;
mod link;
mod meeting;
mod message;
mod messages;
mod names;
mod notice;
mod once;
mod outcome;
mod realms;
mod refusal;
mod sessions;
mod state;
#[cfg(test)]
mod testing;
mod timeline;

pub use accounts::{PasswordHash, User};
pub use command::{Command, NewSession};
pub use crossing::{Letter, Returned};
pub use decide::decide;
pub use event::{Event, Record};
pub use groups::{Group, Membership};
pub use history::Conversation;
pub use inbox::{Only, Span, View, Which};
pub use link::{Card, Link, PeerAddress, Queue, Queued};
pub use meeting::Meeting;
pub use message::{Author, Body, Destination, Kind, Message, Parts, Person, Remote};
pub use notice::{GroupChange, Notice, Topics};
pub use once::{Done, Once, PageRead, Remembered, remember};
pub use outcome::{Outcome, Profile, RealmState, RealmStatus, Receipt, SessionStatus, StoredMessage};
pub use realms::{Realm, RealmKind};
pub use refusal::{Limit, Refusal, Undeliverable};
pub use sessions::Session;
pub use state::{Audience, Snapshot, State};
pub use timeline::{Entry, Timeline};
