//! The clients under `examples/`, each against a server. Their interpreters must be there: `.ci/run` installs them.

use std::path::Path;
use std::process::{Command, Output};

use kabar::wire::ReplyFormat;

use crate::support::TestServer;

/// Runs a client with its interpreter.
fn run(interpreter: &str, client: &str, server: &TestServer, arguments: &[&str]) -> Output {
    let address = server.address(ReplyFormat::Json);
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

#[test]
fn the_python_client_sends_and_reads() {
    sends_and_reads("python3", "client.py");
}

#[test]
fn the_node_client_sends_and_reads() {
    sends_and_reads("node", "client.mjs");
}

#[test]
fn the_shell_client_sends_and_reads() {
    sends_and_reads("bash", "client.sh");
}
