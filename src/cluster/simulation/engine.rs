//! A model of the engine: a log and a lease, behind a network that loses requests and answers, delays requests, and cuts
//! nodes off. What it does is decided by a seed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::cluster::shared_log::{Appended, EncodedBlock, Following, Leader, Member, SharedLog, Term, Unreachable};
use crate::id::Seq;
use crate::store::LogPosition;

/// The engine. Clones share it.
#[derive(Clone)]
pub(super) struct Engine(Arc<Mutex<Model>>);

struct Model {
    random: fastrand::Rng,
    /// The virtual time.
    now: Duration,
    begun: Option<LogPosition>,
    blocks: BTreeMap<Seq, (LogPosition, EncodedBlock)>,
    head: LogPosition,
    leader: Option<Lease>,
    terms: u64,
    asked_to_resign: Option<Term>,
    members: BTreeMap<Box<str>, Member>,
    /// Appends whose sender got no answer, and which may still arrive.
    delayed: Vec<(Term, LogPosition, EncodedBlock)>,
    /// Of 100 calls, so many are not answered.
    loss: u32,
    /// Every append that was done, ever: cutting takes nothing from it.
    history: Vec<EncodedBlock>,
}

struct Lease {
    leader: Leader,
    lasts: Duration,
    until: Duration,
}

impl Engine {
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Model {
            random: fastrand::Rng::with_seed(seed),
            now: Duration::ZERO,
            begun: None,
            blocks: BTreeMap::new(),
            head: LogPosition::default(),
            leader: None,
            terms: 0,
            asked_to_resign: None,
            members: BTreeMap::new(),
            delayed: Vec::new(),
            loss: 0,
            history: Vec::new(),
        })))
    }

    /// The engine as one node reaches it.
    pub(super) fn client(&self) -> Client {
        Client { engine: self.clone(), is_cut_off: Arc::default() }
    }

    pub(super) fn advance(&self, time: Duration) {
        let mut model = self.model();
        model.now += time;
        let now = model.now;
        model.leader.take_if(|lease| lease.until <= now);
    }

    pub(super) fn set_loss(&self, percent: u32) {
        self.model().loss = percent;
    }

    /// Lets some delayed appends arrive.
    pub(super) fn deliver_delayed(&self) {
        let mut model = self.model();
        while !model.delayed.is_empty() && model.random.bool() {
            let waiting = model.delayed.len();
            let place = model.random.usize(..waiting);
            let (term, after, block) = model.delayed.swap_remove(place);
            model.append(term, after, &block);
        }
    }

    pub(super) fn history(&self) -> Vec<EncodedBlock> {
        self.model().history.clone()
    }

    /// Alters a block that the log has.
    pub(super) fn alter(&self, at: Seq) {
        let mut model = self.model();
        let Some((_, block)) = model.blocks.get_mut(&at) else { return };
        let mut bytes = block.bytes.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        block.bytes = bytes.into();
    }

    /// Goes back to an earlier end, as an engine does that lost what it acknowledged.
    pub(super) fn lose_behind(&self, end: Seq) {
        let mut model = self.model();
        model.blocks.retain(|last, _| *last <= end);
        let head = model.blocks.last_key_value().map(|(_, (_, block))| block.end);
        model.head = head.or(model.begun).unwrap_or_default();
    }

    fn model(&self) -> std::sync::MutexGuard<'_, Model> {
        self.0.lock().unwrap()
    }
}

impl Model {
    fn append(&mut self, term: Term, after: LogPosition, block: &EncodedBlock) -> Appended {
        let stands = self.blocks.get(&block.end.seq).is_some_and(|(_, there)| there.end == block.end);
        let leads = self.leader.as_ref().is_some_and(|lease| lease.leader.term == term);
        if stands {
            return Appended::Done;
        }
        if !leads || self.head != after {
            return Appended::Fenced;
        }
        self.blocks.insert(block.end.seq, (after, block.clone()));
        self.history.push(block.clone());
        self.head = block.end;
        Appended::Done
    }

    fn leads(&self, term: Term) -> bool {
        self.leader.as_ref().is_some_and(|lease| lease.leader.term == term)
    }
}

/// One node's connection to the engine.
#[derive(Clone)]
pub(super) struct Client {
    engine: Engine,
    is_cut_off: Arc<Mutex<bool>>,
}

impl Client {
    /// The virtual time.
    pub(super) fn time(&self) -> Duration {
        self.engine.model().now
    }

