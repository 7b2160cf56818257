//! The snapshot of the state, from the entity rows and the index. Its cost does not depend on the log's history.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use rusqlite::{Connection, Row};

use crate::chat::{
    Ban, BanTarget, CompletedRequest, CompletedRequests, Group, Invite, Membership, PasswordHash, ReadMark, Receipt,
    Session, Snapshot, Timeline, User, UserRef,
};
use crate::id::{GroupId, Hash64, RealmId, Seq, SessionId, TokenHash, UserId};
use crate::store::error::StoreError;
use crate::store::index::timeline_index::Index;
use crate::store::index::{chunk, runs};
use crate::store::log::head;
use crate::store::log::reader::LogReader;
use crate::store::peers::{self, epochs, realms};
use crate::store::{columns, low_watermark};
use crate::time::Time;

/// Reads the snapshot. No commit may come between the transaction of `log` and `index`.
pub(super) fn load(log: &mut LogReader<'_>, index: &Index) -> Result<Snapshot, StoreError> {
    let database = log.database();
    let (head, time) = head::read(database)?;
    let mut snapshot = Snapshot {
        head,
        time,
        users: users(database)?,
        sessions: sessions(database)?,
        groups: groups(database)?,
        realms: realms(database)?,
        epochs: epochs(database)?,
        marks: read_marks(database)?,
        bans: bans(database)?,
        locked: locked(database)?,
        invites: invites(database)?,
        last_broadcast: chunk::newest(database, Timeline::Broadcast)?,
    };
    link_sessions(&mut snapshot);
    load_members(database, &mut snapshot)?;
    load_user_lists(database, &mut snapshot.users)?;
    load_last_entries(database, index, &mut snapshot)?;
    peers::load_queues(log, index, &mut snapshot)?;
    Ok(snapshot)
}

