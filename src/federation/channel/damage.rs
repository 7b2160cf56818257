//! Somebody between two servers who damages what passes, and strangers who say anything at all.

use std::cell::Cell;
use std::future::pending;
use std::sync::LazyLock;

use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, copy_bidirectional, duplex, split};
use tokio::time::Instant;

use super::*;
use crate::federation::testing::somebody;

/// More than a handshake has in one direction.
const RECORDS: usize = 8;
/// More than a record of it has.
const BYTES: usize = 400;
/// More than a handshake has in all.
const PIPE: usize = 64 * 1024;
/// The type and the version in a record's header. They are not sealed: what they say of a sealed record changes nothing.
const LABEL: usize = 3;

type Made = Result<(TlsStream<DuplexStream>, PeerKey), ChannelError>;

struct Servers {
    dialling: Endpoint,
    dialled: Endpoint,
    keys: (PeerKey, PeerKey),
}

static SERVERS: LazyLock<Servers> = LazyLock::new(|| {
    let (messi, ivy) = (somebody(), somebody());
    let (dialling, dialled) = (Endpoint::new(messi.pair()), Endpoint::new(ivy.pair()));
    Servers { dialling, dialled, keys: (messi.key(), ivy.key()) }
});

fn in_paused_time<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap().block_on(test)
}

/// What is done to a byte of one record.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// One of its bits is turned, after the label.
    Flip(u32),
    /// One of its bits is turned, in the label.
    Mislabel(u32),
    /// It is the first that does not pass any more, and the connection ends there.
    Cut,
    /// Likewise, but nothing ends.
    Stall,
}

impl Damage {
    fn inflict(self, record: &mut Vec<u8>, byte: usize) {
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

/// A record with its header; none at the end.
async fn read_record(from: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut record = vec![0; 5];
    from.read_exact(&mut record).await.ok()?;
    let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
    record.resize(5 + length, 0);
    from.read_exact(&mut record[5..]).await.ok()?;
    Some(record)
}

/// Passes records on, and damages the one whose number is given. Tells whether it came by.
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
            damage.inflict(&mut record, place.byte);
        }
        // Whether it still arrives is the other end's to tell.
        let _gone = to.write_all(&record).await;
        match damage {
            Damage::Cut if damaged.get() => break,
            Damage::Stall if damaged.get() => pending().await,
            _ => {}
        }
    }
    let _gone = to.shutdown().await;
}

/// A handshake of two servers with somebody in between, and whether anything was damaged.
async fn handshake_through(damage: (Place, Damage)) -> (Made, Made, bool) {
    let damaged = Cell::new(false);
    let ((here, between_here), (there, between_there)) = (duplex(PIPE), duplex(PIPE));
    let ((from_here, to_here), (from_there, to_there)) = (split(between_here), split(between_there));
    let between = async {
        tokio::join!(
            pass(from_here, to_there, damage, true, &damaged),
            pass(from_there, to_here, damage, false, &damaged)
        );
        pending().await
    };
    let servers = async { tokio::join!(SERVERS.dialling.connect(here), SERVERS.dialled.accept(there)) };
    let (dialling, dialled) = tokio::select! {
        made = servers => made,
        () = between => unreachable!("it goes on for ever"),
    };
    (dialling, dialled, damaged.get())
}

proptest! {
    #[test]
    fn a_damaged_handshake_makes_no_channel((place, damage) in damages()) {
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
    fn a_stranger_gets_no_channel(said in proptest::collection::vec(any::<u8>(), 0..2_000), ends: bool) {
        in_paused_time(async {
            for dialling in [false, true] {
                let (here, mut stranger) = duplex(PIPE);
                stranger.write_all(&said).await.unwrap();
                if ends {
                    stranger.shutdown().await.unwrap();
                }
                let start = Instant::now();
                let endpoint = &SERVERS.dialled;
                let made = if dialling { endpoint.connect(here).await } else { endpoint.accept(here).await };
                assert!(made.is_err());
                assert!(start.elapsed() <= LINK_HANDSHAKE);
            }
        });
    }

    #[test]
    fn a_damaged_record_ends_the_channel(byte in 0..BYTES, bit in 0..8_u32) {
        in_paused_time(async {
            prop_assert!(heard_after(Damage::Flip(bit), byte).await.is_err());
            let mislabelled = heard_after(Damage::Mislabel(bit), byte).await;
            prop_assert!(mislabelled.is_err() || mislabelled.is_ok_and(|words| words == *b"halo"));
            prop_assert!(heard_after(Damage::Cut, byte).await.is_err());
            Ok(())
        })?;
    }
}

/// What one server hears where somebody has damaged the `halo` of the other, after which nothing more is said.
async fn heard_after(damage: Damage, byte: usize) -> io::Result<[u8; 4]> {
    let mut between = Between::new().await;
    let mut record = between.said(b"halo").await;
    damage.inflict(&mut record, byte);
    between.pass(&record).await;
    between.to_there.shutdown().await.unwrap();
    between.heard().await
}

/// A channel, and somebody between its ends.
struct Between {
    here: TlsStream<DuplexStream>,
    from_here: DuplexStream,
    to_there: DuplexStream,
    there: TlsStream<DuplexStream>,
}

impl Between {
    async fn new() -> Self {
        let ((here, mut from_here), (there, mut to_there)) = (duplex(PIPE), duplex(PIPE));
        let servers = async { tokio::join!(SERVERS.dialling.connect(here), SERVERS.dialled.accept(there)) };
        let (here, there) = tokio::select! {
            made = servers => made,
            passed = copy_bidirectional(&mut from_here, &mut to_there) => panic!("{passed:?}"),
        };
        Self { here: here.unwrap().0, from_here, to_there, there: there.unwrap().0 }
    }

    /// What passes where one server says something to the other.
    async fn said(&mut self, words: &[u8]) -> Vec<u8> {
        self.here.write_all(words).await.unwrap();
        self.here.flush().await.unwrap();
        read_record(&mut self.from_here).await.unwrap()
    }

    async fn pass(&mut self, record: &[u8]) {
        self.to_there.write_all(record).await.unwrap();
    }

    async fn heard(&mut self) -> io::Result<[u8; 4]> {
        let mut words = [0; 4];
        self.there.read_exact(&mut words).await?;
        Ok(words)
    }
}

#[tokio::test]
async fn a_record_that_is_played_again_ends_the_channel() {
    let mut between = Between::new().await;
    let record = between.said(b"halo").await;
    between.pass(&record).await;
    assert_eq!(between.heard().await.unwrap(), *b"halo");
    between.pass(&record).await;
    assert!(between.heard().await.is_err());
}

#[tokio::test]
async fn records_in_another_order_end_the_channel() {
    let mut between = Between::new().await;
    let (first, second) = (between.said(b"halo").await, between.said(b"hai!").await);
    between.pass(&second).await;
    between.pass(&first).await;
    assert!(between.heard().await.is_err());
}

#[tokio::test]
async fn a_record_of_another_channel_ends_the_channel() {
    let (mut between, mut other) = (Between::new().await, Between::new().await);
    let record = other.said(b"halo").await;
    between.pass(&record).await;
    assert!(between.heard().await.is_err());
}

#[tokio::test]
async fn an_end_that_the_other_server_did_not_say_is_an_error() {
    let mut between = Between::new().await;
    between.to_there.shutdown().await.unwrap();
    assert!(between.there.read_to_end(&mut Vec::new()).await.is_err());
}
