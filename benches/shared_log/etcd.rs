//! Three members of etcd on this machine, with the settings of docs/CLUSTER.md, and what processes use.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::slice;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::runtime::Handle;

use kabar::cluster::{EtcdLog, SharedLog as _};

pub(crate) const MEMBERS: usize = 3;
/// How long the members may take to elect a leader.
const START: Duration = Duration::from_secs(30);

pub(crate) struct Etcd {
    members: Vec<Member>,
    _directory: TempDir,
}

struct Member {
    address: String,
    data: PathBuf,
    process: Child,
}

impl Etcd {
    /// Starts the members, and waits until each of them answers. The thread that calls this must live as long as they.
    pub(crate) fn start(runtime: &Handle, snapshot_count: u64) -> io::Result<Self> {
        let directory = TempDir::with_prefix("kabar-shared-log-")?;
        let free = free_addresses()?;
        let peers: Vec<String> = (0..MEMBERS).map(|index| format!("m{index}=http://{}", free[index].1)).collect();
        let peers = peers.join(",");
        let mut members = Vec::new();
        for (index, (clients, peer)) in free.into_iter().enumerate() {
            let (address, peer) = (format!("http://{clients}"), format!("http://{peer}"));
            let data = directory.path().join(index.to_string());
            // The kernel kills the members if this process is killed.
            let mut etcd = Command::new("setpriv");
            etcd.args(["--pdeathsig", "KILL", "etcd", "--name", &format!("m{index}"), "--data-dir"]).arg(&data);
            etcd.args(["--listen-client-urls", &address, "--advertise-client-urls", &address]);
            etcd.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
            etcd.args(["--initial-cluster", &peers, "--snapshot-count", &snapshot_count.to_string()]);
            etcd.args(["--auto-compaction-mode", "periodic", "--auto-compaction-retention", "1h"]);
            etcd.args(["--logger", "zap", "--log-level", "error"]);
            let process = etcd.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
            members.push(Member { address, data, process });
        }
        let etcd = Self { members, _directory: directory };
        etcd.members.iter().try_for_each(|member| member.wait(runtime))?;
        Ok(etcd)
    }

    /// The addresses of the members, beginning with one of them.
    pub(crate) fn addresses(&self, first: usize) -> Vec<String> {
        let mut addresses: Vec<String> = self.members.iter().map(|member| member.address.clone()).collect();
        addresses.rotate_left(first);
        addresses
    }

    pub(crate) fn usage(&self) -> Vec<Usage> {
        self.members.iter().map(|member| Usage::of(&member.process.id().to_string())).collect()
    }

    /// The largest file of a member's database, in bytes.
    pub(crate) fn file_bytes(&self) -> u64 {
        let bytes = |member: &Member| fs::metadata(member.data.join("member/snap/db")).map_or(0, |file| file.len());
        self.members.iter().map(bytes).max().unwrap_or(0)
    }

    /// The members that have ended.
    pub(crate) fn ended(&mut self) -> Vec<String> {
        let ended = |member: &mut Member| member.process.try_wait().ok().flatten();
        let shown = |member: &mut Member| ended(member).map(|status| format!("{}: {status}", member.address));
        self.members.iter_mut().filter_map(shown).collect()
    }
}

impl Member {
    fn wait(&self, runtime: &Handle) -> io::Result<()> {
        let log =
            EtcdLog::new(runtime.clone(), slice::from_ref(&self.address), None, "wait").map_err(io::Error::other)?;
        let until = Instant::now() + START;
        while let Err(error) = log.head() {
            if Instant::now() > until {
                return Err(io::Error::other(error));
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        // All at once, so that none of them logs that the others are away.
        for member in &mut self.members {
            let _is_gone_already = member.process.kill();
        }
        for member in &mut self.members {
            let _is_gone_already = member.process.wait();
        }
    }
}

/// Local addresses without a listener, two for each member.
fn free_addresses() -> io::Result<Vec<(SocketAddr, SocketAddr)>> {
    let bind = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    // All are bound at once, so that no two are the same.
    let listeners: Vec<TcpListener> = (0..2 * MEMBERS).map(bind).collect::<io::Result<_>>()?;
    listeners.chunks(2).map(|pair| Ok((pair[0].local_addr()?, pair[1].local_addr()?))).collect()
}

/// The memory and the time of a process.
#[derive(Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Resident, in bytes.
    pub(crate) memory: u64,
    /// The most that was resident.
    pub(crate) peak: u64,
    /// The time on processors since the start.
    pub(crate) processors: Duration,
}

impl Usage {
    /// Of a process by its number, or `self`. Zeros if it has ended.
    pub(crate) fn of(process: &str) -> Self {
        let read = |file: &str| fs::read_to_string(format!("/proc/{process}/{file}")).unwrap_or_default();
        let status = read("status");
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.trim().trim_end_matches(" kB").parse().unwrap_or(0) * 1024
        };
        // Behind the name of the command, which may have spaces, the times are the fields 12 and 13.
        let stat = read("stat");
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
        let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
        let processors = Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64);
        Self { memory: field("VmRSS:"), peak: field("VmHWM:"), processors }
    }
}
