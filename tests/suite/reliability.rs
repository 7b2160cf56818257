//! Sixteen users with two devices each, connections that break at any moment and a server that is killed again and
//! again: whoever repeats with the same tag and resumes from the last id sees one and the same conversation as
//! everybody else, with no gap and no repeat (PROTOCOL §7).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::process::Process;

const ROUNDS: usize = 20;
const USERS: usize = 16;
const DEVICES: usize = 2;
/// What each user says in a round.
const MESSAGES: usize = 12;
/// How often the server is killed in a round.
const KILLS: usize = 2;

/// Where the server is now, and whether the round is still on.
struct World {
    address: Mutex<SocketAddr>,
    tokens: Vec<String>,
    talking: AtomicUsize,
    over: AtomicBool,
}

/// A connection that may break at any moment.
struct Link {
    stream: TcpStream,
    frames: BufReader<TcpStream>,
}

impl Link {
    /// Connects as soon as there is a server to connect to.
    fn open(world: &World, user: usize) -> Self {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            assert!(Instant::now() < deadline, "the server did not come back");
            let address = *world.address.lock().unwrap_or_else(PoisonError::into_inner);
            let Ok(stream) = TcpStream::connect(address) else {
                thread::yield_now();
                continue;
            };
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let mut link = Self { frames: BufReader::new(stream.try_clone().unwrap()), stream };
            if link.ask(&format!("whoami {}", world.tokens[user])).is_some() {
                return link;
            }
        }
    }

    fn say(&mut self, line: &str) -> Option<()> {
        self.stream.write_all(format!("{line}\n").as_bytes()).ok()
    }

    /// The next frame; none where the connection broke.
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

/// What a device has heard: texts by their ids.
type Heard = BTreeMap<u64, String>;

#[test]
fn every_device_sees_the_same_conversation_whatever_breaks() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let directory = TempDir::new().unwrap();
    let data = directory.path().join("data");
    let mut server = Process::start(&data);
    let world = World {
        address: Mutex::new(server.address()),
        tokens: register(&server),
        talking: AtomicUsize::new(0),
        over: AtomicBool::new(false),
    };
    let mut devices: Vec<Heard> = vec![Heard::new(); USERS * DEVICES];
    for round in 0..ROUNDS {
        server = play_round(&world, server, &data, round, &mut devices, &mut random);
        check(&world, round, &devices);
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
    world: &World,
    mut server: Process,
    data: &std::path::Path,
    round: usize,
    devices: &mut [Heard],
    random: &mut fastrand::Rng,
) -> Process {
    world.over.store(false, Ordering::Relaxed);
    world.talking.store(USERS, Ordering::Relaxed);
    thread::scope(|scope| {
        for (device, heard) in devices.iter_mut().enumerate() {
            let random = fastrand::Rng::with_seed(random.u64(..));
            scope.spawn(move || listen(world, device / DEVICES, heard, random));
        }
        for user in 0..USERS {
            let random = fastrand::Rng::with_seed(random.u64(..));
            scope.spawn(move || talk(world, user, round, random));
        }
        for _ in 0..KILLS {
            thread::park_timeout(Duration::from_millis(random.u64(5..80)));
            server.kill();
            server = Process::start(data);
            *world.address.lock().unwrap() = server.address();
        }
        while world.talking.load(Ordering::Relaxed) > 0 {
            thread::park_timeout(Duration::from_millis(5));
        }
        world.over.store(true, Ordering::Relaxed);
        server
    })
}

/// Says everything of a round, each message under one tag until it is answered.
fn talk(world: &World, user: usize, round: usize, mut random: fastrand::Rng) {
    let mut link = Link::open(world, user);
    for number in 0..MESSAGES {
        let text = format!("{user}/{round}/{number}");
        let to = random.usize(0..USERS);
        let command = if random.u8(0..4) == 0 { "sendgroup crowd".into() } else { format!("send user{to}") };
        let request = format!("#{user}-{round}-{number} {command} {text}");
        loop {
            let sent = link.say(&request);
            let breaks = random.u8(0..8) == 0;
            let reply = if sent.is_some() && !breaks { link.hear() } else { None };
            match reply {
                Some(reply) => {
                    assert_eq!(reply["status"], "OK", "{request}: {reply}");
                    break;
                }
                None => link = Link::open(world, user),
            }
        }
    }
    world.talking.fetch_sub(1, Ordering::Relaxed);
}

/// Listens from the last id on, again and again, until the round is over and nothing is left to hear.
fn listen(world: &World, user: usize, heard: &mut Heard, mut random: fastrand::Rng) {
    loop {
        let mut link = Link::open(world, user);
        let was_over = world.over.load(Ordering::Relaxed);
        let after = heard.keys().next_back().copied().unwrap_or(0);
        let subscribed = link.ask(&format!("subscribe {after}"));
        // The pong comes after all that was said before.
        if subscribed.is_none() || link.say("ping").is_none() {
            continue;
        }
        // A quiet line may break as well as a busy one: then the device looks whether the round is over.
        link.stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let mut events = random.usize(1..40);
        while let Some(frame) = link.hear() {
            if frame["event"] == "message" {
                note(heard, &frame["data"]);
                events -= 1;
            } else if was_over && frame["message"] == "pong" {
                return;
            }
            if events == 0 && !was_over {
                break;
            }
            events = events.max(1);
        }
    }
}

fn note(heard: &mut Heard, message: &Value) {
    let id = message["id"].as_u64().unwrap();
    let newest = heard.keys().next_back().copied().unwrap_or(0);
    assert!(id > newest, "a repeat or a step back: {id} after {newest}");
    heard.insert(id, message["msg"].as_str().unwrap().to_owned());
}

fn check(world: &World, round: usize, devices: &[Heard]) {
    let mut said = BTreeMap::new();
    for user in 0..USERS {
        let mut history = Heard::new();
        let mut link = Link::open(world, user);
        link.ask("subscribe 0").unwrap();
        link.say("ping").unwrap();
        while let Some(frame) = link.hear().filter(|frame| frame["event"] == "message") {
            note(&mut history, &frame["data"]);
        }
        for (device, heard) in devices.iter().enumerate().filter(|(device, _)| device / DEVICES == user) {
            assert_eq!(*heard, history, "round {round}, device {device}");
        }
        said.extend(history);
    }
    let mut texts: Vec<&String> = said.values().collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), said.len(), "something was said twice");
    assert_eq!(said.len(), (round + 1) * USERS * MESSAGES, "something was acknowledged and not said");
}
