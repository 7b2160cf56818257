//! Imports a message.

use crate::chat::{Author, BodyFields, Destination, EscapedText, Event, Kind, Message, MessageBody};
use crate::id::RealmId;
use crate::limits::LINE_BYTES_MAX;
use crate::name::Name;
use crate::store::dump::import::{Import, LineError, check_profile, has_control_character, wrong};
use crate::store::dump::line;

impl Import {
    /// Whether the domain would accept the message now does not matter: it was accepted then.
    pub(super) fn message(&mut self, line: &line::Message<'_>) -> Result<(), LineError> {
        if line.time.0 < self.time {
            return wrong(format!("time: it must not go back behind {}, the message before", self.time));
        }
        if line.text.trim().is_empty() || line.text.len() > LINE_BYTES_MAX || has_control_character(&line.text) {
            return wrong(format!(
                "text: expected 1-{LINE_BYTES_MAX} bytes without line breaks and control characters"
            ));
        }
        check_profile("msg_from", line.msg_from.as_deref().unwrap_or_default())?;
        self.time = line.time.0;
        let from = self.author(&line.from)?;
        let to = self.destination(line)?;
        let realm = match (&from, &to) {
            (Author::Local(_), Destination::RemoteUser(other) | Destination::RemoteGroup(other))
            | (Author::Remote(other), Destination::User(_) | Destination::Group(_)) => Some(other.realm),
            (Author::Local(_), _) | (Author::Server, Destination::User(_) | Destination::Everyone) => None,
            _ => return wrong("expected a user of this server as the author, or as the receiver, or a group of it"),
        };
        let body = self.body(line, &from, &to, realm);
        let left = to.remote_realm();
        self.append(Event::MessageSent(Message { from, to, realm, body }))?;
        self.counts.messages += 1;
        // The other server has it: it must not be sent again.
        let sent = left.map(|realm| Event::OutboxAcknowledged { realm, upto: self.state.head(), refused: Vec::new() });
        sent.map_or(Ok(()), |sent| self.append(sent))
    }

    fn author(&mut self, from: &str) -> Result<Author, LineError> {
        match from.split_once('@') {
            None => Ok(Author::Local(self.user_named("from", from)?)),
            Some(("realm", place)) if Name::parse(place).is_ok() => Ok(Author::Server),
            Some(_) => Ok(Author::Remote(self.remote("from", from)?)),
        }
    }

    fn destination(&mut self, line: &line::Message<'_>) -> Result<Destination, LineError> {
        Ok(match (line.to.as_deref(), line.group.as_deref()) {
            (Some("*"), None) => Destination::Everyone,
            (Some(to), None) if to.contains('@') => Destination::RemoteUser(self.remote("to", to)?),
            (Some(to), None) => Destination::User(self.user_named("to", to)?),
            (None, Some(group)) if group.contains('@') => Destination::RemoteGroup(self.remote("group", group)?),
            (None, Some(group)) => Destination::Group(self.group_named(group)?),
            _ => return wrong("expected either to or group"),
        })
    }

    fn body(&self, line: &line::Message<'_>, from: &Author, to: &Destination, realm: Option<RealmId>) -> MessageBody {
        let user = |id| self.state.user(id).map_or(("", ""), |user| (user.name.as_str(), user.shown_name()));
        let (from, shown) = match from {
            Author::Local(id) => user(*id),
            Author::Remote(remote) => (&*line.from, remote.name.as_str()),
            Author::Server => (&*line.from, &*line.from),
        };
        let address = line.to.as_deref().or(line.group.as_deref()).unwrap_or_default();
        let (kind, to, msg_to) = match to {
            Destination::User(id) => (Kind::Direct, user(*id).0, user(*id).1),
            Destination::RemoteUser(remote) => (Kind::Direct, address, remote.name.as_str()),
            Destination::Group(id) => {
                let name = self.state.group(*id).map_or("", |group| group.name.as_str());
                (Kind::Group, name, name)
            }
            Destination::RemoteGroup(remote) => (Kind::Group, address, remote.name.as_str()),
            Destination::Everyone => (Kind::Broadcast, "*", "*"),
        };
        let realm = realm.and_then(|id| self.state.realm(id)).map(|realm| realm.name.as_str());
        MessageBody::compose(&BodyFields {
            msg_from: line.msg_from.as_deref().unwrap_or(shown),
            msg_to,
            msg: &EscapedText::new(&line.text),
            from,
            to,
            kind,
            realm,
        })
    }
}
