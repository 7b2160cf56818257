use super::*;
use crate::chat::Network;
use crate::hub::{ConnectionEnd, SocketWriter, Ticket};
use crate::limits::{ENDING_CONNECTIONS, ENDING_WAIT};
use crate::wire::ReplyFormat;

struct Discard;

impl SocketWriter for Discard {
    fn try_write(&self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(bytes.len())
    }
}

const MESSI: UserId = UserId(7);

fn admission(most: usize) -> Arc<Admission> {
    Arc::new(Admission::new(Places { most, per_address: 8, per_user: 3, outbox_bytes: 1_000 }, |_| false))
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn queue() -> Arc<SendQueue> {
    Arc::new(SendQueue::new(Arc::new(Discard), ReplyFormat::Json))
}

type Admitted = (Permit, Arc<SendQueue>);

fn admit(admission: &Arc<Admission>, from: u8) -> Result<Admitted, DisconnectReason> {
    let queue = queue();
    Ok((admission.admit(Some(address(from)), &queue)?, queue))
}

fn admit_user(admission: &Arc<Admission>, from: u8, user: UserId) -> Admitted {
    let admitted = admit(admission, from).unwrap_or_else(|reason| panic!("{reason:?}"));
    admission.log_in(admitted.0.number(), user);
    admitted
}

/// Which of the connections are being ended.
fn ended(connections: &[Admitted]) -> Vec<usize> {
    let ended = connections.iter().enumerate().filter(|(_, (_, queue))| queue.ending().is_some());
    ended.map(|(place, _)| place).collect()
}

#[test]
fn near_the_limit_the_address_with_the_most_unauthenticated_loses_its_oldest() {
    let admission = admission(10);
    let mut unauthenticated: Vec<_> = [2, 1, 1, 3, 1, 2].map(|from| admit(&admission, from).unwrap()).into();
    let _users: Vec<_> = (0..3).map(|number| admit_user(&admission, 9, UserId(number))).collect();
    assert!(ended(&unauthenticated).is_empty());
    unauthenticated.push(admit(&admission, 4).unwrap());
    assert_eq!(ended(&unauthenticated), [1]);
}

#[test]
fn who_comes_now_is_preferred_to_who_sat_first() {
    let admission = admission(10);
    let mut unauthenticated: Vec<_> = (0..8).map(|_| admit(&admission, 1).unwrap()).collect();
    for evicted in 0..4 {
        let _newcomer = admit(&admission, 200 + evicted);
        unauthenticated.retain(|(_, queue)| queue.ending().is_none());
    }
    assert!(admit(&admission, 9).is_ok());
}

#[test]
fn a_user_with_too_many_connections_loses_the_oldest() {
    let admission = admission(100);
    let connections: Vec<_> = (0..5).map(|_| admit_user(&admission, 1, MESSI)).collect();
    assert_eq!(ended(&connections), [0, 1]);
}

#[test]
fn near_the_limit_users_with_many_connections_make_room() {
    let admission =
        Arc::new(Admission::new(Places { most: 20, per_address: 20, per_user: 20, outbox_bytes: 0 }, |_| false));
    let many: Vec<_> = (0..15).map(|_| admit_user(&admission, 1, MESSI)).collect();
    let few: Vec<_> = (0..3).map(|number| admit_user(&admission, 2, UserId(number))).collect();
    let _newcomer = admit(&admission, 3).unwrap();
    assert_eq!((ended(&many), ended(&few)), (vec![0], Vec::new()));
}

#[test]
fn links_that_are_not_made_give_way_to_newer_ones() {
    let admission =
        Arc::new(Admission::new(Places { most: 1_000, per_address: 1_000, per_user: 1, outbox_bytes: 0 }, |_| false));
    let connect = |from| admit(&admission, from).unwrap();
    let of_one: Vec<_> = (0..=HALF_LINKS_PER_ADDRESS).map(|_| connect(1)).collect();
    let begin = |(permit, _): &Admitted| admission.begin_link(permit.number()).unwrap();
    let begun: Vec<_> = of_one.iter().map(begin).collect();
    let ended = |links: &[HandshakePermit]| links.iter().filter(|link| link.end.is_cancelled()).count();
    assert!(begun[0].end.is_cancelled() && ended(&begun) == 1);
    let others: Vec<_> = (0..HALF_LINKS).map(|from| connect(2 + from as u8)).collect();
    let of_others: Vec<_> = others.iter().map(begin).collect();
    assert_eq!(ended(&begun) + ended(&of_others), HALF_LINKS_PER_ADDRESS + 1);
    assert!(ended(&begun) >= HALF_LINKS_PER_ADDRESS, "the address with the most lost first");
}

#[test]
fn readers_that_leave_the_most_to_wait_lose_their_connections() {
    let admission = admission(100);
    let connections: Vec<_> = (0..6).map(|from| admit(&admission, from).unwrap()).collect();
    for ((_, queue), bytes) in connections.iter().zip([100, 900, 50, 400, 0, 0]) {
        // A reply that waits for a commit.
        queue.reply(Ticket::FIRST, None, |out| out.resize(bytes, b'x'));
    }
    admission.bound_memory();
    assert_eq!(ended(&connections), [1, 3]);
}

#[test]
fn who_has_many_connections_that_read_nothing_pays_for_them_and_nobody_else() {
    let places = Places { most: 100, per_address: 100, per_user: 100, outbox_bytes: 1_000 };
    let admission = Arc::new(Admission::new(places, |_| false));
    let many: Vec<_> = (0..20).map(|_| admit_user(&admission, 1, MESSI)).collect();
    let others = [admit_user(&admission, 1, UserId(8)), admit(&admission, 2).unwrap()];
    // A reply that waits for a commit. Each of the others has the most on one connection.
    many.iter().for_each(|(_, queue)| queue.reply(Ticket::FIRST, None, |out| out.resize(50, b'x')));
    others.iter().for_each(|(_, queue)| queue.reply(Ticket::FIRST, None, |out| out.resize(100, b'x')));
    admission.bound_memory();
    assert_eq!((ended(&many).len(), ended(&others)), (14, Vec::new()));
}

#[test]
fn a_connection_that_is_ended_twice_leaves_once() {
    let admission = admission(10);
    let unauthenticated: Vec<_> = (0..10).map(|_| admit(&admission, 1)).collect();
    admission.end_network(&Network::parse("192.0.2.0/24").unwrap());
    drop(unauthenticated);
    assert!(admission.admitted().ending.is_empty());
}

#[test]
fn a_ban_ends_the_connections_of_its_network_and_of_this_machine_only_if_it_names_it() {
    let from = ["192.0.2.7", "127.0.0.9", "127.0.0.1", "::1", "2001:db8::1"];
    for (network, expected) in
        [("0.0.0.0/0", &[0][..]), ("::/0", &[4]), ("127.0.0.9", &[1]), ("127.0.0.0/8", &[1, 2]), ("::1", &[3])]
    {
        let admission = admission(100);
        let connections = from.map(|address| {
            let queue = queue();
            (admission.admit(Some(address.parse().unwrap()), &queue).unwrap(), queue)
        });
        admission.end_network(&Network::parse(network).unwrap());
        assert_eq!(ended(&connections), expected, "{network}");
    }
}

#[test]
fn connections_of_this_machine_are_not_counted() {
    let admission = Arc::new(Admission::new(Places { most: 100, per_address: 1, ..Places::default() }, |_| false));
    for here in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        let admit = || admission.admit(Some(here.parse().unwrap()), &queue());
        let _both = [admit(), admit()].map(|admitted| admitted.unwrap_or_else(|reason| panic!("{here}: {reason:?}")));
    }
}

