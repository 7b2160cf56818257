//! A network of pipes: they delay, break, and fall silent in one direction without anybody being told.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::federation::carrier::{Carried, Carrier, DialError};
use crate::federation::office::Office;
use crate::id::PeerKey;

/// The first server's port; the others' follow.
pub(super) const PORT: u16 = 1_000;

/// So much goes through a pipe until the other end reads.
const PIPE_BYTES: usize = 4 * 1024;

/// The network. Clones share it.
#[derive(Clone)]
pub(super) struct Network(Arc<Mutex<Inner>>);

struct Inner {
    random: fastrand::Rng,
    offices: Vec<Option<Office>>,
    /// Servers that cannot reach each other.
    parted: Vec<(usize, usize)>,
    pipes: Vec<Pipe>,
}

/// A connection: what moves its bytes, there and back. One whose movers have both ended is broken, which its ends notice;
/// of the end of one they notice nothing.
struct Pipe {
    ends: (usize, usize),
    movers: [AbortHandle; 2],
}

pub(super) fn key(server: usize) -> PeerKey {
    PeerKey([u8::try_from(server).unwrap() + 1; 32])
}

impl Network {
    pub(super) fn new(seed: u64, servers: usize) -> Self {
        let offices = std::iter::repeat_with(|| None).take(servers).collect();
        let random = fastrand::Rng::with_seed(seed);
        Self(Arc::new(Mutex::new(Inner { random, offices, parted: Vec::new(), pipes: Vec::new() })))
    }

    /// A server is there, or is not.
    pub(super) fn place(&self, server: usize, office: Option<Office>) {
        self.0.lock().unwrap().offices[server] = office;
    }

    pub(super) fn part(&self, one: usize, other: usize) {
        let mut inner = self.0.lock().unwrap();
        inner.parted.push((one, other));
        inner.cut(|pipe| pipe.ends == (one, other) || pipe.ends == (other, one));
    }

    pub(super) fn heal(&self) {
        self.0.lock().unwrap().parted.clear();
    }

    /// Breaks all connections of a server: both ends are told.
    pub(super) fn cut(&self, server: usize) {
        self.0.lock().unwrap().cut(|pipe| pipe.ends.0 == server || pipe.ends.1 == server);
    }

    /// Lets one direction of one connection fall silent.
    pub(super) fn silence(&self, which: usize) {
        let inner = self.0.lock().unwrap();
        let Some(count) = std::num::NonZeroUsize::new(inner.pipes.len()) else { return };
        let pipe = &inner.pipes[which % count];
        pipe.movers[which % 2].abort();
    }

    pub(super) fn carrier(&self, from: usize) -> Arc<dyn Carrier> {
        Arc::new(Dialler { network: self.clone(), from })
    }

    fn delay(&self) -> Duration {
        let random = &mut self.0.lock().unwrap().random;
        // Now and then something takes long enough to be overtaken.
        let most = if random.u8(..) < 8 { 3_000 } else { 40 };
        Duration::from_millis(random.u64(..most))
    }

    fn connect(&self, from: usize, to: usize) -> Option<DuplexStream> {
        let mut inner = self.0.lock().unwrap();
        let parted = inner.parted.iter().any(|ends| *ends == (from, to) || *ends == (to, from));
        let office = inner.offices[to].clone().filter(|_| !parted && inner.offices[from].is_some())?;
        let (ours, near) = duplex(PIPE_BYTES);
        let (theirs, far) = duplex(PIPE_BYTES);
        let ((near_in, near_out), (far_in, far_out)) = (split(near), split(far));
        let there = tokio::spawn(shift(self.clone(), near_in, far_out)).abort_handle();
        let back = tokio::spawn(shift(self.clone(), far_in, near_out)).abort_handle();
        inner.pipes.retain(|pipe| !pipe.movers.iter().all(AbortHandle::is_finished));
        inner.pipes.push(Pipe { ends: (from, to), movers: [there, back] });
        let carried = Carried { stream: Box::new(theirs), key: key(from), address: address(from) };
        tokio::spawn(async move { office.serve(carried).await });
        Some(ours)
    }
}

impl Inner {
    fn cut(&mut self, is_cut: impl Fn(&Pipe) -> bool) {
        for pipe in self.pipes.extract_if(.., |pipe| is_cut(pipe)) {
            pipe.movers.iter().for_each(AbortHandle::abort);
        }
    }
}

fn address(server: usize) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, PORT + u16::try_from(server).unwrap()))
}

/// Moves bytes, a few at a time and after a while.
async fn shift(network: Network, mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>) {
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

impl Carrier for Dialler {
    fn dial(&self, _: &str, port: u16) -> Pin<Box<dyn Future<Output = Result<Carried, DialError>> + Send + '_>> {
        let to = usize::from(port - PORT);
        Box::pin(async move {
            sleep(self.network.delay()).await;
            let unreachable = || DialError::Unreachable("nobody is there".into());
            let stream = self.network.connect(self.from, to).ok_or_else(unreachable)?;
            Ok(Carried { stream: Box::new(stream), key: key(to), address: address(to) })
        })
    }
}
