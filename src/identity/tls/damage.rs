//! An attacker that changes the bytes between two servers, and clients that send random bytes.

use std::cell::Cell;
use std::future::pending;
use std::sync::LazyLock;

use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, copy_bidirectional, duplex, split};
use tokio::time::Instant;

use super::*;
use crate::identity::testing::{PROTOCOL, test_identity};

/// More records than a handshake has in one direction.
const RECORDS: usize = 8;
/// More bytes than a handshake record has.
const BYTES: usize = 400;
/// More bytes than a handshake has in total.
const PIPE: usize = 64 * 1024;
/// The type and the version in a record header. They are not authenticated, and ignored in an encrypted record.
const LABEL: usize = 3;

type Made = Result<(TlsStream<DuplexStream>, PeerKey), TlsError>;

struct Servers {
    dialling: TlsEndpoint,
    dialled: TlsEndpoint,
    keys: (PeerKey, PeerKey),
}

static SERVERS: LazyLock<Servers> = LazyLock::new(|| {
    let (messi, ivy) = (test_identity(), test_identity());
    let (dialling, dialled) = (TlsEndpoint::new(&messi, PROTOCOL), TlsEndpoint::new(&ivy, PROTOCOL));
    Servers { dialling, dialled, keys: (messi.key(), ivy.key()) }
});

fn in_paused_time<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap().block_on(test)
}

/// A change to one byte of a record.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// Flips this bit of a byte after the label.
    Flip(u32),
    /// Flips this bit of a byte of the label.
    Mislabel(u32),
    /// Ends the connection before this byte.
    Cut,
    /// Drops this byte and everything after it; the connection stays open.
    Stall,
}

