//! Writing lines: one moment of the store, whoever serves it meanwhile, and little of it in memory at a time.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use bytes::Bytes;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior};

use crate::chat::{Body, Destination, Event, Message, Parts};
use crate::id::{Digest, GroupId, RealmId, Seq, TokenHash};
use crate::json;
use crate::limits::PROGRESS_STEP;
use crate::name::{Name, NameKey};
use crate::store::transfer::line::{
    Block, Done, Group, GroupNumber, Header, HexDigest, HexHash, Line, Member, Moment, Realm, RealmCursor, Removed,
    Session, User, VERSION,
};
use crate::store::transfer::{Progress, TransferError};
use crate::store::{StoreError, archive, load, record};
use crate::time::Time;

/// Writes all that the store in a directory holds, and gives the number of lines. A server may be running on it; what it
/// commits after the beginning is not written.
///
/// # Errors
/// Where there is no store of this version, or it cannot be read, or `out` written.
pub fn export(directory: &Path, out: &mut dyn Write, progress: &mut dyn FnMut(Progress)) -> Result<u64, TransferError> {
    let mut database = archive::open(directory)?;
    let moment = Transaction::new(&mut database, TransactionBehavior::Deferred)?;
    let (head, time) = load::head(&moment)?;
    let groups = groups_by_name(&moment)?;
    let mut export = Export { moment: &moment, out, line: Vec::new(), count: 0, head, groups, progress };
    let time = (head > Seq(0)).then_some(Moment(time));
    export.write(&Header { kabar_export: VERSION, head: head.0, time })?;
    export.realms()?;
    export.users()?;
    export.groups()?;
    export.members()?;
    export.blocks()?;
    export.sessions()?;
    export.done()?;
    export.removed()?;
    export.messages()?;
    let count = export.count;
    out.flush()?;
    Ok(count)
}

struct Export<'a> {
    moment: &'a Connection,
    out: &'a mut dyn Write,
    line: Vec<u8>,
    count: u64,
    head: Seq,
    /// What each group's name alone is read as.
    groups: HashMap<NameKey, GroupId>,
    progress: &'a mut dyn FnMut(Progress),
}

