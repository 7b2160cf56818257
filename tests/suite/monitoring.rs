//! The monitoring listener: health and metrics for the operator's programs.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use crate::support::process::Process;
use crate::support::{HttpClient, TestServer};

fn monitored() -> (TestServer, SocketAddr) {
    let server = TestServer::start_with(|config| config.metrics.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))]);
    let address = server.monitored_on();
    (server, address)
}

/// The status and the body of a page.
fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let response = HttpClient::connect(address).gets(path);
    let status = response.head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, String::from_utf8(response.body).unwrap())
}

/// Each sample by its name and labels.
fn samples(address: SocketAddr) -> BTreeMap<String, f64> {
    let (status, text) = get(address, "/metrics");
    assert_eq!(status, 200);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.into(), value.parse().unwrap()))
        .collect()
}

#[test]
fn a_server_that_serves_is_alive_and_ready() {
    let (_server, address) = monitored();
    assert_eq!(get(address, "/livez"), (200, "ok\n".into()));
    assert_eq!(get(address, "/readyz"), (200, "ok\n".into()));
    assert_eq!(get(address, "/").0, 404);
    assert_eq!(HttpClient::connect(address).asks("POST /livez", &["Host: x"]).head.split(' ').nth(1), Some("405"));
}

#[test]
fn nothing_is_monitored_unless_the_operator_asks_for_it() {
    assert!(TestServer::start().is_unmonitored());
}

#[test]
fn requests_are_counted_by_command_and_outcome_and_errors_by_code() {
    let (server, address) = monitored();
    let (mut messi, mut neko) = (server.connect().registered("messi"), server.connect().registered("neko"));
    messi.asks("send neko halo").expect_ok();
    messi.asks("send neko halo").expect_ok();
    assert_eq!(messi.asks("send nobody halo").code(), "user_not_found");
    assert_eq!(messi.asks("send").code(), "bad_parameter");
    assert_eq!(neko.asks("nonsense").code(), "unknown_command");
    let samples = samples(address);
    let value = |name: &str| *samples.get(name).unwrap_or_else(|| panic!("{name}: {samples:?}"));
    assert_eq!(value(r#"kabar_requests_total{command="send",outcome="done"}"#), 2.0);
    assert_eq!(value(r#"kabar_requests_total{command="send",outcome="failed"}"#), 2.0);
    assert_eq!(value(r#"kabar_errors_total{code="user_not_found"}"#), 1.0);
    assert_eq!(value(r#"kabar_errors_total{code="bad_parameter"}"#), 1.0);
    assert_eq!(value(r#"kabar_errors_total{code="unknown_command"}"#), 1.0);
    assert_eq!(value(r#"kabar_connections{listener="json"}"#), 2.0);
    assert_eq!(value("kabar_connections_logged_in"), 2.0);
    assert_eq!((value("kabar_users"), value("kabar_users_online")), (2.0, 2.0));
    assert!(value("kabar_commit_seconds_count") >= 3.0 && value("kabar_commit_records_sum") >= 4.0);
    assert!(value(r#"kabar_store_size_bytes{file="database"}"#) > 0.0 && value("kabar_disk_free_bytes") > 0.0);
    assert!(value("kabar_process_resident_memory_bytes") > 1e6);
}

#[test]
fn the_metrics_are_open_metrics_and_name_no_user() {
    let (server, address) = monitored();
    let mut messi = server.connect().registered("messi");
    messi.asks("addgroup fans").expect_ok();
    messi.asks("addrealm timur").expect_ok();
    let mut client = HttpClient::connect(address);
    let response = client.gets("/metrics");
    let kind = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(response.head.to_lowercase().contains(kind), "{}", response.head);
    let text = String::from_utf8(response.body).unwrap();
    assert!(text.ends_with("# EOF\n"));
    for name in ["messi", "fans", "timur"] {
        assert!(!text.contains(name), "{name}");
    }
    let families: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    assert!(families.iter().all(|family| family.starts_with("kabar_")), "{families:?}");
    let is_known = |line: &str| families.iter().any(|family| line.starts_with(family));
    assert!(text.lines().filter(|line| !line.starts_with('#')).all(is_known));
}

#[test]
fn every_metric_is_described_and_no_other_is_alerted_on() {
    let (_server, address) = monitored();
    let (_, text) = get(address, "/metrics");
    let manual = include_str!("../../docs/OPERATING.md");
    let families: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let described =
        |family: &&str| manual.contains(&format!("`{family}")) || manual.contains(&format!("`{family}_total"));
    let missing: Vec<_> = families.iter().filter(|family| !described(family)).collect();
    assert!(missing.is_empty(), "docs/OPERATING.md does not describe {missing:?}");
    let is_of_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    for word in manual.split(|character| !is_of_name(character)).filter(|word| word.starts_with("kabar_")) {
        let is_known = |family: &&str| word.starts_with(*family);
        let is_file = word.starts_with("kabar_VERSION") || word.starts_with("kabar_0") || word.starts_with("kabar_NEW");
        assert!(is_file || families.iter().any(is_known), "docs/OPERATING.md: {word} is no metric");
    }
}

#[test]
fn connections_that_the_server_rejects_or_ends_are_counted() {
    let server = TestServer::start_with(|config| {
        config.metrics.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
        config.connections.max = 2;
    });
    let mut first = server.connect();
    let _second = server.connect().registered("messi");
    assert!(first.hears_frame().contains("connection_limit"));
    let samples = samples(server.monitored_on());
    assert_eq!(samples.get(r#"kabar_connections_ended_total{reason="evicted"}"#), Some(&1.0), "{samples:?}");
    assert_eq!(samples.get("kabar_connections_max"), Some(&2.0));
}

#[test]
fn those_who_hold_its_connections_do_not_take_it_away() {
    let (_server, address) = monitored();
    let held: Vec<TcpStream> = (0..64).map(|_| TcpStream::connect(address).unwrap()).collect();
    assert_eq!(get(address, "/livez").0, 200);
    drop(held);
}

#[test]
fn health_asks_the_server_of_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let port = crate::support::port::free_address().to_string();
    let health = |metrics: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_kabar")).args(["health", "--metrics", metrics]).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code().unwrap(), text)
    };
    assert_eq!(health("none").0, 78);
    assert_eq!(health(&port).0, 1);
    let server = Process::start_with(&directory.path().join("data"), |command| {
        command.args(["--metrics", &port]);
    });
    assert_eq!(health(&port), (0, "ok\n".into()));
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(health(&port).0, 1);
}
