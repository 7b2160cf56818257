//! The shared log of a cluster under load: `cargo bench --bench shared_log [-- --seconds N] [--rate N] …`.
//!
//! Three members of etcd on this machine, a leader that appends blocks while messages arrive at a constant rate, and two
//! followers that read all blocks. The leader renews its term, and cuts the log behind the followers. One line is printed
//! for each minute. The exit code is 1 if a bound was broken. Needs Linux, and etcd and setpriv in the path.
#![allow(clippy::unwrap_used)]

mod etcd;
mod figures;
mod nodes;
mod report;

use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use etcd::Etcd;
use figures::Window;
use kabar::cluster::{EtcdLog, Leadership, SharedLog as _};
use kabar::store::LogPosition;
use report::Report;

const FOLLOWERS: usize = 2;
const LINE: Duration = Duration::from_secs(60);

#[derive(Parser)]
struct Arguments {
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Messages that arrive in a second.
    #[arg(long, default_value_t = 15_000, value_parser = clap::value_parser!(u64).range(1..))]
    rate: u64,
    #[arg(long, default_value_t = 200)]
    message_bytes: usize,
    /// The most of a block.
    #[arg(long, default_value_t = 16 * 1024)]
    block_bytes: usize,
    /// The time between two cuts of the log.
    #[arg(long, default_value_t = 10.0)]
    cut_seconds: f64,
    /// The requests that etcd applies between two snapshots.
    #[arg(long, default_value_t = 1_000)]
    snapshot_count: u64,
    /// As `cargo bench` calls it.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The state that the threads share.
struct Trial {
    arguments: Arguments,
    begun: Instant,
    is_stopped: AtomicBool,
    /// The last message in the log.
    end: AtomicU64,
    /// Each follower has read up to this message.
    read: [AtomicU64; FOLLOWERS],
    /// What was measured since the last line.
    window: Mutex<Window>,
    failures: Mutex<Vec<String>>,
}

impl Trial {
    fn goes_on(&self) -> bool {
        let is_over = self.begun.elapsed() >= Duration::from_secs(self.arguments.seconds);
        !is_over && !self.is_stopped.load(Ordering::SeqCst)
    }

    /// Ends the trial.
    fn fail(&self, why: String) {
        println!("FAILED  {why}");
        self.failures.lock().unwrap().push(why);
        self.is_stopped.store(true, Ordering::SeqCst);
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap()
    }
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(broken) if broken.is_empty() => {
            println!("all bounds held");
            ExitCode::SUCCESS
        }
        Ok(broken) => {
            broken.iter().for_each(|broken| println!("BROKEN  {broken}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("the bench itself failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the trial. Returns the bounds that were broken.
fn run(arguments: Arguments) -> io::Result<Vec<String>> {
    let runtime = Runtime::new()?;
    let mut etcd = Etcd::start(runtime.handle(), arguments.snapshot_count)?;
    let log = |first| EtcdLog::new(runtime.handle().clone(), &etcd.addresses(first), None, "trial");
    let leader_log = log(0).map_err(io::Error::other)?;
    let logs = [log(1).map_err(io::Error::other)?, log(2).map_err(io::Error::other)?];
    leader_log.begin(LogPosition::default()).map_err(io::Error::other)?;
    let campaigned = Instant::now();
    let term = leader_log.campaign("leader", nodes::LEASE).map_err(io::Error::other)?;
    let term = term.ok_or_else(|| io::Error::other("another node leads"))?;
    let leadership = Leadership::new(term, nodes::LEASE, campaigned);
    let trial = Trial {
        arguments,
        begun: Instant::now(),
        is_stopped: AtomicBool::new(false),
        end: AtomicU64::new(0),
        read: Default::default(),
        window: Mutex::default(),
        failures: Mutex::default(),
    };
    let signals = {
        let _context = runtime.enter();
        [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]
    };
    let mut report = Report::new(&etcd);
    thread::scope(|scope| {
        scope.spawn(|| nodes::append(&trial, &leader_log, &leadership));
        scope.spawn(|| nodes::keep(&trial, &leader_log, &leadership));
        for (node, log) in logs.iter().enumerate() {
            let trial = &trial;
            scope.spawn(move || nodes::follow(trial, log, node));
        }
        let trial = &trial;
        let [mut interrupt, mut terminate] = signals;
        let watch = runtime.spawn(async move {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        });
        let mut next_line = trial.begun + LINE;
        while trial.goes_on() {
            thread::sleep(Duration::from_millis(200));
            etcd.ended().into_iter().for_each(|ended| trial.fail(ended));
            if watch.is_finished() {
                trial.fail("interrupted".to_owned());
            }
            if Instant::now() >= next_line && trial.goes_on() {
                report.line(trial, &etcd, &leader_log);
                next_line += LINE;
            }
        }
    });
    report.line(&trial, &etcd, &leader_log);
    Ok(report.summary(&trial, &etcd))
}
