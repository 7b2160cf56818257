//! The clients under `examples/`, each against a server. Their interpreters must be there: `.ci/run` installs them.

use std::path::Path;
use std::process::{Command, Output};

use kabar::wire::ListenerKind;

use crate::support::TestServer;
use crate::support::server::documented_users;

/// Runs a client with its interpreter.
fn run(interpreter: &str, client: &str, server: &TestServer, arguments: &[&str]) -> Output {
    let address = server.address(ListenerKind::Json);
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(client);
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let output = Command::new(interpreter).arg(client).args([host, port]).args(arguments).output();
    output.unwrap_or_else(|error| panic!("{interpreter} is needed for this test: {error}"))
}

fn sends_and_reads(interpreter: &str, client: &str) {
    let server = TestServer::with_documented_users();
    let sent = run(interpreter, client, &server, &["messi", "surabaya", "henderson", "halo", "gól"]);
    assert!(sent.status.success() && sent.stdout.starts_with(b"sent"), "{sent:?}");
    let read = run(interpreter, client, &server, &["henderson", "surabaya"]);
    let shown = String::from_utf8(read.stdout.clone()).unwrap();
    assert!(read.status.success() && shown.contains("messi") && shown.contains("halo g"), "{read:?}");
    let again = run(interpreter, client, &server, &["henderson", "surabaya"]);
    assert!(!String::from_utf8(again.stdout).unwrap().contains("halo"), "it is read once");
    let refused = run(interpreter, client, &server, &["messi", "salah"]);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("wrong_password"));
}

/// A text that takes the bytes of three seconds: for two of them everything else is too fast.
fn waits_when_it_is_too_fast(interpreter: &str, client: &str) {
    let server = TestServer::start_with(|config| {
        config.users = documented_users();
        config.limits.bytes_per_second = Some(2_000);
    });
    let mut messi = server.connect().logged_in("messi", "surabaya");
    messi.asks(&format!("send messi {}", "x".repeat(6_000))).expect_ok();
    assert_eq!(messi.asks(&format!("send messi {}", "y".repeat(100))).code(), "slow_down");
    let sent = run(interpreter, client, &server, &["messi", "surabaya", "henderson", "halo"]);
    assert!(sent.status.success() && sent.stdout.starts_with(b"sent"), "{sent:?}");
}

#[test]
fn the_python_client_sends_reads_and_waits() {
    sends_and_reads("python3", "client.py");
    waits_when_it_is_too_fast("python3", "client.py");
}

#[test]
fn the_node_client_sends_reads_and_waits() {
    sends_and_reads("node", "client.mjs");
    waits_when_it_is_too_fast("node", "client.mjs");
}

#[test]
fn the_shell_client_sends_reads_and_waits() {
    sends_and_reads("bash", "client.sh");
    waits_when_it_is_too_fast("bash", "client.sh");
}
