//! Which messages a conversation has, and the bounds of its count.

use super::*;
use crate::chat::command::Command;
use crate::chat::fixture::{Fixture, MESSI, NEKO, PAFF, address, name};

fn entry(seq: u64, peer: UserId) -> Entry {
    Entry { seq: Seq(seq), peer, sent: false, realm: None }
}

/// Visits entries, newest first; returns how many were visited.
fn visit(tally: &mut ConversationTally<'_>, timeline: Timeline, entries: impl IntoIterator<Item = Entry>) -> usize {
    tally.begin();
    let mut entries = entries.into_iter();
    1 + entries.by_ref().take_while(|entry| tally.visit(timeline, entry, None).is_continue()).count()
}

fn query(fixture: &Fixture, limit: usize) -> ConversationQuery {
    fixture.state.conversations(PAFF, limit).unwrap()
}

fn unread(statuses: &[ConversationStatus], conversation: ConversationId) -> (usize, bool) {
    let status = statuses.iter().find(|status| status.conversation == conversation).unwrap();
    (status.unread, status.unread_more)
}

#[test]
fn a_group_is_read_only_as_far_as_its_count_needs() {
    let fixture = Fixture::new();
    let query = query(&fixture, 10);
    let mut tally = ConversationTally::new(&query);
    let group = Timeline::Group(GroupId(0));
    let read = fixture.state.user(PAFF).unwrap().cursor.0;
    let visited = visit(&mut tally, group, (1..=read + 3).rev().map(|seq| entry(seq, MESSI)));
    assert_eq!(visited, 4, "three unread ones, and the newest that is read");
    assert_eq!(unread(&tally.finish().0, ConversationId::Group(GroupId(0))), (3, false));
}

#[test]
fn a_count_ends_at_its_bound_and_tells_so() {
    let fixture = Fixture::new();
    let query = query(&fixture, 10);
    let mut tally = ConversationTally::new(&query);
    let group = Timeline::Group(GroupId(0));
    visit(&mut tally, group, (1..1_000_000).rev().map(|seq| entry(seq, MESSI)));
    assert_eq!(unread(&tally.finish().0, ConversationId::Group(GroupId(0))), (UNREAD_COUNTED, true));
}

#[test]
fn exactly_as_many_as_are_counted_are_not_more() {
    let fixture = Fixture::new();
    let query = query(&fixture, 10);
    let mut tally = ConversationTally::new(&query);
    let own = Timeline::User(PAFF);
    visit(&mut tally, own, (1_000_001..=1_000_000 + UNREAD_COUNTED as u64).rev().map(|seq| entry(seq, MESSI)));
    assert_eq!(unread(&tally.finish().0, ConversationId::User(MESSI)), (UNREAD_COUNTED, false));
}

#[test]
fn a_timeline_that_is_too_long_leaves_counts_open_that_it_could_have_raised() {
    let fixture = Fixture::new();
    let mut query = query(&fixture, 10);
    query.read.marks.insert(ConversationId::User(MESSI), Seq(10_000_000));
    let mut tally = ConversationTally::new(&query);
    let newest = [entry(10_000_002, MESSI), entry(10_000_001, NEKO)];
    let own = (1..10_000_000).rev().map(|seq| Entry { sent: true, ..entry(seq, MESSI) });
    let visited = visit(&mut tally, Timeline::User(PAFF), newest.into_iter().chain(own));
    assert_eq!(visited, CONVERSATION_ENTRIES + 1);
    let (statuses, more) = tally.finish();
    assert!(more, "there may be further conversations");
    assert_eq!(unread(&statuses, ConversationId::User(MESSI)), (1, false), "its mark was reached");
    assert_eq!(unread(&statuses, ConversationId::User(NEKO)), (1, true));
}

#[test]
fn the_newest_conversations_are_listed_first_and_silent_groups_at_their_joining() {
    let mut fixture = Fixture::new();
    fixture.does(PAFF, &Command::CreateGroup { name: name("duo"), password: None });
    let joined = fixture.state.head();
    let query = query(&fixture, 3);
    let mut tally = ConversationTally::new(&query);
    let own = [entry(joined.0 + 2, MESSI), entry(joined.0 + 1, NEKO), entry(1, PAFF)];
    visit(&mut tally, Timeline::User(PAFF), own);
    let (statuses, more) = tally.finish();
    let listed: Vec<_> = statuses.iter().map(|status| status.conversation).collect();
    let expected = [ConversationId::User(MESSI), ConversationId::User(NEKO), ConversationId::Group(GroupId(1))];
    assert_eq!((listed.as_slice(), more), (&expected[..], true));
}

#[test]
fn each_conversation_has_the_name_that_finds_it() {
    let mut fixture = Fixture::new();
    let realm = fixture.links("timur", 7);
    let named = |conversation| fixture.state.conversation_names(&conversation).unwrap().0;
    assert_eq!(&*named(ConversationId::Server), "realm@local");
    assert_eq!(&*named(ConversationId::Broadcast), "*");
    for (conversation, id, shown) in [
        (Conversation::User(address("Messi")), ConversationId::User(MESSI), "messi"),
        (Conversation::User(address("messi@local")), ConversationId::User(MESSI), "messi"),
        (Conversation::Group(address("fans")), ConversationId::Group(GroupId(0)), "group:fans"),
        (
            Conversation::User(address("Bob@timur")),
            ConversationId::RemoteUser(realm, name("bob").folded()),
            "bob@timur",
        ),
        (
            Conversation::Group(address("fans@timur")),
            ConversationId::RemoteGroup(realm, name("fans").folded()),
            "group:fans@timur",
        ),
    ] {
        let user = fixture.state.user(PAFF).unwrap();
        assert_eq!(fixture.state.conversation(user, &conversation), Ok(id));
        assert_eq!(&*named(id), shown);
    }
}
