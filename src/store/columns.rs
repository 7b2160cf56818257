//! Reading rows, and converting column values to the types of the domain.

use std::net::IpAddr;

use rusqlite::{Connection, Row};

use crate::chat::{BanTarget, BounceReason, ConversationId, Network, ReadPage};
use crate::id::{Epoch, GroupId, RealmId, UserId};
use crate::name::Name;
use crate::store::error::StoreError;

pub(super) fn name(row: &Row<'_>, column: usize) -> Result<Name, StoreError> {
    let text: String = row.get(column)?;
    Name::parse(&text).map_err(|_| StoreError::Damaged("a name that is none".into()))
}

pub(super) fn address(row: &Row<'_>, column: usize) -> Result<IpAddr, StoreError> {
    let text: String = row.get(column)?;
    text.parse().map_err(|_| StoreError::Damaged("an address that is none".into()))
}

pub(super) fn epoch(row: &Row<'_>, column: usize) -> Result<Epoch, StoreError> {
    Ok(Epoch(row.get::<_, i64>(column)?.cast_unsigned()))
}

/// The page that a tagged request read.
pub(super) fn read_page(row: &Row<'_>, column: usize) -> Result<Option<ReadPage>, StoreError> {
    let page = row.get::<_, Option<String>>(column)?.map(|page| serde_json::from_str(&page)).transpose();
    page.map_err(|error| StoreError::Damaged(format!("a tagged request: {error}").into()))
}

pub(super) fn bounce_reason(number: u8) -> Result<BounceReason, StoreError> {
    BounceReason::of_number(number).ok_or_else(|| StoreError::Damaged("a refusal of an unknown kind".into()))
}

/// The columns of a conversation: its kind, the number of the user, group or realm, and the name there.
pub(super) fn of_conversation(conversation: &ConversationId) -> (u8, u64, String) {
    match conversation {
        ConversationId::User(user) => (0, user.0, String::new()),
        ConversationId::Group(group) => (1, group.0, String::new()),
        ConversationId::RemoteUser(realm, name) => (2, realm.0, name.to_string()),
        ConversationId::RemoteGroup(realm, name) => (3, realm.0, name.to_string()),
        ConversationId::Broadcast => (4, 0, String::new()),
        ConversationId::Server => (5, 0, String::new()),
    }
}

/// Reads the columns of a conversation, from `first` on.
pub(super) fn conversation(row: &Row<'_>, first: usize) -> Result<ConversationId, StoreError> {
    let number = row.get(first + 1)?;
    Ok(match row.get::<_, u8>(first)? {
        0 => ConversationId::User(UserId(number)),
        1 => ConversationId::Group(GroupId(number)),
        2 => ConversationId::RemoteUser(RealmId(number), name(row, first + 2)?.folded()),
        3 => ConversationId::RemoteGroup(RealmId(number), name(row, first + 2)?.folded()),
        4 => ConversationId::Broadcast,
        5 => ConversationId::Server,
        _ => return Err(StoreError::Damaged("a read mark of an unknown kind".into())),
    })
}

/// The columns of a banned one: its kind, a number, and a name.
pub(super) fn of_ban(target: &BanTarget) -> (u8, u64, String) {
    match target {
        BanTarget::User(user) => (0, user.0, String::new()),
        BanTarget::RemoteUser(realm, name) => (1, realm.0, name.to_string()),
        BanTarget::Network(network) => (2, network.prefix().into(), network.address().to_string()),
        BanTarget::Realm(realm) => (3, realm.0, String::new()),
    }
}

/// Reads the columns of a banned one, from the first on.
pub(super) fn ban(row: &Row<'_>) -> Result<BanTarget, StoreError> {
    let number = row.get(1)?;
    Ok(match row.get::<_, u8>(0)? {
        0 => BanTarget::User(UserId(number)),
        1 => BanTarget::RemoteUser(RealmId(number), name(row, 2)?.folded()),
        2 => BanTarget::Network(Network::of(address(row, 2)?, row.get(1)?)),
        3 => BanTarget::Realm(RealmId(number)),
        _ => return Err(StoreError::Damaged("a ban of an unknown kind".into())),
    })
}

/// Reads rows whose first column counts up from `first` without a gap: the state finds them by their position.
pub(super) fn numbered<T>(
    database: &Connection,
    sql: &str,
    first: usize,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut items = Vec::new();
    for_each_row(database, sql, |row| {
        let number: usize = row.get(0)?;
        if number != first + items.len() {
            return Err(StoreError::Damaged(format!("number {number} is out of place in: {sql}").into()));
        }
        items.push(read(row)?);
        Ok(())
    })?;
    Ok(items)
}

/// Visits the rows of a query without parameters.
pub(super) fn for_each_row(
    database: &Connection,
    sql: &str,
    mut visit: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = database.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        visit(row)?;
    }
    Ok(())
}