    pub(super) fn cut_off(&self, is_cut_off: bool) {
        *self.is_cut_off.lock().unwrap() = is_cut_off;
    }

    /// Does a call, unless the request is lost; and answers, unless the answer is.
    fn call<T>(&self, perform: impl FnOnce(&mut Model) -> T) -> Result<T, Unreachable> {
        let mut model = self.engine.model();
        let lost = |model: &mut Model| model.random.u32(..100) < model.loss;
        if *self.is_cut_off.lock().unwrap() || lost(&mut model) {
            return Err(Unreachable("the request was lost".into()));
        }
        let answer = perform(&mut model);
        if lost(&mut model) {
            return Err(Unreachable("the answer was lost".into()));
        }
        Ok(answer)
    }
}

impl SharedLog for Client {
    fn begin(&self, at: LogPosition) -> Result<bool, Unreachable> {
        self.call(|model| {
            let is_new = model.begun.is_none();
            if is_new {
                (model.begun, model.head) = (Some(at), at);
            }
            is_new
        })
    }

    fn head(&self) -> Result<Option<LogPosition>, Unreachable> {
        self.call(|model| model.begun.map(|_| model.head))
    }

    fn append(&self, term: Term, after: LogPosition, block: &EncodedBlock) -> Result<Appended, Unreachable> {
        let appended = self.call(|model| model.append(term, after, block));
        if appended.is_err() {
            let mut model = self.engine.model();
            if model.random.bool() {
                model.delayed.push((term, after, block.clone()));
            }
        }
        appended
    }

    fn read(&self, after: Seq, limit: usize) -> Result<Following, Unreachable> {
        self.call(|model| {
            let mut bytes = 0;
            let mut blocks = Vec::new();
            for (_, block) in model.blocks.range(after.next()..).map(|(_, block)| block) {
                if !blocks.is_empty() && bytes + block.bytes.len() > limit {
                    break;
                }
                bytes += block.bytes.len();
                blocks.push(block.clone());
            }
            let is_gone = blocks.first().map_or(after < model.head.seq, |first| first.after > after);
            if is_gone { Following::Gone } else { Following::Blocks(blocks) }
        })
    }

    fn campaign(&self, node: &str, lease: Duration) -> Result<Option<Term>, Unreachable> {
        self.call(|model| {
            if model.leader.is_some() {
                return None;
            }
            model.terms += 1;
            let leader = Leader { node: node.into(), term: Term(model.terms) };
            let term = leader.term;
            model.leader = Some(Lease { leader, lasts: lease, until: model.now + lease });
            Some(term)
        })
    }

    fn renew(&self, term: Term) -> Result<bool, Unreachable> {
        self.call(|model| {
            let now = model.now;
            let Some(lease) = model.leader.as_mut().filter(|lease| lease.leader.term == term) else { return false };
            lease.until = now + lease.lasts;
            true
        })
    }

    fn resign(&self, term: Term) -> Result<(), Unreachable> {
        self.call(|model| drop(model.leader.take_if(|lease| lease.leader.term == term)))
    }

    fn ask_to_resign(&self, term: Term) -> Result<(), Unreachable> {
        self.call(|model| model.asked_to_resign = Some(term))
    }

    fn is_asked_to_resign(&self, term: Term) -> Result<bool, Unreachable> {
        self.call(|model| model.asked_to_resign == Some(term))
    }

    fn leader(&self) -> Result<Option<Leader>, Unreachable> {
        self.call(|model| model.leader.as_ref().map(|lease| lease.leader.clone()))
    }

    fn report(&self, member: &Member) -> Result<(), Unreachable> {
        self.call(|model| drop(model.members.insert(member.node.clone(), member.clone())))
    }

    fn members(&self) -> Result<Vec<Member>, Unreachable> {
        self.call(|model| model.members.values().cloned().collect())
    }

    fn remove(&self, node: &str) -> Result<bool, Unreachable> {
        self.call(|model| model.members.remove(node).is_some())
    }

    fn truncate(&self, term: Term, upto: Seq) -> Result<(), Unreachable> {
        self.call(|model| {
            if model.leads(term) {
                model.blocks.retain(|last, _| *last > upto);
            }
        })
    }

    fn size(&self) -> Result<u64, Unreachable> {
        // Large enough to be cut, so that cutting is tried.
        self.call(|_| crate::limits::LOG_KEEP_BYTES)
    }

    fn alarms(&self) -> Result<Vec<&'static str>, Unreachable> {
        self.call(|_| Vec::new())
    }
}
