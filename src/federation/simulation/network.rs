//! A network of pipes that delay, break, or fall silent in one direction without an error at either end.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::federation::link_manager::LinkManager;
use crate::federation::transport::{DialError, DialPurpose, PeerStream, Transport};
use crate::id::PeerKey;

/// The port of the first server; the others follow.
pub(super) const PORT: u16 = 1_000;

/// The buffer of a pipe in one direction.
const PIPE_BYTES: usize = 4 * 1024;

/// Clones share the network.
#[derive(Clone)]
pub(super) struct Network(Arc<Mutex<Inner>>);

struct Inner {
    random: fastrand::Rng,
    managers: Vec<Option<LinkManager>>,
    /// Pairs of servers that cannot reach each other.
    partitions: Vec<(usize, usize)>,
    pipes: Vec<Pipe>,
}

/// A connection. If both tasks that copy its bytes have ended, it is broken and its ends see that; if one has ended, that
/// direction is silent.
struct Pipe {
    ends: (usize, usize),
    copiers: [AbortHandle; 2],
}

pub(super) fn key(server: usize) -> PeerKey {
    PeerKey([u8::try_from(server).unwrap() + 1; 32])
}

impl Network {
    pub(super) fn new(seed: u64, servers: usize) -> Self {
        let managers = std::iter::repeat_with(|| None).take(servers).collect();
        let random = fastrand::Rng::with_seed(seed);
        Self(Arc::new(Mutex::new(Inner { random, managers, partitions: Vec::new(), pipes: Vec::new() })))
    }

    /// Sets or removes the link manager that serves connections to a server.
    pub(super) fn set_manager(&self, server: usize, manager: Option<LinkManager>) {
        self.0.lock().unwrap().managers[server] = manager;
    }

    pub(super) fn partition(&self, one: usize, other: usize) {
        let mut inner = self.0.lock().unwrap();
        inner.partitions.push((one, other));
        inner.cut(|pipe| pipe.ends == (one, other) || pipe.ends == (other, one));
    }

    pub(super) fn heal(&self) {
        self.0.lock().unwrap().partitions.clear();
    }

    /// Breaks all connections of a server; both ends see an error.
    pub(super) fn cut(&self, server: usize) {
        self.0.lock().unwrap().cut(|pipe| pipe.ends.0 == server || pipe.ends.1 == server);
    }

    /// Silences one direction of one connection.
    pub(super) fn silence(&self, which: usize) {
        let inner = self.0.lock().unwrap();
        let Some(count) = std::num::NonZeroUsize::new(inner.pipes.len()) else { return };
        let pipe = &inner.pipes[which % count];
        pipe.copiers[which % 2].abort();
    }

    pub(super) fn transport(&self, from: usize) -> Arc<dyn Transport> {
        Arc::new(Dialler { network: self.clone(), from })
    }

    fn delay(&self) -> Duration {
        let random = &mut self.0.lock().unwrap().random;
        // Sometimes long enough for another connection to be faster.
        let most = if random.u8(..) < 8 { 3_000 } else { 40 };
        Duration::from_millis(random.u64(..most))
    }

    fn connect(&self, from: usize, to: usize) -> Option<DuplexStream> {
        let mut inner = self.0.lock().unwrap();
        let is_partitioned = inner.partitions.iter().any(|ends| *ends == (from, to) || *ends == (to, from));
        let manager = inner.managers[to].clone().filter(|_| !is_partitioned && inner.managers[from].is_some())?;
        let (ours, near) = duplex(PIPE_BYTES);
        let (theirs, far) = duplex(PIPE_BYTES);
        let ((near_in, near_out), (far_in, far_out)) = (split(near), split(far));
        let there = tokio::spawn(copy(self.clone(), near_in, far_out)).abort_handle();
        let back = tokio::spawn(copy(self.clone(), far_in, near_out)).abort_handle();
        inner.pipes.retain(|pipe| !pipe.copiers.iter().all(AbortHandle::is_finished));
        inner.pipes.push(Pipe { ends: (from, to), copiers: [there, back] });
        let peer_stream = PeerStream { stream: Box::new(theirs), key: key(from), address: address(from) };
        tokio::spawn(async move { manager.serve(peer_stream).await });
        Some(ours)
    }
}

impl Inner {
    fn cut(&mut self, is_cut: impl Fn(&Pipe) -> bool) {
        for pipe in self.pipes.extract_if(.., |pipe| is_cut(pipe)) {
            pipe.copiers.iter().for_each(AbortHandle::abort);
        }
    }
}

fn address(server: usize) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, PORT + u16::try_from(server).unwrap()))
}

/// Copies bytes in chunks, each after a delay.
async fn copy(network: Network, mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>) {
    let mut bytes = vec![0; PIPE_BYTES];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        sleep(network.delay()).await;
        if to.write_all(&bytes[..count]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

struct Dialler {
    network: Network,
    from: usize,
}

impl Transport for Dialler {
    fn dial(
        &self,
        _: &str,
        port: u16,
        _: DialPurpose,
    ) -> Pin<Box<dyn Future<Output = Result<PeerStream, DialError>> + Send + '_>> {
        let to = usize::from(port - PORT);
        Box::pin(async move {
            sleep(self.network.delay()).await;
            let unreachable = || DialError::Unreachable("no server there".into());
            let stream = self.network.connect(self.from, to).ok_or_else(unreachable)?;
            Ok(PeerStream { stream: Box::new(stream), key: key(to), address: address(to) })
        })
    }
}