impl Damage {
    fn apply(self, record: &mut Vec<u8>, byte: usize) {
        let sealed = record.len() - LABEL;
        match self {
            Self::Flip(bit) => record[LABEL + byte % sealed] ^= 1 << bit,
            Self::Mislabel(bit) => record[byte % LABEL] ^= 1 << bit,
            Self::Cut | Self::Stall => record.truncate(byte % record.len()),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Place {
    towards_dialled: bool,
    record: usize,
    byte: usize,
}

fn damages() -> impl Strategy<Value = (Place, Damage)> {
    let place = (any::<bool>(), 0..RECORDS, 0..BYTES);
    let place = place.prop_map(|(towards_dialled, record, byte)| Place { towards_dialled, record, byte });
    let flips = (0..8_u32).prop_map(Damage::Flip);
    let mislabels = (0..8_u32).prop_map(Damage::Mislabel);
    (place, prop_oneof![3 => flips, 1 => mislabels, 1 => Just(Damage::Cut), 1 => Just(Damage::Stall)])
}

/// A record with its header, or `None` at the end of the stream.
async fn read_record(from: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut record = vec![0; 5];
    from.read_exact(&mut record).await.ok()?;
    let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
    record.resize(5 + length, 0);
    from.read_exact(&mut record[5..]).await.ok()?;
    Some(record)
}

/// Forwards records, and damages the one at `place`. Sets `damaged` if there was one.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    (place, damage): (Place, Damage),
    towards_dialled: bool,
    damaged: &Cell<bool>,
) {
    for number in 0.. {
        let Some(mut record) = read_record(&mut from).await else { break };
        if (towards_dialled, number) == (place.towards_dialled, place.record) {
            damaged.set(true);
            damage.apply(&mut record, place.byte);
        }
        let _may_be_closed = to.write_all(&record).await;
        match damage {
            Damage::Cut if damaged.get() => break,
            Damage::Stall if damaged.get() => pending().await,
            _ => {}
        }
    }
    let _may_be_closed = to.shutdown().await;
}

/// A handshake through a damaging forwarder, and whether a byte was damaged.
async fn handshake_through(damage: (Place, Damage)) -> (Made, Made, bool) {
    let damaged = Cell::new(false);
    let ((here, near), (there, far)) = (duplex(PIPE), duplex(PIPE));
    let ((from_here, to_here), (from_there, to_there)) = (split(near), split(far));
    let intercepted = async {
        tokio::join!(
            pass(from_here, to_there, damage, true, &damaged),
            pass(from_there, to_here, damage, false, &damaged)
        );
        pending().await
    };
    let servers = async { tokio::join!(SERVERS.dialling.connect(here), SERVERS.dialled.accept(there)) };
    let (dialling, dialled) = tokio::select! {
        made = servers => made,
        () = intercepted => unreachable!("it goes on for ever"),
    };
    (dialling, dialled, damaged.get())
}

proptest! {
    #[test]
    fn a_damaged_handshake_fails((place, damage) in damages()) {
        let (dialling, dialled, damaged) = in_paused_time(handshake_through((place, damage)));
        let (messi, ivy) = SERVERS.keys;
        let (dialling, dialled) = (dialling.map(|(_, key)| key), dialled.map(|(_, key)| key));
        prop_assert!(dialling.as_ref().is_ok_and(|key| *key == ivy) || damaged && dialling.is_err());
        prop_assert!(dialled.as_ref().is_ok_and(|key| *key == messi) || damaged && dialled.is_err());
        if damaged && !matches!(damage, Damage::Mislabel(_)) {
            prop_assert!(dialled.is_err());
            prop_assert!(dialling.is_err() || place.towards_dialled);
        }
    }

    #[test]
    fn random_bytes_fail(bytes in proptest::collection::vec(any::<u8>(), 0..2_000), ends: bool) {
        in_paused_time(async {
            for dialling in [false, true] {
                let (here, mut client) = duplex(PIPE);
                client.write_all(&bytes).await.unwrap();
                if ends {
                    client.shutdown().await.unwrap();
                }
                let start = Instant::now();
                let endpoint = &SERVERS.dialled;
                let made = if dialling { endpoint.connect(here).await } else { endpoint.accept(here).await };
                assert!(made.is_err());
                assert!(start.elapsed() <= PROTOCOL.handshake);
            }
        });
    }

    #[test]
    fn a_damaged_record_is_an_error(byte in 0..BYTES, bit in 0..8_u32) {
        in_paused_time(async {
            prop_assert!(read_after(Damage::Flip(bit), byte).await.is_err());
            let mislabelled = read_after(Damage::Mislabel(bit), byte).await;
            prop_assert!(mislabelled.is_err() || mislabelled.is_ok_and(|read| read == *b"halo"));
            prop_assert!(read_after(Damage::Cut, byte).await.is_err());
            Ok(())
        })?;
    }
}

/// Returns what the peer reads after the record with `halo` was damaged and the stream ended.
async fn read_after(damage: Damage, byte: usize) -> io::Result<[u8; 4]> {
    let mut intercepted = Intercepted::new().await;
    let mut record = intercepted.record_of(b"halo").await;
    damage.apply(&mut record, byte);
    intercepted.forward(&record).await;
    intercepted.to_there.shutdown().await.unwrap();
    intercepted.read_at_peer().await
}

/// A connection with a forwarder between its ends.
struct Intercepted {
    here: TlsStream<DuplexStream>,
    from_here: DuplexStream,
    to_there: DuplexStream,
    there: TlsStream<DuplexStream>,
}

impl Intercepted {
    async fn new() -> Self {
        let ((here, mut from_here), (there, mut to_there)) = (duplex(PIPE), duplex(PIPE));
        let servers = async { tokio::join!(SERVERS.dialling.connect(here), SERVERS.dialled.accept(there)) };
        let (here, there) = tokio::select! {
            made = servers => made,
            passed = copy_bidirectional(&mut from_here, &mut to_there) => panic!("{passed:?}"),
        };
        Self { here: here.unwrap().0, from_here, to_there, there: there.unwrap().0 }
    }

    /// The record that carries these bytes.
    async fn record_of(&mut self, words: &[u8]) -> Vec<u8> {
        self.here.write_all(words).await.unwrap();
        self.here.flush().await.unwrap();
        read_record(&mut self.from_here).await.unwrap()
    }

    async fn forward(&mut self, record: &[u8]) {
        self.to_there.write_all(record).await.unwrap();
    }

    async fn read_at_peer(&mut self) -> io::Result<[u8; 4]> {
        let mut words = [0; 4];
        self.there.read_exact(&mut words).await?;
        Ok(words)
    }
}

#[tokio::test]
async fn a_replayed_record_is_an_error() {
    let mut intercepted = Intercepted::new().await;
    let record = intercepted.record_of(b"halo").await;
    intercepted.forward(&record).await;
    assert_eq!(intercepted.read_at_peer().await.unwrap(), *b"halo");
    intercepted.forward(&record).await;
    assert!(intercepted.read_at_peer().await.is_err());
}

#[tokio::test]
async fn reordered_records_are_an_error() {
    let mut intercepted = Intercepted::new().await;
    let (first, second) = (intercepted.record_of(b"halo").await, intercepted.record_of(b"hai!").await);
    intercepted.forward(&second).await;
    intercepted.forward(&first).await;
    assert!(intercepted.read_at_peer().await.is_err());
}

#[tokio::test]
async fn a_record_of_another_connection_is_an_error() {
    let (mut intercepted, mut other) = (Intercepted::new().await, Intercepted::new().await);
    let record = other.record_of(b"halo").await;
    intercepted.forward(&record).await;
    assert!(intercepted.read_at_peer().await.is_err());
}

#[tokio::test]
async fn an_end_without_close_notify_is_an_error() {
    let mut intercepted = Intercepted::new().await;
    intercepted.to_there.shutdown().await.unwrap();
    assert!(intercepted.there.read_to_end(&mut Vec::new()).await.is_err());
}
