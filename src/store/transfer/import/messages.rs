//! Lines of messages.

use std::borrow::Cow;

use rusqlite::params;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::chat::{Author, Body, Destination, Event, Kind, Message, Parts};
use crate::id::{RealmId, Seq};
use crate::store::record;
use crate::store::transfer::import::{Import, Problem, wrong};
use crate::store::transfer::line;
use crate::time::Time;

impl Import<'_> {
    pub(super) fn message(&mut self, line: &line::Message<'_>) -> Result<(), Problem> {
        let seq = self.numbers.message(line.id)?;
        if line.time.0 < self.time {
            return wrong(format!("time: it must not go back behind {}, the message before", self.time));
        }
        if line.msg.is_empty() {
            return wrong("msg: expected a text");
        }
        self.time = line.time.0;
        let (from, sender) = self.names.user(&line.from)?;
        let (to, name, shown) = self.destination(line)?;
        let realm = line.realm.as_deref().map(|name| self.realm_of(line, name)).transpose()?;
        let given = |text: &'_ Option<Cow<'_, str>>, other: &str| text.as_deref().unwrap_or(other).to_owned().into();
        let body = Body::compose(&Parts {
            from: sender.name.as_str().into(),
            to: name.into(),
            msg_from: given(&line.msg_from, sender.shown_name()),
            msg_to: given(&line.msg_to, shown),
            msg: Cow::Borrowed(&line.msg),
            kind: kind(line),
            group: matches!(to, Destination::Group(_)).then_some(name.into()),
            realm: line.realm.as_deref().map(Cow::Borrowed),
        });
        let message = Message { from: Author::Local(from), to, realm, body };
        self.timelines.add(self.database, seq, &message)?;
        self.write_message(seq, line.time.0, message)
    }

    fn write_message(&mut self, seq: Seq, time: Time, message: Message) -> Result<(), Problem> {
        let event = Event::MessageSent(message);
        record::encode(&event, &mut self.event)?;
        let body = record::body(&event).unwrap_or_default();
        self.database
            .prepare_cached("INSERT INTO log (seq, time, event, body) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![seq.0, time.0, self.event, ToSqlOutput::Borrowed(ValueRef::Text(body))])?;
        Ok(())
    }

    /// To whom, with the name and the full name.
    fn destination<'l>(&'l self, line: &line::Message<'_>) -> Result<(Destination, &'l str, &'l str), Problem> {
        match kind(line) {
            Kind::Direct => {
                let (id, user) = self.names.user(&line.to)?;
                Ok((Destination::User(id), user.name.as_str(), user.shown_name()))
            }
            Kind::Group => {
                let (id, name) = self.names.group(&line.to, line.group_number)?;
                Ok((Destination::Group(id), name.as_str(), name.as_str()))
            }
            Kind::Broadcast => Ok((Destination::Everyone, "*", "*")),
        }
    }

    /// A name that has no line is the home realm's.
    fn realm_of(&self, line: &line::Message<'_>, name: &str) -> Result<RealmId, Problem> {
        let by_name = || self.names.realm(name).unwrap_or(RealmId::HOME);
        let realm = line.realm_number.map_or_else(by_name, RealmId);
        if self.names.has_realm(realm) { Ok(realm) } else { wrong("realm_number: no realm has so many before it") }
    }
}

/// What the message is, where it does not say so: by its `group`, or by its `to`.
fn kind(line: &line::Message<'_>) -> Kind {
    let told_by_others = || match (&line.group, &*line.to) {
        (Some(_), _) => Kind::Group,
        (None, "*") => Kind::Broadcast,
        (None, _) => Kind::Direct,
    };
    line.kind.unwrap_or_else(told_by_others)
}
