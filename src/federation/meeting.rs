//! How two servers meet on a fresh channel: each says who it is and how far it came, and whether the other is welcome.
//!
//! The one that was dialled says first whether it wants the link, so that whoever asked for it can be told.

use std::net::IpAddr;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::chat::{Command, CommandError, IdempotencyKey, PeerAddress, PeerHello, Realm};
use crate::federation::carrier::{Carried, Stream};
use crate::federation::frame::{self, Frame, Hello, Reason};
use crate::federation::office::Office;
use crate::id::{Incarnation, PeerKey, RealmId, Seq, UserId};
use crate::limits::{INCARNATIONS_PER_PEER, LINK_HELLO};
use crate::name::Name;

/// Why two servers meet.
pub(super) enum Purpose {
    /// The other server has dialled this one.
    Dialled,
    /// The link to a server that is known is to be up again.
    Again(RealmId),
    /// A user wants the other server linked.
    Adding { by: UserId, name: Name, address: PeerAddress, once: Option<IdempotencyKey> },
}

/// Two servers that have met.
pub(super) struct Met {
    pub(super) channel: Channel,
    pub(super) realm: RealmId,
    pub(super) key: PeerKey,
    /// This server has dialled.
    pub(super) is_dialler: bool,
    /// Up to which of this server's numbers the other has everything.
    pub(super) heads: Vec<(Incarnation, Seq)>,
}

/// A channel and what was read from it and not yet made sense of.
pub(super) struct Channel {
    pub(super) stream: Box<dyn Stream>,
    pub(super) input: BytesMut,
}

/// Why two servers that met have no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parting {
    /// This server does not want it.
    Ours(CommandError),
    /// The other server does not want it.
    Theirs(Reason),
    /// The other server said what makes no sense here.
    Nonsense(Reason),
    /// The other server said nothing more.
    Silence,
    /// This server stops.
    Stopping,
}

impl Parting {
    /// What whoever asked for the link is told.
    pub(super) fn error(self) -> CommandError {
        match self {
            Self::Ours(error) => error,
            Self::Theirs(Reason::KeyChanged) => CommandError::RealmKeyChanged,
            Self::Theirs(_) | Self::Nonsense(Reason::Version) => CommandError::RealmRefused,
            Self::Nonsense(_) | Self::Silence | Self::Stopping => CommandError::RealmUnreachable,
        }
    }

    /// What the operator is told.
    pub(super) fn problem(self) -> String {
        match self {
            Self::Ours(CommandError::RealmKeyChanged) => "it shows another key than the one that is known here".into(),
            Self::Ours(error) => format!("this server does not want the link: {}", error.code()),
            Self::Theirs(reason) => format!("the other server ended it: {reason}"),
            Self::Nonsense(reason) => format!("the other server was not understood ({reason:?})"),
            Self::Silence => "the other server said nothing more".into(),
            Self::Stopping => "this server stops".into(),
        }
    }
}

/// Meets the server at the other end of a channel.
pub(super) async fn meet(office: &Office, carried: Carried, purpose: &Purpose) -> Result<Met, Parting> {
    let Carried { stream, key, address } = carried;
    let mut channel = Channel { stream, input: BytesMut::new() };
    let met = tokio::select! {
        met = timeout(LINK_HELLO, talk(office, &mut channel, key, address.ip().to_canonical(), purpose)) => met,
        () = office.stopping().cancelled() => Ok(Err(Parting::Stopping)),
    };
    match met.unwrap_or(Err(Parting::Silence)) {
        Ok((realm, heads)) => {
            let is_dialler = !matches!(purpose, Purpose::Dialled);
            Ok(Met { channel, realm, key, is_dialler, heads })
        }
        Err(parting) => {
            channel.part(parting).await;
            Err(parting)
        }
    }
}

