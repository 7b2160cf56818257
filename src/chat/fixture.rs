//! The fixture that the tests of the domain share: a log that grows by commands.

use std::net::IpAddr;

use crate::chat::command::{Command, decide};
use crate::chat::error::{BounceReason, CommandError};
use crate::chat::event::{Event, Record};
use crate::chat::model::body::MessageBody;
use crate::chat::model::message::Message;
use crate::chat::model::peer::{Peer, PeerAddress};
use crate::chat::model::remote_message::RemoteMessage;
use crate::chat::model::session::NewSession;
use crate::chat::model::user::PasswordHash;
use crate::chat::rules::context::Context;
use crate::chat::state::State;
use crate::chat::views::inbox::TimelineQuery;
use crate::id::{Epoch, PeerKey, RealmId, Seq, SessionId, TokenHash, UserId};
use crate::name::{Address, Name};
use crate::time::Time;

pub(in crate::chat) const MESSI: UserId = UserId(0);
pub(in crate::chat) const PAFF: UserId = UserId(1);
pub(in crate::chat) const NEKO: UserId = UserId(2);

pub(in crate::chat) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(in crate::chat) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub(in crate::chat) fn hash(text: &str) -> PasswordHash {
    PasswordHash(text.into())
}

/// The key of a server: all its bytes are the same.
pub(in crate::chat) fn key(byte: u8) -> PeerKey {
    PeerKey([byte; 32])
}

/// A chat port of this machine.
pub(in crate::chat) fn at(port: u16) -> PeerAddress {
    PeerAddress { host: "127.0.0.1".into(), port }
}

pub(in crate::chat) fn text(body: &MessageBody) -> String {
    body.fields().unwrap().msg.into_owned()
}

/// A message from a user of another server to a user here.
pub(in crate::chat) fn remote_message(number: u64, from: &str, to: &str) -> (Seq, Result<RemoteMessage, BounceReason>) {
    let text = format!("{number}").into();
    (Seq(number), Ok(RemoteMessage { from: name(from), full_name: "".into(), to: name(to), to_group: false, text }))
}

/// A message from a user of another server to a group here.
pub(in crate::chat) fn remote_group_message(
    number: u64,
    from: &str,
    to: &str,
) -> (Seq, Result<RemoteMessage, BounceReason>) {
    let (number, message) = remote_message(number, from, to);
    (number, message.map(|message| RemoteMessage { to_group: true, ..message }))
}

/// A server at which messi, paff and neko have registered, each with the password `old`, with the group `fans`, which
/// messi created and all three are in.
pub(in crate::chat) struct Fixture {
    pub(in crate::chat) state: State,
    log: Vec<Record>,
}

impl Fixture {
    pub(in crate::chat) fn new() -> Self {
        let mut fixture = Self { state: State::new(name("local")), log: Vec::new() };
        for user in ["messi", "paff", "neko"] {
            let register = Command::Register {
                name: name(user),
                full_name: "".into(),
                country: "".into(),
                password: hash("old"),
                session: None,
                invite: None,
            };
            fixture.server_does(&register);
        }
        fixture.does(MESSI, &Command::CreateGroup { name: name("fans"), password: None });
        fixture.does(PAFF, &Command::JoinGroup { group: name("fans"), verified: None });
        fixture.does(NEKO, &Command::JoinGroup { group: name("fans"), verified: None });
        fixture
    }

    /// Decides a command of a user.
    pub(in crate::chat) fn decide(&self, user: UserId, command: &Command) -> Result<Vec<Event>, CommandError> {
        self.decide_in(&Context::on_behalf_of(user, Time(0)), command)
    }

    /// Decides a command of the server itself.
    pub(in crate::chat) fn server_decides(&self, command: &Command) -> Result<Vec<Event>, CommandError> {
        self.decide_in(&Context::server(Time(0)), command)
    }

    /// Decides a command of a session, or under a policy.
    pub(in crate::chat) fn decide_in(
        &self,
        context: &Context<'_>,
        command: &Command,
    ) -> Result<Vec<Event>, CommandError> {
        decide(&self.state, context, command)
    }

