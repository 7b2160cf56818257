use super::*;
use crate::chat::command::Command;
use crate::chat::fixture::{MESSI, NEKO, PAFF, World, address, hash, name, remote_group_message, remote_message, text};
use crate::chat::idempotency::{IdempotencyKey, remember};
use crate::chat::peer::OutboxEntry;
use crate::chat::realms::RealmKind;
use crate::id::Hash64;
use crate::limits::INCARNATIONS_PER_PEER;
use crate::time::Time;

const FIRST: Incarnation = Incarnation(5);

fn send(to: &str, text: &str) -> Command {
    Command::SendDirect { from: MESSI, to: address(to), text: text.into(), online: None }
}

fn send_to_group(to: &str) -> Command {
    Command::SendGroup { from: MESSI, to: address(to), text: "halo".into() }
}

fn with_timur() -> (World, RealmId) {
    let mut world = World::new();
    let timur = world.links("timur", 2);
    (world, timur)
}

fn message(events: &[Event]) -> &Message {
    events.iter().find_map(|event| if let Event::MessageSent(message) = event { Some(message) } else { None }).unwrap()
}

fn object(message: &Message) -> String {
    format!("{{{}", String::from_utf8(message.body.0.to_vec()).unwrap())
}

fn texts(events: &[Event]) -> Vec<String> {
    let message = |event: &Event| match event {
        Event::MessageSent(message) => Some(text(&message.body)),
        _ => None,
    };
    events.iter().filter_map(message).collect()
}

