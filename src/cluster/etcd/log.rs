//! The shared log on etcd.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tonic::Status;

use crate::cluster::etcd::client::{Client, ConnectError};
use crate::cluster::etcd::keys::Keys;
use crate::cluster::etcd::messages::{Compare, KeyValue, TxnRequest, TxnResponse};
use crate::cluster::etcd::requests::{
    created_at, delete, delete_range, get, get_range, has_value, put, unconditional, written_at,
};
use crate::cluster::etcd::tls::ClientTls;
use crate::cluster::etcd::values;
use crate::cluster::shared_log::{Appended, EncodedBlock, Following, Leader, Member, SharedLog, Term, Unreachable};
use crate::id::Seq;
use crate::limits::{BLOCK_BYTES, ETCD_PAGE_BLOCKS, ETCD_REPORT_TRIES};
use crate::store::LogPosition;

/// The alarm of a member whose room is used up.
const NO_SPACE: i32 = 1;

/// The shared log of a cluster in etcd. Its calls must not be made on a thread of the runtime, which would panic.
pub struct EtcdLog {
    runtime: Handle,
    pub(super) client: Client,
    keys: Keys,
    leases: Mutex<Leases>,
    /// The revision of this node's last report.
    reported: Mutex<i64>,
}

/// The leases that this node was granted.
#[derive(Default)]
pub(super) struct Leases {
    /// That of its term, which may be over.
    term: Option<(Term, i64)>,
    /// That of a campaign whose result is not known: the node may lead with it, or come to lead later, when a member that
    /// hung goes on. Revoking it rules that out.
    pub(super) unresolved: Option<i64>,
}

impl EtcdLog {
    /// The log of `cluster`. Connects when it is used.
    ///
    /// # Errors
    /// If an address is no URI, or the TLS material cannot be parsed.
    pub fn new(
        runtime: Handle,
        addresses: &[String],
        tls: Option<&ClientTls>,
        cluster: &str,
    ) -> Result<Self, ConnectError> {
        let client = {
            let _context = runtime.enter();
            Client::new(addresses, tls)?
        };
        Ok(Self { runtime, client, keys: Keys::new(cluster), leases: Mutex::default(), reported: Mutex::new(0) })
    }

    pub(super) fn block_on<T>(&self, call: impl Future<Output = Result<T, Status>>) -> Result<T, Unreachable> {
        self.runtime
            .block_on(call)
            .map_err(|status| Unreachable(format!("etcd: {} ({:?})", status.message(), status.code()).into()))
    }

    fn transact(&self, request: TxnRequest) -> Result<TxnResponse, Unreachable> {
        self.block_on(self.client.transact(request))
    }

    fn get(&self, key: &Bytes) -> Result<Option<KeyValue>, Unreachable> {
        Ok(self.transact(unconditional(vec![get(key)]))?.value(0).cloned())
    }

    fn is_term(&self, term: Term) -> Compare {
        // A term is a revision, which is an i64. No key was created at a negative one.
        created_at(&self.keys.leader, i64::try_from(term.0).unwrap_or(-1))
    }

    fn is_head(&self, position: LogPosition) -> Result<Compare, Unreachable> {
        Ok(has_value(&self.keys.head, values::encode(&position)?))
    }

    pub(super) fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has an earlier campaign come to nothing whose result is not known.
    fn revoke_unresolved(&self) -> Result<(), Unreachable> {
        let Some(lease) = self.leases().unresolved else {
            return Ok(());
        };
        self.block_on(self.client.revoke(lease))?;
        self.leases().unresolved = None;
        Ok(())
    }

    /// Writes the leader's key, if there is none. Returns the term if it has this lease then: also if an earlier attempt of
    /// the same call wrote it.
    pub(super) fn begin_term(&self, node: &str, lease: i64) -> Result<Option<Term>, Unreachable> {
        let leader = &self.keys.leader;
        let campaign = TxnRequest {
            compare: vec![created_at(leader, 0)],
            success: vec![put(leader, node.to_owned().into(), lease)],
            failure: vec![get(leader)],
        };
        let own = |stored: &KeyValue| (stored.lease == lease).then(|| term(stored));
        match self.transact(campaign) {
            Ok(answer) if answer.succeeded => Ok(Some(Term(answer.revision().unsigned_abs()))),
            Ok(answer) => Ok(answer.value(0).and_then(own)),
            Err(error) => self.get(leader)?.as_ref().and_then(own).map_or(Err(error), |term| Ok(Some(term))),
        }
    }
}

/// The term that the leader's key stands for: the revision that created it. Revisions only grow, so each is a term once.
fn term(leader: &KeyValue) -> Term {
    Term(leader.create_revision.unsigned_abs())
}