    #[track_caller]
    pub(in crate::chat) fn refuses(&self, user: UserId, command: &Command, error: CommandError) {
        assert_eq!(self.decide(user, command), Err(error), "{command:?}");
    }

    #[track_caller]
    pub(in crate::chat) fn server_refuses(&self, command: &Command, error: CommandError) {
        assert_eq!(self.server_decides(command), Err(error), "{command:?}");
    }

    /// Executes a command of a user; returns its events.
    #[track_caller]
    pub(in crate::chat) fn does(&mut self, user: UserId, command: &Command) -> Vec<Event> {
        self.does_in(&Context::on_behalf_of(user, Time(0)), command)
    }

    /// Executes a command of the server itself; returns its events.
    #[track_caller]
    pub(in crate::chat) fn server_does(&mut self, command: &Command) -> Vec<Event> {
        self.does_in(&Context::server(Time(0)), command)
    }

    /// Executes a command of a session, or under a policy; returns its events.
    #[track_caller]
    pub(in crate::chat) fn does_in(&mut self, context: &Context<'_>, command: &Command) -> Vec<Event> {
        let events = self.decide_in(context, command).unwrap();
        events.iter().for_each(|event| self.happens(event));
        events
    }

    pub(in crate::chat) fn happens(&mut self, event: &Event) {
        let record = Record { seq: self.state.head().next(), time: Time(0), event: event.clone() };
        self.state.apply(&record);
        self.log.push(record);
    }

    /// The texts that a view shows of the log, in order.
    pub(in crate::chat) fn shows(&self, view: &TimelineQuery) -> Vec<String> {
        let said = |record: &Record| match &record.event {
            Event::MessageSent(message) if is_shown(view, record.seq, message) => Some(text(&message.body)),
            _ => None,
        };
        self.log.iter().filter_map(said).collect()
    }

    pub(in crate::chat) fn logs_in(&mut self, user: UserId) -> SessionId {
        let token = TokenHash([u8::try_from(self.state.head().0).unwrap(); 32]);
        let session = NewSession { token, ephemeral: false, origin: IpAddr::from([127, 0, 0, 1]) };
        self.server_does(&Command::OpenSession { user, verified: hash("old"), session, uses: Vec::new() });
        SessionId(self.state.head().0)
    }

    pub(in crate::chat) fn members(&self, group: &str) -> Vec<UserId> {
        let group = self.state.group_named(&name(group));
        group.map_or(Vec::new(), |(_, group)| group.members.to_vec())
    }

    /// Links another server, of that key, for messi.
    #[track_caller]
    pub(in crate::chat) fn links(&mut self, realm: &str, byte: u8) -> RealmId {
        let (name, address) = (name(realm), at(u16::from(byte)));
        self.does(MESSI, &Command::AddPeer { name, key: Some(key(byte)), address });
        self.realm(realm)
    }

    #[track_caller]
    pub(in crate::chat) fn realm(&self, realm: &str) -> RealmId {
        self.state.realm_named(&name(realm)).unwrap().0
    }

    #[track_caller]
    pub(in crate::chat) fn peer(&self, realm: &str) -> &Peer {
        self.state.peer(self.realm(realm)).unwrap()
    }

    /// Receives messages of another server in its epoch 5.
    #[track_caller]
    pub(in crate::chat) fn receives(
        &mut self,
        realm: RealmId,
        messages: impl Into<Vec<(Seq, Result<RemoteMessage, BounceReason>)>>,
    ) -> Vec<Event> {
        self.server_does(&Command::Receive { realm, epoch: Epoch(5), messages: messages.into() })
    }

    /// Sends to one user; returns the message's number.
    #[track_caller]
    pub(in crate::chat) fn sends(&mut self, from: UserId, to: &str, text: &str) -> Seq {
        self.does(from, &Command::SendDirect { to: address(to), text: text.into() });
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
