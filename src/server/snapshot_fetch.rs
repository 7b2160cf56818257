//! Fetches a snapshot of another node's store.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::{interval, sleep};
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;

use crate::channel::{ChannelEndpoint, SnapshotMessage, SnapshotReader};
use crate::cluster::{Member, NodeInfo, SharedLog, Unreachable, check_position};
use crate::id::Seq;
use crate::limits::{REPORT_INTERVAL, SNAPSHOT_RETRY, SNAPSHOT_RETRY_MAX};
use crate::server::blocking::blocking;
use crate::server::error::ServerError;
use crate::server::service_manager;
use crate::store::{IncomingStore, ReceivedStore, StoreError};
use crate::time::Time;

/// How far a fetch is.
#[derive(Clone, Debug, PartialEq)]
pub enum FetchStep {
    /// The other node copies its store.
    Copying {
        node: Box<str>,
        percent: u8,
    },
    Receiving {
        node: Box<str>,
        bytes: u64,
        of: u64,
        bytes_per_second: u64,
    },
    /// What was received is read and verified.
    Verifying {
        percent: u8,
    },
    /// A node sends none that can be used; without a name: no node is known. It is tried again.
    Failed {
        node: Box<str>,
        problem: Box<str>,
    },
}

/// Told of each step, from any thread.
pub type FetchProgress = Arc<dyn Fn(FetchStep) + Send + Sync>;

/// Fetches into a data directory, whose lock must be held.
pub(super) struct SnapshotFetch<'a> {
    pub(super) log: Arc<dyn SharedLog>,
    pub(super) endpoint: &'a ChannelEndpoint,
    pub(super) info: &'a NodeInfo,
    pub(super) data: PathBuf,
    /// What must stay free on the disk.
    pub(super) reserve: u64,
    /// Up to where this node has the log already.
    pub(super) at: Seq,
    /// The data directory has a store, of which the snapshot must be a later state.
    pub(super) has_store: bool,
    pub(super) progress: FetchProgress,
}

impl SnapshotFetch<'_> {
    /// Fetches from any node, and does not give up.
    ///
    /// # Errors
    /// If the store in the data directory has another history than the cluster.
    pub(super) async fn fetch(&self) -> Result<ReceivedStore, ServerError> {
        // The log is kept for members, up to a bound: so what follows the snapshot is there when it has arrived.
        let _reporting = AbortOnDropHandle::new(tokio::spawn(report(self.log.clone(), self.info.clone(), self.at)));
        let mut told = ReportedProblems { progress: &self.progress, problems: HashMap::new() };
        let mut pause = Duration::ZERO;
        loop {
            for member in self.sources(&mut told).await? {
                match self.fetch_from(&member).await {
                    Err(error @ ServerError::Store(StoreError::OtherHistory(_))) => return Err(error),
                    Err(problem) => told.tell(&member.node, &problem.to_string()),
                    Ok(received) => return Ok(received),
                }
            }
            pause = (pause + SNAPSHOT_RETRY).min(SNAPSHOT_RETRY_MAX);
            sleep(pause).await;
        }
    }

    /// The other nodes, the leader last, since it has the most to do. Of the others the one that reported last is first.
    async fn sources(&self, told: &mut ReportedProblems<'_>) -> Result<Vec<Member>, ServerError> {
        let log = self.log.clone();
        let found = blocking(move || Ok::<_, Unreachable>((log.members()?, log.leader()?))).await?;
        let (mut members, leader) = match found {
            Ok(found) => found,
            Err(error) => {
                told.tell("", &error.to_string());
                return Ok(Vec::new());
            }
        };
        members.retain(|member| member.node != self.info.node && !member.channel.is_empty());
        let leads = |member: &Member| leader.as_ref().is_some_and(|leader| leader.node == member.node);
        members.sort_by_key(|member| (leads(member), Reverse(member.reported)));
        if members.is_empty() {
            told.tell("", "no other node is known");
        }
        Ok(members)
    }

    async fn fetch_from(&self, member: &Member) -> Result<ReceivedStore, ServerError> {
        let mut reader = SnapshotReader::ask(self.endpoint.connect(&member.channel).await?).await?;
        let (incoming, hash) = self.receive(&mut reader, &member.node).await?;
        let received = self.verify(incoming, hash).await?;
        let (log, at) = (self.log.clone(), received.position());
        blocking(move || check_position(log, at)).await??;
        if !self.has_store {
            return Ok(received);
        }
        blocking(move || received.check_history().map(|()| received)).await?.map_err(ServerError::from)
    }

    async fn receive(&self, reader: &mut SnapshotReader, node: &str) -> Result<(IncomingStore, [u8; 32]), ServerError> {
        let of = loop {
            match reader.next().await? {
                SnapshotMessage::Copying(percent) => (self.progress)(FetchStep::Copying { node: node.into(), percent }),
                SnapshotMessage::Begins(bytes) => break bytes,
                _ => {}
            }
        };
        let (data, reserve) = (self.data.clone(), self.reserve);
        let mut incoming = blocking(move || IncomingStore::begin(&data, of, reserve)).await??;
        let (begun, mut bytes) = (Instant::now(), 0);
        loop {
            match reader.next().await? {
                SnapshotMessage::Chunk(chunk) => {
                    bytes += chunk.len() as u64;
                    incoming = blocking(move || incoming.write(&chunk).map(|()| incoming)).await??;
                    let bytes_per_second = per_second(bytes, begun);
                    (self.progress)(FetchStep::Receiving { node: node.into(), bytes, of, bytes_per_second });
                }
                SnapshotMessage::Ends(hash) => return Ok((incoming, hash)),
                _ => {}
            }
        }
    }

    /// Reads all of it on a thread of its own, for which a process that ends does not wait.
    async fn verify(&self, incoming: IncomingStore, hash: [u8; 32]) -> Result<ReceivedStore, ServerError> {
        let (done_to, done) = oneshot::channel();
        let progress = self.progress.clone();
        let verify = move || {
            let verified = incoming.complete(&hash, &mut |verified| {
                progress(FetchStep::Verifying { percent: verified.percent.unwrap_or(0) });
            });
            let _nobody_waits_at_a_stop = done_to.send(verified);
        };
        let no_thread = |source| ServerError::System { what: "a thread", source };
        std::thread::Builder::new().name("snapshot".into()).spawn(verify).map_err(no_thread)?;
        let verified = done.await.map_err(|ended| no_thread(std::io::Error::other(ended)))?;
        Ok(verified?)
    }
}

/// The last problem with each node, or with all: only what is new is told.
struct ReportedProblems<'a> {
    progress: &'a FetchProgress,
    problems: HashMap<Box<str>, Box<str>>,
}

impl ReportedProblems<'_> {
    fn tell(&mut self, node: &str, problem: &str) {
        if self.problems.insert(node.into(), problem.into()).as_deref() != Some(problem) {
            (self.progress)(FetchStep::Failed { node: node.into(), problem: problem.into() });
        }
    }
}

fn per_second(bytes: u64, begun: Instant) -> u64 {
    (bytes as f64 / begun.elapsed().as_secs_f64().max(0.001)) as u64
}

/// Keeps a node in the list of members that does not follow yet.
async fn report(log: Arc<dyn SharedLog>, info: NodeInfo, at: Seq) {
    let mut rounds = interval(REPORT_INTERVAL);
    loop {
        rounds.tick().await;
        service_manager::alive();
        let (log, member) = (log.clone(), info.member(at, Time(0)));
        if let Ok(Err(error)) = blocking(move || log.report(&member)).await {
            debug!(%error, "this node could not report how far it is; it is tried again");
        }
    }
}
