//! What the tests of the domain share: a log that grows by what people want.

use std::net::IpAddr;

use crate::chat::accounts::PasswordHash;
use crate::chat::command::{Command, NewSession};
use crate::chat::decide::decide;
use crate::chat::error::{BounceReason, CommandError};
use crate::chat::event::{Event, Record};
use crate::chat::inbox::TimelineQuery;
use crate::chat::message::{Message, MessageBody};
use crate::chat::peer::{Peer, PeerAddress};
use crate::chat::remote::RemoteMessage;
use crate::chat::state::State;
use crate::id::{Incarnation, PeerKey, RealmId, Seq, SessionId, TokenHash, UserId};
use crate::name::{Address, Name};
use crate::time::Time;

pub(super) const MESSI: UserId = UserId(0);
pub(super) const PAFF: UserId = UserId(1);
pub(super) const NEKO: UserId = UserId(2);

pub(super) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(super) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub(super) fn hash(text: &str) -> PasswordHash {
    PasswordHash(text.into())
}

/// The key of a server: all its bytes are the same.
pub(super) fn key(byte: u8) -> PeerKey {
    PeerKey([byte; 32])
}

/// A chat port of this machine.
pub(super) fn at(port: u16) -> PeerAddress {
    PeerAddress { host: "127.0.0.1".into(), port }
}

pub(super) fn text(body: &MessageBody) -> String {
    body.read(|parts| parts.msg.into_owned()).unwrap()
}

/// A message from a user of another server to a user.
pub(super) fn remote_message(number: u64, from: &str, to: &str) -> (Seq, Result<RemoteMessage, BounceReason>) {
    let text = format!("{number}").into();
    (Seq(number), Ok(RemoteMessage { from: name(from), full_name: "".into(), to: name(to), to_group: false, text }))
}

/// A message from a user of another server to a group.
pub(super) fn remote_group_message(number: u64, from: &str, to: &str) -> (Seq, Result<RemoteMessage, BounceReason>) {
    let (number, message) = remote_message(number, from, to);
    (number, message.map(|message| RemoteMessage { to_group: true, ..message }))
}

/// A server at which messi, paff and neko have registered, each with the password `old`, and the group `fans`, which
/// messi made and all three are in.
pub(super) struct World {
    pub(super) state: State,
    log: Vec<Record>,
}

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self { state: State::new(name("local")), log: Vec::new() };
        for user in ["messi", "paff", "neko"] {
            let register = Command::Register {
                name: name(user),
                full_name: "".into(),
                country: "".into(),
                password: hash("old"),
                session: None,
            };
            world.does(&register);
        }
        world.does(&Command::CreateGroup { owner: MESSI, name: name("fans"), password: None });
        world.does(&Command::JoinGroup { user: PAFF, group: name("fans"), verified: None });
        world.does(&Command::JoinGroup { user: NEKO, group: name("fans"), verified: None });
        world
    }

    pub(super) fn wants(&self, command: &Command) -> Result<Vec<Event>, CommandError> {
        decide(&self.state, Time(0), command)
    }

    #[track_caller]
    pub(super) fn refuses(&self, command: &Command, error: CommandError) {
        assert_eq!(self.wants(command), Err(error), "{command:?}");
    }

    /// Lets the command happen; gives the events that it came to.
    #[track_caller]
    pub(super) fn does(&mut self, command: &Command) -> Vec<Event> {
        let events = self.wants(command).unwrap();
        events.iter().for_each(|event| self.happens(event));
        events
    }

    pub(super) fn happens(&mut self, event: &Event) {
        let record = Record { seq: self.state.head().next(), time: Time(0), event: event.clone() };
        self.state.apply(&record);
        self.log.push(record);
    }

    /// The texts that a view shows of the log, in order.
    pub(super) fn shows(&self, view: &TimelineQuery) -> Vec<String> {
        let said = |record: &Record| match &record.event {
            Event::MessageSent(message) if is_shown(view, record.seq, message) => Some(text(&message.body)),
            _ => None,
        };
        self.log.iter().filter_map(said).collect()
    }

    pub(super) fn logs_in(&mut self, user: UserId) -> SessionId {
        let token = TokenHash([u8::try_from(self.state.head().0).unwrap(); 32]);
        let session = NewSession { token, ephemeral: false, origin: IpAddr::from([127, 0, 0, 1]) };
        self.does(&Command::OpenSession { user, verified: hash("old"), session });
        SessionId(self.state.head().0)
    }

    pub(super) fn members(&self, group: &str) -> Vec<UserId> {
        let group = self.state.group_named(&name(group));
        group.map_or(Vec::new(), |(_, group)| group.members.to_vec())
    }

    /// Links another server, of that key, as messi wishes.
    #[track_caller]
    pub(super) fn links(&mut self, realm: &str, byte: u8) -> RealmId {
        let (name, address) = (name(realm), at(u16::from(byte)));
        self.does(&Command::AddPeer { by: MESSI, name, key: key(byte), address });
        self.realm(realm)
    }

    #[track_caller]
    pub(super) fn realm(&self, realm: &str) -> RealmId {
        self.state.realm_named(&name(realm)).unwrap().0
    }

    #[track_caller]
    pub(super) fn peer(&self, realm: &str) -> &Peer {
        self.state.peer(self.realm(realm)).unwrap()
    }

    /// Takes in what another server sends in its incarnation 5.
    #[track_caller]
    pub(super) fn receives(
        &mut self,
        realm: RealmId,
        messages: impl Into<Vec<(Seq, Result<RemoteMessage, BounceReason>)>>,
    ) -> Vec<Event> {
        self.does(&Command::Receive { realm, incarnation: Incarnation(5), messages: messages.into() })
    }

    /// Sends to one user; gives the message's number.
    #[track_caller]
    pub(super) fn sends(&mut self, from: UserId, to: &str, text: &str) -> Seq {
        self.does(&Command::SendDirect { from, to: address(to), text: text.into(), online: None });
        self.state.head()
    }
}

fn is_shown(view: &TimelineQuery, seq: Seq, message: &Message) -> bool {
    message.placements(seq).any(|(timeline, entry)| {
        let spans = view.spans.iter().filter(|span| span.timeline == timeline);
        let is_in_view = spans.into_iter().any(|span| span.after < seq && seq <= span.upto);
        is_in_view && view.matches_entry(timeline, &entry) && view.matches_body(timeline, &entry, &message.body)
    })
}
