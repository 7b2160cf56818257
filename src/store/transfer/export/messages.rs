//! Lines of messages.

use bytes::Bytes;

use crate::chat::{Destination, Event, Message, MessageBody, MessageFields};
use crate::id::{RealmId, Seq};
use crate::name::{FoldedName, Name};
use crate::store::transfer::TransferError;
use crate::store::transfer::export::{Export, Names};
use crate::store::transfer::line::{GroupNumber, RealmNumber};
use crate::store::{StoreError, record};
use crate::time::Time;

impl Export<'_> {
    /// A message's line is made of its stored bytes.
    pub(super) fn messages(&mut self) -> Result<(), TransferError> {
        let names = self.names.clone();
        let mut statement =
            self.moment.prepare("SELECT seq, time, event, body FROM log WHERE body IS NOT NULL ORDER BY seq")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (seq, time) = (Seq(row.get(0)?), Time(row.get(1)?));
            let body = MessageBody(Bytes::copy_from_slice(row.get_ref(3)?.as_bytes().map_err(rusqlite::Error::from)?));
            let event = record::decode(row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?)?;
            self.line.clear();
            self.line.extend_from_slice(b"{\"message\":");
            body.append_object(&mut self.line, seq, time);
            self.line.pop();
            if let Some(number) = group_number(&event, &body, &names)? {
                self.line.extend_from_slice(format!(",\"group_number\":{number}").as_bytes());
            }
            if let Some(number) = realm_number(&event, &body, &names)? {
                self.line.extend_from_slice(format!(",\"realm_number\":{number}").as_bytes());
            }
            self.line.extend_from_slice(b"}}");
            self.end_line(seq)?;
        }
        Ok(())
    }
}

fn group_number(event: &Event, body: &MessageBody, names: &Names) -> Result<GroupNumber, TransferError> {
    let Event::MessageSent(Message { to: Destination::Group(group), .. }) = event else { return Ok(None) };
    let name = body.read(|parts| Name::parse(&parts.to).ok()).ok().flatten();
    let name = name.ok_or_else(|| StoreError::Damaged("the body of a message".into()))?;
    Ok(names.group_number(&name, *group))
}

/// The home realm has no line, and may have had another name; so may any realm.
fn realm_number(event: &Event, body: &MessageBody, names: &Names) -> Result<RealmNumber, TransferError> {
    let Event::MessageSent(message) = event else { return Ok(None) };
    let Some(realm) = message.realm else { return Ok(None) };
    let named = |parts: MessageFields<'_>| parts.realm.and_then(|name| Some(Name::parse(&name).ok()?.folded()));
    let damaged = |_| StoreError::Damaged("the body of a message".into());
    let key: Option<FoldedName> = body.read(named).map_err(damaged)?;
    let read_as = key.and_then(|key| names.realm(key)).unwrap_or(RealmId::HOME);
    Ok((read_as != realm).then_some(realm.0))
}
