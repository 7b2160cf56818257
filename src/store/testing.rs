//! What the tests of the store share.

use std::path::Path;

use crate::chat::{
    Author, Destination, Event, Filter, Kind, Message, MessageBody, MessageFields, Record, SeqRange, Timeline,
    TimelineQuery,
};
use crate::id::{Seq, UserId};
use crate::store::index::Tuning;
use crate::store::{Durability, SqliteStore};
use crate::time::Time;

/// Limits so small that a few records pass all of them.
pub(super) const TINY: Tuning = Tuning {
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

/// A hash by its form; nobody's password.
pub(super) const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAECAwQFBgcICQoLDA0ODw";

pub(super) fn open_tiny(directory: &Path) -> SqliteStore {
    SqliteStore::open_tuned(directory, Durability::Fast, TINY).unwrap()
}

pub(super) fn said(seq: u64, from: u32, to: Destination, msg: &str) -> Record {
    let parts = MessageFields {
        from: "messi".into(),
        to: "henderson".into(),
        msg_from: "Lionel Messi".into(),
        msg_to: "Jordan Henderson".into(),
        msg: msg.into(),
        kind: Kind::Direct,
        group: None,
        realm: None,
    };
    let message = Message { from: Author::Local(UserId(from)), to, realm: None, body: MessageBody::compose(&parts) };
    Record { seq: Seq(seq), time: Time(1_000 * seq), event: Event::MessageSent(message) }
}

/// What the user received in direct messages after `after`.
pub(super) fn direct_view(user: u32, after: u64) -> TimelineQuery {
    let span = SeqRange { timeline: Timeline::User(UserId(user)), after: Seq(after), upto: Seq(u64::MAX) };
    TimelineQuery { reader: UserId(user), spans: vec![span], which: Filter::Received, hidden: Vec::new(), only: None }
}
