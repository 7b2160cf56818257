//! What the operator is told of a server that cannot be linked, with the program itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::port::free_address;
use crate::support::process::Process;
use crate::support::wait_until;

fn key(data: &Path) -> String {
    let printed =
        Command::new(env!("CARGO_BIN_EXE_kabar")).args(["realm", "key", "--data"]).arg(data).output().unwrap();
    String::from_utf8(printed.stdout).unwrap().trim_end().to_owned()
}

fn peer(address: std::net::SocketAddr, key: &str) -> String {
    format!("[[peers]]\nname = \"timur\"\naddress = \"{address}\"\nkey = \"{key}\"\n")
}

/// A server of the realm barat, by a configuration that knows timur.
fn barat(home: &TempDir, configuration: &str) -> Process {
    let file = home.path().join("barat.toml");
    fs::write(&file, configuration).unwrap();
    Process::start_with(&home.path().join("barat"), |command| {
        command.args(["--realm", "barat", "--config"]).arg(&file);
    })
}

#[test]
fn a_server_that_cannot_be_dialled_is_a_warning_that_says_what_to_do() {
    let home = TempDir::new().unwrap();
    let address = free_address();
    let other = key(&home.path().join("other"));
    let barat = barat(&home, &peer(address, &other));
    let told = barat.logs("cannot be dialled");
    assert!(told.contains("WARN") && told.contains("messages for it wait") && told.contains("[[peers]]"), "{told}");
    assert!(told.contains(&format!("port={}", address.port())) && told.contains("timur"), "{told}");
}

#[test]
fn another_key_is_a_warning_and_the_right_one_brings_what_waited() {
    let home = TempDir::new().unwrap();
    let (address, data) = (free_address(), home.path().join("timur"));
    let (right, wrong) = (key(&data), key(&home.path().join("other")));
    let timur = Process::start_at(address, &data, |command| {
        command.args(["--realm", "timur"]).env("KABAR_REALMS__ACCEPT", "loopback");
    });
    let mut henderson = timur.connect().registered("henderson");
    let barat = barat(&home, &peer(address, &wrong));
    let told = barat.logs("a link was refused");
    assert!(told.contains("WARN") && told.contains("what waits for it is kept"), "{told}");
    let mut messi = barat.connect().registered("messi");
    assert_eq!(messi.asks("send henderson@timur halo").expect_ok().0["data"]["delivered"], false);
    fs::write(home.path().join("barat.toml"), peer(address, &right)).unwrap();
    barat.signal("HUP");
    wait_until("the message arrives", || henderson.asks("peek").expect_ok().texts() == ["halo"]);
}
