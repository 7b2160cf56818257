//! Clients that send messages one after the other, whatever happens to the cluster.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::client::{Acknowledged, Client};
use super::nodes::Cluster;
use crate::support::replies::ReplyCounter;

/// The senders. Each sends to the next one.
const SENDERS: usize = 4;

pub(super) struct Load {
    tokens: Vec<String>,
    shared: Arc<Shared>,
    senders: Vec<JoinHandle<Vec<Acknowledged>>>,
}

#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    replies: ReplyCounter,
}

/// The messages of a load, all of them acknowledged.
pub(super) struct Sent {
    tokens: Vec<String>,
    by_sender: Vec<Vec<Acknowledged>>,
}

impl Load {
    pub(super) fn begin(cluster: &Cluster) -> Self {
        let mut clients: Vec<Client> = (0..SENDERS)
            .map(|sender| Client::registered(addresses(cluster, sender), &format!("user{sender}")))
            .collect();
        let tokens = clients.iter().map(|client| client.token().to_owned()).collect();
        let shared = Arc::new(Shared::default());
        let senders = clients.drain(..).enumerate().map(|(sender, client)| {
            let shared = shared.clone();
            thread::spawn(move || shared.send(sender, client))
        });
        Self { tokens, senders: senders.collect(), shared }
    }

    /// Waits for so many more acknowledgements.
    #[track_caller]
    pub(super) fn goes_on(&self, count: usize) {
        let before = self.shared.replies.count();
        self.shared.replies.wait_for_more(count);
        assert!(self.shared.replies.count() >= before + count, "the service does not go on");
    }

    /// Ends the load as soon as what was sent is acknowledged.
    pub(super) fn end(mut self) -> Sent {
        self.shared.is_over.store(true, Ordering::Relaxed);
        let by_sender = self.senders.drain(..).map(|sender| sender.join().unwrap()).collect();
        Sent { tokens: std::mem::take(&mut self.tokens), by_sender }
    }
}

/// The nodes, each sender's first one first.
fn addresses(cluster: &Cluster, sender: usize) -> Vec<SocketAddr> {
    let mut addresses = cluster.addresses();
    let nodes = addresses.len();
    addresses.rotate_left(sender % nodes);
    addresses
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn send(&self, sender: usize, mut client: Client) -> Vec<Acknowledged> {
        let (mut acknowledged, to) = (Vec::new(), (sender + 1) % SENDERS);
        while !self.is_over.load(Ordering::Relaxed) {
            let number = acknowledged.len();
            acknowledged.push(client.ask(&format!("m{number}"), &format!("send user{to} {number}")));
            self.replies.add_one();
        }
        acknowledged
    }
}

impl Sent {
    /// How long after a moment each sender was served again.
    pub(super) fn gaps_after(&self, moment: Instant) -> Vec<Duration> {
        let again = |sent: &Vec<Acknowledged>| {
            let first = sent.iter().find(|acknowledged| acknowledged.connected > moment);
            first.expect("nobody was served again").at - moment
        };
        self.by_sender.iter().map(again).collect()
    }

    /// The longest time between two acknowledgements of a sender from one moment to another.
    pub(super) fn silence(&self, (from, to): (Instant, Instant)) -> Duration {
        let of_sender = |sent: &Vec<Acknowledged>| {
            let pairs = sent.windows(2).map(|pair| (pair[0].at, pair[1].at));
            pairs.filter(|(last, next)| *next >= from && *last <= to).map(|(last, next)| next - last).max()
        };
        self.by_sender.iter().filter_map(of_sender).max().unwrap_or_default()
    }

    /// Every message is there once, under the id that was acknowledged, and in the order of its sender.
    pub(super) fn expect_each_once(&self, cluster: &Cluster) {
        for (reader, token) in self.tokens.iter().enumerate() {
            let sent = &self.by_sender[(reader + SENDERS - 1) % SENDERS];
            let id = |acknowledged: &Acknowledged| acknowledged.reply["data"]["id"].as_u64().unwrap();
            let mut client = Client::new(cluster.addresses(), token);
            sent.iter().map(id).max().into_iter().for_each(|newest| client.waits_for(newest));
            let inbox = client.inbox();
            let found: Vec<(&str, u64)> = inbox
                .iter()
                .map(|message| (message["msg"].as_str().unwrap(), message["id"].as_u64().unwrap()))
                .collect();
            let texts: Vec<String> = (0..sent.len()).map(|number| number.to_string()).collect();
            let expected: Vec<(&str, u64)> = texts.iter().map(String::as_str).zip(sent.iter().map(id)).collect();
            let first_difference = found.iter().zip(&expected).find(|(found, expected)| found != expected);
            assert!(first_difference.is_none(), "user{reader}'s inbox: {first_difference:?}");
            assert_eq!(found.len(), expected.len(), "lost or twice for user{reader}");
            assert!(found.is_sorted_by_key(|(_, id)| *id), "out of order for user{reader}");
        }
    }

    pub(super) fn count(&self) -> usize {
        self.by_sender.iter().map(Vec::len).sum()
    }
}
