use super::*;
use crate::chat::command::Command;
use crate::chat::fixture::{
    Fixture, MESSI, NEKO, PAFF, address, hash, name, remote_group_message, remote_message, text,
};
use crate::chat::model::idempotency::IdempotencyKey;
use crate::chat::model::peer::{OutboxEntry, OutboxQueue};
use crate::chat::model::realm::RealmKind;
use crate::id::{Hash64, UserId};
use crate::limits::{
    EPOCHS_PER_PEER, OUTBOX_BYTES_PER_USER, OUTBOX_KEPT_MESSAGES, OUTBOX_MESSAGES, OUTBOX_MESSAGES_PER_USER,
    OUTBOX_RESERVED_MESSAGES,
};
use crate::time::Time;

const FIRST: Epoch = Epoch(5);

fn send(to: &str, text: &str) -> Command {
    Command::SendDirect { to: address(to), text: text.into() }
}

fn send_to_group(to: &str) -> Command {
    Command::SendGroup { to: address(to), text: "halo".into() }
}

fn with_timur() -> (Fixture, RealmId) {
    let mut fixture = Fixture::new();
    let timur = fixture.links("timur", 2);
    (fixture, timur)
}

/// A message of a user to the other realm, decided without a look at the limits.
fn waits(from: UserId, realm: RealmId) -> Event {
    let to = Destination::RemoteUser(RemoteName { realm, name: name("bob") });
    Event::MessageSent(Message { from: Author::Local(from), to, realm: Some(realm), body: MessageBody::default() })
}

fn message(events: &[Event]) -> &Message {
    events.iter().find_map(|event| if let Event::MessageSent(message) = event { Some(message) } else { None }).unwrap()
}

