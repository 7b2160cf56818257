//! Shared helpers of the tests of the store.

use std::path::Path;

use crate::chat::{
    Author, BodyFields, Destination, EscapedText, Event, Filter, Kind, Message, MessageBody, Record, SeqRange,
    Timeline, TimelineQuery,
};
use crate::id::{Seq, UserId};
use crate::settings::Durability;
use crate::store::index::config::IndexConfig;
use crate::store::sqlite::SqliteStore;
use crate::time::Time;

/// Defines an enum of the kinds of another enum's values. The match fails to compile if a variant is missing.
macro_rules! kinds {
    ($kinds:ident of $type:ident: $($kind:ident),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum $kinds { $($kind),* }

        impl $kinds {
            pub(super) const ALL: &[Self] = &[$(Self::$kind),*];

            pub(super) fn of(value: &$type) -> Self {
                match value { $($type::$kind { .. } => Self::$kind),* }
            }
        }
    };
}
pub(super) use kinds;

/// Limits so small that a few records exceed all of them.
pub(super) const TINY: IndexConfig = IndexConfig {
    chunk_entries: 4,
    window: 8,
    partition_timelines: 2,
    partitions_together: 1,
    run_bytes: 40,
    partition_runs: 2,
    partition_merged: 1,
    partition_bytes: 80,
    partitions_per_commit: 1,
    closing_rows: 1,
    page_entries: 1_000,
};

/// A well-formed hash of no password.
pub(super) const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAECAwQFBgcICQoLDA0ODw";

pub(super) fn open_tiny(directory: &Path) -> SqliteStore {
    SqliteStore::open_with(directory, Durability::Fast, TINY).unwrap()
}

pub(super) fn sent(seq: u64, from: u64, to: Destination, msg: &str) -> Record {
    let fields = BodyFields {
        msg_from: "Lionel Messi",
        msg_to: "Jordan Henderson",
        msg: &EscapedText::new(msg),
        from: "messi",
        to: "henderson",
        kind: Kind::Direct,
        realm: None,
    };
    let message = Message { from: Author::Local(UserId(from)), to, realm: None, body: MessageBody::compose(&fields) };
    Record { seq: Seq(seq), time: Time(1_000 * seq), event: Event::MessageSent(message) }
}

/// The direct messages that a user received after `after`.
pub(super) fn direct_query(user: u64, after: u64) -> TimelineQuery {
    let span = SeqRange { timeline: Timeline::User(UserId(user)), after: Seq(after), upto: Seq(u64::MAX) };
    TimelineQuery { reader: UserId(user), spans: vec![span], filter: Filter::Received, hidden: Vec::new(), only: None }
}
