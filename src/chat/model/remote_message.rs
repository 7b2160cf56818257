//! Messages from an authenticated server (PROTOCOL §6).

use serde::{Deserialize, Serialize};

use crate::chat::error::BounceReason;
use crate::chat::model::peer::PeerAddress;
use crate::id::{Epoch, PeerKey, RealmId, Seq};
use crate::name::Name;

/// A message as it comes from another server. Its sender is a user there, whatever else it claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteMessage {
    /// The sender's name there.
    pub from: Name,
    /// The sender's full name; may be empty.
    pub full_name: Box<str>,
    /// The recipient here: a user or a group.
    pub to: Name,
    pub to_group: bool,
    pub text: Box<str>,
}

/// A message that another server refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounce {
    pub number: Seq,
    pub why: BounceReason,
    /// The text for its sender's inbox; `None` if the reply to the request tells the refusal.
    pub notification: Option<Box<str>>,
}

/// The hello of another server whose key is proven.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PeerHello {
    pub key: PeerKey,
    /// Its home realm.
    pub home: Name,
    /// Its name for this server, if it has one.
    pub calls_us: Option<Name>,
    /// The address at which it says it can be dialled.
    pub address: Option<PeerAddress>,
    /// The realm that was dialled, if we dialled.
    pub dialled: Option<RealmId>,
    /// Policy lets an unknown server come.
    pub welcome: bool,
    /// Its epoch, and what this server has acknowledged so far: the peer sends what comes after.
    pub counts: (Epoch, Seq),
}
