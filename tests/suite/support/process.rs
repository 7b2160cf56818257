//! The real binary as a process of its own, to be killed.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::client::Client;

pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    /// Starts the binary on the data and waits until it serves.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, |_| {})
    }

    pub(crate) fn start_with(data: &Path, change: impl FnOnce(&mut Command)) -> Self {
        let address = free_address();
        let mut command = Command::new(env!("CARGO_BIN_EXE_kabar"));
        command.args(["--listen", &address.to_string(), "--listen-text", "none", "--data"]).arg(data);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut lines = log.lines().map_while(Result::ok);
        let serves = lines.by_ref().any(|line| line.contains("try:"));
        assert!(serves, "the server ended before it served");
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// As a power cut, but for the page cache.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and gives its exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let terminated = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(terminated.success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _already_waited_for = self.child.wait();
    }
}

/// A port that was free a moment ago.
fn free_address() -> SocketAddr {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap()
}
