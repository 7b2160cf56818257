use super::*;
use crate::chat::command::Command;
use crate::chat::event::Record;
use crate::chat::fixture::{Fixture, MESSI, PAFF, at, key, name, remote_message};
use crate::chat::model::peer::{OutboxEntry, Peer};
use crate::chat::model::remote_message::PeerHello;
use crate::id::{Epoch, Seq};
use crate::limits::MAX_REALMS;
use crate::time::Time;

/// The number and the name that a linked server gets, or why it is not linked.
fn linked(decided: Result<Vec<Event>, CommandError>) -> Result<(RealmId, String), CommandError> {
    decided.map(|events| match events.last() {
        Some(Event::PeerAdded { realm, name, .. } | Event::PeerChanged { realm, name, .. }) => {
            (*realm, name.to_string())
        }
        other => panic!("{other:?}"),
    })
}

fn add(realm: &str, byte: u8) -> Command {
    let (name, address) = (name(realm), at(9));
    Command::AddPeer { name, key: Some(key(byte)), address }
}

fn configure(realm: &str, byte: Option<u8>, port: Option<u16>) -> Command {
    Command::ConfigurePeer { name: name(realm), key: byte.map(key), address: port.map(at) }
}

/// A server of that home name dials in by itself.
fn dials_in(fixture: &mut Fixture, home: &str, byte: u8) {
    let hello = PeerHello {
        key: key(byte),
        home: name(home),
        calls_us: None,
        address: Some(at(u16::from(byte))),
        dialled: None,
        welcome: true,
        counts: (Epoch(1), Seq(0)),
    };
    fixture.server_does(&Command::RegisterPeer(Box::new(hello)));
}

/// Beside the home realm: the further name barat (1), timur (2), which messi linked, and utara (3), which dialled in.
fn with_neighbours() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.does(MESSI, &Command::AddRealm { name: name("barat") });
    fixture.links("timur", 2);
    dials_in(&mut fixture, "utara", 3);
    fixture
}

#[test]
fn a_server_is_linked_under_a_name_that_is_free_or_that_the_server_chose() {
    let fixture = with_neighbours();
    for (realm, byte, expected) in [
        ("selatan", 9, Ok((4, "selatan"))),
        ("Barat", 9, Ok((1, "Barat"))),
        ("local", 9, Err(CommandError::RealmExists)),
        ("timur", 9, Err(CommandError::RealmExists)),
        ("utara", 9, Err(CommandError::RealmExists)),
        ("timur", 2, Err(CommandError::RealmExists)),
        ("selatan", 2, Err(CommandError::RealmExists)),
        ("selatan", 3, Ok((3, "selatan"))),
        ("UTARA", 3, Ok((3, "utara"))),
        ("timur", 3, Err(CommandError::RealmExists)),
        ("barat", 3, Err(CommandError::RealmExists)),
    ] {
        let expected = expected.map(|(id, name)| (RealmId(id), name.to_owned()));
        assert_eq!(linked(fixture.decide(PAFF, &add(realm, byte))), expected, "{realm} with the key {byte}");
    }
}

#[test]
fn a_further_name_that_becomes_a_link_is_found_by_its_key() {
    let mut fixture = with_neighbours();
    fixture.does(PAFF, &add("barat", 9));
    let (id, realm, peer) = fixture.state.peer_of(&key(9)).unwrap();
    assert_eq!((id, realm.by, &peer.info.address), (RealmId(1), Some(PAFF), &Some(at(9))));
}

#[test]
fn the_name_that_a_user_gives_replaces_the_one_that_a_server_gave_itself() {
    let mut fixture = with_neighbours();
    fixture.does(PAFF, &add("selatan", 3));
    assert_eq!(fixture.state.realm_named(&name("utara")), None);
    assert_eq!((fixture.realm("selatan"), &fixture.peer("selatan").info.address), (RealmId(3), &Some(at(9))));
    fixture.refuses(PAFF, &add("tengah", 3), CommandError::RealmExists);
}

#[test]
fn the_number_of_linked_servers_is_bounded() {
    let mut fixture = with_neighbours();
    while fixture.state.realms().count() < MAX_REALMS {
        let name = name(&format!("r{}", fixture.state.realms().count()));
        fixture.does(MESSI, &Command::AddRealm { name });
    }
    fixture.refuses(PAFF, &add("selatan", 9), CommandError::RealmLimit);
    assert!(fixture.decide(PAFF, &add("barat", 9)).is_ok(), "a name that exists already takes no room");
}

