//! What the nodes of a cluster do with the log: one leads, the others follow.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use kabar::cluster::{Appended, EncodedBlock, Following, Leadership, LeadershipEnd, SharedLog};
use kabar::id::Seq;
use kabar::limits::{APPEND_RETRY, FOLLOW_BYTES, FOLLOW_INTERVAL, LEASE_RENEWALS};
use kabar::store::LogPosition;

use crate::Trial;

pub(crate) const LEASE: Duration = Duration::from_secs(3);
/// How long an append is repeated.
const PATIENCE: Duration = Duration::from_secs(10);
/// The bytes of a block in front of its messages: the hash of the block before.
const HASH: usize = 32;

/// Appends blocks of the messages that have arrived, one after the other. Message N arrives N / rate seconds after the
/// start of the trial, however long the appends take.
pub(crate) fn append(trial: &Trial, log: &dyn SharedLog, leadership: &Leadership) {
    let arguments = &trial.arguments;
    let interval = 1.0 / arguments.rate as f64;
    let most = ((arguments.block_bytes.saturating_sub(HASH)) / arguments.message_bytes).max(1) as u64;
    let mut end = LogPosition::default();
    while trial.goes_on() {
        let elapsed = trial.begun.elapsed().as_secs_f64();
        let arrived = (elapsed / interval) as u64;
        if arrived <= end.seq.0 {
            let next = (end.seq.0 + 1) as f64 * interval;
            thread::sleep(Duration::from_secs_f64((next - elapsed).max(0.0)));
            continue;
        }
        let messages = end.seq.0 + 1..=arrived.min(end.seq.0 + most);
        let block = block(end, *messages.end(), arguments.message_bytes);
        let called = Instant::now();
        if !append_block(trial, log, leadership, end, &block) {
            return;
        }
        let acknowledged = Instant::now();
        let mut window = trial.window();
        window.appends.add(acknowledged - called);
        for message in messages {
            let arrival = trial.begun + Duration::from_secs_f64(message as f64 * interval);
            window.messages.add(acknowledged.saturating_duration_since(arrival));
        }
        drop(window);
        end = block.end;
        trial.end.store(end.seq.0, Ordering::SeqCst);
    }
}

/// A block up to a message: the hash of the block before, and bytes that cannot be compressed.
fn block(after: LogPosition, upto: u64, message_bytes: usize) -> EncodedBlock {
    let mut bytes = after.hash.to_vec();
    bytes.resize(HASH + (upto - after.seq.0) as usize * message_bytes, 0);
    fastrand::fill(&mut bytes[HASH..]);
    let end = LogPosition { seq: Seq(upto), hash: Sha256::digest(&bytes).into() };
    EncodedBlock { after: after.seq, end, bytes: bytes.into() }
}

/// Appends a block, again and again until it is known to stand in the log. False if that fails.
fn append_block(
    trial: &Trial,
    log: &dyn SharedLog,
    leadership: &Leadership,
    after: LogPosition,
    block: &EncodedBlock,
) -> bool {
    let begun = Instant::now();
    loop {
        let error = match log.append(leadership.term(), after, block) {
            Ok(Appended::Done) => return true,
            Ok(Appended::Fenced) => {
                trial.fail(format!("the block after message {} was refused: the term is over", after.seq));
                return false;
            }
            Err(error) => error,
        };
        eprintln!("an append was not answered: {error}");
        trial.window().unanswered += 1;
        if leadership.end().is_some() || begun.elapsed() > PATIENCE {
            trial.fail(format!("the block after message {} was not answered in {:?}", after.seq, begun.elapsed()));
            return false;
        }
        thread::sleep(APPEND_RETRY);
    }
}

/// Renews the term, and cuts the log behind the followers.
pub(crate) fn keep(trial: &Trial, log: &dyn SharedLog, leadership: &Leadership) {
    let mut cut = Instant::now();
    while trial.goes_on() {
        let begun = Instant::now();
        match log.renew(leadership.term()) {
            Ok(true) => leadership.renew(begun),
            Ok(false) => leadership.finish(LeadershipEnd::TermOver),
            Err(error) => eprintln!("the lease was not renewed: {error}"),
        }
        if !leadership.holds(Instant::now()) {
            trial.fail(format!("the leader lost its term: {:?}", leadership.end()));
            return;
        }
        if cut.elapsed().as_secs_f64() >= trial.arguments.cut_seconds {
            cut = Instant::now();
            let upto = trial.read.iter().map(|read| read.load(Ordering::SeqCst)).min().unwrap_or(0);
            if let Err(error) = log.truncate(leadership.term(), Seq(upto)) {
                eprintln!("the log was not cut: {error}");
            }
        }
        thread::sleep(LEASE / LEASE_RENEWALS);
    }
}

/// Reads all blocks and checks that each follows the one before.
pub(crate) fn follow(trial: &Trial, log: &dyn SharedLog, node: usize) {
    let mut at = LogPosition::default();
    let mut unread_since = None;
    loop {
        match log.read(at.seq, FOLLOW_BYTES) {
            Ok(Following::Blocks(blocks)) if blocks.is_empty() => {
                if !trial.goes_on() && at.seq.0 >= trial.end.load(Ordering::SeqCst) {
                    return;
                }
                thread::sleep(FOLLOW_INTERVAL);
            }
            Ok(Following::Blocks(blocks)) => {
                for block in blocks {
                    let hash: [u8; HASH] = Sha256::digest(&block.bytes).into();
                    if block.after != at.seq || !block.bytes.starts_with(&at.hash) || hash != block.end.hash {
                        trial.fail(format!("follower {node}: what follows message {} is another block", at.seq));
                        return;
                    }
                    at = block.end;
                }
                trial.read[node].store(at.seq.0, Ordering::SeqCst);
            }
            Ok(Following::Gone) => {
                trial.fail(format!("follower {node}: what follows message {} is gone", at.seq));
                return;
            }
            Err(error) => {
                eprintln!("follower {node}: {error}");
                thread::sleep(FOLLOW_INTERVAL);
            }
        }
        if !trial.goes_on() && unread_since.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            trial.fail(format!("follower {node} has read only up to message {}", at.seq));
            return;
        }
    }
}