fn object(message: &Message) -> String {
    let object = String::from_utf8(message.body.object(Seq(1), Time(0))).unwrap();
    object.replace(r#","id":1,"time":"1970-01-01T00:00:00.000Z""#, "")
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
    let (fixture, timur) = with_timur();
    let events = fixture.decide(MESSI, &send("bob@Timur", "halo")).unwrap();
    assert_eq!(message(&events).to, Destination::RemoteUser(RemoteName { realm: timur, name: name("bob") }));
    assert_eq!(
        object(message(&events)),
        r#"{"msg_from":"messi","msg_to":"bob","msg":"halo","from":"messi","to":"bob@timur","kind":"direct","realm":"timur"}"#
    );
    let events = fixture.decide(MESSI, &send_to_group("g1@timur")).unwrap();
    assert_eq!(message(&events).to, Destination::RemoteGroup(RemoteName { realm: timur, name: name("g1") }));
    let expected = r#"{"msg_from":"messi","msg_to":"g1","msg":"halo","from":"messi","to":"g1@timur","kind":"group","group":"g1","realm":"timur"}"#;
    assert_eq!(object(message(&events)), expected);
}

#[test]
fn a_message_to_a_name_of_this_server_stays_here() {
    let (mut fixture, _) = with_timur();
    fixture.does(MESSI, &Command::AddRealm { name: name("barat") });
    for realm in ["local", "barat"] {
        let events = fixture.decide(MESSI, &send(&format!("paff@{realm}"), "halo")).unwrap();
        assert_eq!(message(&events).to, Destination::User(PAFF), "{realm}");
        let events = fixture.decide(MESSI, &send_to_group(&format!("fans@{realm}"))).unwrap();
        assert!(matches!(message(&events).to, Destination::Group(_)), "{realm}");
    }
    fixture.refuses(MESSI, &send("paff@utara", "halo"), CommandError::RealmNotFound);
}

#[test]
fn messages_are_queued_in_order_with_their_senders() {
    let (mut fixture, _) = with_timur();
    let first = fixture.sends(MESSI, "bob@timur", "satu");
    let second = fixture.sends(PAFF, "bob@timur", "dua");
    let peer = fixture.peer("timur");
    let bytes: usize = peer.queue.iter().map(|queued| queued.bytes as usize).sum();
    assert_eq!((peer.queue.len(), peer.queue.bytes(), peer.last), (2, bytes, second));
    assert_eq!(peer.queue.oldest().map(|queued| queued.seq), Some(first));
    assert_eq!((peer.queue.sender(first), peer.queue.sender(second)), (Some(MESSI), Some(PAFF)));
    assert_eq!(peer.queue.sender(Seq(first.0 - 1)), None);
}

#[test]
fn the_number_of_queued_messages_is_bounded() {
    let (mut fixture, timur) = with_timur();
    (0..OUTBOX_MESSAGES).for_each(|_| fixture.happens(&waits(NEKO, timur)));
    for _ in 0..OUTBOX_KEPT_MESSAGES {
        fixture.does(MESSI, &send("bob@timur", "halo"));
    }
    fixture.refuses(MESSI, &send("bob@timur", "halo"), CommandError::RealmQueueFull);
    fixture.refuses(MESSI, &send_to_group("g1@timur"), CommandError::RealmQueueFull);
}

#[test]
fn the_number_of_queued_messages_of_one_user_is_bounded() {
    let (mut fixture, timur) = with_timur();
    (1..OUTBOX_MESSAGES_PER_USER).for_each(|_| fixture.happens(&waits(MESSI, timur)));
    fixture.does(MESSI, &send("bob@timur", "halo"));
    fixture.refuses(MESSI, &send("bob@timur", "halo"), CommandError::RealmQueueFull);
    assert!(fixture.decide(PAFF, &send("bob@timur", "halo")).is_ok());
}

#[test]
fn users_who_fill_an_outbox_leave_room_for_a_few_messages_of_everybody_else() {
    for bytes in [1, 8_000] {
        let mut queue = OutboxQueue::default();
        let mut seq = 0;
        let mut fill = |from: u64, most: usize| {
            let mut sent = 0;
            while sent < most && queue.has_room_for(UserId(from), bytes) {
                seq += 1;
                sent += 1;
                queue.push(OutboxEntry { seq: Seq(seq), time: Time(0), from: UserId(from), bytes: bytes as u32 });
            }
            sent
        };
        let greedy: usize = (0..50).map(|from| fill(from, usize::MAX)).sum();
        assert!(greedy <= OUTBOX_MESSAGES + OUTBOX_RESERVED_MESSAGES, "{greedy} of {bytes}");
        assert!((100..300).all(|from| fill(from, 8) == 8), "of {bytes} bytes");
    }
}

#[test]
fn the_bytes_of_queued_messages_are_bounded() {
    let (mut fixture, timur) = with_timur();
    let half = "x".repeat(OUTBOX_BYTES_PER_USER / 2);
    fixture.does(MESSI, &send("bob@timur", &half));
    fixture.refuses(MESSI, &send("bob@timur", &half), CommandError::RealmQueueFull);
    assert!(fixture.decide(MESSI, &send("bob@timur", "halo")).is_ok());
    fixture.server_does(&Command::AcknowledgeOutbox { realm: timur, upto: fixture.state.head(), bounces: vec![] });
    assert!(fixture.decide(MESSI, &send("bob@timur", &half)).is_ok());
}

#[test]
fn the_author_of_a_remote_message_is_a_user_of_the_sending_realm() {
    let (mut fixture, timur) = with_timur();
    let (number, first) = remote_message(1, "bob", "PAFF");
    let messages = [
        (number, first.map(|first| RemoteMessage { full_name: "Bob Tutu".into(), ..first })),
        remote_message(2, "bob", "neko"),
    ];
    let events = fixture.receives(timur, messages);
    let author = Author::Remote(RemoteName { realm: timur, name: name("bob") });
    assert_eq!((&message(&events).from, &message(&events).to), (&author, &Destination::User(PAFF)));
    assert_eq!(
        object(message(&events)),
        r#"{"msg_from":"Bob Tutu","msg_to":"paff","msg":"1","from":"bob@timur","to":"paff","kind":"direct","realm":"timur"}"#
    );
    let unnamed = r#"{"msg_from":"bob","msg_to":"neko","msg":"2","from":"bob@timur","to":"neko","kind":"direct","realm":"timur"}"#;
    assert_eq!(object(message(&events[1..])), unnamed);
}

#[test]
fn a_remote_message_to_an_open_group_is_delivered_to_it() {
    let (mut fixture, timur) = with_timur();
    let events = fixture.receives(timur, [remote_group_message(1, "bob", "Fans")]);
    let expected = r#"{"msg_from":"bob","msg_to":"fans","msg":"1","from":"bob@timur","to":"fans","kind":"group","group":"fans","realm":"timur"}"#;
    assert_eq!(object(message(&events)), expected);
}

#[test]
fn every_number_is_received_once_and_in_order() {
    let (mut fixture, timur) = with_timur();
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
        let events = fixture.receives(timur, messages);
        assert_eq!(texts(&events), expected, "{numbers:?}");
        assert_eq!(events.is_empty(), expected.is_empty(), "{numbers:?}");
        assert_eq!(fixture.peer("timur").received_upto(FIRST), Seq(upto), "{numbers:?}");
    }
}