fn users(database: &Connection) -> Result<Vec<User>, StoreError> {
    let sql = "SELECT id, name, full_name, country, password, registered, seen, cursor, unregistered FROM users
        ORDER BY id";
    columns::numbered(database, sql, 0, |row| {
        Ok(User {
            name: columns::name(row, 1)?,
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

fn groups(database: &Connection) -> Result<HashMap<GroupId, Group>, StoreError> {
    let mut groups = HashMap::new();
    columns::for_each_row(database, "SELECT id, name, owner, password, deleted FROM groups", |row| {
        let group = Group {
            name: columns::name(row, 1)?,
            owner: UserId(row.get(2)?),
            password: row.get::<_, Option<Box<str>>>(3)?.map(PasswordHash),
            members: Arc::default(),
            deleted: row.get(4)?,
            last: Seq(0),
            references: 0,
        };
        groups.insert(GroupId(row.get(0)?), group);
        Ok(())
    })?;
    Ok(groups)
}

fn sessions(database: &Connection) -> Result<Vec<(SessionId, Session)>, StoreError> {
    let sql = "SELECT id, user_id, token, opened, used, ephemeral, origin FROM sessions ORDER BY id";
    let mut sessions = Vec::new();
    columns::for_each_row(database, sql, |row| {
        let session = Session {
            user: UserId(row.get(1)?),
            token: TokenHash(row.get(2)?),
            opened: Time(row.get(3)?),
            used: Time(row.get(4)?),
            ephemeral: row.get(5)?,
            origin: columns::address(row, 6)?,
        };
        sessions.push((SessionId(row.get(0)?), session));
        Ok(())
    })?;
    Ok(sessions)
}

/// In the order of the conversations.
fn read_marks(database: &Connection) -> Result<HashMap<UserId, Vec<ReadMark>>, StoreError> {
    let mut marks: HashMap<_, Vec<_>> = HashMap::new();
    columns::for_each_row(database, "SELECT user_id, kind, number, name, upto, time FROM read_marks", |row| {
        let (conversation, upto, time) = (columns::conversation(row, 1)?, Seq(row.get(4)?), Time(row.get(5)?));
        marks.entry(UserId(row.get(0)?)).or_default().push(ReadMark { conversation, upto, time });
        Ok(())
    })?;
    marks.values_mut().for_each(|marks| marks.sort_by_key(|mark| mark.conversation));
    Ok(marks)
}

fn bans(database: &Connection) -> Result<Vec<(BanTarget, Ban)>, StoreError> {
    let mut bans = Vec::new();
    let sql = "SELECT kind, number, name, seq, banned_by, since, until, reason FROM bans";
    columns::for_each_row(database, sql, |row| {
        let ban = Ban {
            id: Seq(row.get(3)?),
            by: row.get::<_, Option<u64>>(4)?.map(UserId),
            since: Time(row.get(5)?),
            until: row.get::<_, Option<u64>>(6)?.map(Time),
            reason: row.get(7)?,
        };
        bans.push((columns::ban(row)?, ban));
        Ok(())
    })?;
    Ok(bans)
}

fn locked(database: &Connection) -> Result<HashSet<UserId>, StoreError> {
    let mut locked = HashSet::new();
    columns::for_each_row(database, "SELECT user_id FROM locks", |row| {
        locked.insert(UserId(row.get(0)?));
        Ok(())
    })?;
    Ok(locked)
}

fn invites(database: &Connection) -> Result<BTreeMap<Seq, Invite>, StoreError> {
    let mut invites = BTreeMap::new();
    columns::for_each_row(database, "SELECT seq, code, made_by, uses, until FROM invites", |row| {
        let (code, by) = (TokenHash(row.get(1)?), row.get::<_, Option<u64>>(2)?.map(UserId));
        invites.insert(Seq(row.get(0)?), Invite { code, by, uses: row.get(3)?, until: Time(row.get(4)?) });
        Ok(())
    })?;
    Ok(invites)
}

fn link_sessions(snapshot: &mut Snapshot) {
    for (id, session) in &snapshot.sessions {
        if let Some(user) = snapshot.users.get_mut(session.user.0 as usize) {
            user.sessions.push(*id);
        }
    }
}

fn load_members(database: &Connection, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    let sql = "SELECT group_id, user_id, joined, \"left\" FROM members ORDER BY joined";
    columns::for_each_row(database, sql, |row| {
        let (group_id, user_id) = (GroupId(row.get(0)?), UserId(row.get(1)?));
        let left = row.get::<_, Option<u64>>(3)?.map(Seq);
        let Some(group) = snapshot.groups.get_mut(&group_id) else { return Ok(()) };
        if left.is_none() && !group.deleted {
            Arc::make_mut(&mut group.members).push(user_id);
        }
        if let Some(user) = snapshot.users.get_mut(user_id.0 as usize) {
            user.memberships.push(Membership { group: group_id, joined: Seq(row.get(2)?), left });
        }
        Ok(())
    })?;
    for user in &mut snapshot.users {
        user.memberships.sort_by_key(|membership| (membership.group, membership.joined));
    }
    Ok(())
}

/// Sets the fields of users that have their own tables. The first column of each query is the user.
fn load_user_lists(database: &Connection, users: &mut [User]) -> Result<(), StoreError> {
    let sql = "SELECT user_id, realm_id, cursor FROM realm_cursors ORDER BY since";
    for_each_user(database, sql, users, |user, row| {
        user.realm_cursors.push((RealmId(row.get(1)?), Seq(row.get(2)?)));
        Ok(())
    })?;
    let sql = "SELECT user_id, after, upto FROM live_intervals ORDER BY user_id, after";
    for_each_user(database, sql, users, |user, row| {
        user.read_ranges.push((Seq(row.get(1)?), Seq(row.get(2)?)));
        Ok(())
    })?;
    let sql = "SELECT user_id, tag, request, first, time, page, refused FROM done ORDER BY seq";
    for_each_user(database, sql, users, |user, row| {
        user.done.push(CompletedRequest {
            tag: Hash64(row.get::<_, i64>(1)?.cast_unsigned()),
            request: Hash64(row.get::<_, i64>(2)?.cast_unsigned()),
            receipt: Receipt { seq: Seq(row.get(3)?), time: Time(row.get(4)?) },
            page: columns::read_page(row, 5)?.map(Box::new),
            refused: row.get::<_, Option<u8>>(6)?.map(columns::bounce_reason).transpose()?,
        });
        Ok(())
    })?;
    let sql = "SELECT user_id, blocked_id FROM blocks ORDER BY user_id, blocked_id";
    for_each_user(database, sql, users, |user, row| {
        user.blocks.push(UserRef::Local(UserId(row.get(1)?)));
        Ok(())
    })?;
    let sql = "SELECT user_id, realm_id, name FROM remote_blocks ORDER BY user_id, realm_id, name";
    for_each_user(database, sql, users, |user, row| {
        user.blocks.push(UserRef::Remote(RealmId(row.get(1)?), columns::name(row, 2)?.folded()));
        Ok(())
    })
}

fn for_each_user(
    database: &Connection,
    sql: &str,
    users: &mut [User],
    mut visit: impl FnMut(&mut User, &Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    columns::for_each_row(database, sql, |row| {
        users.get_mut(row.get::<_, usize>(0)?).map_or(Ok(()), |user| visit(user, row))
    })
}

/// Sets the newest entry of each timeline.
fn load_last_entries(database: &Connection, index: &Index, snapshot: &mut Snapshot) -> Result<(), StoreError> {
    let partition_timelines = index.config().partition_timelines;
    runs::for_each_entry(database, partition_timelines, |timeline, entry| raise_last(snapshot, timeline, entry.seq))?;
    index.newest_in_memory().for_each(|(timeline, seq)| raise_last(snapshot, timeline, seq));
    // Chunks are older than runs and memory: only timelines without entries there need the look-up.
    for (user, id) in snapshot.users.iter_mut().zip(0..).filter(|(user, _)| user.last == Seq(0)) {
        user.last = chunk::newest(database, Timeline::User(UserId(id)))?;
    }
    for (id, group) in snapshot.groups.iter_mut().filter(|(_, group)| group.last == Seq(0)) {
        group.last = chunk::newest(database, Timeline::Group(*id))?;
    }
    // Retention may have removed the newest entry, and the end of a timeline never goes back.
    low_watermark::all(database)?.into_iter().for_each(|(timeline, seq)| raise_last(snapshot, timeline, seq));
    Ok(())
}

fn raise_last(snapshot: &mut Snapshot, timeline: Timeline, seq: Seq) {
    let last = match timeline {
        Timeline::User(user) => snapshot.users.get_mut(user.0 as usize).map(|user| &mut user.last),
        Timeline::Group(group) => snapshot.groups.get_mut(&group).map(|group| &mut group.last),
        Timeline::Broadcast => Some(&mut snapshot.last_broadcast),
        Timeline::Outbox(realm) => peers::peer_mut(&mut snapshot.realms, realm).map(|peer| &mut peer.last),
    };
    if let Some(last) = last {
        *last = seq.max(*last);
    }
}