/// The outcome of an append that was refused, by what was found in the same transaction: the block of its key, the first
/// block, and the head.
fn outcome(refused: &TxnResponse, block: &EncodedBlock) -> Result<Appended, Unreachable> {
    if let Some(stored) = refused.value(0)
        && values::decode_block(stored)?.end == block.end
    {
        return Ok(Appended::Done);
    }
    let cut = match refused.value(1) {
        Some(first) => values::decode_block(first)?.after,
        None => refused.value(2).map(values::decode::<LogPosition>).transpose()?.unwrap_or_default().seq,
    };
    if cut >= block.end.seq {
        return Err(Unreachable("the log was cut behind the block; whether the block stood there is not known".into()));
    }
    Ok(Appended::Fenced)
}

impl SharedLog for EtcdLog {
    fn begin(&self, at: LogPosition) -> Result<bool, Unreachable> {
        let head = &self.keys.head;
        let begin = TxnRequest {
            compare: vec![created_at(head, 0)],
            success: vec![put(head, values::encode(&at)?, 0)],
            failure: vec![get(head)],
        };
        let answer = self.transact(begin)?;
        // By an earlier attempt of this call.
        let is_begun_here = answer.value(0).map(values::decode::<LogPosition>).transpose()? == Some(at);
        Ok(answer.succeeded || is_begun_here)
    }

    fn head(&self) -> Result<Option<LogPosition>, Unreachable> {
        self.get(&self.keys.head)?.as_ref().map(values::decode).transpose()
    }

    /// One transaction: if the head is `after` and the term is not over, it writes the block and the head. etcd evaluates
    /// transactions in the order of its own log, so each sees all that were done before it.
    ///
    /// `Done` and `Fenced` are final although an attempt of this or an earlier call with the same block may still be on its
    /// way. `after` was the head once (the caller has it from [`SharedLog::head`] or from a `Done`), and the term began (the caller has it from [`SharedLog::campaign`]). So a refusal has one of two causes, and neither
    /// passes:
    ///
    /// - The head has moved on. Each write of the head raises its `seq`, and its hash covers those of all blocks before:
    ///   it is never `after` again.
    /// - The leader's key is gone, or is that of another term. A later key has a later revision: it is never this term's
    ///   again.
    ///
    /// An attempt that was done before the refusal has left the block at its key, where the refusal finds it: `Done`. One
    /// that comes later is refused by the same comparison. Therefore also a block is never there twice.
    ///
    /// If the log was cut behind the place of the block, it cannot be found: an error, and so is each repetition.
    fn append(&self, term: Term, after: LogPosition, block: &EncodedBlock) -> Result<Appended, Unreachable> {
        if block.end.seq <= after.seq {
            // It would turn the head back. No block like this stands in the log.
            return Ok(Appended::Fenced);
        }
        let key = self.keys.block(block.end.seq);
        let append = TxnRequest {
            compare: vec![self.is_head(after)?, self.is_term(term)],
            success: vec![
                put(&self.keys.head, values::encode(&block.end)?, 0),
                put(&key, values::encode_block(block)?, 0),
            ],
            failure: vec![get(&key), get_range(self.keys.all_blocks(), 1), get(&self.keys.head)],
        };
        let answer = self.transact(append)?;
        if answer.succeeded {
            return Ok(Appended::Done);
        }
        outcome(&answer, block)
    }

    /// If the head is in front of `after`, which only a restored backup of etcd can cause, it finds no blocks.
    fn read(&self, after: Seq, limit: usize) -> Result<Following, Unreachable> {
        let mut run = BlockRun { blocks: Vec::new(), end: after, room: limit };
        loop {
            let count = run.room.div_ceil(BLOCK_BYTES).clamp(1, ETCD_PAGE_BLOCKS);
            let page = unconditional(vec![get(&self.keys.head), get_range(self.keys.blocks_after(run.end), count)]);
            let page = self.transact(page)?;
            let found = page.found(1);
            let is_full = !run.extend(found)?;
            let head = page.value(0).map(values::decode::<LogPosition>).transpose()?.unwrap_or_default();
            if run.blocks.is_empty() && head.seq > after {
                return Ok(Following::Gone);
            }
            if is_full || found.len() < count {
                return Ok(Following::Blocks(run.blocks));
            }
        }
    }

    fn campaign(&self, node: &str, lease: Duration) -> Result<Option<Term>, Unreachable> {
        self.revoke_unresolved()?;
        let id = fastrand::i64(1..);
        let seconds = i64::try_from(lease.as_millis().div_ceil(1000)).unwrap_or(i64::MAX);
        self.leases().unresolved = Some(id);
        self.block_on(self.client.grant(id, seconds))?;
        let Some(term) = self.begin_term(node, id)? else {
            // If this fails the lease runs out, or the next campaign revokes it.
            let _ = self.revoke_unresolved();
            return Ok(None);
        };
        *self.leases() = Leases { term: Some((term, id)), unresolved: None };
        Ok(Some(term))
    }

    /// Of another process's term it says that it is over: only this one has the lease.
    fn renew(&self, term: Term) -> Result<bool, Unreachable> {
        let own = self.leases().term;
        match own {
            Some((own, lease)) if own == term => self.block_on(self.client.keep_alive(lease)),
            _ => Ok(false),
        }
    }

