use super::*;
use crate::chat::command::Command;
use crate::chat::fixture::{Fixture, MESSI, at, key, name};
use crate::chat::model::peer::PeerAddress;
use crate::chat::rules::context::{Context, Policy};
use crate::id::PeerKey;
use crate::limits::MAX_REALMS;
use crate::time::Time;

fn register_peer(hello: PeerHello) -> Command {
    Command::RegisterPeer(Box::new(hello))
}

/// A server that dials in from its own port, which the policy allows.
fn unknown_server(byte: u8, home: &str) -> PeerHello {
    PeerHello {
        key: key(byte),
        home: name(home),
        calls_us: None,
        address: Some(at(u16::from(byte))),
        dialled: None,
        welcome: true,
        counts: (Epoch(1), Seq(0)),
    }
}

fn calling(calls_us: &str, hello: PeerHello) -> PeerHello {
    PeerHello { calls_us: Some(name(calls_us)), ..hello }
}

fn register(fixture: &mut Fixture, hello: PeerHello) -> Vec<Event> {
    fixture.server_does(&register_peer(hello))
}

fn name_of(fixture: &Fixture, byte: u8) -> String {
    fixture.state.peer_of(&key(byte)).unwrap().1.name.to_string()
}

fn info_of(fixture: &Fixture, byte: u8) -> PeerInfo {
    fixture.state.peer_of(&key(byte)).unwrap().2.info.clone()
}

/// The realm whose messages this name shows.
fn read_by(fixture: &Fixture, called: &str) -> Option<RealmId> {
    fixture.state.realm_to_read(&name(called))
}

fn configure(fixture: &mut Fixture, realm: &str, key: Option<PeerKey>, address: Option<PeerAddress>) -> RealmId {
    fixture.server_does(&Command::ConfigurePeer { name: name(realm), key, address });
    fixture.realm(realm)
}

/// The longest name there may be.
fn long(end: &str) -> String {
    let start = "x".repeat(NAME_BYTES - end.len());
    start + end
}

#[test]
fn an_unknown_server_gets_its_home_name_or_that_with_letters_of_its_key() {
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
        let mut fixture = Fixture::new();
        taken.iter().for_each(|taken| drop(fixture.does(MESSI, &Command::AddRealm { name: name(taken) })));
        register(&mut fixture, unknown_server(0xab, home));
        assert_eq!(name_of(&fixture, 0xab), expected.replace("AB", "ab"), "{home} if {taken:?} are taken");
    }
}

#[test]
fn an_unknown_server_is_refused_if_no_name_is_left_for_it() {
    let mut fixture = Fixture::new();
    for taken in ["timur", "timur-abab", "timur-abababab", "timur-abababababababab"] {
        fixture.does(MESSI, &Command::AddRealm { name: name(taken) });
    }
    fixture.server_refuses(&register_peer(unknown_server(0xab, "timur")), CommandError::RealmExists);
}

#[test]
fn the_first_number_of_another_server_is_recorded_at_first_contact() {
    let mut fixture = Fixture::new();
    let counts = |epoch, upto| (Epoch(epoch), Seq(upto));
    register(&mut fixture, PeerHello { counts: counts(5, 7), ..unknown_server(2, "timur") });
    register(&mut fixture, PeerHello { counts: counts(6, 9), ..unknown_server(2, "timur") });
    assert_eq!(fixture.peer("timur").received, [counts(5, 7)], "later it follows from the messages received");
}

#[test]
fn an_unknown_server_is_refused_if_the_policy_does_not_allow_it() {
    let mut fixture = Fixture::new();
    fixture.server_refuses(
        &register_peer(PeerHello { welcome: false, ..unknown_server(2, "timur") }),
        CommandError::RealmRefused,
    );
    fixture.links("timur", 2);
    assert!(fixture.server_decides(&register_peer(PeerHello { welcome: false, ..unknown_server(2, "timur") })).is_ok());
}

#[test]
fn an_unlinked_server_can_register_only_after_a_user_links_it_again() {
    let mut fixture = Fixture::new();
    register(&mut fixture, unknown_server(2, "timur"));
    let policy = Policy { administrators: vec![name("messi").folded()], ..Policy::default() };
    let administrator = Context { policy: &policy, ..Context::on_behalf_of(MESSI, Time(0)) };
    fixture.does_in(&administrator, &Command::RemoveRealm { name: name("timur"), lost: "".into() });
    fixture.server_refuses(&register_peer(unknown_server(2, "timur")), CommandError::RealmRefused);
    fixture.server_refuses(&register_peer(unknown_server(2, "utara")), CommandError::RealmRefused);
    fixture.links("utara", 2);
    assert!(fixture.server_decides(&register_peer(unknown_server(2, "timur"))).is_ok());
}

#[test]
fn a_key_other_than_the_known_one_is_refused() {
    let mut fixture = Fixture::new();
    let timur = fixture.links("timur", 2);
    fixture.links("utara", 3);
    let table = [
        ("an unknown server answers at its address", PeerHello { dialled: Some(timur), ..unknown_server(9, "timur") }),
        (
            "a server known by another name answers at its address",
            PeerHello { dialled: Some(timur), ..unknown_server(3, "timur") },
        ),
        (
            "an unknown server dials in from its address",
            PeerHello { address: Some(at(2)), ..unknown_server(9, "selatan") },
        ),
    ];
    for (what, hello) in table {
        assert_eq!(fixture.server_decides(&register_peer(hello)), Err(CommandError::RealmKeyChanged), "{what}");
    }
    assert!(
        fixture.server_decides(&register_peer(unknown_server(9, "timur"))).is_ok(),
        "its home name alone does not identify a server"
    );
}

