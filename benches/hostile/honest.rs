//! Twenty honest clients that chat in a ring, two that log in again and again.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Client;
use crate::figures::Latencies;

pub(crate) const CLIENTS: usize = 20;
/// Accounts that log in again and again. The second is the one whose password the attackers guess.
pub(crate) const LOGINS: [&str; 2] = ["login0", "owner"];
pub(crate) const PASSWORD: &str = "rahasia";
/// Between two requests of a client: a person types less, a program that chats no more.
const PAUSE: Duration = Duration::from_millis(40);
const LOGIN_PAUSE: Duration = Duration::from_millis(300);
/// How often a request is sent again that was answered `slow_down`, each time after the seconds that the reply named.
const REPEATS: usize = 3;

/// What the honest clients have seen in one phase.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) ping: Latencies,
    pub(crate) send: Latencies,
    pub(crate) login: Latencies,
    /// The messages that were answered `OK`: to which client, and the text.
    pub(crate) sent: Vec<(usize, String)>,
    /// Requests that were answered `slow_down`, and done after the seconds that it named.
    pub(crate) slowed: u64,
    /// What must not happen, in words.
    pub(crate) failures: Vec<String>,
}

/// Where and when the honest clients chat.
pub(crate) struct Phase<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) tokens: &'a [String],
    pub(crate) length: Duration,
    /// As in [`crate::server::Server`].
    pub(crate) restarts: &'a AtomicU64,
}

/// Registers a name and returns the token of its session.
pub(crate) fn register(address: SocketAddr, name: &str) -> io::Result<String> {
    let reply = Client::connect(address)?.ask(&format!("register {name} {PASSWORD}"))?;
    reply["tokenid"].as_str().map(String::from).ok_or_else(|| io::Error::other(reply.to_string()))
}

/// Has all honest clients chat for the length of the phase.
pub(crate) fn chat(phase: &Phase<'_>) -> Report {
    let mut whole = Report::default();
    thread::scope(|scope| {
        let chatting = (0..CLIENTS).map(|number| scope.spawn(move || chat_as(phase, number)));
        let logging_in = LOGINS.iter().map(|name| scope.spawn(|| log_in_as(phase, name)));
        let threads: Vec<_> = chatting.chain(logging_in).collect();
        for thread in threads {
            match thread.join() {
                Ok(report) => whole.add(report),
                Err(_) => whole.failures.push("an honest client panicked".into()),
            }
        }
    });
    whole
}

fn chat_as(phase: &Phase<'_>, number: usize) -> Report {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let mut report = Report::default();
    let mut requests = Requests { phase, token: &phase.tokens[number], connection: None };
    let to = (number + 1) % CLIENTS;
    let begun = Instant::now();
    while begun.elapsed() < phase.length {
        if let Some(latency) = requests.finish("ping", &mut report) {
            report.ping.add(latency);
        }
        let tag = NUMBER.fetch_add(1, Ordering::Relaxed);
        let failures = report.failures.len();
        if let Some(latency) = requests.finish(&format!("#h{tag} send honest{to} h{tag}"), &mut report) {
            report.send.add(latency);
        }
        if report.failures.len() == failures {
            report.sent.push((to, format!("h{tag}")));
        }
        thread::sleep(PAUSE);
    }
    report
}

/// Reads all inboxes, and tells which of the messages are not in them exactly once.
pub(crate) fn missing(address: SocketAddr, tokens: &[String], sent: &[(usize, String)]) -> io::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for (number, token) in tokens.iter().enumerate().take(CLIENTS) {
        let mut texts: BTreeMap<String, usize> = BTreeMap::new();
        let mut client = Client::connect(address)?;
        loop {
            let page = client.ask(&format!("inbox {token}"))?;
            let messages = page["data"].as_array().map_or(&[][..], Vec::as_slice);
            for text in messages.iter().filter_map(|message| message["msg"].as_str()) {
                *texts.entry(text.to_owned()).or_default() += 1;
            }
            if messages.is_empty() {
                break;
            }
        }
        for (_, text) in sent.iter().filter(|(to, _)| *to == number) {
            let count = texts.get(text).copied().unwrap_or(0);
            if count != 1 {
                wrong.push(format!("honest{number} got {text} {count} times"));
            }
        }
    }
    Ok(wrong)
}

fn log_in_as(phase: &Phase<'_>, name: &str) -> Report {
    let mut report = Report::default();
    let begun = Instant::now();
    while begun.elapsed() < phase.length {
        // No token, so that the log-in itself is measured, with its connection.
        let mut requests = Requests { phase, token: "", connection: None };
        let begun = Instant::now();
        if requests.finish(&format!("auth {name} {PASSWORD}"), &mut report).is_some() {
            report.login.add(begun.elapsed());
        }
        thread::sleep(LOGIN_PAUSE);
    }
    report
}

/// The requests of one client, over as many connections as it takes.
struct Requests<'a> {
    phase: &'a Phase<'a>,
    token: &'a str,
    /// With the number of restarts when it was made.
    connection: Option<(Client, u64)>,
}

impl Requests<'_> {
    /// Sends a request until it is done. Returns the time to its reply, unless it was sent again.
    fn finish(&mut self, line: &str, report: &mut Report) -> Option<Duration> {
        let mut repeats = 0;
        loop {
            let begun = Instant::now();
            let began_in = self.connection.as_ref().map_or_else(|| self.restarts(), |(_, restarts)| *restarts);
            let answered = self.attempt(line);
            let is_excused = began_in % 2 == 1 || began_in != self.restarts();
            match answered {
                Ok(reply) if reply["status"] == "OK" => {
                    return (!is_excused && repeats == 0).then(|| begun.elapsed());
                }
                Ok(reply) if reply["code"] == "slow_down" && repeats < REPEATS => {
                    let seconds = reply["retry_after"].as_u64().unwrap_or(0);
                    if !(1..=5).contains(&seconds) {
                        report.failures.push(format!("an impossible retry_after: {reply}"));
                        return None;
                    }
                    repeats += 1;
                    report.slowed += 1;
                    thread::sleep(Duration::from_secs(seconds));
                }
                _ if is_excused => {
                    self.connection = None;
                    thread::sleep(Duration::from_millis(20));
                }
                answered => {
                    let answered = answered.map_or_else(|error| error.to_string(), |reply| reply.to_string());
                    report.failures.push(format!("{}: {answered} ({:?})", without_password(line), begun.elapsed()));
                    self.connection = None;
                    return None;
                }
            }
        }
    }

    fn attempt(&mut self, line: &str) -> io::Result<Value> {
        if let Some((client, _)) = &mut self.connection {
            return client.ask(line);
        }
        let restarts = self.restarts();
        let mut client = Client::connect(self.phase.address)?;
        if !self.token.is_empty() {
            client.ask(&format!("subscribe {}", self.token))?;
        }
        self.connection.insert((client, restarts)).0.ask(line)
    }

    fn restarts(&self) -> u64 {
        self.phase.restarts.load(Ordering::SeqCst)
    }
}

fn without_password(line: &str) -> &str {
    line.rsplit_once(' ').filter(|_| line.starts_with("auth ")).map_or(line, |(start, _)| start)
}

impl Report {
    fn add(&mut self, other: Self) {
        self.ping.merge(other.ping);
        self.send.merge(other.send);
        self.login.merge(other.login);
        self.sent.extend(other.sent);
        self.slowed += other.slowed;
        self.failures.extend(other.failures);
    }
}