    fn resign(&self, term: Term) -> Result<(), Unreachable> {
        let leader = vec![delete(&self.keys.leader)];
        self.transact(TxnRequest { compare: vec![self.is_term(term)], success: leader, failure: Vec::new() })?;
        let mut leases = self.leases();
        if let Some((_, lease)) = leases.term.take_if(|(own, _)| *own == term) {
            drop(leases);
            // If this fails the lease runs out, and nothing is attached to it.
            let _ = self.block_on(self.client.revoke(lease));
        }
        Ok(())
    }

    fn ask_to_resign(&self, term: Term) -> Result<(), Unreachable> {
        let ask = vec![put(&self.keys.asked_to_resign, values::encode(&term)?, 0)];
        self.transact(TxnRequest { compare: vec![self.is_term(term)], success: ask, failure: Vec::new() })?;
        Ok(())
    }

    fn is_asked_to_resign(&self, term: Term) -> Result<bool, Unreachable> {
        let asked = self.get(&self.keys.asked_to_resign)?;
        Ok(asked.as_ref().map(values::decode::<Term>).transpose()? == Some(term))
    }

    fn leader(&self) -> Result<Option<Leader>, Unreachable> {
        let stored = self.get(&self.keys.leader)?;
        Ok(stored.map(|stored| Leader { node: String::from_utf8_lossy(&stored.value).into(), term: term(&stored) }))
    }

    /// Only replaces the last report, so that one that arrives late neither undoes a later one nor a removal.
    fn report(&self, member: &Member) -> Result<(), Unreachable> {
        let key = self.keys.member(&member.node);
        let value = values::encode_member(member)?;
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..ETCD_REPORT_TRIES {
            let answer = self.transact(TxnRequest {
                compare: vec![written_at(&key, *reported)],
                success: vec![put(&key, value.clone(), 0)],
                failure: vec![get(&key)],
            })?;
            if answer.succeeded {
                *reported = answer.revision();
                return Ok(());
            }
            *reported = answer.value(0).map_or(0, |stored| stored.mod_revision);
        }
        Err(Unreachable(format!("another process reports as {}", member.node).into()))
    }

    fn members(&self) -> Result<Vec<Member>, Unreachable> {
        let found = self.transact(unconditional(vec![get_range(self.keys.all_members(), 0)]))?;
        found.found(0).iter().map(values::decode_member).collect()
    }

    fn remove(&self, node: &str) -> Result<bool, Unreachable> {
        let key = self.keys.member(node);
        // Asked first: if the deletion is tried twice, only the first one finds something to delete.
        if self.get(&key)?.is_none() {
            return Ok(false);
        }
        self.transact(unconditional(vec![delete(&key)]))?;
        Ok(true)
    }

    /// Compacting makes the room of the deleted blocks free for new ones. The file does not shrink.
    fn truncate(&self, term: Term, upto: Seq) -> Result<(), Unreachable> {
        let blocks = vec![delete_range(self.keys.blocks_upto(upto))];
        let deleted =
            self.transact(TxnRequest { compare: vec![self.is_term(term)], success: blocks, failure: Vec::new() })?;
        if !deleted.succeeded {
            return Ok(());
        }
        self.block_on(self.client.compact(deleted.revision()))
    }

    /// The used part of a member's database: the blocks, also those since the last compaction that were deleted, and some
    /// bytes per block for the other keys and etcd's index.
    fn size(&self) -> Result<u64, Unreachable> {
        let status = self.block_on(self.client.status())?;
        Ok(status.db_size_in_use.unsigned_abs())
    }

    fn alarms(&self) -> Result<Vec<&'static str>, Unreachable> {
        let answer = self.block_on(self.client.alarms())?;
        let name = |alarm| {
            if alarm == NO_SPACE {
                "NOSPACE: etcd refuses writes until it is compacted, defragmented and disarmed"
            } else {
                "CORRUPT: a member of etcd has other data than the rest"
            }
        };
        Ok(answer.alarms.iter().map(|alarm| name(alarm.alarm)).collect())
    }
}

/// Blocks that follow one another.
struct BlockRun {
    blocks: Vec<EncodedBlock>,
    /// The end of the last one.
    end: Seq,
    /// How many bytes more there may be.
    room: usize,
}

impl BlockRun {
    /// Adds blocks. Returns false if not all of them, because the room is used up or one does not follow.
    fn extend(&mut self, found: &[KeyValue]) -> Result<bool, Unreachable> {
        for stored in found {
            let block = values::decode_block(stored)?;
            let fits = block.bytes.len() <= self.room || self.blocks.is_empty();
            if block.after > self.end || !fits {
                return Ok(false);
            }
            self.room = self.room.saturating_sub(block.bytes.len());
            self.end = block.end.seq;
            self.blocks.push(block);
        }
        Ok(self.room > 0)
    }
}