impl Export<'_> {
    fn write(&mut self, line: &impl serde::Serialize) -> Result<(), TransferError> {
        self.line.clear();
        json::append(&mut self.line, line);
        self.end_line(Seq(0))
    }

    fn end_line(&mut self, upto: Seq) -> Result<(), TransferError> {
        self.line.push(b'\n');
        self.out.write_all(&self.line)?;
        self.count += 1;
        if self.count.is_multiple_of(PROGRESS_STEP) {
            (self.progress)(Progress::new(self.count, upto.0, Some(self.head.0)));
        }
        Ok(())
    }

    fn rows(
        &mut self,
        sql: &str,
        line: impl Fn(&Connection, &Row<'_>) -> Result<Line<'static>, TransferError>,
    ) -> Result<(), TransferError> {
        let mut statement = self.moment.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let line = line(self.moment, row)?;
            self.write(&line)?;
        }
        Ok(())
    }

    fn realms(&mut self) -> Result<(), TransferError> {
        self.rows("SELECT name FROM realms ORDER BY id", |_, row| Ok(Line::Realm(Realm { name: name(row, 0)? })))
    }

    fn users(&mut self) -> Result<(), TransferError> {
        let sql = "SELECT id, name, full_name, country, password, registered, seen, cursor, unregistered FROM users
            ORDER BY id";
        self.rows(sql, |moment, row| {
            let id = row.get(0)?;
            Ok(Line::User(User {
                name: name(row, 1)?,
                full_name: text(row, 2)?,
                country: text(row, 3)?,
                password_hash: text(row, 4)?,
                registered: row.get(5)?,
                seen: row.get::<_, Option<u64>>(6)?.map(|seen| Moment(Time(seen))),
                cursor: Some(row.get(7)?),
                live: live(moment, id)?,
                realm_cursors: realm_cursors(moment, id)?,
                unregistered: row.get(8)?,
            }))
        })
    }

    fn groups(&mut self) -> Result<(), TransferError> {
        let sql = "SELECT groups.name, users.name, groups.password, deleted FROM groups JOIN users ON users.id = owner
            ORDER BY groups.id";
        self.rows(sql, |_, row| {
            let password_hash = row.get::<_, Option<String>>(2)?.map(Cow::Owned);
            Ok(Line::Group(Group { name: name(row, 0)?, owner: name(row, 1)?, password_hash, deleted: row.get(3)? }))
        })
    }

    fn members(&mut self) -> Result<(), TransferError> {
        let sql = "SELECT groups.name, users.name, joined, \"left\", group_id FROM members
            JOIN groups ON groups.id = group_id JOIN users ON users.id = user_id ORDER BY joined";
        let groups = self.groups.clone();
        self.rows(sql, |_, row| {
            let (group, user) = (name(row, 0)?, name(row, 1)?);
            let group_number = group_number(&groups, &group, GroupId(row.get(4)?));
            Ok(Line::Member(Member { group, group_number, user, joined: row.get(2)?, left: row.get(3)? }))
        })
    }

    fn blocks(&mut self) -> Result<(), TransferError> {
        let sql = "SELECT users.name, others.name FROM blocks
            JOIN users ON users.id = user_id JOIN users AS others ON others.id = blocked_id
            ORDER BY user_id, blocked_id";
        self.rows(sql, |_, row| Ok(Line::Block(Block { user: name(row, 0)?, blocked: name(row, 1)? })))
    }

    fn sessions(&mut self) -> Result<(), TransferError> {
        let sql = "SELECT sessions.id, users.name, token, opened, used, ephemeral, origin FROM sessions
            JOIN users ON users.id = user_id ORDER BY sessions.id";
        self.rows(sql, |_, row| {
            Ok(Line::Session(Session {
                id: row.get(0)?,
                user: name(row, 1)?,
                token_sha256: HexHash(TokenHash(row.get(2)?)),
                opened: Moment(Time(row.get(3)?)),
                used: Moment(Time(row.get(4)?)),
                ephemeral: row.get(5)?,
                origin: load::address(row, 6)?,
            }))
        })
    }

    fn done(&mut self) -> Result<(), TransferError> {
        let sql = "SELECT seq, users.name, tag, request, first, time, page FROM done
            JOIN users ON users.id = user_id ORDER BY seq";
        self.rows(sql, |_, row| {
            let digest = |column| row.get(column).map(|bits: i64| HexDigest(Digest(bits.cast_unsigned())));
            Ok(Line::Done(Done {
                number: row.get(0)?,
                user: name(row, 1)?,
                tag: digest(2)?,
                request: digest(3)?,
                first: row.get(4)?,
                time: Moment(Time(row.get(5)?)),
                page: load::page_read(row, 6)?,
            }))
        })
    }

    fn removed(&mut self) -> Result<(), TransferError> {
        let sql = "SELECT upto, users.name, groups.name, removed.owner FROM removed
            LEFT JOIN users ON kind = 0 AND users.id = removed.owner
            LEFT JOIN groups ON kind = 1 AND groups.id = removed.owner
            ORDER BY kind, removed.owner";
        let groups = self.groups.clone();
        self.rows(sql, |_, row| {
            let (user, group) = (optional_name(row, 1)?, optional_name(row, 2)?);
            let owner = GroupId(row.get(3)?);
            let group_number = group.as_ref().and_then(|group| group_number(&groups, group, owner));
            Ok(Line::Removed(Removed { user, group, group_number, upto: row.get(0)? }))
        })
    }

    /// A message's line is made of its stored bytes.
    fn messages(&mut self) -> Result<(), TransferError> {
        let realms = realms_by_name(self.moment)?;
        let mut statement =
            self.moment.prepare("SELECT seq, time, event, body FROM log WHERE body IS NOT NULL ORDER BY seq")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (seq, time) = (Seq(row.get(0)?), Time(row.get(1)?));
            let body = Body(Bytes::copy_from_slice(row.get_ref(3)?.as_bytes().map_err(rusqlite::Error::from)?));
            let event = record::decode(row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?)?;
            self.line.clear();
            self.line.extend_from_slice(b"{\"message\":");
            body.append_object(&mut self.line, seq, time);
            self.line.pop();
            if let Some(number) = group_number_of(&event, &body, &self.groups)? {
                self.line.extend_from_slice(format!(",\"group_number\":{number}").as_bytes());
            }
            if let Some(number) = realm_number(&event, &body, &realms)? {
                self.line.extend_from_slice(format!(",\"realm_number\":{number}").as_bytes());
            }
            self.line.extend_from_slice(b"}}");
            self.end_line(seq)?;
        }
        Ok(())
    }
}

