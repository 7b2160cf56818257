//! The lines and the table that are printed, and the bounds.

use std::time::{Duration, Instant};

use kabar::cluster::{EtcdLog, SharedLog as _};

use crate::etcd::{Etcd, MEMBERS, Usage};
use crate::figures::{Range, Window, megabytes, milliseconds};
use crate::{Arguments, Trial};

/// Of a member of etcd, in bytes.
const MEMORY: u64 = 1_000_000_000;
/// The 99th percentile of an append, and of a message.
const SLOWEST: Duration = Duration::from_millis(20);
/// Of the messages that arrive, so many percent are to be acknowledged before the end.
const REACHED_PERCENT: u64 = 99;
const HEADING: [&str; 2] = [
    "          messages  blocks      append, ms           message, ms         members, MB    database, MB        cores",
    "  seconds      /s      /s   p50    p99     max   p50    p99     max      0    1    2    used  file     0    1    2  own  alarms",
];

/// The lines so far.
pub(crate) struct Report {
    at: Instant,
    used: Vec<Usage>,
    whole: Window,
    memory: [Range; MEMBERS],
    database: Range,
    alarms: Vec<&'static str>,
}

impl Report {
    /// Prints the heading of the lines.
    pub(crate) fn new(etcd: &Etcd) -> Self {
        HEADING.iter().for_each(|line| println!("{line}"));
        let (whole, memory, database, alarms) = Default::default();
        Self { at: Instant::now(), used: usage(etcd), whole, memory, database, alarms }
    }

    pub(crate) fn line(&mut self, trial: &Trial, etcd: &Etcd, log: &EtcdLog) {
        let window = std::mem::take(&mut *trial.window());
        let (seconds, used) = (self.at.elapsed().as_secs_f64(), usage(etcd));
        self.at = Instant::now();
        let cores: Vec<String> = used
            .iter()
            .zip(&self.used)
            .map(|(now, before)| (now.processors.saturating_sub(before.processors)).as_secs_f64() / seconds)
            .map(|cores| format!("{cores:4.2}"))
            .collect();
        let memory: Vec<String> =
            used[..MEMBERS].iter().map(|member| format!("{:4.0}", megabytes(member.memory))).collect();
        self.memory.iter_mut().zip(&used).for_each(|(range, member)| range.add(member.memory));
        let file = etcd.file_bytes();
        self.database.add(file);
        let size = log.size().map_or_else(|_| "?".to_owned(), |size| format!("{:.0}", megabytes(size)));
        let alarms = log.alarms();
        let shown_alarms = match &alarms {
            Ok(alarms) if alarms.is_empty() => "none".to_owned(),
            Ok(alarms) => alarms.join(", "),
            Err(_) => "unknown".to_owned(),
        };
        println!(
            "{:9.0} {:9.0} {:7.0} {} {}   {} {:>7} {:5.0}  {}  {}{}",
            trial.begun.elapsed().as_secs_f64(),
            window.messages.count() as f64 / seconds,
            window.appends.count() as f64 / seconds,
            window.appends.shown(),
            window.messages.shown(),
            memory.join(" "),
            size,
            megabytes(file),
            cores.join(" "),
            shown_alarms,
            if window.unanswered > 0 { format!(", {} appends unanswered", window.unanswered) } else { String::new() },
        );
        self.alarms.extend(alarms.unwrap_or_default());
        self.whole.merge(&window);
        self.used = used;
    }

    /// Prints the table of the run. Returns the bounds that were broken.
    pub(crate) fn summary(self, trial: &Trial, etcd: &Etcd) -> Vec<String> {
        let Arguments { seconds, rate, .. } = trial.arguments;
        let Window { appends, messages, unanswered } = self.whole;
        let done = messages.count();
        let peaks: Vec<u64> = etcd.usage().iter().map(|member| member.peak).collect();
        println!("\n{:40} {done} of {}", "messages acknowledged", seconds * rate);
        println!("{:40} {:.0}", "messages/s", done as f64 / seconds as f64);
        println!("{:40} {} ({unanswered} unanswered once or more)", "blocks", appends.count());
        println!("{:40} {}", "append, p50 p99 max, ms", appends.shown());
        println!("{:40} {}", "message, p50 p99 max, ms", messages.shown());
        for (member, (range, peak)) in self.memory.iter().zip(&peaks).enumerate() {
            let [min, max, peak] = [range.min, range.max, *peak].map(megabytes);
            println!("member {member}: {:30} {min:.0} to {max:.0}, peak {peak:.0}", "resident at the lines, MB");
        }
        let Range { min, max } = self.database;
        println!("{:40} {:.0} to {:.0}", "file of the database, MB", megabytes(min), megabytes(max));
        println!("{:40} {:?}", "alarms", self.alarms);
        let mut broken = trial.failures.lock().unwrap().clone();
        let mut check = |holds: bool, otherwise: String| (!holds).then(|| broken.push(otherwise));
        check(self.alarms.is_empty(), format!("alarms: {:?}", self.alarms));
        let peak = peaks.into_iter().max().unwrap_or(0);
        check(peak < MEMORY, format!("a member used {:.0} MB", megabytes(peak)));
        check(done * 100 >= seconds * rate * REACHED_PERCENT, format!("the rate was not reached: {done} messages"));
        for (what, latencies) in [("an append", &appends), ("a message", &messages)] {
            let p99 = latencies.percentile(99);
            check(p99 < SLOWEST, format!("p99 of {what}: {:.1} ms", milliseconds(p99)));
        }
        broken
    }
}

/// Of the members, and of this process.
fn usage(etcd: &Etcd) -> Vec<Usage> {
    let mut usage = etcd.usage();
    usage.push(Usage::of("self"));
    usage
}
