//! What a service manager is told, with a socket in its place.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::client::PATIENCE;
use crate::support::port::free_address;
use crate::support::process::Process;

struct ServiceManager(UnixDatagram);

impl ServiceManager {
    fn listen(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    /// The next message.
    fn hears(&self) -> String {
        let mut bytes = [0; 4096];
        let length = self.0.recv(&mut bytes).expect("a message in time");
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    /// The next message that has a line; others are skipped.
    fn hears_of(&self, line: &str) -> String {
        loop {
            let message = self.hears();
            if message.lines().any(|found| found == line) {
                return message;
            }
        }
    }
}

fn start(home: &TempDir, watchdog_microseconds: &str) -> (Process, ServiceManager) {
    let socket = home.path().join("notify");
    let manager = ServiceManager::listen(&socket);
    let file = home.path().join("kabar.toml");
    fs::write(&file, "").unwrap();
    let server = Process::start_with(&home.path().join("data"), |command| {
        command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", watchdog_microseconds).arg("--config").arg(&file);
    });
    (server, manager)
}

#[test]
fn it_hears_of_the_start_of_reloads_and_of_the_end() {
    let home = TempDir::new().unwrap();
    let (server, manager) = start(&home, "");
    let started = manager.hears();
    assert!(started.starts_with("READY=1\nSTATUS=listening on 127.0.0.1:"), "{started}");
    server.signal("HUP");
    assert!(manager.hears().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert!(manager.hears().starts_with("READY=1\n"));
    assert_eq!(server.terminate(), Some(0));
    assert!(manager.hears().starts_with("STOPPING=1\n"));
}

#[test]
fn the_watchdog_is_fed_while_the_server_gets_on() {
    let home = TempDir::new().unwrap();
    let (_server, manager) = start(&home, "3000000");
    for _ in 0..3 {
        manager.hears_of("WATCHDOG=1");
    }
}

/// Binds a socket as systemd would, and becomes the server.
const HAND_OVER: &str = "
import os, socket, sys
listener = socket.create_server(('127.0.0.1', int(sys.argv[2])))
os.dup2(listener.fileno(), 3) if listener.fileno() != 3 else os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES=sys.argv[1])
os.execv(sys.argv[3], sys.argv[3:])
";

fn handed_over(home: &TempDir, name: &str, port: u16) -> Command {
    let mut command = Command::new("python3");
    command.args(["-c", HAND_OVER, name, &port.to_string(), env!("CARGO_BIN_EXE_kabar"), "--data"]);
    command.arg(home.path().join("data")).args(["--listen-text", "none", "--web", "none"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

#[test]
fn a_socket_that_it_hands_over_is_served_in_place_of_the_configured_address() {
    let home = TempDir::new().unwrap();
    let address = free_address();
    let mut command = handed_over(&home, "json", address.port());
    command.args(["--listen", "192.0.2.1:1"]);
    let server = Process::run(command);
    assert_eq!(server.address(), address);
    server.connect().registered("messi");
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_socket_without_the_name_of_a_listener_is_refused() {
    let home = TempDir::new().unwrap();
    let output = handed_over(&home, "kabar.socket", free_address().port()).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78), "{told}");
    assert!(told.contains("\"kabar.socket\": expected FileDescriptorName= json, text, web or metrics"), "{told}");
}