fn live(moment: &Connection, user: u32) -> rusqlite::Result<Vec<(u64, u64)>> {
    let mut statement =
        moment.prepare_cached("SELECT after, upto FROM live_intervals WHERE user_id = ?1 ORDER BY after")?;
    let rows = statement.query_map([user], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn realm_cursors(moment: &Connection, user: u32) -> Result<Vec<RealmCursor>, TransferError> {
    let mut statement = moment.prepare_cached(
        "SELECT realm_cursors.cursor, realms.name FROM realm_cursors LEFT JOIN realms ON realms.id = realm_id
            WHERE user_id = ?1 ORDER BY since",
    )?;
    let mut rows = statement.query([user])?;
    let mut cursors = Vec::new();
    while let Some(row) = rows.next()? {
        cursors.push(RealmCursor { realm: optional_name(row, 1)?, cursor: row.get(0)? });
    }
    Ok(cursors)
}

fn realms_by_name(moment: &Connection) -> Result<HashMap<NameKey, RealmId>, TransferError> {
    let mut statement = moment.prepare("SELECT id, name FROM realms")?;
    let mut rows = statement.query([])?;
    let mut realms = HashMap::new();
    while let Some(row) = rows.next()? {
        realms.insert(name(row, 1)?.key(), RealmId(row.get(0)?));
    }
    Ok(realms)
}

fn groups_by_name(moment: &Connection) -> Result<HashMap<NameKey, GroupId>, TransferError> {
    let mut statement = moment.prepare("SELECT id, name FROM groups ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut groups = HashMap::new();
    while let Some(row) = rows.next()? {
        groups.insert(name(row, 1)?.key(), GroupId(row.get(0)?));
    }
    Ok(groups)
}

/// The place of a group's line, where its name alone would be read as a newer group's: that of a deleted one is free.
fn group_number(groups: &HashMap<NameKey, GroupId>, name: &Name, group: GroupId) -> GroupNumber {
    (groups.get(&name.key()) != Some(&group)).then_some(group.0 + 1)
}

fn group_number_of(
    event: &Event,
    body: &Body,
    groups: &HashMap<NameKey, GroupId>,
) -> Result<GroupNumber, TransferError> {
    let Event::MessageSent(Message { to: Destination::Group(group), .. }) = event else { return Ok(None) };
    let name = body.read(|parts| Name::parse(&parts.to).ok()).ok().flatten();
    let name = name.ok_or_else(|| StoreError::Damaged("the body of a message".into()))?;
    Ok(group_number(groups, &name, *group))
}

/// The number of a message's realm, where its name alone would be read as another: the home realm has no line, and may
/// have had another name.
fn realm_number(event: &Event, body: &Body, realms: &HashMap<NameKey, RealmId>) -> Result<Option<u32>, TransferError> {
    let Event::MessageSent(message) = event else { return Ok(None) };
    let Some(realm) = message.realm else { return Ok(None) };
    let named = |parts: Parts<'_>| parts.realm.and_then(|name| Some(Name::parse(&name).ok()?.key()));
    let damaged = |_| StoreError::Damaged("the body of a message".into());
    let key = body.read(named).map_err(damaged)?;
    let read_as = key.and_then(|key| realms.get(&key).copied()).unwrap_or(RealmId::HOME);
    Ok((read_as != realm).then_some(realm.0))
}

fn name(row: &Row<'_>, column: usize) -> Result<Name, StoreError> {
    let text: String = row.get(column)?;
    Name::parse(&text).map_err(|_| StoreError::Damaged("a name that is none".into()))
}

fn optional_name(row: &Row<'_>, column: usize) -> Result<Option<Name>, StoreError> {
    if row.get_ref(column)? == rusqlite::types::ValueRef::Null { Ok(None) } else { name(row, column).map(Some) }
}

fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<Cow<'static, str>> {
    row.get(column).map(Cow::Owned)
}