fn refused(events: &[Event]) -> Vec<(Seq, BounceReason)> {
    match events.last() {
        Some(Event::PeerReceived { refused, .. }) => refused.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_to_another_realm_is_addressed_there() {
    let (world, timur) = with_timur();
    let events = world.wants(&send("bob@Timur", "halo")).unwrap();
    assert_eq!(message(&events).to, Destination::RemoteUser(RemoteName { realm: timur, name: name("bob") }));
    assert_eq!(
        object(message(&events)),
        r#"{"from":"messi","to":"bob@timur","msg_from":"messi","msg_to":"bob","msg":"halo","kind":"direct","realm":"timur"}"#
    );
    let events = world.wants(&send_to_group("g1@timur")).unwrap();
    assert_eq!(message(&events).to, Destination::RemoteGroup(RemoteName { realm: timur, name: name("g1") }));
    let expected = r#"{"from":"messi","to":"g1@timur","msg_from":"messi","msg_to":"g1","msg":"halo","kind":"group","group":"g1","realm":"timur"}"#;
    assert_eq!(object(message(&events)), expected);
}

#[test]
fn a_message_to_a_name_of_this_server_stays_here() {
    let (mut world, _) = with_timur();
    world.does(&Command::AddRealm { by: MESSI, name: name("barat") });
    for realm in ["local", "barat"] {
        let events = world.wants(&send(&format!("paff@{realm}"), "halo")).unwrap();
        assert_eq!(message(&events).to, Destination::User(PAFF), "{realm}");
        let events = world.wants(&send_to_group(&format!("fans@{realm}"))).unwrap();
        assert!(matches!(message(&events).to, Destination::Group(_)), "{realm}");
    }
    world.refuses(&send("paff@utara", "halo"), CommandError::RealmNotFound);
}

#[test]
fn what_waits_is_queued_in_order_with_its_sender() {
    let (mut world, _) = with_timur();
    let first = world.sends(MESSI, "bob@timur", "satu");
    let second = world.sends(PAFF, "bob@timur", "dua");
    let peer = world.peer("timur");
    let bytes: usize = peer.queue.iter().map(|queued| queued.bytes as usize).sum();
    assert_eq!((peer.queue.len(), peer.queue.bytes(), peer.last), (2, bytes, second));
    assert_eq!(peer.queue.oldest().map(|queued| queued.seq), Some(first));
    assert_eq!((peer.queue.sender(first), peer.queue.sender(second)), (Some(MESSI), Some(PAFF)));
    assert_eq!(peer.queue.sender(Seq(first.0 - 1)), None);
}

#[test]
fn no_more_waits_than_a_number_of_messages() {
    let (mut world, timur) = with_timur();
    let queued = OutboxEntry { seq: Seq(0), time: Time(0), from: NEKO, bytes: 1 };
    world.state.change_peer(timur, |peer| (1..OUTBOX_MESSAGES).for_each(|_| peer.queue.push(queued)));
    world.does(&send("bob@timur", "halo"));
    world.refuses(&send("bob@timur", "halo"), CommandError::RealmQueueFull);
    world.refuses(&send_to_group("g1@timur"), CommandError::RealmQueueFull);
}

#[test]
fn no_more_waits_of_one_user_than_leaves_room_for_others() {
    let (mut world, timur) = with_timur();
    let queued = OutboxEntry { seq: Seq(0), time: Time(0), from: MESSI, bytes: 1 };
    world.state.change_peer(timur, |peer| (1..OUTBOX_MESSAGES_PER_USER).for_each(|_| peer.queue.push(queued)));
    world.does(&send("bob@timur", "halo"));
    world.refuses(&send("bob@timur", "halo"), CommandError::RealmQueueFull);
    assert!(
        world
            .wants(&Command::SendDirect { from: PAFF, to: address("bob@timur"), text: "halo".into(), online: None })
            .is_ok()
    );
}

#[test]
fn no_more_waits_than_a_number_of_bytes() {
    let (mut world, timur) = with_timur();
    let half = "x".repeat(OUTBOX_BYTES / 2);
    world.does(&send("bob@timur", &half));
    world.refuses(&send("bob@timur", &half), CommandError::RealmQueueFull);
    assert!(world.wants(&send("bob@timur", "halo")).is_ok());
    world.does(&Command::AcknowledgeOutbox { realm: timur, upto: world.state.head(), bounces: vec![] });
    assert!(world.wants(&send("bob@timur", &half)).is_ok());
}

#[test]
fn what_comes_is_said_by_somebody_of_the_realm_that_sent_it() {
    let (mut world, timur) = with_timur();
    let (number, first) = remote_message(1, "bob", "PAFF");
    let messages = [
        (number, first.map(|first| RemoteMessage { full_name: "Bob Tutu".into(), ..first })),
        remote_message(2, "bob", "neko"),
    ];
    let events = world.receives(timur, messages);
    let author = Author::Remote(RemoteName { realm: timur, name: name("bob") });
    assert_eq!((&message(&events).from, &message(&events).to), (&author, &Destination::User(PAFF)));
    assert_eq!(
        object(message(&events)),
        r#"{"from":"bob@timur","to":"paff","msg_from":"Bob Tutu","msg_to":"paff","msg":"1","kind":"direct","realm":"timur"}"#
    );
    let unnamed = r#"{"from":"bob@timur","to":"neko","msg_from":"bob","msg_to":"neko","msg":"2","kind":"direct","realm":"timur"}"#;
    assert_eq!(object(message(&events[1..])), unnamed);
}

#[test]
fn what_comes_for_an_open_group_is_said_to_it() {
    let (mut world, timur) = with_timur();
    let events = world.receives(timur, [remote_group_message(1, "bob", "Fans")]);
    let expected = r#"{"from":"bob@timur","to":"fans","msg_from":"bob","msg_to":"fans","msg":"1","kind":"group","group":"fans","realm":"timur"}"#;
    assert_eq!(object(message(&events)), expected);
}

#[test]
fn every_number_is_taken_in_once_and_in_order() {
    let (mut world, timur) = with_timur();
    let table: [(&[u64], &[&str], u64); 6] = [
        (&[3, 5], &["3", "5"], 5),
        (&[3, 5], &[], 5),
        (&[4], &[], 5),
        (&[5, 6, 9], &["6", "9"], 9),
        (&[], &[], 9),
        (&[11, 10, 11, 12], &["11", "12"], 12),
    ];
    for (numbers, expected, upto) in table {
        let messages: Vec<_> = numbers.iter().map(|number| remote_message(*number, "bob", "paff")).collect();
        let events = world.receives(timur, messages);
        assert_eq!(texts(&events), expected, "{numbers:?}");
        assert_eq!(events.is_empty(), expected.is_empty(), "{numbers:?}");
        assert_eq!(world.peer("timur").received_upto(FIRST), Seq(upto), "{numbers:?}");
    }
}

#[test]
fn every_incarnation_and_every_server_counts_by_itself() {
    let (mut world, timur) = with_timur();
    let utara = world.links("utara", 3);
    world.receives(timur, [remote_message(7, "bob", "paff")]);
    assert_eq!(texts(&world.receives(utara, [remote_message(7, "bob", "paff")])), ["7"]);
    let again = Command::Receive {
        realm: timur,
        incarnation: Incarnation(6),
        messages: vec![remote_message(7, "bob", "paff")],
    };
    assert_eq!(texts(&world.does(&again)), ["7"]);
    assert_eq!(texts(&world.does(&again)), [""; 0]);
}

#[test]
fn the_incarnation_that_was_used_longest_ago_is_forgotten_first() {
    let (mut world, timur) = with_timur();
    let mut receive = |incarnation, number| {
        let messages = vec![remote_message(number, "bob", "paff")];
        world.does(&Command::Receive { realm: timur, incarnation: Incarnation(incarnation), messages });
    };
    let last = INCARNATIONS_PER_PEER as u64;
    (1..=last).for_each(|incarnation| receive(incarnation, 1));
    receive(1, 2);
    receive(last + 1, 1);
    let peer = world.peer("timur");
    let upto = [1, 2, 3, last + 1].map(|incarnation| peer.received_upto(Incarnation(incarnation)).0);
    assert_eq!((upto, peer.received.len()), ([2, 0, 1, 1], INCARNATIONS_PER_PEER));
}

#[test]
fn what_cannot_be_delivered_is_refused_with_its_reason_and_the_rest_is_taken_in() {
    let (mut world, timur) = with_timur();
    world.does(&Command::CreateGroup { owner: MESSI, name: name("closed"), password: Some(hash("secret")) });
    world.does(&Command::Block { user: NEKO, whom: address("Bob@timur") });
    world.does(&Command::Unregister { user: PAFF, verified: hash("old") });
    let messages = [
        remote_message(1, "bob", "nobody"),
        remote_message(2, "bob", "paff"),
        remote_message(3, "bob", "neko"),
        remote_group_message(4, "bob", "nowhere"),
        remote_group_message(5, "bob", "closed"),
        (Seq(6), Err(BounceReason::Malformed)),
        remote_message(7, "ani", "neko"),
    ];
    let events = world.receives(timur, messages);
    assert_eq!(texts(&events), ["7"]);
    let expected = [
        (Seq(1), BounceReason::UserNotFound),
        (Seq(2), BounceReason::UserNotFound),
        (Seq(3), BounceReason::Blocked),
        (Seq(4), BounceReason::GroupNotFound),
        (Seq(5), BounceReason::NotMember),
        (Seq(6), BounceReason::Malformed),
    ];
    assert_eq!(refused(&events), expected);
}

#[test]
fn a_refusal_is_remembered_until_the_other_server_has_noted_it() {
    let (mut world, timur) = with_timur();
    world.receives(timur, [remote_message(1, "bob", "nobody"), remote_message(2, "bob", "nobody")]);
    let other = vec![remote_message(1, "bob", "nobody")];
    world.does(&Command::Receive { realm: timur, incarnation: Incarnation(6), messages: other });
    let confirm = |upto| Command::ConfirmReceived { realm: timur, incarnation: FIRST, upto: Seq(upto) };
    let left = |world: &World| -> Vec<(u64, u64)> {
        world.peer("timur").refused.iter().map(|(incarnation, number, _)| (incarnation.0, number.0)).collect()
    };
    world.receives(timur, [remote_message(2, "bob", "nobody")]);
    assert_eq!(left(&world), [(5, 1), (5, 2), (6, 1)]);
    world.does(&confirm(1));
    assert_eq!(left(&world), [(5, 2), (6, 1)]);
    assert_eq!(world.wants(&confirm(1)), Ok(vec![]));
    world.does(&confirm(9));
    assert_eq!(left(&world), [(6, 1)]);
}

#[test]
fn no_more_is_taken_while_too_many_refusals_are_not_noted() {
    let (mut world, timur) = with_timur();
    let full = REFUSED_UNCONFIRMED as u64;
    let messages: Vec<_> = (1..=full).map(|number| (Seq(number), Err(BounceReason::Malformed))).collect();
    world.receives(timur, messages);
    let next =
        Command::Receive { realm: timur, incarnation: FIRST, messages: vec![remote_message(full + 1, "bob", "paff")] };
    world.refuses(&next, CommandError::Busy);
    world.does(&Command::ConfirmReceived { realm: timur, incarnation: FIRST, upto: Seq(1) });
    assert_eq!(texts(&world.does(&next)).len(), 1);
}

#[test]
fn no_number_is_stored_that_the_store_cannot_keep() {
    let (mut world, realm) = with_timur();
    let messages = vec![remote_message(MAX_LOG_NUMBER + 1, "bob", "messi")];
    world.refuses(&Command::Receive { realm, incarnation: FIRST, messages }, CommandError::RealmRefused);
    world.receives(realm, [(Seq(MAX_LOG_NUMBER), Err(BounceReason::Malformed))]);
    let confirmed = world.wants(&Command::ConfirmReceived { realm, incarnation: FIRST, upto: Seq(u64::MAX) });
    let upto = Seq(MAX_LOG_NUMBER);
    assert_eq!(confirmed, Ok(vec![Event::PeerConfirmed { realm, incarnation: FIRST, upto }]));
}

#[test]
fn only_a_linked_server_sends_and_acknowledges() {
    let (mut world, timur) = with_timur();
    world.does(&Command::AddRealm { by: MESSI, name: name("barat") });
    let (name, lost) = (name("timur"), "".into());
    world.does(&Command::RemoveRealm { by: MESSI, name, is_administrator: false, lost });
    assert!(matches!(world.state.realm(timur).unwrap().kind, RealmKind::Removed(_)));
    for realm in [RealmId::HOME, world.realm("barat"), timur, RealmId(9)] {
        let (incarnation, upto) = (FIRST, Seq(1));
        let messages = vec![remote_message(1, "bob", "paff")];
        world.refuses(&Command::Receive { realm, incarnation, messages }, CommandError::RealmNotFound);
        world.refuses(&Command::AcknowledgeOutbox { realm, upto, bounces: vec![] }, CommandError::RealmNotFound);
        world.refuses(&Command::ConfirmReceived { realm, incarnation, upto }, CommandError::RealmNotFound);
    }
}

/// What timur acknowledges, with what came back.
fn acknowledge(realm: RealmId, upto: Seq, bounces: &[(Seq, Option<&str>)]) -> Command {
    let why = BounceReason::UserNotFound;
    let bounces = bounces.iter().map(|(number, notification)| Bounce {
        number: *number,
        why,
        notification: notification.map(Into::into),
    });
    Command::AcknowledgeOutbox { realm, upto, bounces: bounces.collect() }
}

#[test]
fn what_was_acknowledged_waits_no_more_and_the_cursor_only_goes_forward() {
    let (mut world, timur) = with_timur();
    let numbers: Vec<Seq> = ["satu", "dua", "tiga"].map(|text| world.sends(MESSI, "bob@timur", text)).to_vec();
    for (upto, cursor, waiting) in [
        (numbers[1], numbers[1], 1),
        (numbers[0], numbers[1], 1),
        (numbers[1], numbers[1], 1),
        (Seq(u64::MAX), numbers[2], 0),
    ] {
        world.does(&acknowledge(timur, upto, &[]));
        let peer = world.peer("timur");
        assert_eq!((peer.cursor, peer.queue.len()), (cursor, waiting), "{upto}");
    }
    assert_eq!(world.peer("timur").queue.bytes(), 0);
}

#[test]
fn whoever_was_not_answered_is_told_by_the_server_what_came_back() {
    let (mut world, timur) = with_timur();
    let first = world.sends(MESSI, "bob@timur", "satu");
    let second = world.sends(PAFF, "bob@timur", "dua");
    let bounces = [(first, Some("tidak terkirim")), (second, None), (Seq(second.0 + 1), Some("nobody sent it"))];
    let events = world.does(&acknowledge(timur, second, &bounces));
    assert_eq!(texts(&events), ["tidak terkirim"]);
    assert_eq!((&message(&events).from, &message(&events).to), (&Author::Server, &Destination::User(MESSI)));
    let expected = r#"{"from":"realm@local","to":"messi","msg_from":"realm@local","msg_to":"messi","msg":"tidak terkirim","kind":"direct","realm":"timur"}"#;
    assert_eq!(object(message(&events)), expected);
    assert_eq!(world.wants(&acknowledge(timur, second, &bounces)), Ok(vec![]), "once");
}

#[test]
fn who_has_unregistered_is_told_nothing() {
    let (mut world, timur) = with_timur();
    let number = world.sends(PAFF, "bob@timur", "satu");
    world.does(&Command::Unregister { user: PAFF, verified: hash("old") });
    assert_eq!(texts(&world.does(&acknowledge(timur, number, &[(number, Some("tidak terkirim"))]))), [""; 0]);
}

#[test]
fn a_tagged_request_that_is_repeated_knows_that_its_message_came_back() {
    let (mut world, timur) = with_timur();
    let number = world.sends(MESSI, "bob@timur", "satu");
    let once = IdempotencyKey { user: MESSI, tag: Hash64(1), request: Hash64(2) };
    world.happens(&remember(once, number, None));
    let remembered = |world: &World| world.state.done_before(&once, Time(0)).unwrap().unwrap().refused;
    assert_eq!(remembered(&world), None);
    world.does(&acknowledge(timur, number, &[(number, None)]));
    assert_eq!(remembered(&world), Some(BounceReason::UserNotFound));
}