#[test]
fn the_first_key_seen_at_a_configured_address_is_pinned() {
    let mut fixture = Fixture::new();
    let timur = configure(&mut fixture, "timur", None, Some(at(2)));
    register(&mut fixture, PeerHello { dialled: Some(timur), ..unknown_server(2, "lain") });
    assert_eq!((fixture.state.peer_of(&key(2)).unwrap().0, name_of(&fixture, 2).as_str()), (timur, "timur"));
    fixture.server_refuses(
        &register_peer(PeerHello { dialled: Some(timur), ..unknown_server(9, "lain") }),
        CommandError::RealmKeyChanged,
    );
}

#[test]
fn the_address_that_was_given_for_a_server_takes_precedence_over_the_one_it_advertises() {
    let mut fixture = Fixture::new();
    fixture.links("timur", 2);
    configure(&mut fixture, "utara", Some(key(3)), None);
    register(&mut fixture, unknown_server(4, "selatan"));
    for (byte, advertised, expected) in [(2, 7, 2), (3, 8, 8), (4, 9, 9)] {
        register(&mut fixture, PeerHello { address: Some(at(advertised)), ..unknown_server(byte, "lain") });
        assert_eq!(info_of(&fixture, byte).address, Some(at(expected)), "{byte}");
    }
}

#[test]
fn a_hello_with_nothing_new_changes_nothing() {
    let mut fixture = Fixture::new();
    register(&mut fixture, calling("barat", unknown_server(2, "timur")));
    assert_eq!(fixture.server_decides(&register_peer(calling("BARAT", unknown_server(2, "utara")))), Ok(vec![]));
}

#[test]
fn a_new_server_and_its_alias_for_us_get_consecutive_numbers() {
    let mut fixture = Fixture::new();
    let events = register(&mut fixture, calling("barat", unknown_server(2, "timur")));
    let [Event::PeerAdded { realm: peer, .. }, Event::AliasAdded { realm: called, .. }, _] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((*peer, *called), (RealmId(1), RealmId(2)));
    assert_eq!((info_of(&fixture, 2).our_alias, read_by(&fixture, "barat")), (Some(RealmId(2)), Some(RealmId(2))));
}

#[test]
fn an_alias_is_only_a_name_to_read_by() {
    let mut fixture = Fixture::new();
    register(&mut fixture, calling("barat", unknown_server(2, "timur")));
    assert!(read_by(&fixture, "BARAT").is_some());
    assert_eq!(fixture.state.realm_named(&name("barat")), None);
    let taken = Command::AddRealm { name: name("barat") };
    assert!(fixture.decide(MESSI, &taken).is_ok(), "an alias does not occupy the name");
}

#[test]
fn the_name_that_a_server_has_for_us_may_be_one_of_our_own() {
    let mut fixture = Fixture::new();
    fixture.does(MESSI, &Command::AddRealm { name: name("barat") });
    let barat = fixture.realm("barat");
    register(&mut fixture, calling("Barat", unknown_server(2, "timur")));
    register(&mut fixture, calling("local", unknown_server(3, "utara")));
    assert_eq!((info_of(&fixture, 2).our_alias, info_of(&fixture, 3).our_alias), (Some(barat), Some(RealmId::HOME)));
}

#[test]
fn two_servers_may_share_an_alias_until_one_changes_it() {
    let mut fixture = Fixture::new();
    register(&mut fixture, calling("barat", unknown_server(2, "timur")));
    register(&mut fixture, calling("barat", unknown_server(3, "utara")));
    let shared = info_of(&fixture, 2).our_alias;
    assert_eq!(info_of(&fixture, 3).our_alias, shared);
    register(&mut fixture, calling("tengah", unknown_server(3, "utara")));
    assert_ne!(info_of(&fixture, 3).our_alias, shared, "the shared alias stays as it was");
    assert_eq!(read_by(&fixture, "barat"), shared);
}

#[test]
fn a_server_that_changes_its_alias_every_time_does_not_fill_the_table() {
    let mut fixture = Fixture::new();
    let names = ["barat", "tengah", "local", "pusat", "local", "kota", "local", "desa"];
    for called in names {
        register(&mut fixture, calling(called, unknown_server(2, "timur")));
    }
    assert_eq!(fixture.state.realms().count(), 3, "the home realm, the link, and its alias for us");
    assert_eq!(read_by(&fixture, "barat"), None);
    assert_eq!(read_by(&fixture, "desa"), info_of(&fixture, 2).our_alias);
}

#[test]
fn a_full_table_refuses_new_servers_and_keeps_existing_links() {
    let mut fixture = Fixture::new();
    register(&mut fixture, unknown_server(2, "timur"));
    while fixture.state.realms().count() < MAX_REALMS - 1 {
        let name = name(&format!("r{}", fixture.state.realms().count()));
        fixture.does(MESSI, &Command::AddRealm { name });
    }
    register(&mut fixture, calling("barat", unknown_server(3, "utara")));
    assert_eq!(info_of(&fixture, 3).our_alias, None, "there was room only for the link");
    assert!(fixture.server_decides(&register_peer(calling("barat", unknown_server(2, "timur")))).is_ok());
    fixture.server_refuses(&register_peer(unknown_server(4, "selatan")), CommandError::RealmLimit);
}
