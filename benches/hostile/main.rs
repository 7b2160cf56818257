//! What honest clients notice while others attack the server: `cargo bench --bench hostile [-- --seconds N] [--only ATTACK]`.
//!
//! Twenty clients chat and two log in again and again: first alone, then beside each attack, then beside all attacks at
//! once with a SIGTERM and a restart in the middle. Every attack is a process of idle priority. The exit code is 1 if
//! a bound was broken.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod attacks;
mod client;
mod figures;
mod honest;
mod server;

use std::io::{self, Read};
use std::net::SocketAddr;
use std::process::{Child, ExitCode};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;

use attacks::{ACCOUNTS, ATTACKS, Attack, Tally, Target};
use figures::{megabytes, milliseconds};
use honest::{Phase, Report};
use server::{Server, Stopped};

/// So many times as long as on the quiet machine may the slowest of a hundred requests take.
const SLOWER: u32 = 3;
/// A request that is faster than this is not told from one that waited for the machine.
const NOISE: Duration = Duration::from_millis(5);
/// Memory beyond that of the quiet server, in bytes.
const MEMORY: u64 = 256 << 20;
/// Bytes of the log in a second: twenty lines that attackers can bring about, each as long as they may be, and some more.
const LOG: u64 = 128 << 10;
/// Attacks in which others log in from up to so many addresses: then a log-in waits for a turn of each.
const ADDRESSES: u32 = 20;

#[derive(Parser)]
struct Arguments {
    /// The length of each phase; that of all attacks at once is three times as long.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Only these attacks.
    #[arg(long)]
    only: Vec<String>,
    /// Runs an attack in this process.
    #[arg(long, hide = true)]
    attack: Option<String>,
    #[arg(long, hide = true, value_delimiter = ',')]
    tokens: Vec<String>,
    #[arg(long, hide = true, value_delimiter = ',')]
    addresses: Vec<SocketAddr>,
    /// As `cargo bench` calls it.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let _as_many_as_may_be = rlimit::increase_nofile_limit(u64::MAX);
    if let Some(name) = &arguments.attack {
        attack(name, &arguments);
        return ExitCode::SUCCESS;
    }
    match Bench::prepare(arguments).and_then(Bench::run) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the bench itself failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn attack(name: &str, arguments: &Arguments) {
    let Ok(addresses) = <[SocketAddr; 6]>::try_from(&arguments.addresses[..]) else { return };
    let target = Target {
        addresses: addresses.into(),
        tokens: arguments.tokens.clone(),
        until: Instant::now() + Duration::from_secs_f64(arguments.seconds),
        tally: Arc::new(Tally::default()),
    };
    ATTACKS.iter().filter(|attack| attack.name == name).for_each(|attack| attack.run(&target));
}

struct Bench {
    arguments: Arguments,
    server: Server,
    honest: Vec<String>,
    attackers: Vec<String>,
    /// Of the quiet machine, and then of one whose cores are taken.
    baseline: Report,
    quiet_memory: u64,
    sent: Vec<(usize, String)>,
    broken: Vec<String>,
}

impl Bench {
    fn prepare(arguments: Arguments) -> io::Result<Self> {
        let server = Server::start()?;
        let register = |name: String| honest::register(server.addresses().json, &name);
        let honest =
            (0..honest::CLIENTS).map(|number| register(format!("honest{number}"))).collect::<Result<_, _>>()?;
        let attackers = (0..ACCOUNTS).map(|number| register(format!("attacker{number}"))).collect::<Result<_, _>>()?;
        honest::LOGINS.iter().chain(&["victim"]).try_for_each(|name| register((*name).to_owned()).map(drop))?;
        let (baseline, sent, broken) = Default::default();
        Ok(Self { arguments, server, honest, attackers, baseline, quiet_memory: 0, sent, broken })
    }

    fn run(mut self) -> io::Result<bool> {
        println!(
            "{:14} {:>13} {:>13} {:>13}  slowed  peak MB  log KB/s  attackers",
            "", "ping ms", "send ms", "login ms"
        );
        println!("{:14} {:>13} {:>13} {:>13}", "", "p50    p99", "p50    p99", "p50    p99");
        let length = Duration::from_secs_f64(self.arguments.seconds);
        let (quiet, _) = self.phase("quiet", &[], length)?;
        self.quiet_memory = self.server.memory().0;
        self.baseline = quiet;
        let is_wanted = |attack: &&Attack| {
            self.arguments.only.is_empty() || self.arguments.only.iter().any(|name| name == attack.name)
        };
        let wanted: Vec<_> = ATTACKS.iter().filter(is_wanted).collect();
        for attack in &wanted {
            let (report, _) = self.phase(attack.name, &[attack], length)?;
            if attack.name == "spinners" {
                self.baseline = report;
            }
        }
        let (_, stopped) = self.phase("all at once", &wanted, length * 3)?;
        self.check_stop(stopped);
        let missing = honest::missing(self.server.addresses().json, &self.honest, &self.sent)?;
        self.check(missing.is_empty(), || format!("messages that were answered OK: {missing:?}"));
        let last = self.server.stop()?;
        self.check_stop(Some(last));
        println!("\n{} messages were answered OK, and are there once", self.sent.len());
        self.broken.iter().for_each(|broken| println!("BROKEN  {broken}"));
        println!("{}", if self.broken.is_empty() { "all bounds held" } else { "bounds were broken" });
        Ok(self.broken.is_empty())
    }

