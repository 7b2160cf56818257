use super::*;
use crate::chat::command::Command;
use crate::chat::error::Limit;
use crate::chat::fixture::{MESSI, World, at, key, name};
use crate::limits::MAX_REALMS;

/// A server that comes by itself, from its own port, and may.
fn stranger(byte: u8, home: &str) -> PeerHello {
    PeerHello {
        key: key(byte),
        home: name(home),
        calls_us: None,
        address: Some(at(u16::from(byte))),
        dialled: None,
        welcome: true,
        counts: (Incarnation(1), Seq(0)),
    }
}

fn calling(calls_us: &str, meeting: PeerHello) -> PeerHello {
    PeerHello { calls_us: Some(name(calls_us)), ..meeting }
}

fn meet(world: &mut World, meeting: PeerHello) -> Vec<Event> {
    world.does(&Command::RegisterPeer(meeting))
}

fn name_of(world: &World, byte: u8) -> String {
    world.state.peer_of(&key(byte)).unwrap().1.name.to_string()
}

fn card_of(world: &World, byte: u8) -> PeerInfo {
    world.state.peer_of(&key(byte)).unwrap().2.info.clone()
}

/// The number by which what a server calls us is read.
fn read_by(world: &World, called: &str) -> Option<RealmId> {
    world.state.realm_to_read(&name(called))
}

fn configure(world: &mut World, realm: &str, key: Option<PeerKey>, address: Option<PeerAddress>) -> RealmId {
    world.does(&Command::ConfigurePeer { name: name(realm), key, address });
    world.realm(realm)
}

/// The longest name there may be.
fn long(end: &str) -> String {
    let start = "x".repeat(NAME_BYTES - end.len());
    start + end
}

#[test]
fn a_stranger_is_known_by_its_home_name_or_by_that_and_letters_of_its_key() {
    let long_name = long("");
    let table = [
        (&[][..], "timur", "timur"),
        (&[], "local", "local-ABAB"),
        (&[], "LOCAL", "LOCAL-ABAB"),
        (&["timur"], "timur", "timur-ABAB"),
        (&["timur", "timur-abab"], "timur", "timur-ABABABAB"),
        (&["timur", "timur-abab", "timur-abababab"], "timur", "timur-ABABABABABABABAB"),
        (&[], &long_name, &long_name),
        (&[&long_name], &long_name, &long("-ABAB")),
        (&[&long_name, &long("-abab")], &long_name, &long("-ABABABAB")),
    ];
    for (taken, home, expected) in table {
        let mut world = World::new();
        taken.iter().for_each(|taken| drop(world.does(&Command::AddRealm { by: MESSI, name: name(taken) })));
        meet(&mut world, stranger(0xab, home));
        assert_eq!(name_of(&world, 0xab), expected.replace("AB", "ab"), "{home} where {taken:?} are taken");
    }
}

#[test]
fn a_stranger_for_whom_no_name_is_left_is_refused() {
    let mut world = World::new();
    for taken in ["timur", "timur-abab", "timur-abababab", "timur-abababababababab"] {
        world.does(&Command::AddRealm { by: MESSI, name: name(taken) });
    }
    world.refuses(&Command::RegisterPeer(stranger(0xab, "timur")), CommandError::RealmExists);
}

#[test]
fn from_where_another_server_counts_is_noted_when_it_is_first_met() {
    let mut world = World::new();
    let counts = |incarnation, upto| (Incarnation(incarnation), Seq(upto));
    meet(&mut world, PeerHello { counts: counts(5, 7), ..stranger(2, "timur") });
    meet(&mut world, PeerHello { counts: counts(6, 9), ..stranger(2, "timur") });
    assert_eq!(world.peer("timur").received, [counts(5, 7)], "later on it follows from what came");
}

#[test]
fn who_is_not_let_in_is_refused() {
    let mut world = World::new();
    world.refuses(
        &Command::RegisterPeer(PeerHello { welcome: false, ..stranger(2, "timur") }),
        CommandError::RealmRefused,
    );
    world.links("timur", 2);
    assert!(world.wants(&Command::RegisterPeer(PeerHello { welcome: false, ..stranger(2, "timur") })).is_ok());
}

#[test]
fn who_was_unlinked_comes_back_only_where_somebody_links_it_again() {
    let mut world = World::new();
    meet(&mut world, stranger(2, "timur"));
    let (by, lost) = (MESSI, "".into());
    world.does(&Command::RemoveRealm { by, name: name("timur"), is_administrator: true, lost });
    world.refuses(&Command::RegisterPeer(stranger(2, "timur")), CommandError::RealmRefused);
    world.refuses(&Command::RegisterPeer(stranger(2, "utara")), CommandError::RealmRefused);
    world.links("utara", 2);
    assert!(world.wants(&Command::RegisterPeer(stranger(2, "timur"))).is_ok());
}

#[test]
fn another_key_than_the_known_one_is_refused() {
    let mut world = World::new();
    let timur = world.links("timur", 2);
    world.links("utara", 3);
    let table = [
        ("another server is dialled at its place", PeerHello { dialled: Some(timur), ..stranger(9, "timur") }),
        ("one that is known by another name is", PeerHello { dialled: Some(timur), ..stranger(3, "timur") }),
        ("a stranger comes from its place", PeerHello { address: Some(at(2)), ..stranger(9, "selatan") }),
    ];
    for (what, meeting) in table {
        assert_eq!(world.wants(&Command::RegisterPeer(meeting)), Err(CommandError::RealmKeyChanged), "{what}");
    }
    assert!(world.wants(&Command::RegisterPeer(stranger(9, "timur"))).is_ok(), "its name is not its own");
}

