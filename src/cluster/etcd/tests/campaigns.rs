//! Terms: how they begin, end, and fence.

use std::time::{Duration, Instant};

use crate::cluster::etcd::tests::cluster::Cluster;
use crate::cluster::etcd::tests::{LEASE, append, block_after};
use crate::cluster::shared_log::{Appended, Following, Leader, SharedLog};
use crate::id::Seq;

#[test]
fn one_node_leads_at_a_time() {
    let cluster = Cluster::start(1);
    let (a, b) = (cluster.log(), cluster.log());
    assert_eq!(a.leader().unwrap(), None);
    let first = a.campaign("a", LEASE).unwrap().unwrap();
    assert_eq!(a.leader().unwrap(), Some(Leader { node: "a".into(), term: first }));
    assert_eq!(b.campaign("b", LEASE).unwrap(), None);
    assert_eq!(a.campaign("a", LEASE).unwrap(), None);
    assert!(a.renew(first).unwrap());
    assert!(!b.renew(first).unwrap());

    a.resign(first).unwrap();
    assert_eq!(b.leader().unwrap(), None);
    assert!(!a.renew(first).unwrap());
    let second = b.campaign("b", LEASE).unwrap().unwrap();
    assert!(second > first);
    // A term that is over ends no other one.
    a.resign(first).unwrap();
    assert_eq!(a.leader().unwrap(), Some(Leader { node: "b".into(), term: second }));
}

#[test]
fn a_term_ends_when_it_is_not_renewed() {
    let cluster = Cluster::start(1);
    let (a, b) = (cluster.log(), cluster.log());
    let first = a.campaign("a", Duration::from_secs(1)).unwrap().unwrap();
    // The lease outlasts itself several times.
    let renewed_until = Instant::now() + Duration::from_secs(4);
    while Instant::now() < renewed_until {
        assert!(a.renew(first).unwrap());
        assert_eq!(b.campaign("b", LEASE).unwrap(), None);
    }
    let second = std::iter::repeat_with(|| b.campaign("b", LEASE).unwrap()).flatten().next().unwrap();
    assert!(second > first);
    assert!(!a.renew(first).unwrap());
}

#[test]
fn a_later_term_fences_an_earlier_one() {
    let cluster = Cluster::start(1);
    let (a, b) = (cluster.log(), cluster.log());
    let first = a.campaign("a", LEASE).unwrap().unwrap();
    let blocks = append(&a, first, &[b"of a"]);
    a.resign(first).unwrap();
    // Nobody leads, and nothing else follows.
    let refused = block_after(blocks[0].end, b"late of a");
    assert_eq!(a.append(first, blocks[0].end, &refused).unwrap(), Appended::Fenced);

    let second = b.campaign("b", LEASE).unwrap().unwrap();
    assert_eq!(a.append(first, blocks[0].end, &refused).unwrap(), Appended::Fenced);
    let others = append(&b, second, &[b"of b"]);
    assert_eq!(a.append(first, blocks[0].end, &refused).unwrap(), Appended::Fenced);
    assert_eq!(a.read(Seq(10), 1000).unwrap(), Following::Blocks(others));
}

#[test]
fn a_revoked_campaign_cannot_succeed_later() {
    let cluster = Cluster::start(1);
    let log = cluster.log();
    // What a member that hung would do with an attempt whose lease was revoked meanwhile.
    assert!(log.begin_term("a", 4711).is_err());
    assert_eq!(log.leader().unwrap(), None);
}

#[test]
fn a_campaign_with_an_unknown_result_is_revoked_by_the_next_one() {
    let cluster = Cluster::start(1);
    let log = cluster.log();
    log.block_on(log.client.grant(4711, 60)).unwrap();
    log.leases().unresolved = Some(4711);
    let lost = log.begin_term("a", 4711).unwrap().unwrap();
    // The same attempt once more, whose first answer was lost.
    assert_eq!(log.begin_term("a", 4711).unwrap(), Some(lost));
    let term = log.campaign("a", LEASE).unwrap().unwrap();
    assert!(term > lost);
}

#[test]
fn a_lease_that_exists_is_granted_again() {
    let cluster = Cluster::start(1);
    let log = cluster.log();
    log.block_on(log.client.grant(4711, 60)).unwrap();
    log.block_on(log.client.grant(4711, 60)).unwrap();
    assert!(log.block_on(log.client.keep_alive(4711)).unwrap());
    log.block_on(log.client.revoke(4711)).unwrap();
    log.block_on(log.client.revoke(4711)).unwrap();
    assert!(!log.block_on(log.client.keep_alive(4711)).unwrap());
}