async fn talk(
    office: &Office,
    channel: &mut Channel,
    key: PeerKey,
    host: IpAddr,
    purpose: &Purpose,
) -> Result<(RealmId, Vec<(Incarnation, Seq)>), Parting> {
    if key == office.key() {
        return Err(Parting::Ours(CommandError::RealmIsThisServer));
    }
    channel.say(&Frame::Hello(hello(office, key, purpose))).await?;
    let Frame::Hello(theirs) = channel.hear(true).await? else { return Err(Parting::Nonsense(Reason::Malformed)) };
    let port = theirs.port.filter(|port| *port != 0);
    let meeting = PeerHello {
        key,
        home: Name::parse(&theirs.home).map_err(|_| Parting::Nonsense(Reason::Malformed))?,
        calls_us: theirs.calls_you.as_deref().and_then(|name| Name::parse(name).ok()),
        address: port.map(|port| PeerAddress { host: host.to_string().into(), port }),
        dialled: match purpose {
            Purpose::Again(realm) => Some(*realm),
            Purpose::Dialled | Purpose::Adding { .. } => None,
        },
        welcome: office.welcomes(host),
        counts: (theirs.incarnation, theirs.acknowledged),
    };
    if theirs.heads.len() > INCARNATIONS_PER_PEER {
        return Err(Parting::Nonsense(Reason::Malformed));
    }
    let realm = match purpose {
        Purpose::Dialled => {
            let realm = take_note(office, meeting)?;
            channel.say(&Frame::Welcome).await?;
            channel.hear_welcome().await?;
            realm
        }
        Purpose::Again(_) | Purpose::Adding { .. } => {
            channel.hear_welcome().await?;
            if let Purpose::Adding { by, name, address, once } = purpose {
                let (name, address) = (name.clone(), address.clone());
                let add = Command::AddPeer { by: *by, name, key, address };
                office.hub().execute_once(&add, None, once.as_ref(), None).result.map_err(Parting::Ours)?;
            }
            let realm = take_note(office, meeting)?;
            channel.say(&Frame::Welcome).await?;
            realm
        }
    };
    Ok((realm, theirs.heads))
}

fn hello(office: &Office, key: PeerKey, purpose: &Purpose) -> Hello {
    office
        .hub()
        .read(|state| {
            let dialled = match purpose {
                Purpose::Again(realm) => state.realm(*realm),
                Purpose::Dialled | Purpose::Adding { .. } => None,
            };
            let known = state.peer_of(&key).map(|(_, realm, _)| realm).or(dialled);
            let name = match purpose {
                Purpose::Adding { name, .. } => Some(name),
                Purpose::Again(_) | Purpose::Dialled => known.map(|realm| &realm.name),
            };
            let link = known.and_then(Realm::peer);
            Hello {
                home: state.home().map(|home| home.as_str().into()).unwrap_or_default(),
                calls_you: name.map(|name| name.as_str().into()),
                port: office.port(),
                incarnation: state.incarnation(),
                acknowledged: link.map_or(state.head(), |link| link.cursor),
                heads: link.map(|link| link.received.clone()).unwrap_or_default(),
            }
        })
        .0
}

fn take_note(office: &Office, meeting: PeerHello) -> Result<RealmId, Parting> {
    let key = meeting.key;
    office.hub().execute(&Command::RegisterPeer(meeting), None).result.map_err(Parting::Ours)?;
    let (known, _) = office.hub().read(|state| state.peer_of(&key).map(|(realm, ..)| realm));
    known.ok_or(Parting::Ours(CommandError::RealmNotFound))
}

impl Channel {
    async fn say(&mut self, frame: &Frame) -> Result<(), Parting> {
        let mut out = BytesMut::new();
        frame::write(&mut out, frame).map_err(Parting::Nonsense)?;
        self.stream.write_all(&out).await.map_err(|_| Parting::Silence)?;
        self.stream.flush().await.map_err(|_| Parting::Silence)
    }

    async fn hear(&mut self, expects_hello: bool) -> Result<Frame, Parting> {
        loop {
            match frame::read(&mut self.input, expects_hello).map_err(Parting::Nonsense)? {
                Some(Frame::Bye(reason)) => return Err(Parting::Theirs(reason)),
                Some(frame) => return Ok(frame),
                None => {}
            }
            match self.stream.read_buf(&mut self.input).await {
                Ok(0) | Err(_) => return Err(Parting::Silence),
                Ok(_) => {}
            }
        }
    }

    async fn hear_welcome(&mut self) -> Result<(), Parting> {
        match self.hear(false).await? {
            Frame::Welcome => Ok(()),
            _ => Err(Parting::Nonsense(Reason::Malformed)),
        }
    }

    /// Says why, if the other server still listens.
    async fn part(&mut self, parting: Parting) {
        let reason = match parting {
            Parting::Ours(CommandError::RealmRefused | CommandError::Forbidden) => Reason::NotWelcome,
            Parting::Ours(CommandError::RealmKeyChanged) => Reason::KeyChanged,
            Parting::Ours(CommandError::RealmExists) => Reason::AlreadyLinked,
            Parting::Ours(_) => Reason::NoRoom,
            Parting::Nonsense(reason) => reason,
            Parting::Stopping => Reason::Stopping,
            Parting::Theirs(_) | Parting::Silence => return,
        };
        self.bid_farewell(reason).await;
    }

    /// Ends the channel with a reason, as far as the other server takes it at once.
    pub(super) async fn bid_farewell(&mut self, reason: Reason) {
        let last_words = async {
            self.say(&Frame::Bye(reason)).await?;
            self.stream.shutdown().await.map_err(|_| Parting::Silence)
        };
        // Who does not listen any more misses nothing.
        let _heard = timeout(LINK_HELLO, last_words).await;
    }
}
