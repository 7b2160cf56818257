//! The real server under load, killed at a random moment, again and again: nothing acknowledged is lost or doubled,
//! and each sender's order is kept (PROTOCOL §5).

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::Client;
use crate::support::process::Process;
use serde_json::Value;
use tempfile::TempDir;

const ROUNDS: usize = 20;
const WORKERS: usize = 8;
/// Requests on their way at a time on each connection, so that the kill meets full batches.
const WINDOW: usize = 16;

/// What a worker asked for, in a form that can be looked for later.
#[derive(Clone, Debug, PartialEq)]
enum Asked {
    Direct { to: usize, text: String },
    ToGroup { text: String },
    Register { name: String },
    CreateGroup { name: String },
}

impl Asked {
    fn line(&self) -> String {
        match self {
            Self::Direct { to, text } => format!("send user{to} {text}\n"),
            Self::ToGroup { text } => format!("sendgroup crowd {text}\n"),
            Self::Register { name } => format!("register {name} rahasia\n"),
            Self::CreateGroup { name } => format!("addgroup {name}\n"),
        }
    }

    fn random(worker: usize, round: usize, number: usize, random: &mut fastrand::Rng) -> Self {
        let text = format!("{worker}/{round}/{number}");
        match random.u8(0..100) {
            0 => Self::CreateGroup { name: format!("group-{worker}-{round}-{number}") },
            1..30 => Self::ToGroup { text },
            _ => Self::Direct { to: random.usize(0..WORKERS), text },
        }
    }
}

/// A request, and the reply if there was one.
type Exchange = (Asked, Option<Value>);

#[test]
fn a_killed_server_loses_nothing_that_it_acknowledged() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let directory = TempDir::new().unwrap();
    let data = directory.path().join("data");
    let tokens = prepare(&Process::start(&data));
    let mut created: Vec<Vec<String>> = vec![Vec::new(); WORKERS];
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        let server = Process::start(&data);
        let load = Load { address: server.address(), round, seed: random.u64(..) };
        let exchanges = load.until(random.u64(20..300), &tokens, || server.kill());
        acknowledged += exchanges.iter().flatten().filter(|(_, reply)| reply.is_some()).count();
        let server = Process::start(&data);
        check(&server, &tokens, &exchanges, &mut created);
        assert_eq!(server.terminate(), Some(0));
    }
    assert!(acknowledged > ROUNDS * WINDOW, "the load was no load: {acknowledged} acknowledged");
}

/// Makes the users and their common group, and gives their tokens.
fn prepare(server: &Process) -> Vec<String> {
    let mut tokens = Vec::new();
    for worker in 0..WORKERS {
        let mut client = server.connect();
        tokens.push(client.asks(&format!("register user{worker} rahasia")).expect_ok().token());
        let enter = if worker == 0 { "addgroup crowd" } else { "joingroup crowd" };
        client.asks(enter).expect_ok();
    }
    tokens
}

#[derive(Clone, Copy)]
struct Load {
    address: SocketAddr,
    round: usize,
    seed: u64,
}

impl Load {
    /// Runs the load on all connections, and ends it after some milliseconds of it by `kill`.
    fn until(self, milliseconds: u64, tokens: &[String], kill: impl FnOnce()) -> Vec<Vec<Exchange>> {
        let killed = Arc::new(AtomicBool::new(false));
        let begun = Arc::new(Barrier::new(WORKERS + 1));
        let workers: Vec<_> = tokens
            .iter()
            .cloned()
            .enumerate()
            .map(|(worker, token)| {
                let (killed, begun) = (killed.clone(), begun.clone());
                thread::spawn(move || {
                    let mut stream = TcpStream::connect(self.address).unwrap();
                    writeln!(stream, "whoami {token}").unwrap();
                    begun.wait();
                    self.work(worker, &mut stream, &killed)
                })
            })
            .collect();
        begun.wait();
        let deadline = Instant::now() + Duration::from_millis(milliseconds);
        thread::park_timeout(deadline.saturating_duration_since(Instant::now()));
        kill();
        killed.store(true, Ordering::Relaxed);
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    }

    /// Asks without end, and notes what was answered, until the connection breaks.
    fn work(self, worker: usize, stream: &mut TcpStream, killed: &AtomicBool) -> Vec<Exchange> {
        let mut random = fastrand::Rng::with_seed(self.seed.wrapping_add(worker as u64));
        let mut replies = BufReader::new(stream.try_clone().unwrap());
        let mut exchanges: Vec<Exchange> = Vec::new();
        if hear(&mut replies).is_none() {
            return exchanges;
        }
        let mut answered = 0;
        // One account a round: a hash is slow, and a registration binds the connection to somebody else.
        if worker == 0 {
            let name = format!("newcomer-{}", self.round);
            let asked = Asked::Register { name };
            let mut other = TcpStream::connect(self.address).unwrap();
            let sent = other.write_all(asked.line().as_bytes());
            let reply = sent.ok().and_then(|()| hear(&mut BufReader::new(other)));
            exchanges.push((asked, reply));
            answered += 1;
        }
        while !killed.load(Ordering::Relaxed) {
            while exchanges.len() - answered < WINDOW {
                let asked = Asked::random(worker, self.round, exchanges.len(), &mut random);
                let sent = stream.write_all(asked.line().as_bytes());
                exchanges.push((asked, None));
                if sent.is_err() {
                    break;
                }
            }
            let Some(reply) = hear(&mut replies) else { break };
            exchanges[answered].1 = Some(reply);
            answered += 1;
        }
        // What was answered before the kill and not read yet was acknowledged all the same.
        while let Some(reply) = hear(&mut replies) {
            exchanges[answered].1 = Some(reply);
            answered += 1;
        }
        exchanges
    }
}

