//! Commands about other servers: few keys, names and numbers, so that they meet, come again and contradict one another.

use crate::chat::{Bounce, BounceReason, Command, Peer, PeerAddress, PeerHello, RemoteMessage, State};
use crate::id::{Incarnation, PeerKey, RealmId, Seq, UserId};
use crate::name::Name;
use crate::store::wishes::{Wish, name};

pub(super) fn command(state: &State, wish: &Wish) -> Command {
    let Wish { kind, who, whom, place } = wish;
    let incarnation = Incarnation(u64::MAX / 2 + place % 3);
    match kind {
        23..=24 => {
            let (key, address) = (key(*place), address(*whom));
            Command::AddPeer { by: UserId(*who), name: name("realm", *whom), key, address }
        }
        25 => {
            let (key, address) = ((place % 3 > 0).then(|| key(*place)), (place % 5 > 0).then(|| address(*whom)));
            Command::ConfigurePeer { name: name("realm", *whom), key, address }
        }
        26 => Command::RegisterPeer(meeting(state, wish)),
        27 => Command::BeginIncarnation { incarnation: Incarnation(u64::MAX - place) },
        28..=30 => receive(state, wish, incarnation),
        31..=32 => acknowledge(state, wish),
        33 => {
            let (realm, link) = nth_link(state, *place);
            let upto = Seq(link.received_upto(incarnation).0 + u64::from(*whom));
            let upto = if place % 7 == 0 { Seq(u64::MAX) } else { Seq(upto.0.saturating_sub(2)) };
            Command::ConfirmReceived { realm, incarnation, upto }
        }
        _ => {
            let (name, lost) = (name("realm", *whom), "lost".into());
            Command::RemoveRealm { by: UserId(*who), name, is_administrator: place % 3 > 0, lost }
        }
    }
}

fn key(number: u64) -> PeerKey {
    PeerKey([(number % 5) as u8; 32])
}

fn address(number: u32) -> PeerAddress {
    PeerAddress { host: format!("server{number}.example").into(), port: 8889 }
}

fn nth_link(state: &State, n: u64) -> (RealmId, Peer) {
    let links: Vec<_> = state.peers().map(|(id, _, link)| (id, link.clone())).collect();
    links.get(n as usize % links.len().max(1)).cloned().unwrap_or_default()
}

fn meeting(state: &State, Wish { who, whom, place, .. }: &Wish) -> PeerHello {
    let calls_us = match place % 4 {
        0 => None,
        1 => Some(name("realm", *who)),
        2 => Name::parse("local").ok(),
        _ => Some(name("us", *who % 2)),
    };
    PeerHello {
        key: key(*place),
        home: name("realm", *whom),
        calls_us,
        address: (place % 3 > 0).then(|| address(*whom)),
        dialled: (place % 7 > 4).then(|| nth_link(state, *place).0),
        welcome: place % 11 > 0,
        counts: (Incarnation(u64::MAX - place % 2), Seq(u64::MAX - place % 4 * (u64::MAX / 4))),
    }
}

/// Some of it may have come before.
fn receive(state: &State, Wish { who, whom, place, .. }: &Wish, incarnation: Incarnation) -> Command {
    let (realm, link) = nth_link(state, *place);
    let first = (link.received_upto(incarnation).0 + 1).saturating_sub(place % 3);
    let message = |number: u64| {
        let to_group = (place + number).is_multiple_of(3);
        let to = if to_group { name("group", *whom % 3) } else { name("user", *whom) };
        let full_name = if number.is_multiple_of(2) { "".into() } else { "Fär Away".into() };
        let message = RemoteMessage { from: name("user", *who), full_name, to, to_group, text: "halo".into() };
        (Seq(number), if (place + number).is_multiple_of(5) { Err(BounceReason::Malformed) } else { Ok(message) })
    };
    let messages = (first..=first + u64::from(*whom)).map(message).collect();
    Command::Receive { realm, incarnation, messages }
}

/// Some of it may have been acknowledged before.
fn acknowledge(state: &State, Wish { whom, place, .. }: &Wish) -> Command {
    let (realm, link) = nth_link(state, *place);
    let waiting: Vec<_> = link.queue.iter().map(|queued| queued.seq).collect();
    let upto = waiting.get(*whom as usize).copied().unwrap_or(Seq(place % (state.head().0 + 2)));
    let bounce = |(number, n): (&Seq, u64)| Bounce {
        number: *number,
        why: if n == 0 { BounceReason::Blocked } else { BounceReason::GroupNotFound },
        notification: (place % 3 > 0).then(|| "it came back".into()),
    };
    let bounces = waiting.iter().zip(0..2).map(bounce).filter(|_| place % 5 > 0).collect();
    Command::AcknowledgeOutbox { realm, upto, bounces }
}