#[test]
fn every_epoch_and_every_server_has_its_own_numbers() {
    let (mut fixture, timur) = with_timur();
    let utara = fixture.links("utara", 3);
    fixture.receives(timur, [remote_message(7, "bob", "paff")]);
    assert_eq!(texts(&fixture.receives(utara, [remote_message(7, "bob", "paff")])), ["7"]);
    let again = Command::Receive { realm: timur, epoch: Epoch(6), messages: vec![remote_message(7, "bob", "paff")] };
    assert_eq!(texts(&fixture.server_does(&again)), ["7"]);
    assert_eq!(texts(&fixture.server_does(&again)), [""; 0]);
}

#[test]
fn the_least_recently_used_epoch_is_forgotten_first() {
    let (mut fixture, timur) = with_timur();
    let mut receive = |epoch, number| {
        let messages = vec![remote_message(number, "bob", "paff")];
        fixture.server_does(&Command::Receive { realm: timur, epoch: Epoch(epoch), messages });
    };
    let last = EPOCHS_PER_PEER as u64;
    (1..=last).for_each(|epoch| receive(epoch, 1));
    receive(1, 2);
    receive(last + 1, 1);
    let peer = fixture.peer("timur");
    let upto = [1, 2, 3, last + 1].map(|epoch| peer.received_upto(Epoch(epoch)).0);
    assert_eq!((upto, peer.received.len()), ([2, 0, 1, 1], EPOCHS_PER_PEER));
}