#[tokio::test(start_paused = true)]
async fn newcomers_wait_until_those_who_make_room_are_gone() {
    let admission =
        Arc::new(Admission::new(Places { most: 100, per_address: 1_000, per_user: 1, outbox_bytes: 0 }, |_| false));
    let mut connections: Vec<_> = (0..90 + ENDING_CONNECTIONS).map(|_| admit(&admission, 1).unwrap()).collect();
    let gone = |connections: &[Admitted]| {
        connections.iter().filter(|(_, queue)| queue.ending() == Some(ConnectionEnd::Gone)).count()
    };
    let waited = tokio::time::timeout(ENDING_WAIT * 2, admission.wait_for_room()).await;
    assert!(waited.is_err(), "there is no room");
    assert_eq!(gone(&connections), ENDING_CONNECTIONS, "they have had their time");
    drop(connections.drain(..1));
    admission.wait_for_room().await;
}

#[test]
fn an_address_with_few_newcomers_is_preferred_to_a_user_with_many() {
    let admission =
        Arc::new(Admission::new(Places { most: 20, per_address: 20, per_user: 20, outbox_bytes: 0 }, |_| false));
    let newcomers: Vec<_> = (0..2).map(|_| admit(&admission, 2).unwrap()).collect();
    let many: Vec<_> = (0..16).map(|_| admit_user(&admission, 1, MESSI)).collect();
    let _another = admit(&admission, 3).unwrap();
    assert_eq!((ended(&newcomers), ended(&many)), (Vec::new(), vec![0]));
}

#[test]
fn who_waits_for_a_password_is_preferred_to_others_that_have_not_logged_in() {
    let admission = admission(10);
    let mut unauthenticated: Vec<_> = [1, 1, 1, 2, 3, 4, 5, 6].map(|from| admit(&admission, from).unwrap()).into();
    let of_first: Vec<_> =
        (0..3).map(|place| admission.begin_authenticating(unauthenticated[place].0.number())).collect();
    [7, 8].iter().for_each(|from| unauthenticated.push(admit(&admission, *from).unwrap()));
    assert_eq!(ended(&unauthenticated).len(), 1);
    assert!(ended(&unauthenticated)[0] >= 3);
    drop(of_first);
    unauthenticated.push(admit(&admission, 9).unwrap());
    assert!(ended(&unauthenticated).contains(&0), "the address with the most loses its oldest again");
}

#[test]
fn nothing_is_left_of_connections_that_ended() {
    let admission = admission(10);
    for round in 0..3 {
        let connections: Vec<_> = (0..6).map(|from| admit_user(&admission, from, UserId(round))).collect();
        drop(connections);
    }
    let admitted = admission.admitted();
    assert!(admitted.connections.is_empty() && admitted.addresses.is_empty());
    assert!(admitted.users.largest().is_none() && admitted.unauthenticated.largest().is_none());
}

#[test]
fn a_proxy_that_speaks_for_itself_counts_for_no_address_is_not_banned_and_makes_room_like_others() {
    let places = Places { most: 30, per_address: 4, per_user: 4, outbox_bytes: 0 };
    let admission = Arc::new(Admission::new(places, |_| true));
    let of_proxy = || {
        let queue = queue();
        let mut permit = admission.admit(None, &queue).unwrap();
        permit.set_proxy(address(1));
        (permit, queue)
    };
    let checks: Vec<_> = (0..20).map(|_| of_proxy()).collect();
    assert!(admission.admitted().addresses.is_empty());
    admission.end_network(&Network::parse("192.0.2.1").unwrap());
    assert!(ended(&checks).is_empty());
    let _newcomers: Vec<_> = (0..9).map(|_| of_proxy()).collect();
    assert_eq!(ended(&checks), [0, 1]);
    drop(checks);
    assert!(admission.admitted().addresses.is_empty());
}
