//! The snapshot of the state, from the entity rows; the log's history is never read again.

use std::net::IpAddr;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row};

use crate::chat::{
    CompletedRequest, CompletedRequests, Group, Membership, PasswordHash, ReadPage, Receipt, Session, Snapshot,
    Timeline, User, UserRef,
};
use crate::id::{GroupId, Hash64, RealmId, Seq, SessionId, TokenHash, UserId};
use crate::name::Name;
use crate::store::index::{chunk, runs};
use crate::store::links::{self, incarnations, realms, undeliverable};
use crate::store::{StoreError, removed};
use crate::time::Time;

/// Reads the snapshot, where partitions have that many timelines. `recent` tells the newest entry of each timeline that
/// has entries in memory.
pub(super) fn load(
    database: &Connection,
    partition_timelines: u32,
    recent: impl IntoIterator<Item = (Timeline, Seq)>,
) -> Result<Snapshot, StoreError> {
    let (head, time) = head(database)?;
    let mut snapshot = Snapshot {
        head,
        time,
        users: users(database)?,
        sessions: sessions(database)?,
        groups: groups(database)?,
        realms: realms(database)?,
        incarnations: incarnations(database)?,
        last_broadcast: chunk::newest(database, Timeline::Broadcast)?,
    };
    enter_sessions(&mut snapshot);
    enter_members(database, &mut snapshot)?;
    enter_cursors(database, &mut snapshot.users)?;
    enter_requests(database, &mut snapshot.users)?;
    enter_blocks(database, &mut snapshot.users)?;
    runs::each_entry(database, partition_timelines, |timeline, seq| enter_last(&mut snapshot, timeline, seq))?;
    recent.into_iter().for_each(|(timeline, seq)| enter_last(&mut snapshot, timeline, seq));
    enter_chunked(database, &mut snapshot)?;
    // What retention removed was the newest once: a timeline's end never goes back.
    removed::all(database)?.into_iter().for_each(|(timeline, seq)| enter_last(&mut snapshot, timeline, seq));
    Ok(snapshot)
}

/// The newest log entry and its time, though the log may not hold it any more.
pub(super) fn head(database: &Connection) -> rusqlite::Result<(Seq, Time)> {
    let place = |row: &Row<'_>| Ok((Seq(row.get(0)?), Time(row.get(1)?)));
    let noted = database.query_row("SELECT seq, time FROM head", [], place)?;
    let newest = database.query_row("SELECT seq, time FROM log ORDER BY seq DESC LIMIT 1", [], place).optional()?;
    Ok(newest.map_or(noted, |newest| noted.max(newest)))
}

/// Rows that are numbered from `first` without a gap, in that order: a state has them by their places.
pub(super) fn numbered<T>(
    database: &Connection,
    sql: &str,
    first: usize,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut items = Vec::new();
    let mut statement = database.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let number: usize = row.get(0)?;
        if number != first + items.len() {
            return Err(StoreError::Damaged(format!("number {number} is out of place in: {sql}").into()));
        }
        items.push(read(row)?);
    }
    Ok(items)
}

fn users(database: &Connection) -> Result<Vec<User>, StoreError> {
    let sql = "SELECT id, name, full_name, country, password, registered, seen, cursor, unregistered FROM users
        ORDER BY id";
    numbered(database, sql, 0, |row| {
        Ok(User {
            name: name(row, 1)?,
            full_name: row.get(2)?,
            country: row.get(3)?,
            password: PasswordHash(row.get(4)?),
            registered: Seq(row.get(5)?),
            seen: row.get::<_, Option<u64>>(6)?.map(Time),
            cursor: Seq(row.get(7)?),
            unregistered: row.get(8)?,
            read_ranges: Vec::new(),
            realm_cursors: Vec::new(),
            sessions: Vec::new(),
            memberships: Vec::new(),
            blocks: Vec::new(),
            last: Seq(0),
            done: CompletedRequests::default(),
        })
    })
}

fn groups(database: &Connection) -> Result<Vec<Group>, StoreError> {
    let sql = "SELECT id, name, owner, password, deleted FROM groups ORDER BY id";
    numbered(database, sql, 0, |row| {
        Ok(Group {
            name: name(row, 1)?,
            owner: UserId(row.get(2)?),
            password: row.get::<_, Option<Box<str>>>(3)?.map(PasswordHash),
            members: Arc::default(),
            deleted: row.get(4)?,
            last: Seq(0),
        })
    })
}

pub(super) fn name(row: &Row<'_>, column: usize) -> Result<Name, StoreError> {
    let text: String = row.get(column)?;
    Name::parse(&text).map_err(|_| StoreError::Damaged("a name that is none".into()))
}

