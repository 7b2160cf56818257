//! The server under attack: the release binary in a temporary directory.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::client::{Client, free_address};

/// Places of the server: few, so that an attack takes them all soon.
const CONNECTIONS: usize = 2_000;
/// Two minutes longer than the server itself gives a stop.
const STOP: Duration = Duration::from_secs(130);

pub(crate) struct Server {
    directory: TempDir,
    addresses: Addresses,
    process: Child,
    /// Counts stops and starts, so it is odd while the server is not ready: who is not answered then must try again.
    pub(crate) restarts: Arc<AtomicU64>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) json: SocketAddr,
    pub(crate) text: SocketAddr,
    pub(crate) web: SocketAddr,
    pub(crate) metrics: SocketAddr,
    /// As `json` and `web`, with TLS.
    pub(crate) tls: SocketAddr,
    pub(crate) tls_web: SocketAddr,
}

impl Addresses {
    /// As the arguments of an attack have them.
    pub(crate) fn list(&self) -> [SocketAddr; 6] {
        let Self { json, text, web, metrics, tls, tls_web } = *self;
        [json, text, web, metrics, tls, tls_web]
    }
}

impl From<[SocketAddr; 6]> for Addresses {
    fn from([json, text, web, metrics, tls, tls_web]: [SocketAddr; 6]) -> Self {
        Self { json, text, web, metrics, tls, tls_web }
    }
}

impl Server {
    pub(crate) fn start() -> io::Result<Self> {
        let directory = TempDir::new()?;
        let free: Vec<_> = (0..6).map(|_| free_address()).collect::<io::Result<_>>()?;
        let addresses = <[SocketAddr; 6]>::try_from(free).map(Addresses::from).unwrap();
        let Addresses { json, text, web, metrics, tls, tls_web } = addresses;
        let data = directory.path().join("data");
        let settings = format!(
            "[server]\nlisten = [\"{json}\", \"tls://{tls}\"]\nlisten_text = [\"{text}\"]\n\
             web = [\"{web}\", \"tls://{tls_web}\"]\ndata = {data:?}\n[tls]\nself_signed = true\n[connections]\nmax = {CONNECTIONS}\n[metrics]\nlisten = [\"{metrics}\"]\n"
        );
        fs::write(directory.path().join("kabar.toml"), settings)?;
        let process = spawn(&directory)?;
        let server = Self { directory, addresses, process, restarts: Arc::default() };
        server.wait_until_ready()?;
        Ok(server)
    }

    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Stops the server by SIGTERM, starts it again, and returns how it ended.
    pub(crate) fn restart(&mut self) -> io::Result<Stopped> {
        self.restarts.fetch_add(1, Ordering::SeqCst);
        let stopped = self.stop()?;
        self.process = spawn(&self.directory)?;
        self.wait_until_ready()?;
        self.restarts.fetch_add(1, Ordering::SeqCst);
        Ok(stopped)
    }

    pub(crate) fn stop(&mut self) -> io::Result<Stopped> {
        let begun = Instant::now();
        Command::new("kill").arg(self.process.id().to_string()).status()?;
        while begun.elapsed() < STOP {
            if let Some(status) = self.process.try_wait()? {
                return Ok(Stopped { code: status.code(), took: begun.elapsed() });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.process.kill()?;
        self.process.wait()?;
        Ok(Stopped { code: None, took: begun.elapsed() })
    }

    fn wait_until_ready(&self) -> io::Result<()> {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            match Client::connect(self.addresses.json).and_then(|mut client| client.ask("ping")) {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > until => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// The resident memory of the process, in bytes: now, and the most since [`Server::forget_peak`].
    pub(crate) fn memory(&self) -> (u64, u64) {
        let status = fs::read_to_string(self.proc("status")).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.trim().trim_end_matches(" kB").parse().unwrap_or(0) * 1024
        };
        (field("VmRSS:"), field("VmHWM:"))
    }

    /// Has the peak of the memory begin anew.
    pub(crate) fn forget_peak(&self) {
        let _kernel_may_lack_it = fs::write(self.proc("clear_refs"), "5");
    }

    fn proc(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.process.id()))
    }

    /// The bytes that were logged so far.
    pub(crate) fn logged(&self) -> u64 {
        fs::metadata(log_path(&self.directory)).map_or(0, |log| log.len())
    }

    /// The error replies that the server has counted under a code, since it was started.
    pub(crate) fn counted_errors(&self, code: &str) -> io::Result<u64> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(self.addresses.metrics)?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: kabar\r\nconnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let row = format!("kabar_errors_total{{code=\"{code}\"}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&row)).unwrap_or("0");
        Ok(value.parse::<f64>().map_err(io::Error::other)? as u64)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _is_gone_already = self.process.kill();
        let _is_gone_already = self.process.wait();
    }
}

pub(crate) struct Stopped {
    /// The exit code; `None` if the process had to be killed.
    pub(crate) code: Option<i32>,
    pub(crate) took: Duration,
}

fn spawn(directory: &TempDir) -> io::Result<Child> {
    let log = File::options().create(true).append(true).open(log_path(directory))?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_kabar"));
    command.arg("--config").arg(directory.path().join("kabar.toml")).current_dir(directory.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()
}

fn log_path(directory: &TempDir) -> PathBuf {
    directory.path().join("log")
}
