//! The program under load, killed after a random number of replies, again and again: no acknowledged message is lost or
//! doubled, and the order of each sender is preserved (PROTOCOL §5).

use std::collections::{BTreeMap, HashMap};
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use crate::support::Client;
use crate::support::load::{self, Conversation, WINDOW, hear};
use crate::support::process::Process;
use crate::support::replies::ReplyCounter;
use crate::support::seed::seed;
use serde_json::Value;
use tempfile::TempDir;

const ROUNDS: usize = 20;
const WORKERS: usize = 8;

/// A request of a worker, whose effect can be looked up later.
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
            Self::Direct { to, text } => format!("send user{to} {text}"),
            Self::ToGroup { text } => format!("sendgroup crowd {text}"),
            Self::Register { name } => format!("register {name} rahasia"),
            Self::CreateGroup { name } => format!("addgroup {name}"),
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

type Exchange = load::Exchange<Asked>;

#[test]
fn a_killed_server_loses_nothing_that_it_acknowledged() {
    let mut random = fastrand::Rng::with_seed(seed());
    let directory = TempDir::new().unwrap();
    let data = directory.path().join("data");
    let tokens = prepare(&Process::start(&data));
    let mut created: Vec<Vec<String>> = vec![Vec::new(); WORKERS];
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        let server = Process::start(&data);
        let load = Load { address: server.address(), round, seed: random.u64(..) };
        let exchanges = load.until(random.usize(1..3_000), &tokens, || server.kill());
        acknowledged += exchanges.iter().flatten().filter(|(_, reply)| reply.is_some()).count();
        let server = Process::start(&data);
        check(&server, &tokens, &exchanges, &mut created);
        assert_eq!(server.terminate(), Some(0));
    }
    assert!(acknowledged > ROUNDS * WINDOW, "the load was no load: {acknowledged} acknowledged");
}

/// Registers the users, makes their common group, and returns their tokens.
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
    /// Runs the load on all connections, and ends it by `kill` after so many replies.
    fn until(self, count: usize, tokens: &[String], kill: impl FnOnce()) -> Vec<Vec<Exchange>> {
        let killed = Arc::new(AtomicBool::new(false));
        let replies = Arc::new(ReplyCounter::default());
        let begun = Arc::new(Barrier::new(WORKERS + 1));
        let workers: Vec<_> = tokens
            .iter()
            .cloned()
            .enumerate()
            .map(|(worker, token)| {
                let (killed, begun, replies) = (killed.clone(), begun.clone(), replies.clone());
                thread::spawn(move || {
                    let conversation = Conversation::resume(TcpStream::connect(self.address).unwrap(), &token);
                    begun.wait();
                    conversation
                        .map(|conversation| self.work(worker, conversation, &killed, &replies))
                        .unwrap_or_default()
                })
            })
            .collect();
        begun.wait();
        replies.wait_for(count);
        kill();
        killed.store(true, Ordering::Relaxed);
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    }

    /// Sends requests until the connection breaks.
    fn work(
        self,
        worker: usize,
        conversation: Conversation<Asked>,
        killed: &AtomicBool,
        replies: &ReplyCounter,
    ) -> Vec<Exchange> {
        let mut random = fastrand::Rng::with_seed(self.seed.wrapping_add(worker as u64));
        // One account a round: a hash is slow, and a registration binds its connection to the new account.
        let newcomer = (worker == 0).then(|| self.register(&format!("newcomer-{}", self.round)));
        let next = |number| Asked::random(worker, self.round, number, &mut random);
        let exchanges = conversation.run(killed, replies, Asked::line, next);
        newcomer.into_iter().chain(exchanges).collect()
    }

    fn register(self, name: &str) -> Exchange {
        let asked = Asked::Register { name: name.to_owned() };
        let mut other = TcpStream::connect(self.address).unwrap();
        let sent = other.write_all(format!("{}\n", asked.line()).as_bytes());
        let reply = sent.ok().and_then(|()| hear(&mut BufReader::new(other)));
        (asked, reply)
    }
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
    let messages = client.reads_all("inbox");
    let ids: Vec<u64> = messages.iter().map(|message| message["id"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "the inbox is out of order or repeats itself: {ids:?}");
    messages
}

/// Every message that was acknowledged has arrived under the acknowledged id, in the order of sending.
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
