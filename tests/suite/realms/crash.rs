//! Two server processes under load, each killed or paused after a random number of replies: no acknowledged message is lost or doubled,
//! and the order of each sender is preserved (PROTOCOL §6).

use std::collections::HashMap;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::{is_drained, wait_for};
use crate::support::load::{Conversation, Exchange};
use crate::support::port::free_address;
use crate::support::process::Process;
use crate::support::replies::ReplyCounter;
use crate::support::seed::seed;

const ROUNDS: usize = 20;
const NAMES: [&str; 2] = ["barat", "timur"];
/// Of each server; all are members of its group `crowd`.
const USERS: usize = 3;

/// A message to the other realm.
#[derive(Clone, Debug)]
struct Asked {
    /// The user there, or its group.
    to: Option<usize>,
    realm: &'static str,
    text: String,
}

impl Asked {
    fn line(&self) -> String {
        let Self { to, realm, text } = self;
        match to {
            Some(user) => format!("send user{user}@{realm} {text}"),
            None => format!("sendgroup crowd@{realm} {text}"),
        }
    }

    fn is_for(&self, reader: usize) -> bool {
        self.to.is_none_or(|user| user == reader)
    }
}

/// One of the two servers, across restarts.
struct Side {
    listen: SocketAddr,
    data: PathBuf,
    tokens: Vec<String>,
    /// The number of starts.
    lives: Mutex<u32>,
    restarted: Condvar,
    replies: ReplyCounter,
}

impl Side {
    fn new(directory: &Path, name: &str) -> Self {
        let (listen, data) = (free_address(), directory.join(name));
        let (lives, restarted, replies) = (Mutex::new(0), Condvar::new(), ReplyCounter::default());
        Self { listen, data, tokens: Vec::new(), lives, restarted, replies }
    }

    fn start(&self, name: &str) -> Process {
        let process = Process::start_at(self.listen, &self.data, |command| {
            command.args(["--realm", name]).env("KABAR_REALMS__ACCEPT", "loopback");
        });
        *self.lives.lock().unwrap() += 1;
        self.restarted.notify_all();
        process
    }

    /// Makes the users and their group.
    fn prepare(&mut self, server: &Process) {
        for user in 0..USERS {
            let mut client = server.connect();
            self.tokens.push(client.asks(&format!("register user{user} rahasia")).expect_ok().token());
            client.asks(if user == 0 { "addgroup crowd" } else { "joingroup crowd" }).expect_ok();
        }
    }

    /// Waits for the next start and returns its number, or `None` when the test ends.
    fn life_after(&self, life: u32, is_over: &AtomicBool) -> Option<u32> {
        let not_yet = |lives: &mut u32| *lives == life && !is_over.load(Ordering::Relaxed);
        let lives = self.restarted.wait_while(self.lives.lock().unwrap(), not_yet).unwrap();
        (!is_over.load(Ordering::Relaxed)).then_some(*lives)
    }
}

/// Sends from one server to the other until the test ends, across restarts of its own server.
fn send_load(sides: &[Side; 2], (from, user): (usize, usize), seed: u64, is_over: &AtomicBool) -> Vec<Exchange<Asked>> {
    let mut random = fastrand::Rng::with_seed(seed);
    let side = &sides[from];
    let mut exchanges = Vec::new();
    let mut life = 0;
    while let Some(next_life) = side.life_after(life, is_over) {
        life = next_life;
        let stream = TcpStream::connect(side.listen).ok();
        let Some(conversation) = stream.and_then(|stream| Conversation::resume(stream, &side.tokens[user])) else {
            continue;
        };
        let sent = exchanges.len();
        let next = |number: usize| Asked {
            to: (random.u8(0..5) > 0).then(|| random.usize(0..USERS)),
            realm: NAMES[1 - from],
            text: (sent + number).to_string(),
        };
        exchanges.extend(conversation.run(is_over, &side.replies, Asked::line, next));
    }
    exchanges
}

/// Kills or pauses a random server, again and again.
fn break_often(sides: &[Side; 2], mut servers: [Process; 2], random: &mut fastrand::Rng) -> [Process; 2] {
    for round in 0..ROUNDS {
        let victim = random.usize(0..2);
        sides[victim].replies.wait_for_more(random.usize(1..1_000));
        if round % 4 == 3 {
            servers[victim].pause();
            // Neither server need answer anything now: there is nothing to count.
            thread::park_timeout(Duration::from_millis(random.u64(50..1_000)));
            servers[victim].go_on();
            continue;
        }
        let [first, second] = servers;
        let (dying, living) = if victim == 0 { (first, second) } else { (second, first) };
        dying.kill();
        sides[1 - victim].replies.wait_for_more(random.usize(0..200));
        let revived = sides[victim].start(NAMES[victim]);
        servers = if victim == 0 { [revived, living] } else { [living, revived] };
    }
    servers
}

