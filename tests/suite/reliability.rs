//! Sixteen users with two devices each, connections that break at random, and a server that is killed again and again:
//! clients that repeat requests with the same tag and resume from the last id all see the same conversation, with no gap
//! and no repeat (PROTOCOL §7).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::process::Process;
use crate::support::replies::ReplyCounter;
use crate::support::seed::seed;

const ROUNDS: usize = 20;
const USERS: usize = 16;
const DEVICES: usize = 2;
/// The messages of each user in a round.
const MESSAGES: usize = 12;
/// The kills of the server in a round.
const KILLS: usize = 2;

/// The server, across restarts, and its load.
struct Scenario {
    address: Mutex<SocketAddr>,
    tokens: Vec<String>,
    replies: ReplyCounter,
    /// Everything of the round is sent.
    is_over: AtomicBool,
    /// The connection of each device, to be woken when the round is over.
    listening: Vec<Mutex<Option<TcpStream>>>,
}

/// A connection that may break at any moment.
struct Connection {
    stream: TcpStream,
    frames: BufReader<TcpStream>,
}

impl Connection {
    /// Connects as soon as the server listens.
    fn open(scenario: &Scenario, user: usize) -> Self {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            assert!(Instant::now() < deadline, "the server did not come back");
            let address = *scenario.address.lock().unwrap_or_else(PoisonError::into_inner);
            let Ok(stream) = TcpStream::connect(address) else {
                thread::yield_now();
                continue;
            };
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let mut connection = Self { frames: BufReader::new(stream.try_clone().unwrap()), stream };
            if connection.ask(&format!("whoami {}", scenario.tokens[user])).is_some() {
                return connection;
            }
        }
    }

    fn say(&mut self, line: &str) -> Option<()> {
        self.stream.write_all(format!("{line}\n").as_bytes()).ok()
    }

    /// The next frame. `None` if the connection is broken.
    fn hear(&mut self) -> Option<Value> {
        let (mut frame, mut end) = (String::new(), String::new());
        self.frames.read_line(&mut frame).ok()?;
        self.frames.read_line(&mut end).ok()?;
        (end == "\r\n").then(|| serde_json::from_str(&frame).unwrap())
    }

    fn ask(&mut self, line: &str) -> Option<Value> {
        self.say(line)?;
        self.hear()
    }
}

/// The messages that a device has received: texts by their ids.
type Received = BTreeMap<u64, String>;

#[test]
fn every_device_sees_the_same_conversation_whatever_breaks() {
    let mut random = fastrand::Rng::with_seed(seed());
    let directory = TempDir::new().unwrap();
    let data = directory.path().join("data");
    let mut server = Process::start(&data);
    let scenario = Scenario {
        address: Mutex::new(server.address()),
        tokens: register(&server),
        replies: ReplyCounter::default(),
        is_over: AtomicBool::new(false),
        listening: (0..USERS * DEVICES).map(|_| Mutex::default()).collect(),
    };
    let mut devices: Vec<Received> = vec![Received::new(); USERS * DEVICES];
    for round in 0..ROUNDS {
        server = play_round(&scenario, server, &data, round, &mut devices, &mut random);
        check(&scenario, round, &devices);
    }
}

fn register(server: &Process) -> Vec<String> {
    let mut tokens = Vec::new();
    for user in 0..USERS {
        let mut client = server.connect();
        tokens.push(client.asks(&format!("register user{user} rahasia")).expect_ok().token());
        let enter = if user == 0 { "addgroup crowd" } else { "joingroup crowd" };
        client.asks(enter).expect_ok();
    }
    tokens
}

