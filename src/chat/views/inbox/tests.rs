//! Views of messages that crossed realms; the transcripts test the views of one server.

use super::*;
use crate::chat::command::Command;
use crate::chat::error::BounceReason;
use crate::chat::fixture::{Fixture, MESSI, PAFF, address, key, name, remote_group_message, remote_message};
use crate::chat::model::remote_message::{Bounce, PeerHello};
use crate::chat::views::history::Conversation;
use crate::id::Epoch;

/// The unread messages in messi's view of a realm.
fn realm_inbox(fixture: &Fixture, realm: &str) -> Vec<String> {
    let realm = fixture.state.realm_to_read(&name(realm)).unwrap();
    fixture.shows(&fixture.state.realm_inbox(MESSI, realm).unwrap())
}

fn history(fixture: &Fixture, conversation: Option<&Conversation>) -> Vec<String> {
    fixture.shows(&fixture.state.history(MESSI, conversation, Seq(u64::MAX)).unwrap())
}

/// Registers the name that a linked server has for this one.
fn calls_us(fixture: &mut Fixture, byte: u8, called: &str) {
    let (calls_us, counts) = (Some(name(called)), (Epoch(1), Seq(0)));
    let hello =
        PeerHello { key: key(byte), home: name("x"), calls_us, address: None, dialled: None, welcome: true, counts };
    fixture.server_does(&Command::RegisterPeer(Box::new(hello)));
}

/// timur and utara are linked. messi has messages from bob of each and from paff, the group has one from bob of timur.
fn with_messages() -> Fixture {
    let mut fixture = Fixture::new();
    let (timur, utara) = (fixture.links("timur", 2), fixture.links("utara", 3));
    fixture.receives(timur, [remote_message(1, "bob", "messi"), remote_group_message(2, "bob", "fans")]);
    fixture.receives(utara, [remote_message(3, "bob", "messi")]);
    fixture.sends(PAFF, "messi", "dari paff");
    fixture.sends(PAFF, "messi@local", "lewat local");
    fixture
}

#[test]
fn the_view_of_a_realm_shows_the_messages_from_there() {
    let fixture = with_messages();
    assert_eq!(realm_inbox(&fixture, "TIMUR"), ["1", "2"]);
    assert_eq!(realm_inbox(&fixture, "utara"), ["3"]);
    assert_eq!(realm_inbox(&fixture, "local"), ["1", "2", "3", "lewat local"]);
}

#[test]
fn an_alias_shows_the_messages_of_the_servers_that_use_it() {
    let mut fixture = with_messages();
    assert_eq!(fixture.state.realm_to_read(&name("barat")), None);
    calls_us(&mut fixture, 2, "barat");
    assert_eq!(realm_inbox(&fixture, "Barat"), ["1", "2"]);
    calls_us(&mut fixture, 3, "barat");
    assert_eq!(realm_inbox(&fixture, "barat"), ["1", "2", "3"]);
    calls_us(&mut fixture, 2, "timur");
    assert_eq!(realm_inbox(&fixture, "timur"), ["1", "2"], "the name of a realm takes precedence");
}

#[test]
fn each_view_has_a_cursor_of_its_own() {
    let mut fixture = with_messages();
    let (realm, from, upto) = (fixture.realm("timur"), Seq(0), fixture.state.head());
    fixture.does(MESSI, &Command::ReadRealmInbox { realm, from, upto });
    assert_eq!(realm_inbox(&fixture, "timur"), [""; 0]);
    assert_eq!(realm_inbox(&fixture, "local").len(), 4);
    assert_eq!(fixture.shows(&fixture.state.inbox(MESSI).unwrap()).len(), 5);
}