#[test]
fn two_servers_that_are_killed_and_paused_lose_nothing_and_double_nothing() {
    let mut random = fastrand::Rng::with_seed(seed());
    let directory = TempDir::new().unwrap();
    let mut sides = NAMES.map(|name| Side::new(directory.path(), name));
    let servers = [0, 1].map(|side| sides[side].start(NAMES[side]));
    sides.iter_mut().zip(&servers).for_each(|(side, server)| side.prepare(server));
    link(&sides, &servers);
    let is_over = AtomicBool::new(false);
    let (servers, sent) = thread::scope(|scope| {
        let speakers = [0, 1].map(|side| {
            [0, 1, 2].map(|user| {
                let (sides, seed, is_over) = (&sides, random.u64(..), &is_over);
                scope.spawn(move || send_load(sides, (side, user), seed, is_over))
            })
        });
        let servers = break_often(&sides, servers, &mut random);
        is_over.store(true, Ordering::Relaxed);
        sides.iter().for_each(|side| side.restarted.notify_all());
        (servers, speakers.map(|side| side.map(|speaker| speaker.join().unwrap())))
    });
    expect_drained(&sides, &servers);
    for (reading, (side, server)) in sides.iter().zip(&servers).enumerate() {
        check(side, server, NAMES[1 - reading], &sent[1 - reading]);
    }
    for server in servers {
        assert_eq!(server.terminate(), Some(0));
    }
}

fn link(sides: &[Side; 2], servers: &[Process; 2]) {
    let (token, port) = (&sides[0].tokens[0], sides[1].listen.port());
    servers[0].connect().asks(&format!("addrealm {token} timur 127.0.0.1 {port}")).expect_ok();
}

fn expect_drained(sides: &[Side; 2], servers: &[Process; 2]) {
    for here in [0, 1] {
        let mut client = servers[here].connect();
        client.asks(&format!("whoami {}", sides[here].tokens[0])).expect_ok();
        wait_for(&mut client, NAMES[1 - here], is_drained);
    }
}

/// Every message that was acknowledged to a user of the other realm has arrived here once and in order, and nothing else
/// has.
fn check(side: &Side, server: &Process, other: &str, sent: &[Vec<Exchange<Asked>>]) {
    let acknowledged: usize = sent.iter().flatten().filter(|(_, reply)| reply.is_some()).count();
    assert!(acknowledged > ROUNDS * USERS, "the load was no load: {acknowledged} acknowledged from {other}");
    for (reader, token) in side.tokens.iter().enumerate() {
        let mut client = server.connect();
        client.asks(&format!("whoami {token}")).expect_ok();
        let mut by_sender: HashMap<String, Vec<usize>> = HashMap::new();
        for message in client.reads_all("inbox") {
            by_sender.entry(text(&message, "from")).or_default().push(text(&message, "msg").parse().unwrap());
        }
        for (sender, sent) in sent.iter().enumerate() {
            let received = by_sender.remove(&format!("user{sender}@{other}")).unwrap_or_default();
            check_received(&received, sent, reader);
        }
        assert!(by_sender.is_empty(), "messages of unknown senders: {by_sender:?}");
    }
}

fn check_received(received: &[usize], sent: &[Exchange<Asked>], reader: usize) {
    assert!(received.is_sorted_by(|one, next| one < next), "doubled or out of order: {received:?}");
    assert!(received.iter().all(|number| sent[*number].0.is_for(reader)), "not for user{reader}: {received:?}");
    for (number, (asked, reply)) in sent.iter().enumerate() {
        let Some(reply) = reply else { continue };
        let is_there = received.binary_search(&number).is_ok();
        // On a slow machine a link may stay down for long enough to fill the outbox.
        if reply["code"] == "realm_queue_full" {
            assert!(!is_there, "refused and delivered: {asked:?}");
            continue;
        }
        assert_eq!(reply["status"], "OK", "{asked:?}: {reply}");
        assert!(is_there || !asked.is_for(reader), "lost: {asked:?}, answered {reply}");
    }
}

fn text(message: &Value, key: &str) -> String {
    message[key].as_str().unwrap().to_owned()
}