#[test]
fn the_first_that_answers_where_nobody_was_met_yet_is_pinned() {
    let mut world = World::new();
    let timur = configure(&mut world, "timur", None, Some(at(2)));
    meet(&mut world, PeerHello { dialled: Some(timur), ..stranger(2, "lain") });
    assert_eq!((world.state.peer_of(&key(2)).unwrap().0, name_of(&world, 2).as_str()), (timur, "timur"));
    world.refuses(
        &Command::RegisterPeer(PeerHello { dialled: Some(timur), ..stranger(9, "lain") }),
        CommandError::RealmKeyChanged,
    );
}

#[test]
fn where_a_server_was_dialled_goes_before_where_it_says_that_it_is() {
    let mut world = World::new();
    world.links("timur", 2);
    configure(&mut world, "utara", Some(key(3)), None);
    meet(&mut world, stranger(4, "selatan"));
    for (byte, says, expected) in [(2, 7, 2), (3, 8, 8), (4, 9, 9)] {
        meet(&mut world, PeerHello { address: Some(at(says)), ..stranger(byte, "lain") });
        assert_eq!(card_of(&world, byte).address, Some(at(expected)), "{byte}");
    }
}

#[test]
fn a_server_that_says_nothing_new_changes_nothing() {
    let mut world = World::new();
    meet(&mut world, calling("barat", stranger(2, "timur")));
    assert_eq!(world.wants(&Command::RegisterPeer(calling("BARAT", stranger(2, "utara")))), Ok(vec![]));
}

#[test]
fn a_new_server_and_what_it_calls_us_get_numbers_one_after_the_other() {
    let mut world = World::new();
    let events = meet(&mut world, calling("barat", stranger(2, "timur")));
    let [Event::PeerAdded { realm: peer, .. }, Event::AliasAdded { realm: called, .. }, _] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((*peer, *called), (RealmId(1), RealmId(2)));
    assert_eq!((card_of(&world, 2).our_alias, read_by(&world, "barat")), (Some(RealmId(2)), Some(RealmId(2))));
}

#[test]
fn what_a_server_calls_us_is_a_name_to_read_by_and_nothing_else() {
    let mut world = World::new();
    meet(&mut world, calling("barat", stranger(2, "timur")));
    assert!(read_by(&world, "BARAT").is_some());
    assert_eq!(world.state.realm_named(&name("barat")), None);
    let taken = Command::AddRealm { by: MESSI, name: name("barat") };
    assert!(world.wants(&taken).is_ok(), "it takes no name away");
}

#[test]
fn what_a_server_calls_us_may_be_a_name_of_ours() {
    let mut world = World::new();
    world.does(&Command::AddRealm { by: MESSI, name: name("barat") });
    let barat = world.realm("barat");
    meet(&mut world, calling("Barat", stranger(2, "timur")));
    meet(&mut world, calling("local", stranger(3, "utara")));
    assert_eq!((card_of(&world, 2).our_alias, card_of(&world, 3).our_alias), (Some(barat), Some(RealmId::HOME)));
}

#[test]
fn two_servers_may_call_us_the_same_until_one_changes_its_mind() {
    let mut world = World::new();
    meet(&mut world, calling("barat", stranger(2, "timur")));
    meet(&mut world, calling("barat", stranger(3, "utara")));
    let shared = card_of(&world, 2).our_alias;
    assert_eq!(card_of(&world, 3).our_alias, shared);
    meet(&mut world, calling("tengah", stranger(3, "utara")));
    assert_ne!(card_of(&world, 3).our_alias, shared, "the name of both stays what it was");
    assert_eq!(read_by(&world, "barat"), shared);
}

#[test]
fn a_server_that_calls_us_something_else_every_time_fills_no_table() {
    let mut world = World::new();
    let names = ["barat", "tengah", "local", "pusat", "local", "kota", "local", "desa"];
    for called in names {
        meet(&mut world, calling(called, stranger(2, "timur")));
    }
    assert_eq!(world.state.realms().len(), 3, "the home realm, the link, and what it calls us");
    assert_eq!(read_by(&world, "barat"), None);
    assert_eq!(read_by(&world, "desa"), card_of(&world, 2).our_alias);
}

#[test]
fn a_full_table_takes_nobody_new_and_costs_nobody_the_link() {
    let mut world = World::new();
    meet(&mut world, stranger(2, "timur"));
    while world.state.realms().len() < MAX_REALMS - 1 {
        let name = name(&format!("r{}", world.state.realms().len()));
        world.does(&Command::AddRealm { by: MESSI, name });
    }
    meet(&mut world, calling("barat", stranger(3, "utara")));
    assert_eq!(card_of(&world, 3).our_alias, None, "there was room for the link alone");
    assert!(world.wants(&Command::RegisterPeer(calling("barat", stranger(2, "timur")))).is_ok());
    world.refuses(&Command::RegisterPeer(stranger(4, "selatan")), CommandError::LimitReached(Limit::Realms));
}
