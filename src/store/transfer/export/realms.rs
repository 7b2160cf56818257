//! Lines of realms and of what is known of other servers.

use crate::id::{PeerKey, RealmId};
use crate::store::links::undeliverable;
use crate::store::transfer::TransferError;
use crate::store::transfer::export::{Export, hex64, name, optional_name};
use crate::store::transfer::form::HexKey;
use crate::store::transfer::line::{Block, Line};
use crate::store::transfer::realm_line::{Called, Incarnation, Realm, RealmCursor, RealmKind, Received, Refused};

impl Export<'_> {
    pub(super) fn realms(&mut self) -> Result<(), TransferError> {
        let sql = "SELECT realms.name, kind, users.name, key, host, port, self_named, realms.cursor FROM realms
            LEFT JOIN users ON users.id = added_by ORDER BY realms.id";
        self.rows(sql, |_, row| {
            Ok(Line::Realm(Realm {
                name: name(row, 0)?,
                kind: RealmKind::of_number(row.get(1)?)?,
                by: optional_name(row, 2)?,
                key: row.get::<_, Option<[u8; 32]>>(3)?.map(|key| HexKey(PeerKey(key))),
                host: row.get(4)?,
                port: row.get(5)?,
                self_named: row.get(6)?,
                cursor: row.get(7)?,
            }))
        })
    }

    /// After all realms: the name that another server has for this one may be newer than that server.
    pub(super) fn called(&mut self) -> Result<(), TransferError> {
        let sql = "SELECT realms.name, realms.id, others.name, others.id FROM realms
            LEFT JOIN realms AS others ON others.id = realms.called
            WHERE realms.kind = 1 AND realms.called IS NOT NULL ORDER BY realms.id";
        let names = self.names.clone();
        self.rows(sql, |_, row| {
            let (by, name) = (name(row, 0)?, optional_name(row, 2)?);
            let by_number = names.realm_number(&by, RealmId(row.get(1)?));
            let number = row.get::<_, Option<u32>>(3)?.map(RealmId);
            let name_number = name.as_ref().zip(number).and_then(|(name, number)| names.realm_number(name, number));
            Ok(Line::Called(Called { by, by_number, name, name_number }))
        })
    }

    pub(super) fn realm_cursors(&mut self) -> Result<(), TransferError> {
        let sql = "SELECT users.name, realms.name, realm_id, realm_cursors.cursor FROM realm_cursors
            JOIN users ON users.id = user_id LEFT JOIN realms ON realms.id = realm_id ORDER BY since";
        let names = self.names.clone();
        self.rows(sql, |_, row| {
            let (realm, number) = (optional_name(row, 1)?, RealmId(row.get(2)?));
            let realm_number = realm.as_ref().and_then(|realm| names.realm_number(realm, number));
            Ok(Line::RealmCursor(RealmCursor { user: name(row, 0)?, realm, realm_number, cursor: row.get(3)? }))
        })
    }

    pub(super) fn incarnations(&mut self) -> Result<(), TransferError> {
        self.rows("SELECT begun, incarnation FROM incarnations ORDER BY begun", |_, row| {
            Ok(Line::Incarnation(Incarnation { begun: row.get(0)?, incarnation: hex64(row, 1)? }))
        })
    }

    pub(super) fn received(&mut self) -> Result<(), TransferError> {
        let sql = "SELECT name, id, incarnation, upto, seq FROM received JOIN realms ON realms.id = realm_id
            ORDER BY realm_id, seq";
        let names = self.names.clone();
        self.rows(sql, |_, row| {
            let (realm, incarnation) = (name(row, 0)?, hex64(row, 2)?);
            let realm_number = names.realm_number(&realm, RealmId(row.get(1)?));
            let (upto, noted) = (row.get(3)?, row.get(4)?);
            Ok(Line::Received(Received { realm, realm_number, incarnation, upto, noted }))
        })
    }

    pub(super) fn refused(&mut self) -> Result<(), TransferError> {
        let sql = "SELECT name, id, incarnation, number, why, seq FROM refused JOIN realms ON realms.id = realm_id
            ORDER BY realm_id, seq, number";
        let names = self.names.clone();
        self.rows(sql, |_, row| {
            let (realm, incarnation) = (name(row, 0)?, hex64(row, 2)?);
            let realm_number = names.realm_number(&realm, RealmId(row.get(1)?));
            let (number, why, noted) = (row.get(3)?, undeliverable(row.get(4)?)?, row.get(5)?);
            Ok(Line::Refused(Refused { realm, realm_number, incarnation, number, why, noted }))
        })
    }

    pub(super) fn remote_blocks(&mut self) -> Result<(), TransferError> {
        let sql = "SELECT users.name, remote_blocks.name, realms.name, realm_id FROM remote_blocks
            JOIN users ON users.id = user_id JOIN realms ON realms.id = realm_id
            ORDER BY user_id, realm_id, remote_blocks.name";
        let names = self.names.clone();
        self.rows(sql, |_, row| {
            let (blocked, realm) = (name(row, 1)?, name(row, 2)?);
            let realm_number = names.realm_number(&realm, RealmId(row.get(3)?));
            let blocked = format!("{blocked}@{realm}").into();
            Ok(Line::Block(Block { user: name(row, 0)?, blocked, realm_number }))
        })
    }
}
