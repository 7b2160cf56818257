//! The dialled side accepts first, so that the user who asked the dialling side for the link can be answered.

use std::net::IpAddr;

use tokio::time::timeout;

use crate::chat::{Command, CommandError, Context, ForwardId, IdempotencyKey, PeerAddress, PeerHello, Realm};
use crate::federation::frame::{CloseReason, Frame, Hello, SourceSeq};
use crate::federation::handshake::error::HandshakeError;
use crate::federation::handshake::framed_stream::FramedStream;
use crate::federation::local_server::LocalServer;
use crate::federation::transport::PeerStream;
use crate::hub::Origin;
use crate::id::{PeerKey, RealmId, UserId};
use crate::limits::{EPOCHS_PER_PEER, LINK_HELLO};
use crate::name::Name;
use crate::time::Time;

/// Why two servers shake hands.
pub(in crate::federation) enum HandshakeKind {
    /// The other server dialled this one.
    Inbound,
    /// This server dialled a realm that it knows.
    Reconnect(RealmId),
    /// This server dialled for a user who links another server.
    AddPeer(LinkRequest),
}

/// What a user asks who links another server.
pub(crate) struct LinkRequest {
    pub(crate) by: UserId,
    pub(crate) name: Name,
    pub(crate) address: PeerAddress,
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    /// If the user asked another node of the cluster.
    pub(crate) forward: Option<ForwardId>,
}

/// The result of a handshake: both servers accepted each other.
pub(in crate::federation) struct Handshaken {
    pub(in crate::federation) stream: FramedStream,
    pub(in crate::federation) realm: RealmId,
    pub(in crate::federation) key: PeerKey,
    /// This server dialled.
    pub(in crate::federation) is_dialler: bool,
    /// For each epoch of this server, the number up to which the other server has everything.
    pub(in crate::federation) heads: Vec<SourceSeq>,
}

pub(in crate::federation) async fn handshake(
    local: &LocalServer,
    peer: PeerStream,
    kind: &HandshakeKind,
) -> Result<Handshaken, HandshakeError> {
    let PeerStream { stream, key, address } = peer;
    let mut stream = FramedStream::new(stream);
    let exchanged = tokio::select! {
        exchanged = timeout(LINK_HELLO, exchange(local, &mut stream, key, address.ip().to_canonical(), kind)) => exchanged,
        () = local.stopping.cancelled() => Ok(Err(HandshakeError::Stopping)),
    };
    match exchanged.unwrap_or(Err(HandshakeError::NoAnswer)) {
        Ok((realm, heads)) => {
            let is_dialler = !matches!(kind, HandshakeKind::Inbound);
            Ok(Handshaken { stream, realm, key, is_dialler, heads })
        }
        Err(error) => {
            abort(stream, error).await;
            Err(error)
        }
    }
}

async fn abort(mut stream: FramedStream, error: HandshakeError) {
    if let Some(reason) = error.close_reason() {
        stream.close(reason).await;
    }
}

async fn exchange(
    local: &LocalServer,
    stream: &mut FramedStream,
    key: PeerKey,
    host: IpAddr,
    kind: &HandshakeKind,
) -> Result<(RealmId, Vec<SourceSeq>), HandshakeError> {
    if key == local.key {
        return Err(HandshakeError::Refused(CommandError::RealmIsThisServer));
    }
    stream.send(&Frame::Hello(hello(local, key, kind))).await?;
    let malformed = HandshakeError::Protocol(CloseReason::Malformed);
    let Frame::Hello(theirs) = stream.receive(true).await? else { return Err(malformed) };
    let port = theirs.port.filter(|port| *port != 0);
    let peer_hello = PeerHello {
        key,
        home: Name::parse(&theirs.home).map_err(|_| malformed)?,
        calls_us: theirs.calls_you.as_deref().and_then(|name| Name::parse(name).ok()),
        address: port.map(|port| PeerAddress { host: host.to_string().into(), port }),
        dialled: match kind {
            HandshakeKind::Reconnect(realm) => Some(*realm),
            HandshakeKind::Inbound | HandshakeKind::AddPeer(_) => None,
        },
        welcome: local.policy.load().accepts_unknown(host),
        counts: (theirs.epoch, theirs.acknowledged),
    };
    if theirs.heads.len() > EPOCHS_PER_PEER {
        return Err(malformed);
    }
    let realm = match kind {
        HandshakeKind::Inbound => {
            let realm = register_peer(local, peer_hello)?;
            stream.send(&Frame::Accepted).await?;
            expect_accepted(stream).await?;
            realm
        }
        HandshakeKind::Reconnect(_) | HandshakeKind::AddPeer(_) => {
            expect_accepted(stream).await?;
            if let HandshakeKind::AddPeer(request) = kind {
                add_peer(local, key, request)?;
            }
            let realm = register_peer(local, peer_hello)?;
            stream.send(&Frame::Accepted).await?;
            realm
        }
    };
    Ok((realm, theirs.heads))
}

fn hello(local: &LocalServer, key: PeerKey, kind: &HandshakeKind) -> Hello {
    let (hello, _) = local.hub.read(|state| {
        let dialled = match kind {
            HandshakeKind::Reconnect(realm) => state.realm(*realm),
            HandshakeKind::Inbound | HandshakeKind::AddPeer(_) => None,
        };
        let known = state.peer_of(&key).map(|(_, realm, _)| realm).or(dialled);
        let name = match kind {
            HandshakeKind::AddPeer(request) => Some(&request.name),
            HandshakeKind::Reconnect(_) | HandshakeKind::Inbound => known.map(|realm| &realm.name),
        };
        let peer = known.and_then(Realm::peer);
        Hello {
            home: state.home().map(|home| home.as_str().into()).unwrap_or_default(),
            calls_you: name.map(|name| name.as_str().into()),
            port: local.policy.load().port,
            epoch: state.epoch(),
            acknowledged: peer.map_or(state.head(), |peer| peer.cursor),
            heads: peer.map(|peer| peer.received.clone()).unwrap_or_default(),
        }
    });
    hello
}

fn add_peer(local: &LocalServer, key: PeerKey, request: &LinkRequest) -> Result<(), HandshakeError> {
    let LinkRequest { by, name, address, idempotency_key, forward } = request;
    let add = Command::AddPeer { name: name.clone(), key: Some(key), address: address.clone() };
    let origin = Origin::new(None, idempotency_key.as_ref()).forwarded(*forward);
    let context = Context::on_behalf_of(*by, Time::now());
    local.hub.execute_for(&context, &add, origin).result.map(drop).map_err(HandshakeError::Refused)
}

fn register_peer(local: &LocalServer, hello: PeerHello) -> Result<RealmId, HandshakeError> {
    let key = hello.key;
    local.hub.execute_as_server(&Command::RegisterPeer(Box::new(hello))).result.map_err(HandshakeError::Refused)?;
    let (known, _) = local.hub.read(|state| state.peer_of(&key).map(|(realm, ..)| realm));
    known.ok_or(HandshakeError::Refused(CommandError::RealmNotFound))
}

async fn expect_accepted(stream: &mut FramedStream) -> Result<(), HandshakeError> {
    match stream.receive(false).await? {
        Frame::Accepted => Ok(()),
        _ => Err(HandshakeError::Protocol(CloseReason::Malformed)),
    }
}
