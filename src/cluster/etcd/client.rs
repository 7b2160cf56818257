//! Calls to the members of an etcd cluster.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::uri::PathAndQuery;
use prost::Message;
use tokio::time::{sleep, timeout};
use tonic::client::Grpc;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::cluster::etcd::messages::{
    AlarmRequest, AlarmResponse, CompactionRequest, Empty, LeaseGrantRequest, LeaseKeepAliveRequest,
    LeaseKeepAliveResponse, LeaseRevokeRequest, StatusResponse, TxnRequest, TxnResponse,
};
use crate::cluster::etcd::tls::ClientTls;
use crate::limits::{
    ETCD_ANSWER_BYTES, ETCD_CALL, ETCD_CONNECT, ETCD_PING, ETCD_PING_ANSWER, ETCD_REST, ETCD_ROUND_PAUSE, ETCD_SLOW,
};

/// The address of a member, or the TLS material, cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the etcd member {address} cannot be used: {cause}")]
pub struct ConnectError {
    address: String,
    cause: tonic::transport::Error,
}

/// A client of an etcd cluster. It stays with one member as long as that one answers: a balancer would give every call a
/// chance to meet a member that hangs.
///
/// When a member is slow or away, the next one is asked too, and whichever answers first counts. So a request may be done
/// twice, the second time much later, when a member that hung goes on: every request must bear that.
pub struct Client {
    members: Vec<Member>,
    /// The index of the member that is asked first.
    current: AtomicUsize,
}

struct Member {
    grpc: Grpc<Channel>,
    /// When it was found slow or away, unless it has answered since.
    failed: Mutex<Option<Instant>>,
}

impl Client {
    /// A client that connects as it is used. To be called in the context of a tokio runtime, and only to be used while that
    /// runs. The first address is the preferred one, at first.
    ///
    /// # Errors
    /// If an address is no URI, or the TLS material cannot be parsed.
    pub fn new(addresses: &[String], tls: Option<&ClientTls>) -> Result<Self, ConnectError> {
        let connect = |address: &String| {
            let channel = connect_lazily(address, tls);
            channel.map(Member::new).map_err(|cause| ConnectError { address: address.clone(), cause })
        };
        let members = addresses.iter().map(connect).collect::<Result<_, _>>()?;
        Ok(Self { members, current: AtomicUsize::new(0) })
    }

    pub(super) async fn transact(&self, request: TxnRequest) -> Result<TxnResponse, Status> {
        self.call("/etcdserverpb.KV/Txn", request).await
    }

    pub(super) async fn compact(&self, revision: i64) -> Result<(), Status> {
        let compacted = self.call("/etcdserverpb.KV/Compact", CompactionRequest { revision }).await;
        // By an earlier attempt, or a later call.
        accept(compacted, Code::OutOfRange)
    }

    /// Grants a lease with an id that the caller chose at random: so a repetition grants the same one.
    pub(super) async fn grant(&self, id: i64, seconds: i64) -> Result<(), Status> {
        let granted = self.call("/etcdserverpb.Lease/LeaseGrant", LeaseGrantRequest { ttl: seconds, id }).await;
        // It exists.
        accept(granted, Code::FailedPrecondition)
    }

    pub(super) async fn revoke(&self, id: i64) -> Result<(), Status> {
        accept(self.call("/etcdserverpb.Lease/LeaseRevoke", LeaseRevokeRequest { id }).await, Code::NotFound)
    }

    /// Renews a lease. False if it is over.
    pub(super) async fn keep_alive(&self, id: i64) -> Result<bool, Status> {
        // A stream of requests and answers by etcd's definition, which on the wire is the same thing if there is one each.
        let request = LeaseKeepAliveRequest { id };
        let renewed: LeaseKeepAliveResponse = self.call("/etcdserverpb.Lease/LeaseKeepAlive", request).await?;
        Ok(renewed.ttl > 0)
    }

    /// The status of the member that answers.
    ///
    /// # Errors
    /// If none does.
    pub async fn status(&self) -> Result<StatusResponse, Status> {
        self.call("/etcdserverpb.Maintenance/Status", Empty {}).await
    }

    /// The alarms of all members.
    ///
    /// # Errors
    /// If no member answers.
    pub async fn alarms(&self) -> Result<AlarmResponse, Status> {
        self.call("/etcdserverpb.Maintenance/Alarm", AlarmRequest {}).await
    }

