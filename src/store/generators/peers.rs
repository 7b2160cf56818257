//! Commands about other servers: with few keys, names and numbers, so that commands repeat and contradict each other.

use crate::chat::{Bounce, BounceReason, Command, Peer, PeerAddress, PeerHello, RemoteMessage, State};
use crate::id::{Epoch, PeerKey, RealmId, Seq};
use crate::name::Name;
use crate::store::generators::{GeneratedCommand, name};

impl GeneratedCommand {
    pub(super) fn add_peer(&self) -> Command {
        let (key, address) = (key(self.number), address(self.other));
        Command::AddPeer { name: name("realm", self.other), key: Some(key), address }
    }

    pub(super) fn configure_peer(&self) -> Command {
        Command::ConfigurePeer {
            name: name("realm", self.other),
            key: (!self.number.is_multiple_of(3)).then(|| key(self.number)),
            address: (!self.number.is_multiple_of(5)).then(|| address(self.other)),
        }
    }

    pub(super) fn remove_realm(&self) -> Command {
        Command::RemoveRealm { name: name("realm", self.other), lost: "lost".into() }
    }

    pub(super) fn begin_epoch(&self) -> Command {
        Command::BeginEpoch { epoch: Epoch(u64::MAX - self.number) }
    }

    pub(super) fn peer_hello(&self, state: &State) -> PeerHello {
        let Self { user, other, number, .. } = *self;
        let calls_us = match number % 4 {
            0 => None,
            1 => Some(name("realm", user)),
            2 => Name::parse("local").ok(),
            _ => Some(name("us", user % 2)),
        };
        PeerHello {
            key: key(number),
            home: name("realm", other),
            calls_us,
            address: (number % 3 > 0).then(|| address(other)),
            dialled: (number % 7 > 4).then(|| nth_peer(state, number).0),
            welcome: number % 11 > 0,
            counts: (Epoch(u64::MAX - number % 2), Seq(u64::MAX - number % 4 * (u64::MAX / 4))),
        }
    }

    /// The epoch of another server.
    fn epoch(&self) -> Epoch {
        Epoch(u64::MAX / 2 + self.number % 3)
    }

    /// May contain messages that were received before, and skip some.
    pub(super) fn receive(&self, state: &State) -> Command {
        let Self { user, other, number, .. } = *self;
        let epoch = self.epoch();
        let (realm, peer) = nth_peer(state, number);
        let first = (peer.received_upto(epoch).0 + 1).saturating_sub(number % 3);
        let message = |seq: u64| {
            let to_group = (number + seq).is_multiple_of(3);
            let to = if to_group { name("group", other % 3) } else { name("user", other) };
            let full_name = if seq.is_multiple_of(2) { "".into() } else { "Fär Away".into() };
            let message = RemoteMessage { from: name("user", user), full_name, to, to_group, text: "halo".into() };
            let is_malformed = (number + seq).is_multiple_of(5);
            (Seq(seq), if is_malformed { Err(BounceReason::Malformed) } else { Ok(message) })
        };
        let messages = (first..=first + u64::from(other)).map(message).collect();
        Command::Receive { realm, epoch, messages }
    }

    /// May acknowledge what was acknowledged before.
    pub(super) fn acknowledge_outbox(&self, state: &State) -> Command {
        let Self { other, number, .. } = *self;
        let (realm, peer) = nth_peer(state, number);
        let queued: Vec<_> = peer.queue.iter().map(|entry| entry.seq).collect();
        let upto = queued.get(other as usize).copied().unwrap_or(Seq(number % (state.head().0 + 2)));
        let bounce = |(seq, n): (&Seq, u64)| Bounce {
            number: *seq,
            why: if n == 0 { BounceReason::Blocked } else { BounceReason::GroupNotFound },
            notification: (number % 3 > 0).then(|| "it came back".into()),
        };
        let bounces = queued.iter().zip(0..2).map(bounce).filter(|_| number % 5 > 0).collect();
        Command::AcknowledgeOutbox { realm, upto, bounces }
    }

    pub(super) fn confirm_received(&self, state: &State) -> Command {
        let epoch = self.epoch();
        let (realm, peer) = nth_peer(state, self.number);
        let upto = (peer.received_upto(epoch).0 + u64::from(self.other)).saturating_sub(2);
        let upto = if self.number.is_multiple_of(7) { Seq(u64::MAX) } else { Seq(upto) };
        Command::ConfirmReceived { realm, epoch, upto }
    }
}

fn key(number: u64) -> PeerKey {
    PeerKey([(number % 5) as u8; 32])
}

fn address(number: u32) -> PeerAddress {
    PeerAddress { host: format!("server{number}.example").into(), port: 8889 }
}

fn nth_peer(state: &State, n: u64) -> (RealmId, Peer) {
    let peers: Vec<_> = state.peers().map(|(id, _, peer)| (id, peer.clone())).collect();
    peers.get(n as usize % peers.len().max(1)).cloned().unwrap_or_default()
}
