//! Other servers in the state.

use crate::chat::error::BounceReason;
use crate::chat::model::peer::{Peer, PeerInfo};
use crate::chat::model::realm::{Realm, RealmKind};
use crate::chat::state::tables::State;
use crate::id::{Epoch, PeerKey, RealmId, Seq, UserId};
use crate::name::Name;

impl State {
    /// The link to the server of a key.
    #[must_use]
    pub fn peer_of(&self, key: &PeerKey) -> Option<(RealmId, &Realm, &Peer)> {
        let id = *self.keys.get(key)?;
        let realm = self.realm(id)?;
        Some((id, realm, realm.peer()?))
    }

    /// The number after which this server sends, given how far the other one has come in each epoch: after what it
    /// has acknowledged (it may have more, and then repeats its refusals of that), or earlier if it has less than it once
    /// had (it was restored from a backup).
    #[must_use]
    pub fn resend_position(&self, peer: &Peer, heads: &[(Epoch, Seq)]) -> Seq {
        let ends = self.epochs.iter().skip(1).map(|(begun, _)| Seq(begun.0 - 1)).chain([Seq(u64::MAX)]);
        let newest_first = self.epochs.iter().zip(ends.collect::<Vec<_>>()).rev();
        let mut known = newest_first.filter_map(|((_, epoch), end)| {
            let (_, head) = heads.iter().find(|(known, _)| known == epoch)?;
            Some(end.min(*head))
        });
        known.next().map_or(peer.cursor, |known| known.min(peer.cursor))
    }

    /// Up to which number the other server may forget its refusals in an epoch of this one: up to what this one has
    /// stored, or all of it if none of its messages waits any more.
    #[must_use]
    pub fn confirmed_up_to(&self, peer: &Peer, epoch: Epoch) -> Seq {
        let Some(place) = self.epochs.iter().position(|(_, known)| *known == epoch) else {
            return Seq(u64::MAX);
        };
        let Some((next, _)) = self.epochs.get(place + 1) else { return peer.cursor };
        let waits = peer.queue.oldest().is_some_and(|oldest| oldest.seq < *next);
        if waits { peer.cursor } else { Seq(u64::MAX) }
    }

    /// Whether the other server has numbers of this one that this one has not given: it was restored, and must not go on
    /// counting from there.
    #[must_use]
    pub fn is_behind(&self, heads: &[(Epoch, Seq)]) -> bool {
        let Some((_, current)) = self.epochs.last() else { return true };
        heads.iter().any(|(epoch, head)| epoch == current && *head > self.head)
    }

    pub(super) fn change_peer(&mut self, id: RealmId, change: impl FnOnce(&mut Peer)) {
        if let Some(RealmKind::Peer(peer)) = self.realms.get_mut(&id).map(|realm| &mut realm.kind) {
            change(peer);
        }
    }

    /// A repeated request whose message was refused is answered with the refusal again.
    pub(super) fn acknowledge_outbox(&mut self, id: RealmId, upto: Seq, refused: &[(Seq, UserId, BounceReason)]) {
        for (number, sender, why) in refused {
            self.change_user(*sender, |user| user.done.record_refusal(*number, *why));
        }
        self.change_peer(id, |peer| {
            peer.cursor = upto;
            peer.queue.drop_upto(upto);
        });
    }

    pub(super) fn add_peer(&mut self, id: RealmId, name: &Name, by: Option<UserId>, info: &PeerInfo) {
        self.keys.extend(info.key.map(|key| (key, id)));
        let peer = Peer { info: info.clone(), ..Peer::default() };
        self.put_realm(id, Realm { name: name.clone(), by, kind: RealmKind::Peer(Box::new(peer)) });
    }

    pub(super) fn set_peer_info(&mut self, id: RealmId, name: &Name, info: &PeerInfo) {
        let Some(realm) = self.realms.get_mut(&id) else { return };
        let RealmKind::Peer(peer) = &mut realm.kind else { return };
        // Another server has numbers of its own.
        if peer.info.key.is_some() && peer.info.key != info.key {
            peer.received.clear();
            peer.refused.clear();
        }
        peer.info = info.clone();
        realm.name = name.clone();
        self.realm_names.retain(|_, known| *known != id);
        // The home realm may have been given this one's name: it keeps it.
        self.realm_names.entry(name.folded()).or_insert(id);
        self.keys.retain(|_, known| *known != id);
        self.keys.extend(info.key.map(|key| (key, id)));
    }
}
