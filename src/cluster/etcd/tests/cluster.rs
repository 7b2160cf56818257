//! etcd processes for a test.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::cluster::etcd::client::Client;
use crate::cluster::etcd::{ClientTls, EtcdLog};
use crate::cluster::shared_log::SharedLog;
use crate::store::LogPosition;

/// An etcd cluster in a temporary directory. Dropping this kills it.
pub(super) struct Cluster {
    pub(super) runtime: Runtime,
    /// The addresses for clients, in the order of `processes`.
    pub(super) addresses: Vec<String>,
    processes: Vec<Child>,
    _home: TempDir,
}

/// Where etcd finds its own certificate and key, and the authority that clients' certificates are signed by.
pub(super) struct ServerFiles {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    pub(super) authority: PathBuf,
}

impl Cluster {
    pub(super) fn start(members: usize) -> Self {
        let cluster = Self::spawn(members, None);
        cluster.wait(None);
        cluster
    }

    /// One member, which asks clients for a certificate.
    pub(super) fn start_with_tls(files: &ServerFiles, tls: &ClientTls) -> Self {
        let cluster = Self::spawn(1, Some(files));
        cluster.wait(Some(tls));
        cluster
    }

    fn spawn(members: usize, tls: Option<&ServerFiles>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let ports = free_ports(2 * members);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let peers: Vec<String> = ports[members..].iter().map(|port| format!("http://127.0.0.1:{port}")).collect();
        let addresses: Vec<String> =
            ports[..members].iter().map(|port| format!("{scheme}://127.0.0.1:{port}")).collect();
        let all: Vec<String> = peers.iter().enumerate().map(|(index, peer)| format!("m{index}={peer}")).collect();
        let spawn = |index: usize| {
            let mut etcd = command(home.path(), index, &addresses[index], &peers[index], &all.join(","));
            if let Some(files) = tls {
                etcd.arg("--cert-file").arg(&files.certificate).arg("--key-file").arg(&files.key);
                etcd.arg("--client-cert-auth").arg("--trusted-ca-file").arg(&files.authority);
            }
            etcd.spawn().unwrap_or_else(|error| panic!("etcd cannot be started ({error}): apt-get install etcd-server"))
        };
        let processes = (0..members).map(spawn).collect();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { runtime, addresses, processes, _home: home }
    }

    /// Waits until each member answers.
    fn wait(&self, tls: Option<&ClientTls>) {
        let begun = Instant::now();
        for address in &self.addresses {
            let client = self.client(std::slice::from_ref(address), tls);
            while self.runtime.block_on(client.status()).is_err() {
                assert!(begun.elapsed() < Duration::from_secs(20), "etcd does not start");
            }
        }
    }

    fn client(&self, addresses: &[String], tls: Option<&ClientTls>) -> Client {
        let _context = self.runtime.enter();
        Client::new(addresses, tls).unwrap()
    }

    /// The log, begun.
    pub(super) fn log(&self) -> EtcdLog {
        let log = self.log_at(&self.addresses, None);
        log.begin(LogPosition::default()).unwrap();
        log
    }

    pub(super) fn log_at(&self, addresses: &[String], tls: Option<&ClientTls>) -> EtcdLog {
        EtcdLog::new(self.runtime.handle().clone(), addresses, tls, "test").unwrap()
    }

    /// The index of the member that leads etcd.
    pub(super) fn leading_member(&self) -> usize {
        let leads = |address: &String| {
            let client = self.client(std::slice::from_ref(address), None);
            let status = self.runtime.block_on(client.status()).unwrap();
            status.leader == status.header.unwrap().member_id
        };
        self.addresses.iter().position(leads).unwrap()
    }

    pub(super) fn signal(&self, member: usize, signal: &str) {
        let pid = self.processes[member].id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// With short elections, because the shortest lease is one and a half of them.
fn command(home: &Path, index: usize, address: &str, peer: &str, all: &str) -> Command {
    let mut etcd = Command::new("etcd");
    etcd.args(["--name", &format!("m{index}"), "--data-dir"]).arg(home.join(index.to_string()));
    etcd.args(["--listen-client-urls", address, "--advertise-client-urls", address]);
    etcd.args(["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]);
    etcd.args(["--initial-cluster", all, "--heartbeat-interval", "50", "--election-timeout", "500"]);
    etcd.stdout(Stdio::null()).stderr(Stdio::null());
    etcd
}

fn free_ports(count: usize) -> Vec<u16> {
    let listeners: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}