#[test]
fn the_configuration_replaces_what_is_known_of_a_server() {
    let fixture = with_neighbours();
    for (command, id, expected, byte, port) in [
        (configure("selatan", Some(9), Some(9)), 4, "selatan", Some(9), Some(9)),
        (configure("selatan", Some(9), None), 4, "selatan", Some(9), None),
        (configure("selatan", None, Some(9)), 4, "selatan", None, Some(9)),
        (configure("barat", None, Some(9)), 1, "barat", None, Some(9)),
        (configure("timur", Some(9), None), 2, "timur", Some(9), Some(2)),
        (configure("timur", None, Some(9)), 2, "timur", Some(2), Some(9)),
        (configure("Timur", Some(2), None), 2, "Timur", Some(2), Some(2)),
        (configure("selatan", Some(2), None), 2, "selatan", Some(2), Some(2)),
        (configure("utara", Some(3), None), 3, "utara", Some(3), Some(3)),
    ] {
        let events = fixture.server_decides(&command).unwrap();
        let Some(Event::PeerAdded { realm, name, info, .. } | Event::PeerChanged { realm, name, info }) = events.last()
        else {
            panic!("{events:?}")
        };
        assert_eq!((*realm, name.as_str()), (RealmId(id), expected), "{command:?}");
        assert_eq!((info.key, &info.address, info.self_named), (byte.map(key), &port.map(at), false), "{command:?}");
    }
}

#[test]
fn a_configured_server_gets_its_name_whatever_realm_has_it() {
    for (realm, byte, before) in [("timur", 3, Some("timur-2")), ("barat", 2, None)] {
        let mut fixture = with_neighbours();
        let had_it = fixture.realm(realm);
        fixture.server_does(&configure(realm, Some(byte), None));
        assert_eq!(fixture.state.peer_of(&key(byte)).unwrap().0, fixture.realm(realm), "{realm}");
        assert_eq!(before.map(|before| fixture.realm(before)), before.map(|_| had_it), "{realm}");
    }
}

#[test]
fn a_configured_server_cannot_take_the_name_of_the_home_realm() {
    let fixture = with_neighbours();
    for command in [configure("local", Some(2), None), configure("local", Some(9), Some(9))] {
        fixture.server_refuses(&command, CommandError::RealmExists);
    }
}

#[test]
fn configured_servers_have_places_of_their_own() {
    let mut fixture = with_neighbours();
    while fixture.state.next_realm().is_ok() {
        let realm = name(&format!("r{}", fixture.state.realms().count()));
        fixture.does(MESSI, &Command::AddRealm { name: realm });
    }
    for number in 0..20 {
        fixture.server_does(&configure(&format!("peer{number}"), Some(100 + number), None));
    }
    fixture.refuses(MESSI, &add("selatan", 9), CommandError::RealmLimit);
}

#[test]
fn the_same_configuration_again_changes_nothing() {
    let fixture = with_neighbours();
    for command in
        [configure("timur", Some(2), Some(2)), configure("timur", Some(2), None), configure("timur", None, None)]
    {
        assert_eq!(fixture.server_decides(&command), Ok(vec![]), "{command:?}");
    }
}

#[test]
fn another_server_under_a_known_name_starts_with_its_own_numbers() {
    let mut fixture = with_neighbours();
    let timur = fixture.realm("timur");
    fixture.receives(timur, [remote_message(4, "bob", "paff"), remote_message(5, "bob", "nobody")]);
    fixture.sends(MESSI, "bob@timur", "halo");
    fixture.server_does(&configure("timur", Some(9), None));
    let peer = fixture.peer("timur");
    assert_eq!((peer.received_upto(Epoch(5)), peer.refused.len()), (Seq(0), 0));
    assert_eq!(peer.queue.len(), 1, "queued messages are for the server that has the name");
    assert_eq!(fixture.state.peer_of(&key(2)), None);
    assert_eq!(fixture.state.peer_of(&key(9)).unwrap().0, timur);
}

#[test]
fn the_same_server_at_another_address_continues_its_numbers() {
    let mut fixture = with_neighbours();
    let timur = fixture.realm("timur");
    fixture.receives(timur, [remote_message(4, "bob", "paff")]);
    fixture.server_does(&configure("timur", None, Some(9)));
    assert_eq!(fixture.peer("timur").received_upto(Epoch(5)), Seq(4));
}

