//! The program, which can be killed and started again at the same addresses.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) struct Server {
    child: Option<Child>,
    pub(crate) web: SocketAddr,
    pub(crate) json: SocketAddr,
    directory: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// A server with these lines of configuration.
    pub(crate) fn start_with(config: &str) -> Self {
        let directory = TempDir::new().unwrap();
        std::fs::write(directory.path().join("kabar.toml"), config).unwrap();
        let mut server = Self { child: None, web: free_address(), json: free_address(), directory };
        server.start_again();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.web)
    }

    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn start_again(&mut self) {
        let directory = self.directory.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_kabar"));
        command.args(["--listen", &self.json.to_string(), "--listen-text", "none", "--web", &self.web.to_string()]);
        command.arg("--data").arg(directory.join("data")).arg("--config").arg(directory.join("kabar.toml"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        for address in [self.web, self.json] {
            while TcpStream::connect(address).is_err() {
                std::thread::yield_now();
            }
        }
    }

    /// Copies the data of a server that is down, for `restore`.
    pub(crate) fn back_up(&self) {
        copy_directory(&self.directory.path().join("data"), &self.directory.path().join("backup"));
    }

    pub(crate) fn restore(&self) {
        let data = self.directory.path().join("data");
        std::fs::remove_dir_all(&data).unwrap();
        copy_directory(&self.directory.path().join("backup"), &data);
    }

    /// The texts that the user has not read.
    pub(crate) fn inbox(&self, user: &str) -> Vec<String> {
        let mut line = self.connect();
        line.asks(&format!("auth {user} {PASSWORD}"));
        let inbox = line.asks("inbox");
        inbox["data"].as_array().unwrap().iter().map(|message| message["msg"].as_str().unwrap().to_owned()).collect()
    }

    /// Somebody without a browser.
    pub(crate) fn connect(&self) -> Line {
        let stream = TcpStream::connect(self.json).unwrap();
        Line { reader: BufReader::new(stream.try_clone().unwrap()), stream }
    }

    /// Somebody without a browser, with a new account.
    pub(crate) fn registers(&self, user: &str) -> Line {
        let mut line = self.connect();
        line.asks(&format!("register {user} {PASSWORD}"));
        line
    }
}

/// Everybody's password.
pub(crate) const PASSWORD: &str = "rahasia88";

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}

/// A connection to the json listener.
pub(crate) struct Line {
    reader: BufReader<TcpStream>,
    stream: TcpStream,
}

impl Line {
    /// Sends a request that must be answered with OK.
    #[track_caller]
    pub(crate) fn asks(&mut self, request: &str) -> Value {
        let reply = self.tries(request);
        assert_eq!(reply["status"], "OK", "{request}: {reply}");
        reply
    }

    /// Sends so many messages: `pesan 0`, `pesan 1` …
    #[track_caller]
    pub(crate) fn sends_numbered(&mut self, to: &str, count: usize) {
        for number in 0..count {
            self.asks(&format!("send {to} pesan {number}"));
        }
    }

    pub(crate) fn tries(&mut self, request: &str) -> Value {
        writeln!(self.stream, "{request}").unwrap();
        let mut frame = String::new();
        self.reader.read_line(&mut frame).unwrap();
        self.reader.read_line(&mut String::new()).unwrap();
        serde_json::from_str(&frame).unwrap()
    }
}

fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
    // Not the socket of the operator's commands.
    let is_file = |entry: &std::fs::DirEntry| entry.file_type().unwrap().is_file();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(is_file) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Below the ephemeral ports, so that the system gives the port to no other socket while the server is down.
pub(crate) fn free_address() -> SocketAddr {
    loop {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, fastrand::u16(20_000..30_000)));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