fn sessions(database: &Connection) -> Result<Vec<(SessionId, Session)>, StoreError> {
    let mut statement =
        database.prepare("SELECT id, user_id, token, opened, used, ephemeral, origin FROM sessions ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut sessions = Vec::new();
    while let Some(row) = rows.next()? {
        let session = Session {
            user: UserId(row.get(1)?),
            token: TokenHash(row.get(2)?),
            opened: Time(row.get(3)?),
            used: Time(row.get(4)?),
            ephemeral: row.get(5)?,
            origin: address(row, 6)?,
        };
        sessions.push((SessionId(row.get(0)?), session));
    }
    Ok(sessions)
}

pub(super) fn address(row: &Row<'_>, column: usize) -> Result<IpAddr, StoreError> {
    let text: String = row.get(column)?;
    text.parse().map_err(|_| StoreError::Damaged("an address that is none".into()))
}

/// The sessions are in the order of opening.
fn enter_sessions(snapshot: &mut Snapshot) {
    for (id, session) in &snapshot.sessions {
        if let Some(user) = snapshot.users.get_mut(session.user.0 as usize) {
            user.sessions.push(*id);
        }
    }
}

fn enter_members(database: &Connection, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    let mut statement = database.prepare("SELECT group_id, user_id, joined, \"left\" FROM members ORDER BY joined")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (group_id, user_id) = (GroupId(row.get(0)?), UserId(row.get(1)?));
        let left = row.get::<_, Option<u64>>(3)?.map(Seq);
        let Some(group) = snapshot.groups.get_mut(group_id.0 as usize) else { continue };
        if left.is_none() && !group.deleted {
            Arc::make_mut(&mut group.members).push(user_id);
        }
        if let Some(user) = snapshot.users.get_mut(user_id.0 as usize) {
            user.memberships.push(Membership { group: group_id, joined: Seq(row.get(2)?), left });
        }
    }
    for user in &mut snapshot.users {
        user.memberships.sort_by_key(|membership| (membership.group, membership.joined));
    }
    Ok(())
}

fn enter_cursors(database: &Connection, users: &mut [User]) -> Result<(), StoreError> {
    let mut statement = database.prepare("SELECT user_id, realm_id, cursor FROM realm_cursors ORDER BY since")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(user) = users.get_mut(row.get::<_, usize>(0)?) {
            user.realm_cursors.push((RealmId(row.get(1)?), Seq(row.get(2)?)));
        }
    }
    let mut statement = database.prepare("SELECT user_id, after, upto FROM live_intervals ORDER BY user_id, after")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(user) = users.get_mut(row.get::<_, usize>(0)?) {
            user.read_ranges.push((Seq(row.get(1)?), Seq(row.get(2)?)));
        }
    }
    Ok(())
}

fn enter_requests(database: &Connection, users: &mut [User]) -> Result<(), StoreError> {
    let mut statement =
        database.prepare("SELECT user_id, tag, request, first, time, page, refused FROM done ORDER BY seq")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let done = CompletedRequest {
            tag: Hash64(row.get::<_, i64>(1)?.cast_unsigned()),
            request: Hash64(row.get::<_, i64>(2)?.cast_unsigned()),
            receipt: Receipt { seq: Seq(row.get(3)?), time: Time(row.get(4)?) },
            page: page_read(row, 5)?.map(Box::new),
            refused: row.get::<_, Option<u8>>(6)?.map(undeliverable).transpose()?,
        };
        if let Some(user) = users.get_mut(row.get::<_, usize>(0)?) {
            user.done.push(done);
        }
    }
    Ok(())
}

/// The page that a tagged request read.
pub(super) fn page_read(row: &Row<'_>, column: usize) -> Result<Option<ReadPage>, StoreError> {
    let page = row.get::<_, Option<String>>(column)?.map(|page| serde_json::from_str(&page)).transpose();
    page.map_err(|error| StoreError::Damaged(format!("a tagged request: {error}").into()))
}

fn enter_blocks(database: &Connection, users: &mut [User]) -> Result<(), StoreError> {
    let mut statement = database.prepare("SELECT user_id, blocked_id FROM blocks ORDER BY user_id, blocked_id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(user) = users.get_mut(row.get::<_, usize>(0)?) {
            user.blocks.push(UserRef::Local(UserId(row.get(1)?)));
        }
    }
    let mut statement =
        database.prepare("SELECT user_id, realm_id, name FROM remote_blocks ORDER BY user_id, realm_id, name")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(user) = users.get_mut(row.get::<_, usize>(0)?) {
            user.blocks.push(UserRef::Remote(RealmId(row.get(1)?), name(row, 2)?.folded()));
        }
    }
    Ok(())
}

/// Enters the newest entries of those who have none outside the chunks, which are older. The others need no look there.
fn enter_chunked(database: &Connection, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    for (user, id) in snapshot.users.iter_mut().zip(0..).filter(|(user, _)| user.last == Seq(0)) {
        user.last = chunk::newest(database, Timeline::User(UserId(id)))?;
    }
    for (group, id) in snapshot.groups.iter_mut().zip(0..).filter(|(group, _)| group.last == Seq(0)) {
        group.last = chunk::newest(database, Timeline::Group(GroupId(id)))?;
    }
    Ok(())
}

fn enter_last(snapshot: &mut Snapshot, timeline: Timeline, seq: Seq) {
    let last = match timeline {
        Timeline::User(user) => snapshot.users.get_mut(user.0 as usize).map(|user| &mut user.last),
        Timeline::Group(group) => snapshot.groups.get_mut(group.0 as usize).map(|group| &mut group.last),
        Timeline::Broadcast => Some(&mut snapshot.last_broadcast),
        Timeline::Outbox(realm) => links::of(&mut snapshot.realms, realm).map(|link| &mut link.last),
    };
    if let Some(last) = last {
        *last = seq.max(*last);
    }
}