#[test]
fn the_home_realm_keeps_its_name_against_a_link_that_had_it() {
    let mut fixture = Fixture::new();
    let timur = fixture.links("timur", 2);
    fixture.state = State::restore(name("timur"), fixture.state.snapshot());
    let info = PeerInfo { address: Some(at(9)), ..fixture.state.peer(timur).unwrap().info.clone() };
    fixture.happens(&Event::PeerChanged { realm: timur, name: name("timur"), info });
    assert_eq!(fixture.realm("timur"), RealmId::HOME);
    fixture.happens(&Event::RealmRemoved { realm: timur });
    assert_eq!(fixture.realm("timur"), RealmId::HOME);
}

/// A state in which epochs began at these numbers, with the log continued to its head.
fn counting(begun: &[(u64, u64)], head: u64) -> State {
    let mut state = State::new(name("local"));
    let record = |seq, event| Record { seq: Seq(seq), time: Time(0), event };
    for (seq, epoch) in begun {
        state.apply(&record(*seq, Event::EpochBegun { epoch: Epoch(*epoch) }));
    }
    state.apply(&record(head, Event::RealmRemoved { realm: RealmId(9) }));
    state
}

fn heads(heads: &[(u64, u64)]) -> Vec<(Epoch, Seq)> {
    heads.iter().map(|(epoch, head)| (Epoch(*epoch), Seq(*head))).collect()
}

#[test]
fn a_number_belongs_to_the_newest_epoch_begun_before_it() {
    let state = counting(&[(10, 1), (20, 2), (21, 3)], 30);
    let end = u64::MAX;
    for (seq, epoch, last) in
        [(5, 0, 9), (10, 1, 19), (19, 1, 19), (20, 2, 20), (21, 3, end), (30, 3, end), (end, 3, end)]
    {
        assert_eq!(state.epoch_of(Seq(seq)), (Epoch(epoch), Seq(last)), "{seq}");
    }
}

#[test]
fn the_resend_position_follows_from_the_newest_epoch_that_the_other_server_knows() {
    let state = counting(&[(10, 1), (20, 2), (30, 3)], 40);
    let peer = Peer { cursor: Seq(32), ..Peer::default() };
    for (what, known, expected) in [
        ("it knows no epoch", &[][..], 32),
        ("it knows only other epochs", &[(9, 99)], 32),
        ("it has more than it has acknowledged", &[(1, 15), (2, 28), (3, 35)], 32),
        ("it has nothing of the newest one yet", &[(1, 15), (2, 28)], 28),
        ("it was restored", &[(1, 15)], 15),
        ("it was restored to the middle of an epoch", &[(1, 15), (2, 22)], 22),
        ("this server was restored, and has given other numbers since", &[(1, 15), (2, 36)], 29),
        ("both were restored", &[(1, 99), (9, 99)], 19),
        ("it lists them in another order", &[(3, 35), (1, 15), (2, 28)], 32),
    ] {
        assert_eq!(state.resend_position(&peer, &heads(known)), Seq(expected), "{what}");
    }
}

#[test]
fn a_refusal_may_be_forgotten_once_it_is_recorded_or_nothing_of_its_epoch_is_queued() {
    let state = counting(&[(10, 1), (20, 2), (30, 3)], 40);
    let mut peer = Peer { cursor: Seq(25), ..Peer::default() };
    let of_each = |peer: &Peer| [1, 2, 3, 9].map(|of| state.confirmed_up_to(peer, Epoch(of)).0);
    let all = u64::MAX;
    assert_eq!(of_each(&peer), [all, all, 25, all]);
    peer.queue.push(OutboxEntry { seq: Seq(29), time: Time(0), from: MESSI, bytes: 1 });
    assert_eq!(of_each(&peer), [all, 25, 25, all]);
    peer.queue.push(OutboxEntry { seq: Seq(35), time: Time(0), from: MESSI, bytes: 1 });
    peer.queue.drop_upto(Seq(29));
    assert_eq!(of_each(&peer), [all, all, 25, all]);
}

#[test]
fn a_server_is_behind_if_another_has_numbers_that_it_has_not_given() {
    let state = counting(&[(10, 1), (20, 2)], 30);
    for (known, expected) in [
        (&[][..], false),
        (&[(2, 30)], false),
        (&[(2, 31)], true),
        (&[(1, 31)], false),
        (&[(9, 31)], false),
        (&[(1, 15), (2, 31)], true),
    ] {
        assert_eq!(state.is_behind(&heads(known)), expected, "{known:?}");
    }
    assert!(State::new(name("local")).is_behind(&[]), "no epoch has begun");
}