    /// Has the honest clients chat beside some attacks. If there are several, the server is restarted in the middle.
    fn phase(&mut self, name: &str, attacks: &[&Attack], length: Duration) -> io::Result<(Report, Option<Stopped>)> {
        let addresses = self.server.addresses();
        let logged = self.server.logged();
        self.server.forget_peak();
        let start = |attack: &&Attack| attack.start(addresses, &self.attackers, length);
        let children: Vec<Child> = attacks.iter().map(start).collect::<Result<_, _>>()?;
        let restarts = self.server.restarts.clone();
        let phase = Phase { address: addresses.json, tokens: &self.honest, length, restarts: &restarts };
        let counted = self.server.counted_errors("slow_down")?;
        let mut stopped = None;
        let mut peak = 0;
        let report = thread::scope(|scope| -> io::Result<Report> {
            let chatting = scope.spawn(|| honest::chat(&phase));
            if attacks.len() > 1 {
                thread::sleep(length / 2);
                peak = self.server.memory().1;
                stopped = Some(self.server.restart()?);
            }
            chatting.join().map_err(|_| io::Error::other("an honest client panicked"))
        })?;
        let peak = peak.max(self.server.memory().1);
        let answers = children.into_iter().map(finish).collect::<Result<Vec<_>, _>>()?;
        let log = (self.server.logged() - logged) / length.as_secs().max(1);
        let answers = answers.join("; ");
        let shown_answers = match attacks {
            [attack] => format!("{}: {answers}", attack.what),
            _ => String::new(),
        };
        let shown = [&report.ping, &report.send, &report.login].map(figures::Latencies::shown).join(" ");
        println!(
            "{name:14} {shown}  {:6}  {:7.0}  {:8.1}  {}",
            report.slowed,
            megabytes(peak),
            log as f64 / 1024.0,
            shown_answers,
        );
        self.check_phase(name, &report, peak, log);
        let refused = Tally::field(&answers, "slow_down");
        if attacks.len() == 1 {
            let counted = self.server.counted_errors("slow_down")?.saturating_sub(counted);
            self.check(refused <= counted, || format!("{name}: {refused} refusals, of which {counted} were counted"));
            self.check(Tally::field(&answers, "untimed") == 0, || format!("{name}: a refusal that names no time"));
        }
        self.sent.extend(report.sent.iter().cloned());
        Ok((report, stopped))
    }

    fn check_phase(&mut self, name: &str, report: &Report, peak: u64, log: u64) {
        self.broken.extend(report.failures.iter().take(5).map(|failure| format!("{name}: {failure}")));
        let more = report.failures.len().saturating_sub(5);
        self.check(more == 0, || format!("{name}: {more} more failures"));
        let baseline = &self.baseline;
        let turns = baseline.login.percentile(50) * ADDRESSES;
        let rows = [
            ("ping", &report.ping, &baseline.ping, Duration::ZERO),
            ("send", &report.send, &baseline.send, Duration::ZERO),
            ("login", &report.login, &baseline.login, turns),
        ];
        let slow: Vec<String> = rows
            .into_iter()
            .filter_map(|(what, seen, baseline, turns)| {
                let most = baseline.percentile(99).max(NOISE) * SLOWER + turns;
                let seen = seen.percentile(99);
                let is_slow = name != "quiet" && seen > most;
                let (seen, most) = (milliseconds(seen), milliseconds(most));
                is_slow.then(|| format!("{name}: {what} p99 of {seen:.1} ms, more than {most:.1}"))
            })
            .collect();
        self.broken.extend(slow);
        let more = peak.saturating_sub(self.quiet_memory);
        let is_known = self.quiet_memory > 0;
        self.check(!is_known || more <= MEMORY, || format!("{name}: {:.0} MB more memory", megabytes(more)));
        self.check(log <= LOG, || format!("{name}: {log} bytes a second logged"));
    }

    fn check_stop(&mut self, stopped: Option<Stopped>) {
        let Some(Stopped { code, took }) = stopped else { return };
        println!("SIGTERM: exit code {code:?} after {:.1} s", took.as_secs_f64());
        self.check(code == Some(0), || format!("a stop ended with {code:?}"));
    }

    fn check(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(otherwise());
        }
    }
}

/// Waits for an attack to end, and returns what it was answered.
fn finish(mut child: Child) -> io::Result<String> {
    let mut text = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut text)?;
    }
    child.wait()?;
    Ok(text.trim().to_owned())
}
