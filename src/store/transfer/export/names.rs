//! What a name alone is read as: the newest thing of that name.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::id::{GroupId, RealmId};
use crate::name::{FoldedName, Name};
use crate::store::transfer::TransferError;
use crate::store::transfer::export::name;
use crate::store::transfer::line::{GroupNumber, RealmNumber};

pub(super) struct Names {
    groups: HashMap<FoldedName, u32>,
    realms: HashMap<FoldedName, u32>,
}

impl Names {
    pub(super) fn of(moment: &Connection) -> Result<Self, TransferError> {
        let groups = by_name(moment, "SELECT id, name FROM groups ORDER BY id")?;
        let realms = by_name(moment, "SELECT id, name FROM realms ORDER BY id")?;
        Ok(Self { groups, realms })
    }

    /// The place of a group's line, where its name alone would be read as another: that of a deleted one is free.
    pub(super) fn group_number(&self, name: &Name, GroupId(group): GroupId) -> GroupNumber {
        (self.groups.get(&name.folded()) != Some(&group)).then_some(group + 1)
    }

    /// The place of a realm's line, likewise.
    pub(super) fn realm_number(&self, name: &Name, RealmId(realm): RealmId) -> RealmNumber {
        (self.realms.get(&name.folded()) != Some(&realm)).then_some(realm)
    }

    pub(super) fn realm(&self, name: FoldedName) -> Option<RealmId> {
        self.realms.get(&name).copied().map(RealmId)
    }
}

fn by_name(moment: &Connection, sql: &str) -> Result<HashMap<FoldedName, u32>, TransferError> {
    let mut statement = moment.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut named = HashMap::new();
    while let Some(row) = rows.next()? {
        named.insert(name(row, 1)?.folded(), row.get(0)?);
    }
    Ok(named)
}