    /// Asks one member after the other, as each of them fails or is slow, until one answers, for [`ETCD_CALL`] at most. One
    /// that is slow may still answer; it is asked again all the same, since it has lost what it passed on to a leader that
    /// died, and answers that only after seconds.
    async fn call<Q, A>(&self, method: &'static str, request: Q) -> Result<A, Status>
    where
        Q: Message + Clone + 'static,
        A: Message + Default + 'static,
    {
        let rounds = async {
            let mut asked = FuturesUnordered::new();
            loop {
                for index in self.order() {
                    asked.push(self.ask(index, method, request.clone()));
                    match timeout(ETCD_SLOW, first_answer(&mut asked)).await {
                        Ok(Err(status)) if is_members_fault(&status) => {}
                        Ok(answer) => return answer,
                        Err(_) => self.note_failure(index),
                    }
                }
                sleep(ETCD_ROUND_PAUSE).await;
            }
        };
        let late = |_| Err(Status::deadline_exceeded(format!("{method}: no member answered in {ETCD_CALL:?}")));
        timeout(ETCD_CALL, rounds).await.unwrap_or_else(late)
    }

    async fn ask<Q, A>(&self, index: usize, method: &'static str, request: Q) -> Result<A, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let Some(member) = self.members.get(index) else {
            return Err(Status::unavailable("no such member"));
        };
        let answer = member.ask(method, request).await;
        match &answer {
            Err(status) if is_members_fault(status) => self.note_failure(index),
            _ => self.note_answer(index),
        }
        answer
    }

    /// The indexes of all members, in the order in which they are to be asked: from the current one on; those that failed
    /// lately at last.
    fn order(&self) -> Vec<usize> {
        let current = self.current.load(Ordering::Relaxed);
        let mut order: Vec<usize> = (0..self.members.len()).collect();
        order.rotate_left(current);
        order.sort_by_key(|&index| self.members[index].has_failed_lately());
        order
    }

    fn note_failure(&self, index: usize) {
        if let Some(member) = self.members.get(index) {
            *member.failed() = Some(Instant::now());
        }
    }

    fn note_answer(&self, index: usize) {
        if let Some(member) = self.members.get(index) {
            *member.failed() = None;
            self.current.store(index, Ordering::Relaxed);
        }
    }
}

impl Member {
    fn new(channel: Channel) -> Self {
        Self { grpc: Grpc::new(channel).max_decoding_message_size(ETCD_ANSWER_BYTES), failed: Mutex::default() }
    }

    fn failed(&self) -> MutexGuard<'_, Option<Instant>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_failed_lately(&self) -> bool {
        self.failed().is_some_and(|failed| failed.elapsed() < ETCD_REST)
    }

    async fn ask<Q, A>(&self, method: &'static str, request: Q) -> Result<A, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let mut grpc = self.grpc.clone();
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let mut request = Request::new(request);
        // Has a member that is cut off from the others refuse at once, instead of waiting for them.
        request.metadata_mut().insert("hasleader", MetadataValue::from_static("true"));
        let answer = grpc.unary(request, PathAndQuery::from_static(method), ProstCodec::default()).await?;
        Ok(answer.into_inner())
    }
}

/// The first answer of the members that were asked, or the last error if all fail.
async fn first_answer<A, F>(asked: &mut FuturesUnordered<F>) -> Result<A, Status>
where
    F: Future<Output = Result<A, Status>>,
{
    let mut failure = Status::unavailable("no member of etcd is known");
    while let Some(answer) = asked.next().await {
        match answer {
            Err(status) if is_members_fault(&status) => failure = status,
            answer => return answer,
        }
    }
    Err(failure)
}

/// Whether another member may do better: this one is away (then the status has a source, or was made of a connection's
/// end), has no leader, or gave up waiting for the others.
fn is_members_fault(status: &Status) -> bool {
    use std::error::Error as _;
    matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled) || status.source().is_some()
}

/// Takes a refusal that means that the request had been done before for its success.
fn accept(answer: Result<Empty, Status>, done: Code) -> Result<(), Status> {
    match answer {
        Err(status) if status.code() == done => Ok(()),
        answer => answer.map(|_| ()),
    }
}

fn connect_lazily(address: &str, tls: Option<&ClientTls>) -> Result<Channel, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(address.to_owned())?
        .connect_timeout(ETCD_CONNECT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(ETCD_PING)
        .keep_alive_timeout(ETCD_PING_ANSWER)
        // etcd closes an idle connection that pings.
        .keep_alive_while_idle(false);
    let endpoint = match tls {
        Some(tls) if address.starts_with("https://") => endpoint.tls_config(tls.config())?,
        _ => endpoint,
    };
    Ok(endpoint.connect_lazy())
}
