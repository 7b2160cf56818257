//! Lines of realms and of what is known of other servers.

use rusqlite::params;

use crate::id::{RealmId, UserId};
use crate::limits::{HOST_BYTES, INCARNATIONS_PER_PEER};
use crate::name::Name;
use crate::store::transfer::import::numbers::Numbers;
use crate::store::transfer::import::{Import, Problem, wrong};
use crate::store::transfer::line::RealmNumber;
use crate::store::transfer::realm_line::{Called, Incarnation, Realm, RealmCursor, RealmKind, Received, Refused};

impl Import<'_> {
    pub(super) fn realm(&mut self, line: &Realm) -> Result<(), Problem> {
        check(line)?;
        let by = line.by.as_ref().map(|by| self.names.user(by.as_str())).transpose()?;
        let by = by.map(|(UserId(by), _)| by);
        let cursor = self.numbers.known("cursor", line.cursor)?;
        let RealmId(id) = self.names.add_realm(&line.name, line.kind)?;
        let key = line.key.map(|key| key.0);
        if line.kind == RealmKind::Server && key.is_some_and(|key| !self.keys.insert(key)) {
            return wrong("key: an earlier line has the same");
        }
        self.database
            .prepare_cached(
                "INSERT INTO realms (id, name, kind, added_by, key, host, port, self_named, cursor)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                id,
                line.name.as_str(),
                line.kind.number(),
                by,
                key.map(|key| key.0),
                line.host,
                line.port,
                line.self_named,
                cursor
            ])?;
        Ok(())
    }

    pub(super) fn called(&mut self, line: &Called) -> Result<(), Problem> {
        let RealmId(by) = self.server(&line.by, line.by_number)?;
        let RealmId(called) = self.realm_or_home(line.name.as_ref(), line.name_number)?;
        let changed = self
            .database
            .prepare_cached("UPDATE realms SET called = ?2 WHERE id = ?1 AND called IS NULL")?
            .execute(params![by, called])?;
        if changed == 0 {
            wrong(format!("called: an earlier line tells what {} calls this server", line.by))
        } else {
            Ok(())
        }
    }

    pub(super) fn realm_cursor(&mut self, line: &RealmCursor) -> Result<(), Problem> {
        let (UserId(user), _) = self.names.user(line.user.as_str())?;
        let RealmId(realm) = self.realm_or_home(line.realm.as_ref(), line.realm_number)?;
        let cursor = self.numbers.known("cursor", line.cursor)?;
        let since = self.numbers.realm_cursor();
        self.database
            .prepare_cached("INSERT INTO realm_cursors (since, user_id, realm_id, cursor) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![since, user, realm, cursor])?;
        Ok(())
    }

    pub(super) fn incarnation(&mut self, line: &Incarnation) -> Result<(), Problem> {
        let begun = self.numbers.known("begun", line.begun)?;
        self.database
            .prepare_cached("INSERT INTO incarnations (begun, incarnation) VALUES (?1, ?2)")?
            .execute(params![begun, line.incarnation.0.cast_signed()])?;
        Ok(())
    }

    pub(super) fn received(&mut self, line: &Received) -> Result<(), Problem> {
        let realm = self.server(&line.realm, line.realm_number)?;
        let upto = Numbers::foreign("upto", line.upto)?;
        let noted = self.numbers.known("noted", line.noted)?;
        let of_realm = self.received.entry(realm).or_default();
        of_realm.insert(line.incarnation.0, upto);
        if of_realm.len() > INCARNATIONS_PER_PEER {
            return wrong(format!("received: expected at most {INCARNATIONS_PER_PEER} lines of a realm"));
        }
        self.database
            .prepare_cached("INSERT INTO received (realm_id, incarnation, upto, seq) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![realm.0, line.incarnation.0.cast_signed(), upto, noted])?;
        Ok(())
    }

    pub(super) fn refused(&mut self, line: &Refused) -> Result<(), Problem> {
        let realm = self.server(&line.realm, line.realm_number)?;
        let noted = self.numbers.known("noted", line.noted)?;
        let upto = self.received.get(&realm).and_then(|of_realm| of_realm.get(&line.incarnation.0));
        if upto.is_none_or(|upto| line.number > *upto) {
            return wrong("number: no line before this one says that so much was received");
        }
        self.database
            .prepare_cached(
                "INSERT INTO refused (realm_id, incarnation, number, why, seq) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![realm.0, line.incarnation.0.cast_signed(), line.number, line.why.number(), noted])?;
        Ok(())
    }

    pub(super) fn remote_block(&mut self, user: u32, name: &str, RealmId(realm): RealmId) -> Result<(), Problem> {
        let name = Name::parse(name).map_err(|expected| Problem::Line(format!("blocked: {expected}")))?;
        self.database
            .prepare_cached("INSERT OR IGNORE INTO remote_blocks (user_id, realm_id, name) VALUES (?1, ?2, ?3)")?
            .execute(params![user, realm, name.folded().to_string()])?;
        Ok(())
    }

    /// The realm, which must be another server or have been one.
    pub(super) fn elsewhere(&self, name: &str, number: RealmNumber) -> Result<RealmId, Problem> {
        let (realm, kind) = self.names.realm(name, number)?;
        if kind.is_elsewhere() {
            Ok(realm)
        } else {
            wrong(format!("{name} is a name of this server; expected another"))
        }
    }

    /// The realm, which must be another server.
    fn server(&self, name: &Name, number: RealmNumber) -> Result<RealmId, Problem> {
        let (realm, kind) = self.names.realm(name.as_str(), number)?;
        if kind == RealmKind::Server { Ok(realm) } else { wrong(format!("{name} is no server by its line")) }
    }

    fn realm_or_home(&self, name: Option<&Name>, number: RealmNumber) -> Result<RealmId, Problem> {
        let Some(name) = name else { return Ok(RealmId::HOME) };
        self.names.realm(name.as_str(), number).map(|(realm, _)| realm)
    }
}

fn check(line: &Realm) -> Result<(), Problem> {
    if line.key.is_some() && !line.kind.is_elsewhere() {
        return wrong("key: expected only of a server or a removed realm");
    }
    let has_more = line.host.is_some() || line.port.is_some() || line.self_named || line.cursor > 0;
    if has_more && line.kind != RealmKind::Server {
        return wrong("host, port, self_named, cursor: expected only of a server");
    }
    if line.host.is_some() != line.port.is_some() {
        return wrong("host, port: expected both or none");
    }
    let is_host = |host: &str| {
        let unfit = |character: char| character.is_control() || character.is_whitespace();
        (1..=HOST_BYTES).contains(&host.len()) && !host.contains(unfit)
    };
    if !line.host.as_deref().is_none_or(is_host) {
        return wrong(format!("host: expected a name or an address of at most {HOST_BYTES} bytes"));
    }
    Ok(())
}
