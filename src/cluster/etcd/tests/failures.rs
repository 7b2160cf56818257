//! Members that hang or are away, and TLS.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::cluster::etcd::ClientTls;
use crate::cluster::etcd::tests::cluster::{Cluster, ServerFiles};
use crate::cluster::etcd::tests::{LEASE, append, block_after};
use crate::cluster::shared_log::{Appended, Following, SharedLog};
use crate::id::Seq;
use crate::store::LogPosition;

#[test]
fn a_member_that_hangs_does_not_stop_calls() {
    let cluster = Cluster::start(3);
    let paused = (cluster.leading_member() + 1) % 3;
    let mut addresses = cluster.addresses.clone();
    addresses.rotate_left(paused);
    let log = cluster.log_at(&addresses, None);
    log.begin(LogPosition::default()).unwrap();
    let term = log.campaign("a", LEASE).unwrap().unwrap();
    let mut blocks = append(&log, term, &[b"before"]);

    cluster.signal(paused, "STOP");
    blocks.extend(append(&log, term, &[b"during"]));
    blocks.extend(append(&log, term, &[b"later"]));
    assert!(log.renew(term).unwrap());

    // What the member still had of the attempts is refused, or they were cancelled.
    cluster.signal(paused, "CONT");
    assert_eq!(log.read(Seq(0), 1000).unwrap(), Following::Blocks(blocks.clone()));
    assert_eq!(cluster.log_at(&addresses[..1], None).head().unwrap(), Some(blocks[2].end));
}

#[test]
fn calls_go_on_after_an_election() {
    let cluster = Cluster::start(3);
    let leading = cluster.leading_member();
    let log = cluster.log();
    let term = log.campaign("a", LEASE).unwrap().unwrap();
    append(&log, term, &[b"before"]);
    cluster.signal(leading, "STOP");
    let end = log.head();
    let block = block_after(end.unwrap_or_else(|_| log.head().unwrap()).unwrap(), b"during");
    assert_eq!(log.append(term, log.head().unwrap().unwrap(), &block).unwrap(), Appended::Done);
}

#[test]
fn without_a_majority_calls_fail_in_time() {
    let cluster = Cluster::start(3);
    let log = cluster.log();
    let term = log.campaign("a", LEASE).unwrap().unwrap();
    let blocks = append(&log, term, &[b"before"]);
    cluster.signal(0, "STOP");
    cluster.signal(1, "STOP");
    let block = block_after(blocks[0].end, b"during");
    assert!(log.append(term, blocks[0].end, &block).is_err());
    cluster.signal(0, "CONT");
    cluster.signal(1, "CONT");
    while log.append(term, blocks[0].end, &block).ok() != Some(Appended::Done) {}
    let Following::Blocks(read) = log.read(Seq(0), 1000).unwrap() else { unreachable!() };
    assert_eq!(read, [blocks[0].clone(), block]);
}

#[test]
fn a_member_that_is_away_costs_nothing() {
    let cluster = Cluster::start(1);
    let addresses = ["http://127.0.0.1:1".to_owned(), cluster.addresses[0].clone()];
    let log = cluster.log_at(&addresses, None);
    assert_eq!(log.leader().unwrap(), None);
}

#[test]
fn members_with_tls_are_authenticated_both_ways() {
    let home = tempfile::tempdir().unwrap();
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let (certificate, key) = signed(&issuer, "127.0.0.1");
    let files = ServerFiles {
        certificate: home.path().join("certificate"),
        key: home.path().join("key"),
        authority: home.path().join("authority"),
    };
    std::fs::write(&files.certificate, certificate).unwrap();
    std::fs::write(&files.key, key).unwrap();
    std::fs::write(&files.authority, &authority_pem).unwrap();

    let (certificate, key) = signed(&issuer, "kabar");
    let identity = Some((certificate.into_bytes(), key.into_bytes()));
    let tls = ClientTls { authority: authority_pem.clone().into_bytes(), identity };
    let cluster = Cluster::start_with_tls(&files, &tls);
    let log = cluster.log_at(&cluster.addresses, Some(&tls));
    assert!(log.campaign("a", LEASE).unwrap().is_some());

    let without = ClientTls { authority: authority_pem.into_bytes(), identity: None };
    assert!(cluster.log_at(&cluster.addresses, Some(&without)).head().is_err());
    let unknown = ClientTls { authority: tls.identity.clone().unwrap().0, identity: tls.identity };
    assert!(cluster.log_at(&cluster.addresses, Some(&unknown)).head().is_err());
}

fn signed(issuer: &Issuer<'_, KeyPair>, name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, issuer).unwrap();
    (certificate.pem(), key.serialize_pem())
}
