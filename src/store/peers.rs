//! The rows of realms and of the other servers behind them, and their outbox queues.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rusqlite::{Connection, OptionalExtension, Row};

use crate::chat::{OutboxEntry, Peer, PeerAddress, PeerInfo, Realm, RealmKind, Snapshot, Timeline, TimelineQuery};
use crate::id::{Epoch, PeerKey, RealmId, Seq, UserId};
use crate::store::columns;
use crate::store::error::StoreError;
use crate::store::index::chunk::Direction;
use crate::store::index::timeline_index::Index;
use crate::store::log::reader::LogReader;
use crate::store::scan::Scan;

/// All realms except the home realm, ordered by id, with empty outbox queues.
pub(super) fn realms(database: &Connection) -> Result<BTreeMap<RealmId, Realm>, StoreError> {
    let sql = "SELECT id, name, kind, added_by, key, host, port, self_named, called, cursor,
        (SELECT max(last) FROM chunks WHERE kind = 3 AND owner = realms.id) FROM realms ORDER BY id";
    let mut realms = BTreeMap::new();
    columns::for_each_row(database, sql, |row| {
        let kind = match row.get(2)? {
            0 => RealmKind::Own,
            1 => RealmKind::Peer(Box::new(peer(row)?)),
            2 => RealmKind::Alias,
            3 => RealmKind::Removed(row.get::<_, Option<[u8; 32]>>(4)?.map(PeerKey)),
            kind => return Err(StoreError::Damaged(format!("a realm of kind {kind}").into())),
        };
        let realm = Realm { name: columns::name(row, 1)?, by: row.get::<_, Option<u64>>(3)?.map(UserId), kind };
        realms.insert(RealmId(row.get(0)?), realm);
        Ok(())
    })?;
    load_received(database, &mut realms)?;
    Ok(realms)
}

fn peer(row: &Row<'_>) -> Result<Peer, StoreError> {
    let host: Option<Box<str>> = row.get(5)?;
    let port: Option<u16> = row.get(6)?;
    let info = PeerInfo {
        key: row.get::<_, Option<[u8; 32]>>(4)?.map(PeerKey),
        address: host.zip(port).map(|(host, port)| PeerAddress { host, port }),
        self_named: row.get(7)?,
        our_alias: row.get::<_, Option<u64>>(8)?.map(RealmId),
    };
    let last = Seq(row.get::<_, Option<u64>>(10)?.unwrap_or(0));
    Ok(Peer { info, cursor: Seq(row.get(9)?), last, ..Peer::default() })
}

fn load_received(database: &Connection, realms: &mut BTreeMap<RealmId, Realm>) -> Result<(), StoreError> {
    let sql = "SELECT realm_id, incarnation, upto FROM received ORDER BY realm_id, seq";
    columns::for_each_row(database, sql, |row| {
        if let Some(peer) = peer_mut(realms, RealmId(row.get(0)?)) {
            peer.received.push((columns::epoch(row, 1)?, Seq(row.get(2)?)));
        }
        Ok(())
    })?;
    let sql = "SELECT realm_id, incarnation, number, why FROM refused ORDER BY realm_id, seq, number";
    columns::for_each_row(database, sql, |row| {
        if let Some(peer) = peer_mut(realms, RealmId(row.get(0)?)) {
            let why = columns::bounce_reason(row.get(3)?)?;
            peer.refused.push((columns::epoch(row, 1)?, Seq(row.get(2)?), why));
        }
        Ok(())
    })
}

pub(super) fn peer_mut(realms: &mut BTreeMap<RealmId, Realm>, id: RealmId) -> Option<&mut Peer> {
    let realm = realms.get_mut(&id)?;
    match &mut realm.kind {
        RealmKind::Peer(peer) => Some(peer),
        RealmKind::Own | RealmKind::Alias | RealmKind::Removed(_) => None,
    }
}

/// The epochs of this server, oldest first.
pub(super) fn epochs(database: &Connection) -> Result<Vec<(Seq, Epoch)>, StoreError> {
    let mut epochs = Vec::new();
    columns::for_each_row(database, "SELECT begun, incarnation FROM incarnations ORDER BY begun", |row| {
        epochs.push((Seq(row.get(0)?), columns::epoch(row, 1)?));
        Ok(())
    })?;
    Ok(epochs)
}

/// The entry up to which a peer has acknowledged its outbox; the greatest number if the realm is no peer any more.
pub(super) fn outbox_cursor(database: &Connection, realm: RealmId) -> rusqlite::Result<Seq> {
    let cursor: Option<u64> = database
        .prepare_cached("SELECT cursor FROM realms WHERE id = ?1 AND kind = 1")?
        .query_row([realm.0], |row| row.get(0))
        .optional()?;
    Ok(Seq(cursor.unwrap_or(u64::MAX)))
}

/// Fills the peers' outbox queues with the entries that they have not acknowledged. No commit may come between the
/// transaction of `log` and `index`.
pub(super) fn load_queues(log: &mut LogReader<'_>, index: &Index, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    for (id, realm) in &mut snapshot.realms {
        let RealmKind::Peer(peer) = &mut realm.kind else { continue };
        let query = TimelineQuery::outbox(*id, peer.cursor);
        Scan::new(index, &query, Direction::Forward)?.walk(log.database(), |_, entry| {
            if let Some(message) = log.message(Timeline::Outbox(*id), &entry)? {
                let bytes = u32::try_from(message.body.size()).unwrap_or(u32::MAX);
                peer.queue.push(OutboxEntry { seq: entry.seq, time: message.time, from: entry.peer, bytes });
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(())
}
