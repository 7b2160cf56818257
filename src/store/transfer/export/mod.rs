//! Writing lines: one moment of the store, whoever serves it meanwhile, and little of it in memory at a time.

mod messages;
mod names;
mod realms;

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;
use std::rc::Rc;

use rusqlite::{Connection, Row, Transaction, TransactionBehavior};

use crate::id::{GroupId, RealmId, Seq, TokenHash};
use crate::json;
use crate::limits::PROGRESS_STEP;
use crate::name::Name;
use crate::store::links::undeliverable;
use crate::store::transfer::form::{Hex64, HexHash, Moment};
use crate::store::transfer::line::{
    Block, CompletedRequest, Group, Header, Line, Member, Removed, Session, User, VERSION,
};
use crate::store::transfer::{Progress, TransferError};
use crate::store::{StoreError, archive, load};
use crate::time::Time;

use names::Names;

/// Writes all that the store in a directory holds, and gives the number of lines. A server may be running on it; what it
/// commits after the beginning is not written.
///
/// # Errors
/// Where there is no store of this version, or it cannot be read, or `out` written.
pub fn export(directory: &Path, out: &mut dyn Write, progress: &mut dyn FnMut(Progress)) -> Result<u64, TransferError> {
    let mut database = archive::open(directory)?;
    let moment = Transaction::new(&mut database, TransactionBehavior::Deferred)?;
    let (head, time) = load::head(&moment)?;
    let names = Rc::new(Names::of(&moment)?);
    let mut export = Export { moment: &moment, out, line: Vec::new(), count: 0, head, names, progress };
    let time = (head > Seq(0)).then_some(Moment(time));
    export.write(&Header { kabar_export: VERSION, head: head.0, time })?;
    export.users()?;
    export.realms()?;
    export.called()?;
    export.realm_cursors()?;
    export.incarnations()?;
    export.received()?;
    export.refused()?;
    export.groups()?;
    export.members()?;
    export.blocks()?;
    export.remote_blocks()?;
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
    names: Rc<Names>,
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
        let names = self.names.clone();
        self.rows(sql, |_, row| {
            let (group, user) = (name(row, 0)?, name(row, 1)?);
            let group_number = names.group_number(&group, GroupId(row.get(4)?));
            Ok(Line::Member(Member { group, group_number, user, joined: row.get(2)?, left: row.get(3)? }))
        })
    }

    fn blocks(&mut self) -> Result<(), TransferError> {
        let sql = "SELECT users.name, others.name FROM blocks
            JOIN users ON users.id = user_id JOIN users AS others ON others.id = blocked_id
            ORDER BY user_id, blocked_id";
        self.rows(sql, |_, row| {
            Ok(Line::Block(Block { user: name(row, 0)?, blocked: text(row, 1)?, realm_number: None }))
        })
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
        let sql = "SELECT seq, users.name, tag, request, first, time, page, done.refused FROM done
            JOIN users ON users.id = user_id ORDER BY seq";
        self.rows(sql, |_, row| {
            Ok(Line::CompletedRequest(CompletedRequest {
                number: row.get(0)?,
                user: name(row, 1)?,
                tag: hex64(row, 2)?,
                request: hex64(row, 3)?,
                first: row.get(4)?,
                time: Moment(Time(row.get(5)?)),
                page: load::page_read(row, 6)?,
                refused: row.get::<_, Option<u8>>(7)?.map(undeliverable).transpose()?,
            }))
        })
    }

    fn removed(&mut self) -> Result<(), TransferError> {
        let sql = "SELECT upto, removed.owner, users.name, groups.name, realms.name FROM removed
            LEFT JOIN users ON removed.kind = 0 AND users.id = removed.owner
            LEFT JOIN groups ON removed.kind = 1 AND groups.id = removed.owner
            LEFT JOIN realms ON removed.kind = 3 AND realms.id = removed.owner
            ORDER BY removed.kind, removed.owner";
        let names = self.names.clone();
        self.rows(sql, |_, row| {
            let owner = row.get(1)?;
            let (user, group, outbox) = (optional_name(row, 2)?, optional_name(row, 3)?, optional_name(row, 4)?);
            let group_number = group.as_ref().and_then(|group| names.group_number(group, GroupId(owner)));
            let realm_number = outbox.as_ref().and_then(|realm| names.realm_number(realm, RealmId(owner)));
            Ok(Line::Removed(Removed { user, group, group_number, outbox, realm_number, upto: row.get(0)? }))
        })
    }
}

fn live(moment: &Connection, user: u32) -> rusqlite::Result<Vec<(u64, u64)>> {
    let mut statement =
        moment.prepare_cached("SELECT after, upto FROM live_intervals WHERE user_id = ?1 ORDER BY after")?;
    let rows = statement.query_map([user], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
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

/// 64 bits, which the database has with a sign.
fn hex64(row: &Row<'_>, column: usize) -> rusqlite::Result<Hex64> {
    row.get(column).map(|bits: i64| Hex64(bits.cast_unsigned()))
}
