//! Views of what crossed realms; those of one server are played in the transcripts.

use super::*;
use crate::chat::command::Command;
use crate::chat::fixture::{MESSI, PAFF, World, address, key, name, remote_group_message, remote_message};
use crate::chat::history::Conversation;
use crate::chat::peer_registration::PeerHello;
use crate::id::Incarnation;

/// What messi's view of a realm shows that was not read in it.
fn realm_inbox(world: &World, realm: &str) -> Vec<String> {
    let realm = world.state.realm_to_read(&name(realm)).unwrap();
    world.shows(&world.state.realm_inbox(MESSI, realm).unwrap())
}

fn history(world: &World, conversation: &Conversation) -> Vec<String> {
    world.shows(&world.state.history(MESSI, conversation, Seq(u64::MAX)).unwrap())
}

/// A server that was linked tells what it calls this one.
fn calls_us(world: &mut World, byte: u8, called: &str) {
    let (calls_us, counts) = (Some(name(called)), (Incarnation(1), Seq(0)));
    let meeting =
        PeerHello { key: key(byte), home: name("x"), calls_us, address: None, dialled: None, welcome: true, counts };
    world.does(&Command::RegisterPeer(meeting));
}

/// timur and utara are linked, both have written to messi, timur's bob to the group too, and paff at home.
fn with_mail() -> World {
    let mut world = World::new();
    let (timur, utara) = (world.links("timur", 2), world.links("utara", 3));
    world.receives(timur, [remote_message(1, "bob", "messi"), remote_group_message(2, "bob", "fans")]);
    world.receives(utara, [remote_message(3, "bob", "messi")]);
    world.sends(PAFF, "messi", "dari paff");
    world.sends(PAFF, "messi@local", "lewat local");
    world
}

#[test]
fn the_view_of_a_realm_shows_what_came_from_there() {
    let world = with_mail();
    assert_eq!(realm_inbox(&world, "TIMUR"), ["1", "2"]);
    assert_eq!(realm_inbox(&world, "utara"), ["3"]);
    assert_eq!(realm_inbox(&world, "local"), ["1", "2", "3", "lewat local"]);
}

#[test]
fn what_another_server_calls_us_shows_what_came_from_that_server() {
    let mut world = with_mail();
    assert_eq!(world.state.realm_to_read(&name("barat")), None);
    calls_us(&mut world, 2, "barat");
    assert_eq!(realm_inbox(&world, "Barat"), ["1", "2"]);
    calls_us(&mut world, 3, "barat");
    assert_eq!(realm_inbox(&world, "barat"), ["1", "2", "3"]);
    calls_us(&mut world, 2, "timur");
    assert_eq!(realm_inbox(&world, "timur"), ["1", "2"], "a name of the table goes before");
}

#[test]
fn each_view_has_a_cursor_of_its_own() {
    let mut world = with_mail();
    let (user, realm, from) = (MESSI, world.realm("timur"), Seq(0));
    world.does(&Command::ReadRealmInbox { user, realm, from, upto: world.state.head() });
    assert_eq!(realm_inbox(&world, "timur"), [""; 0]);
    assert_eq!(realm_inbox(&world, "local").len(), 4);
    assert_eq!(world.shows(&world.state.inbox(MESSI).unwrap()).len(), 5);
}

#[test]
fn what_a_blocked_person_of_another_realm_says_to_a_group_is_left_out_for_who_blocks() {
    let mut world = with_mail();
    world.does(&Command::Block { user: MESSI, whom: address("BOB@timur") });
    assert_eq!(world.shows(&world.state.inbox(MESSI).unwrap()), ["1", "3", "dari paff", "lewat local"]);
    assert_eq!(realm_inbox(&world, "timur"), ["1"]);
    let utara = world.realm("utara");
    world.receives(utara, [remote_group_message(4, "bob", "fans")]);
    assert_eq!(realm_inbox(&world, "utara"), ["3", "4"], "another realm's bob is somebody else");
    assert_eq!(world.shows(&world.state.inbox(PAFF).unwrap()), ["2", "4"]);
}

#[test]
fn a_conversation_with_somebody_of_another_realm_shows_both_directions_and_nobody_else() {
    let mut world = with_mail();
    let timur = world.realm("timur");
    world.sends(MESSI, "bob@timur", "halo bob");
    world.sends(MESSI, "bobby@timur", "halo bobby");
    world.sends(MESSI, "bob@utara", "halo utara");
    world.receives(timur, [remote_message(5, "BOB", "messi"), remote_message(6, "bobby", "messi")]);
    for with in ["bob@timur", "Bob@TIMUR"] {
        assert_eq!(history(&world, &Conversation::User(address(with))), ["1", "halo bob", "5"], "{with}");
    }
}

#[test]
fn a_group_of_another_realm_shows_what_was_said_to_it_from_here() {
    let mut world = with_mail();
    for to in ["fans@timur", "FANS@timur", "fans@utara", "others@timur"] {
        world.does(&Command::SendGroup { from: MESSI, to: address(to), text: to.into() });
    }
    world.sends(MESSI, "fans@timur", "to a user of that name");
    let with = Conversation::Group(address("Fans@Timur"));
    assert_eq!(history(&world, &with), ["fans@timur", "FANS@timur"]);
}

#[test]
fn a_conversation_here_shows_nothing_of_somebody_of_that_name_elsewhere() {
    let mut world = with_mail();
    let timur = world.realm("timur");
    world.receives(timur, [remote_message(7, "paff", "messi")]);
    assert_eq!(history(&world, &Conversation::User(address("paff"))), ["dari paff", "lewat local"]);
    assert_eq!(history(&world, &Conversation::User(address("paff@local"))), ["lewat local"]);
    assert_eq!(history(&world, &Conversation::User(address("paff@timur"))), ["7"]);
}

#[test]
fn what_this_server_says_of_a_realm_belongs_to_no_conversation() {
    let mut world = with_mail();
    let (realm, upto) = (world.realm("timur"), world.sends(MESSI, "bob@timur", "halo"));
    let why = crate::chat::error::BounceReason::UserNotFound;
    let bounces = vec![crate::chat::remote::Bounce { number: upto, why, notification: Some("tidak terkirim".into()) }];
    world.does(&Command::AcknowledgeOutbox { realm, upto, bounces });
    assert_eq!(history(&world, &Conversation::User(address("bob@timur"))), ["1", "halo"]);
    assert_eq!(realm_inbox(&world, "timur"), ["1", "2", "tidak terkirim"]);
    assert_eq!(history(&world, &Conversation::All).last().unwrap(), "tidak terkirim");
}

#[test]
fn an_outbox_shows_everything_that_waits_in_it() {
    let mut world = with_mail();
    let timur = world.realm("timur");
    let first = world.sends(MESSI, "bob@timur", "satu");
    world.sends(PAFF, "bob@timur", "dua");
    world.sends(PAFF, "bob@utara", "tiga");
    assert_eq!(world.shows(&TimelineQuery::outbox(timur, Seq(0))), ["satu", "dua"]);
    assert_eq!(world.shows(&TimelineQuery::outbox(timur, first)), ["dua"]);
}
