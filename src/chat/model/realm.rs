//! Realms: the names that servers answer to (PROTOCOL §6).

use crate::chat::model::peer::Peer;
use crate::id::{PeerKey, RealmId, UserId};
use crate::name::Name;

/// A realm that this server knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm {
    pub name: Name,
    /// The user who added it; `None` for the configuration, or a server that dialled in by itself.
    pub by: Option<UserId>,
    pub kind: RealmKind,
}

/// The meaning of a realm's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RealmKind {
    /// This server: the home realm, or a further name of it.
    Own,
    /// Another server.
    Peer(Box<Peer>),
    /// This server, as another one calls it: a name to read its messages by, and nothing else.
    Alias,
    /// Removed. The number is never used again, and the server of that key cannot come back by itself.
    Removed(Option<PeerKey>),
}

/// The route of messages to an address.
pub enum Route<'a> {
    /// To this server, by one of its names if one was given.
    Local(Option<(RealmId, &'a str)>),
    /// To another server.
    Remote(RealmId, &'a Realm, &'a Peer),
}

impl Realm {
    /// Whether the realm counts towards [`MAX_REALMS`](crate::limits::MAX_REALMS): what users added and other servers
    /// brought, not what the configuration states.
    #[must_use]
    pub fn takes_place(&self) -> bool {
        match &self.kind {
            RealmKind::Own | RealmKind::Alias => true,
            RealmKind::Peer(peer) => self.by.is_some() || peer.info.self_named,
            RealmKind::Removed(_) => false,
        }
    }

    /// The other server, if the realm is one.
    #[must_use]
    pub fn peer(&self) -> Option<&Peer> {
        match &self.kind {
            RealmKind::Peer(peer) => Some(peer),
            RealmKind::Own | RealmKind::Alias | RealmKind::Removed(_) => None,
        }
    }
}