#[test]
fn group_messages_of_a_blocked_user_of_another_realm_are_hidden_from_the_blocking_user() {
    let mut fixture = with_messages();
    fixture.does(MESSI, &Command::Block { whom: address("BOB@timur") });
    assert_eq!(fixture.shows(&fixture.state.inbox(MESSI).unwrap()), ["1", "3", "dari paff", "lewat local"]);
    assert_eq!(realm_inbox(&fixture, "timur"), ["1"]);
    let utara = fixture.realm("utara");
    fixture.receives(utara, [remote_group_message(4, "bob", "fans")]);
    assert_eq!(realm_inbox(&fixture, "utara"), ["3", "4"], "bob of another realm is another user");
    assert_eq!(fixture.shows(&fixture.state.inbox(PAFF).unwrap()), ["2", "4"]);
}

#[test]
fn a_conversation_with_a_user_of_another_realm_shows_both_directions_and_no_other_user() {
    let mut fixture = with_messages();
    let timur = fixture.realm("timur");
    fixture.sends(MESSI, "bob@timur", "halo bob");
    fixture.sends(MESSI, "bobby@timur", "halo bobby");
    fixture.sends(MESSI, "bob@utara", "halo utara");
    fixture.receives(timur, [remote_message(5, "BOB", "messi"), remote_message(6, "bobby", "messi")]);
    for with in ["bob@timur", "Bob@TIMUR"] {
        assert_eq!(history(&fixture, Some(&Conversation::User(address(with)))), ["1", "halo bob", "5"], "{with}");
    }
}

#[test]
fn a_group_of_another_realm_shows_the_messages_sent_to_it_from_here() {
    let mut fixture = with_messages();
    for to in ["fans@timur", "FANS@timur", "fans@utara", "others@timur"] {
        fixture.does(MESSI, &Command::SendGroup { to: address(to), text: to.into() });
    }
    fixture.sends(MESSI, "fans@timur", "to a user of that name");
    let with = Conversation::Group(address("Fans@Timur"));
    assert_eq!(history(&fixture, Some(&with)), ["fans@timur", "FANS@timur"]);
}

#[test]
fn a_local_conversation_excludes_a_user_of_the_same_name_in_another_realm() {
    let mut fixture = with_messages();
    let timur = fixture.realm("timur");
    fixture.receives(timur, [remote_message(7, "paff", "messi")]);
    assert_eq!(history(&fixture, Some(&Conversation::User(address("paff")))), ["dari paff", "lewat local"]);
    assert_eq!(history(&fixture, Some(&Conversation::User(address("paff@local")))), ["lewat local"]);
    assert_eq!(history(&fixture, Some(&Conversation::User(address("paff@timur")))), ["7"]);
}

#[test]
fn a_message_of_this_server_about_a_realm_belongs_to_a_conversation_of_its_own() {
    let mut fixture = with_messages();
    let (realm, upto) = (fixture.realm("timur"), fixture.sends(MESSI, "bob@timur", "halo"));
    let (why, notification) = (BounceReason::UserNotFound, Some("tidak terkirim".into()));
    let bounces = vec![Bounce { number: upto, why, notification }];
    fixture.server_does(&Command::AcknowledgeOutbox { realm, upto, bounces });
    assert_eq!(history(&fixture, Some(&Conversation::User(address("bob@timur")))), ["1", "halo"]);
    assert_eq!(realm_inbox(&fixture, "timur"), ["1", "2", "tidak terkirim"]);
    assert_eq!(history(&fixture, Some(&Conversation::Server)), ["tidak terkirim"]);
    assert_eq!(history(&fixture, None).last().unwrap(), "tidak terkirim");
}

#[test]
fn an_outbox_shows_all_queued_messages() {
    let mut fixture = with_messages();
    let timur = fixture.realm("timur");
    let first = fixture.sends(MESSI, "bob@timur", "satu");
    fixture.sends(PAFF, "bob@timur", "dua");
    fixture.sends(PAFF, "bob@utara", "tiga");
    assert_eq!(fixture.shows(&TimelineQuery::outbox(timur, Seq(0))), ["satu", "dua"]);
    assert_eq!(fixture.shows(&TimelineQuery::outbox(timur, first)), ["dua"]);
}
