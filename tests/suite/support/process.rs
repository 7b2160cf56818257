//! The program as a process of its own, which can be killed.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};

use super::client::Client;
use super::wait_until;

pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts the binary on the data and waits until it serves.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, |_| {})
    }

    pub(crate) fn start_with(data: &Path, change: impl FnOnce(&mut Command)) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), data, change)
    }

    pub(crate) fn start_at(listen: SocketAddr, data: &Path, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kabar"));
        command.args(["--listen", &listen.to_string(), "--listen-text", "none", "--web", "none", "--data"]).arg(data);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        change(&mut command);
        Self::run(command)
    }

    /// Runs a command that becomes a server, and waits until it serves.
    pub(crate) fn run(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut lines = log.lines().map_while(Result::ok);
        // It listens before it logs that, on the port that the system picked.
        let address = lines.by_ref().find_map(|line| address_in(&line)).expect("the server ended before it served");
        Self::new(child, address, lines)
    }

    /// Runs a command that comes to serve at an address, sooner or later.
    pub(crate) fn spawn(mut command: Command, address: SocketAddr) -> std::io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let log = BufReader::new(child.stderr.take().unwrap());
        Ok(Self::new(child, address, log.lines().map_while(Result::ok)))
    }

    fn new(child: Child, address: SocketAddr, lines: impl Iterator<Item = String> + Send + 'static) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let read = log.clone();
        std::thread::spawn(move || lines.for_each(|line| read.lock().unwrap().push(line)));
        Self { child, address, log }
    }

    /// The lines of the log after the start. While they are held, nobody reads the log.
    pub(crate) fn log(&self) -> MutexGuard<'_, Vec<String>> {
        self.log.lock().unwrap()
    }

    /// Waits until a line of the log contains a text, and returns it.
    #[track_caller]
    pub(crate) fn logs(&self, text: &str) -> String {
        let mut found = None;
        wait_until(&format!("the log has {text:?}"), || {
            found = self.log().iter().find(|line| line.contains(text)).cloned();
            found.is_some()
        });
        found.unwrap()
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// Whether it has not ended by itself.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Like a power cut, except that the page cache survives.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it with SIGTERM and returns its exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        self.signal("TERM");
        self.child.wait().unwrap().code()
    }

    /// Stops it with SIGSTOP: its connections stay open, and nothing is answered.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    pub(crate) fn go_on(&self) {
        self.signal("CONT");
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _already_waited_for = self.child.wait();
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let address = line.split_once("listening on ")?.1;
    let of = |kind| address.split_once(kind);
    of(" (json)").or_else(|| of(" (text)"))?.0.parse().ok()
}