fn play_round(
    scenario: &Scenario,
    mut server: Process,
    data: &std::path::Path,
    round: usize,
    devices: &mut [Received],
    random: &mut fastrand::Rng,
) -> Process {
    scenario.is_over.store(false, Ordering::Relaxed);
    thread::scope(|scope| {
        for (device, received) in devices.iter_mut().enumerate() {
            let random = fastrand::Rng::with_seed(random.u64(..));
            scope.spawn(move || listen(scenario, device, received, random));
        }
        let senders: Vec<_> = (0..USERS)
            .map(|user| {
                let random = fastrand::Rng::with_seed(random.u64(..));
                scope.spawn(move || send_all(scenario, user, round, random))
            })
            .collect();
        for _ in 0..KILLS {
            scenario.replies.wait_for_more(random.usize(1..USERS * MESSAGES / (KILLS + 1)));
            server.kill();
            server = Process::start(data);
            *scenario.address.lock().unwrap() = server.address();
        }
        let sent: Vec<_> = senders.into_iter().map(|sender| sender.join()).collect();
        scenario.is_over.store(true, Ordering::Relaxed);
        scenario.wake_devices();
        sent.into_iter().for_each(|sent| sent.unwrap());
        server
    })
}

impl Scenario {
    /// Breaks the connections of all devices, which may wait for messages on them that will not come.
    fn wake_devices(&self) {
        for stream in &self.listening {
            if let Some(stream) = stream.lock().unwrap().take() {
                let _may_be_broken_already = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

/// Sends the messages of a round, each with a tag of its own until it is answered.
fn send_all(scenario: &Scenario, user: usize, round: usize, mut random: fastrand::Rng) {
    let mut connection = Connection::open(scenario, user);
    for number in 0..MESSAGES {
        let text = format!("{user}/{round}/{number}");
        let to = random.usize(0..USERS);
        let command = if random.u8(0..4) == 0 { "sendgroup crowd".into() } else { format!("send user{to}") };
        let request = format!("#{user}-{round}-{number} {command} {text}");
        loop {
            let sent = connection.say(&request);
            let breaks = random.u8(0..8) == 0;
            let reply = if sent.is_some() && !breaks { connection.hear() } else { None };
            match reply {
                Some(reply) => {
                    assert_eq!(reply["status"], "OK", "{request}: {reply}");
                    scenario.replies.add_one();
                    break;
                }
                None => connection = Connection::open(scenario, user),
            }
        }
    }
}

/// Subscribes from the last id on, again and again, until the round is over and everything is received.
fn listen(scenario: &Scenario, device: usize, received: &mut Received, mut random: fastrand::Rng) {
    loop {
        let mut connection = Connection::open(scenario, device / DEVICES);
        *scenario.listening[device].lock().unwrap() = Some(connection.stream.try_clone().unwrap());
        let was_over = scenario.is_over.load(Ordering::Relaxed);
        let after = received.keys().next_back().copied().unwrap_or(0);
        let subscribed = connection.ask(&format!("subscribe {after}"));
        // The pong comes after all earlier messages.
        if subscribed.is_none() || connection.say("ping").is_none() {
            continue;
        }
        let mut events = random.usize(1..40);
        while let Some(frame) = connection.hear() {
            if frame["event"] == "message" {
                note(received, &frame["data"]);
                events -= 1;
            } else if was_over && frame["message"] == "pong" {
                scenario.listening[device].lock().unwrap().take();
                return;
            }
            if events == 0 && !was_over {
                break;
            }
            events = events.max(1);
        }
    }
}

fn note(received: &mut Received, message: &Value) {
    let id = message["id"].as_u64().unwrap();
    let newest = received.keys().next_back().copied().unwrap_or(0);
    assert!(id > newest, "a repeat or a step back: {id} after {newest}");
    received.insert(id, message["msg"].as_str().unwrap().to_owned());
}

fn check(scenario: &Scenario, round: usize, devices: &[Received]) {
    let mut sent = BTreeMap::new();
    for user in 0..USERS {
        let mut history = Received::new();
        let mut connection = Connection::open(scenario, user);
        connection.ask("subscribe 0").unwrap();
        connection.say("ping").unwrap();
        while let Some(frame) = connection.hear().filter(|frame| frame["event"] == "message") {
            note(&mut history, &frame["data"]);
        }
        for (device, received) in devices.iter().enumerate().filter(|(device, _)| device / DEVICES == user) {
            assert_eq!(*received, history, "round {round}, device {device}");
        }
        sent.extend(history);
    }
    let mut texts: Vec<&String> = sent.values().collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), sent.len(), "a message was stored twice");
    assert_eq!(sent.len(), (round + 1) * USERS * MESSAGES, "an acknowledged message is missing");
}
