//! Lines of messages.

use std::borrow::Cow;

use rusqlite::params;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::chat::{Author, Destination, Event, Kind, Message, MessageBody, MessageFields, RemoteName};
use crate::id::{RealmId, Seq};
use crate::name::Name;
use crate::store::record;
use crate::store::transfer::import::names::Person;
use crate::store::transfer::import::{Import, Problem, wrong};
use crate::store::transfer::line;
use crate::store::transfer::realm_line::RealmKind;
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
        let realm = line.realm.as_deref().map(|name| self.realm_of(line, name)).transpose()?;
        let (from, sender) = self.sender(line, realm)?;
        let (to, receiver) = self.receiver(line, realm)?;
        check_ends(&from, &to)?;
        let kind = kind(line);
        let body = MessageBody::compose(&MessageFields {
            from: sender.address.into(),
            to: receiver.address.into(),
            msg_from: line.msg_from.as_deref().unwrap_or(sender.shown).into(),
            msg_to: line.msg_to.as_deref().unwrap_or(receiver.shown).into(),
            msg: Cow::Borrowed(&line.msg),
            kind,
            group: (kind == Kind::Group).then_some(receiver.name.into()),
            realm: line.realm.as_deref().map(Cow::Borrowed),
        });
        let message = Message { from, to, realm, body };
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

    fn sender<'l>(
        &'l self,
        line: &'l line::Message<'_>,
        realm: Option<RealmId>,
    ) -> Result<(Author, Said<'l>), Problem> {
        let Some((name, place)) = line.from.split_once('@') else {
            let (id, user) = self.names.user(&line.from)?;
            return Ok((Author::Local(id), Said::of(user)));
        };
        let said = Said { address: &line.from, name, shown: name };
        if name == "realm" && Name::parse(place).is_ok() {
            return Ok((Author::Server, Said { shown: &line.from, ..said }));
        }
        Ok((Author::Remote(self.remote("from", name, place, line, realm)?), said))
    }

    fn receiver<'l>(
        &'l self,
        line: &'l line::Message<'_>,
        realm: Option<RealmId>,
    ) -> Result<(Destination, Said<'l>), Problem> {
        let kind = kind(line);
        if let Some((name, place)) = line.to.split_once('@') {
            let remote = self.remote("to", name, place, line, realm)?;
            let to =
                if kind == Kind::Group { Destination::RemoteGroup(remote) } else { Destination::RemoteUser(remote) };
            return Ok((to, Said { address: &line.to, name, shown: name }));
        }
        match kind {
            Kind::Direct => {
                let (id, user) = self.names.user(&line.to)?;
                Ok((Destination::User(id), Said::of(user)))
            }
            Kind::Group => {
                let (id, name) = self.names.group(&line.to, line.group_number)?;
                Ok((Destination::Group(id), Said::alone(name.as_str())))
            }
            Kind::Broadcast => Ok((Destination::Everyone, Said::alone("*"))),
        }
    }

    /// Somebody of the message's realm, which must be another server or have been one.
    fn remote(
        &self,
        field: &str,
        name: &str,
        place: &str,
        line: &line::Message<'_>,
        realm: Option<RealmId>,
    ) -> Result<RemoteName, Problem> {
        let name = Name::parse(name).map_err(|expected| Problem::Line(format!("{field}: {expected}")))?;
        let is_the_realm = line.realm.as_deref().is_some_and(|realm| realm.eq_ignore_ascii_case(place));
        let elsewhere = |realm: &RealmId| self.names.kind_of(*realm).is_some_and(RealmKind::is_elsewhere);
        match realm.filter(elsewhere) {
            Some(realm) if is_the_realm => Ok(RemoteName { realm, name }),
            _ => wrong(format!("{field}: expected somebody of another server, which `realm` names")),
        }
    }

    /// A name that has no line is the home realm's.
    fn realm_of(&self, line: &line::Message<'_>, name: &str) -> Result<RealmId, Problem> {
        let by_name = || self.names.realm(name, None).map_or(RealmId::HOME, |(realm, _)| realm);
        let realm = line.realm_number.map_or_else(by_name, RealmId);
        if self.names.kind_of(realm).is_some() {
            Ok(realm)
        } else {
            wrong("realm_number: no realm has so many before it")
        }
    }
}

/// How a message names one of its ends.
struct Said<'l> {
    /// With the realm, where that is another server.
    address: &'l str,
    name: &'l str,
    /// The full name, where the message does not tell another.
    shown: &'l str,
}

impl<'l> Said<'l> {
    fn of(user: &'l Person) -> Self {
        Self { shown: user.shown_name(), ..Self::alone(user.name.as_str()) }
    }

    fn alone(name: &'l str) -> Self {
        Self { address: name, name, shown: name }
    }
}

/// Whoever is not a user here says nothing to other realms, nor to everyone.
fn check_ends(from: &Author, to: &Destination) -> Result<(), Problem> {
    match (from, to) {
        (Author::Local(_), _)
        | (Author::Remote(_), Destination::User(_) | Destination::Group(_))
        | (Author::Server, Destination::User(_)) => Ok(()),
        _ => wrong("to: expected a user of this server, or a group if it is from a user of another"),
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