#[test]
fn undeliverable_messages_are_refused_with_a_reason_and_the_others_are_received() {
    let (mut fixture, timur) = with_timur();
    fixture.does(MESSI, &Command::CreateGroup { name: name("closed"), password: Some(hash("secret")) });
    fixture.does(NEKO, &Command::Block { whom: address("Bob@timur") });
    fixture.does(PAFF, &Command::Unregister { verified: hash("old") });
    let messages = [
        remote_message(1, "bob", "nobody"),
        remote_message(2, "bob", "paff"),
        remote_message(3, "bob", "neko"),
        remote_group_message(4, "bob", "nowhere"),
        remote_group_message(5, "bob", "closed"),
        (Seq(6), Err(BounceReason::Malformed)),
        remote_message(7, "ani", "neko"),
    ];
    let events = fixture.receives(timur, messages);
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
fn a_refusal_is_kept_until_the_other_server_has_confirmed_it() {
    let (mut fixture, timur) = with_timur();
    fixture.receives(timur, [remote_message(1, "bob", "nobody"), remote_message(2, "bob", "nobody")]);
    let other = vec![remote_message(1, "bob", "nobody")];
    fixture.server_does(&Command::Receive { realm: timur, epoch: Epoch(6), messages: other });
    let confirm = |upto| Command::ConfirmReceived { realm: timur, epoch: FIRST, upto: Seq(upto) };
    let left = |fixture: &Fixture| -> Vec<(u64, u64)> {
        fixture.peer("timur").refused.iter().map(|(epoch, number, _)| (epoch.0, number.0)).collect()
    };
    fixture.receives(timur, [remote_message(2, "bob", "nobody")]);
    assert_eq!(left(&fixture), [(5, 1), (5, 2), (6, 1)]);
    fixture.server_does(&confirm(1));
    assert_eq!(left(&fixture), [(5, 2), (6, 1)]);
    assert_eq!(fixture.server_decides(&confirm(1)), Ok(vec![]));
    fixture.server_does(&confirm(9));
    assert_eq!(left(&fixture), [(6, 1)]);
}

#[test]
fn nothing_is_received_while_too_many_refusals_are_unconfirmed() {
    let (mut fixture, timur) = with_timur();
    let full = REFUSED_UNCONFIRMED as u64;
    let messages: Vec<_> = (1..=full).map(|number| (Seq(number), Err(BounceReason::Malformed))).collect();
    fixture.receives(timur, messages);
    let next = Command::Receive { realm: timur, epoch: FIRST, messages: vec![remote_message(full + 1, "bob", "paff")] };
    fixture.server_refuses(&next, CommandError::Busy);
    fixture.server_does(&Command::ConfirmReceived { realm: timur, epoch: FIRST, upto: Seq(1) });
    assert_eq!(texts(&fixture.server_does(&next)).len(), 1);
}

#[test]
fn a_number_too_large_for_the_store_is_refused() {
    let (mut fixture, realm) = with_timur();
    let messages = vec![remote_message(MAX_LOG_NUMBER + 1, "bob", "messi")];
    fixture.server_refuses(&Command::Receive { realm, epoch: FIRST, messages }, CommandError::RealmRefused);
    fixture.receives(realm, [(Seq(MAX_LOG_NUMBER), Err(BounceReason::Malformed))]);
    let confirmed = fixture.server_decides(&Command::ConfirmReceived { realm, epoch: FIRST, upto: Seq(u64::MAX) });
    let upto = Seq(MAX_LOG_NUMBER);
    assert_eq!(confirmed, Ok(vec![Event::PeerConfirmed { realm, epoch: FIRST, upto }]));
}

#[test]
fn only_a_linked_server_can_send_and_acknowledge() {
    let (mut fixture, timur) = with_timur();
    fixture.does(MESSI, &Command::AddRealm { name: name("barat") });
    fixture.does(MESSI, &Command::RemoveRealm { name: name("timur"), lost: "".into() });
    assert!(matches!(fixture.state.realm(timur).unwrap().kind, RealmKind::Removed(_)));
    for realm in [RealmId::HOME, fixture.realm("barat"), timur, RealmId(9)] {
        let (epoch, upto) = (FIRST, Seq(1));
        let messages = vec![remote_message(1, "bob", "paff")];
        fixture.server_refuses(&Command::Receive { realm, epoch, messages }, CommandError::RealmNotFound);
        fixture
            .server_refuses(&Command::AcknowledgeOutbox { realm, upto, bounces: vec![] }, CommandError::RealmNotFound);
        fixture.server_refuses(&Command::ConfirmReceived { realm, epoch, upto }, CommandError::RealmNotFound);
    }
}

/// An acknowledgement of the other server, with these messages refused.
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
fn acknowledged_messages_leave_the_queue_and_the_cursor_only_moves_forward() {
    let (mut fixture, timur) = with_timur();
    let numbers: Vec<Seq> = ["satu", "dua", "tiga"].map(|text| fixture.sends(MESSI, "bob@timur", text)).to_vec();
    for (upto, cursor, waiting) in [
        (numbers[1], numbers[1], 1),
        (numbers[0], numbers[1], 1),
        (numbers[1], numbers[1], 1),
        (Seq(u64::MAX), numbers[2], 0),
    ] {
        fixture.server_does(&acknowledge(timur, upto, &[]));
        let peer = fixture.peer("timur");
        assert_eq!((peer.cursor, peer.queue.len()), (cursor, waiting), "{upto}");
    }
    assert_eq!(fixture.peer("timur").queue.bytes(), 0);
}

#[test]
fn a_sender_who_is_not_waiting_for_the_reply_gets_a_message_about_the_bounce() {
    let (mut fixture, timur) = with_timur();
    let first = fixture.sends(MESSI, "bob@timur", "satu");
    let second = fixture.sends(PAFF, "bob@timur", "dua");
    let bounces = [(first, Some("tidak terkirim")), (second, None), (Seq(second.0 + 1), Some("was never sent"))];
    let events = fixture.server_does(&acknowledge(timur, second, &bounces));
    assert_eq!(texts(&events), ["tidak terkirim"]);
    assert_eq!((&message(&events).from, &message(&events).to), (&Author::Server, &Destination::User(MESSI)));
    let expected = r#"{"msg_from":"realm@local","msg_to":"messi","msg":"tidak terkirim","from":"realm@local","to":"messi","kind":"direct","realm":"timur"}"#;
    assert_eq!(object(message(&events)), expected);
    assert_eq!(fixture.server_decides(&acknowledge(timur, second, &bounces)), Ok(vec![]), "once");
}

#[test]
fn an_unregistered_sender_gets_no_message_about_a_bounce() {
    let (mut fixture, timur) = with_timur();
    let number = fixture.sends(PAFF, "bob@timur", "satu");
    fixture.does(PAFF, &Command::Unregister { verified: hash("old") });
    assert_eq!(texts(&fixture.server_does(&acknowledge(timur, number, &[(number, Some("tidak terkirim"))]))), [""; 0]);
}

#[test]
fn a_completed_request_records_that_its_message_was_refused() {
    let (mut fixture, timur) = with_timur();
    let number = fixture.sends(MESSI, "bob@timur", "satu");
    let key = IdempotencyKey { user: MESSI, tag: Hash64(1), request: Hash64(2) };
    fixture.happens(&Event::RequestDone { key, first: number, page: None });
    let refusal = |fixture: &Fixture| fixture.state.completed_request(&key, Time(0)).unwrap().unwrap().refused;
    assert_eq!(refusal(&fixture), None);
    fixture.server_does(&acknowledge(timur, number, &[(number, None)]));
    assert_eq!(refusal(&fixture), Some(BounceReason::UserNotFound));
}
