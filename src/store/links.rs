//! What the store keeps of other servers: the rows of realms, and what waits in their outboxes.

use rusqlite::{Connection, OptionalExtension, Row};

use crate::chat::{BounceReason, OutboxEntry, Peer, PeerAddress, PeerInfo, Realm, RealmKind, Snapshot, TimelineQuery};
use crate::id::{Incarnation, PeerKey, RealmId, Seq, UserId};
use crate::store::index::Index;
use crate::store::pages::Moment;
use crate::store::{StoreError, load};
use crate::time::Time;

/// The realms in the order of their numbers, the home realm left out, without what waits for them.
pub(super) fn realms(database: &Connection) -> Result<Vec<Realm>, StoreError> {
    let sql = "SELECT id, name, kind, added_by, key, host, port, self_named, called, cursor,
        (SELECT max(last) FROM chunks WHERE kind = 3 AND owner = realms.id) FROM realms ORDER BY id";
    let mut realms = load::numbered(database, sql, 1, |row| {
        let kind = match row.get(2)? {
            0 => RealmKind::Own,
            1 => RealmKind::Peer(Box::new(link(row)?)),
            2 => RealmKind::Alias,
            3 => RealmKind::Removed(row.get::<_, Option<[u8; 32]>>(4)?.map(PeerKey)),
            kind => return Err(StoreError::Damaged(format!("a realm of kind {kind}").into())),
        };
        Ok(Realm { name: load::name(row, 1)?, by: row.get::<_, Option<u32>>(3)?.map(UserId), kind })
    })?;
    enter_received(database, &mut realms)?;
    Ok(realms)
}

fn link(row: &Row<'_>) -> Result<Peer, StoreError> {
    let host: Option<Box<str>> = row.get(5)?;
    let port: Option<u16> = row.get(6)?;
    let info = PeerInfo {
        key: row.get::<_, Option<[u8; 32]>>(4)?.map(PeerKey),
        address: host.zip(port).map(|(host, port)| PeerAddress { host, port }),
        self_named: row.get(7)?,
        our_alias: row.get::<_, Option<u32>>(8)?.map(RealmId),
    };
    let last = Seq(row.get::<_, Option<u64>>(10)?.unwrap_or(0));
    Ok(Peer { info, cursor: Seq(row.get(9)?), last, ..Peer::default() })
}

fn enter_received(database: &Connection, realms: &mut [Realm]) -> Result<(), StoreError> {
    let mut statement = database.prepare("SELECT realm_id, incarnation, upto FROM received ORDER BY realm_id, seq")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(link) = of(realms, RealmId(row.get(0)?)) {
            link.received.push((incarnation(row, 1)?, Seq(row.get(2)?)));
        }
    }
    let mut statement =
        database.prepare("SELECT realm_id, incarnation, number, why FROM refused ORDER BY realm_id, seq, number")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(link) = of(realms, RealmId(row.get(0)?)) {
            link.refused.push((incarnation(row, 1)?, Seq(row.get(2)?), undeliverable(row.get(3)?)?));
        }
    }
    Ok(())
}

/// The link of a realm's number.
pub(super) fn of(realms: &mut [Realm], id: RealmId) -> Option<&mut Peer> {
    let realm = realms.get_mut((id.0 as usize).checked_sub(1)?)?;
    match &mut realm.kind {
        RealmKind::Peer(link) => Some(link),
        RealmKind::Own | RealmKind::Alias | RealmKind::Removed(_) => None,
    }
}

/// The incarnations of this server, oldest first.
pub(super) fn incarnations(database: &Connection) -> Result<Vec<(Seq, Incarnation)>, StoreError> {
    let mut statement = database.prepare("SELECT begun, incarnation FROM incarnations ORDER BY begun")?;
    let mut rows = statement.query([])?;
    let mut incarnations = Vec::new();
    while let Some(row) = rows.next()? {
        incarnations.push((Seq(row.get(0)?), incarnation(row, 1)?));
    }
    Ok(incarnations)
}

fn incarnation(row: &Row<'_>, column: usize) -> Result<Incarnation, StoreError> {
    Ok(Incarnation(row.get::<_, i64>(column)?.cast_unsigned()))
}

/// Why a message was refused, by the number that is kept.
pub(super) fn undeliverable(number: u8) -> Result<BounceReason, StoreError> {
    BounceReason::of_number(number).ok_or_else(|| StoreError::Damaged("a refusal of an unknown kind".into()))
}

/// How far the server of a realm has what is in its outbox; where there is none any more, all of it.
pub(super) fn outbox_cursor(database: &Connection, realm: RealmId) -> rusqlite::Result<Seq> {
    let cursor: Option<u64> = database
        .prepare_cached("SELECT cursor FROM realms WHERE id = ?1 AND kind = 1")?
        .query_row([realm.0], |row| row.get(0))
        .optional()?;
    Ok(Seq(cursor.unwrap_or(u64::MAX)))
}

/// Fills the links' queues with what waits in their outboxes. The index must be of the moment of the database.
pub(super) fn enter_queues(database: &Connection, index: &Index, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    let mut message = database.prepare("SELECT time, octet_length(body) FROM log WHERE seq = ?1")?;
    for (realm, id) in snapshot.realms.iter_mut().zip(1..) {
        let RealmKind::Peer(link) = &mut realm.kind else { continue };
        let view = TimelineQuery::outbox(RealmId(id), link.cursor);
        Moment::of(index, &view)?.entries(database, |entry| {
            let waiting = message.query_row([entry.seq.0], |row| {
                Ok(OutboxEntry { seq: entry.seq, time: Time(row.get(0)?), from: entry.peer, bytes: row.get(1)? })
            });
            link.queue.push(waiting?);
            Ok(())
        })?;
    }
    Ok(())
}