/// The next whole frame; none where the connection broke.
fn hear(replies: &mut impl BufRead) -> Option<Value> {
    let (mut frame, mut empty) = (String::new(), String::new());
    replies.read_line(&mut frame).ok()?;
    replies.read_line(&mut empty).ok()?;
    if empty != "\r\n" {
        return None;
    }
    Some(serde_json::from_str(&frame).unwrap())
}

fn check(server: &Process, tokens: &[String], exchanges: &[Vec<Exchange>], created: &mut [Vec<String>]) {
    for (reader, token) in tokens.iter().enumerate() {
        let mut client = server.connect();
        client.asks(&format!("whoami {token}")).expect_ok();
        let inbox = read_all(&mut client);
        for (writer, sent) in exchanges.iter().enumerate() {
            let expected = sent.iter().filter(|(asked, _)| is_for(asked, reader, writer)).collect::<Vec<_>>();
            check_messages(&inbox, writer, &expected);
        }
        check_accounts(&mut client, &exchanges[reader]);
        check_groups(&mut client, &exchanges[reader], &mut created[reader]);
    }
}

fn is_for(asked: &Asked, reader: usize, writer: usize) -> bool {
    match asked {
        Asked::Direct { to, .. } => *to == reader,
        Asked::ToGroup { .. } => reader != writer,
        Asked::Register { .. } | Asked::CreateGroup { .. } => false,
    }
}

fn read_all(client: &mut Client) -> Vec<Value> {
    let mut messages = Vec::new();
    loop {
        let page = client.asks("inbox").expect_ok();
        let more = page.0["more"] == true;
        messages.extend(page.0["data"].as_array().unwrap().iter().cloned());
        if !more {
            break;
        }
    }
    let ids: Vec<u64> = messages.iter().map(|message| message["id"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "the inbox is out of order or repeats itself: {ids:?}");
    messages
}

/// What one writer sent to one reader: all that was acknowledged, under the acknowledged id, in the order of sending.
fn check_messages(inbox: &[Value], writer: usize, sent: &[&Exchange]) {
    let from = format!("user{writer}");
    let arrived: Vec<&Value> = inbox.iter().filter(|message| message["from"] == *from).collect();
    let places: HashMap<&str, usize> =
        sent.iter().enumerate().map(|(place, (asked, _))| (text_of(asked), place)).collect();
    let order: Vec<usize> = arrived.iter().map(|message| places[message["msg"].as_str().unwrap()]).collect();
    assert!(order.is_sorted_by(|a, b| a < b), "{from}'s messages are doubled or out of order: {order:?}");
    let ids: BTreeMap<&str, &Value> = arrived.iter().map(|m| (m["msg"].as_str().unwrap(), &m["id"])).collect();
    for (asked, reply) in sent {
        let Some(reply) = reply else { continue };
        assert_eq!(reply["status"], "OK", "{asked:?}");
        assert_eq!(ids.get(text_of(asked)), Some(&&reply["data"]["id"]), "lost or renumbered: {asked:?}");
    }
}

fn text_of(asked: &Asked) -> &str {
    match asked {
        Asked::Direct { text, .. } | Asked::ToGroup { text } => text,
        Asked::Register { name } | Asked::CreateGroup { name } => name,
    }
}

fn check_accounts(client: &mut Client, exchanges: &[Exchange]) {
    for (asked, reply) in exchanges {
        if let (Asked::Register { name }, Some(reply)) = (asked, reply) {
            client.asks(&format!("info {name}")).expect_ok();
            let token = reply["tokenid"].as_str().unwrap();
            assert_eq!(client.asks(&format!("whoami {token}")).expect_ok().message(), name);
        }
    }
}

fn check_groups(client: &mut Client, exchanges: &[Exchange], created: &mut Vec<String>) {
    for (asked, reply) in exchanges {
        if let (Asked::CreateGroup { name }, Some(_)) = (asked, reply) {
            created.push(name.clone());
        }
    }
    let groups = client.asks("groups").expect_ok();
    let groups: Vec<&str> = groups.0["data"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    for name in created {
        assert!(groups.contains(&name.as_str()), "lost: group {name}");
    }
}
