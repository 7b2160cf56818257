//! The newest entries of each timeline, in memory: chained from the newest back, through one list for all timelines.
//!
//! Users and groups are numbered from 0, so that a timeline's chain is found by its place: taking an entry in costs
//! neither a look-up by hash nor memory of the timeline's own.

use crate::chat::{Entry, Timeline};
use crate::id::Seq;
use crate::store::chunk;

/// What is in memory of all timelines.
#[derive(Default)]
pub(super) struct Tails {
    /// The chains of each kind of timelines, by the number of the owner.
    chains: Vec<Vec<Chain>>,
    links: Vec<Link>,
    /// The places in `links` that are free, a chain too.
    free: Chain,
    /// How many timelines have entries.
    timelines: usize,
}

/// The entries of one timeline.
#[derive(Clone, Copy, Default)]
struct Chain {
    newest: u32,
    oldest: u32,
    length: u32,
}

struct Link {
    entry: Entry,
    /// The place of the entry before it, where the chain has one more.
    before: u32,
}

impl Tails {
    /// Adds the newest entry of a timeline. Gives the number of its entries then.
    pub(super) fn push(&mut self, timeline: Timeline, entry: Entry) -> usize {
        let (kind, owner) = place(timeline);
        let chain = grown(grown(&mut self.chains, kind), owner);
        let link = Link { entry, before: chain.newest };
        chain.newest = if self.free.length == 0 {
            self.links.push(link);
            (self.links.len() - 1) as u32
        } else {
            let place = self.free.newest;
            let freed = std::mem::replace(&mut self.links[place as usize], link);
            self.free.newest = freed.before;
            self.free.length -= 1;
            place
        };
        chain.length += 1;
        if chain.length == 1 {
            chain.oldest = chain.newest;
            self.timelines += 1;
        }
        chain.length as usize
    }

    /// Forgets the entries of a timeline. Returns whether there were any.
    pub(super) fn remove(&mut self, timeline: Timeline) -> bool {
        let (kind, owner) = place(timeline);
        let chain = self.chains.get_mut(kind).and_then(|chains| chains.get_mut(owner));
        let Some(chain) = chain.map(std::mem::take).filter(|chain| chain.length > 0) else { return false };
        self.links[chain.oldest as usize].before = self.free.newest;
        self.free.newest = chain.newest;
        self.free.length += chain.length;
        self.timelines -= 1;
        true
    }

    /// How many timelines have entries.
    pub(super) fn timelines(&self) -> usize {
        self.timelines
    }

    /// How many entries of a timeline there are.
    pub(super) fn length(&self, timeline: Timeline) -> usize {
        self.chain(timeline).length as usize
    }

    /// The entries of a timeline, the newest first.
    pub(super) fn newest_first(&self, timeline: Timeline) -> impl Iterator<Item = Entry> {
        let Chain { newest, length, .. } = self.chain(timeline);
        let mut next = newest;
        (0..length).map_while(move |_| {
            let link = self.links.get(next as usize)?;
            next = link.before;
            Some(link.entry)
        })
    }

    /// The entries of a timeline, the oldest first.
    pub(super) fn entries(&self, timeline: Timeline) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(self.length(timeline));
        entries.extend(self.newest_first(timeline));
        entries.reverse();
        entries
    }

    /// The oldest entry of a timeline that has any.
    pub(super) fn oldest(&self, timeline: Timeline) -> Option<Seq> {
        let chain = self.chain(timeline);
        let oldest = self.links.get(chain.oldest as usize).filter(|_| chain.length > 0)?;
        Some(oldest.entry.seq)
    }

    /// The timelines with entries that come after one, or all of them, in their order.
    pub(super) fn after(&self, after: Option<Timeline>) -> impl Iterator<Item = Timeline> {
        let (first_kind, first_owner) = after.map_or((0, 0), |timeline| {
            let (kind, owner) = place(timeline);
            (kind, owner + 1)
        });
        let kinds = self.chains.iter().zip(0_u8..).skip(first_kind);
        kinds.flat_map(move |(chains, kind)| {
            let first = if usize::from(kind) == first_kind { first_owner } else { 0 };
            let with_entries = chains.iter().zip(0_u32..).skip(first).filter(|(chain, _)| chain.length > 0);
            with_entries.filter_map(move |(_, owner)| chunk::timeline(kind, owner).ok())
        })
    }

    fn chain(&self, timeline: Timeline) -> Chain {
        let (kind, owner) = place(timeline);
        self.chains.get(kind).and_then(|chains| chains.get(owner)).copied().unwrap_or_default()
    }
}

/// What stands at a place, which is made where there is none yet.
fn grown<T: Default>(items: &mut Vec<T>, place: usize) -> &mut T {
    if items.len() <= place {
        items.resize_with(place + 1, T::default);
    }
    &mut items[place]
}

fn place(timeline: Timeline) -> (usize, usize) {
    let (kind, owner) = chunk::key(timeline);
    (usize::from(kind), owner as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{GroupId, RealmId, UserId};

    fn user(number: u32) -> Timeline {
        Timeline::User(UserId(number))
    }

    fn push(tails: &mut Tails, timeline: Timeline, seqs: &[u64]) {
        for seq in seqs {
            tails.push(timeline, Entry { seq: Seq(*seq), peer: UserId(7), sent: false, realm: None });
        }
    }

    fn seqs(tails: &Tails, timeline: Timeline) -> Vec<u64> {
        tails.entries(timeline).iter().map(|entry| entry.seq.0).collect()
    }

    #[test]
    fn timelines_keep_their_entries_apart() {
        let mut tails = Tails::default();
        push(&mut tails, user(2), &[1, 3]);
        push(&mut tails, Timeline::Group(GroupId(2)), &[2, 5]);
        push(&mut tails, user(2), &[4]);
        assert_eq!(seqs(&tails, user(2)), [1, 3, 4]);
        assert_eq!((tails.oldest(user(2)), tails.length(user(2))), (Some(Seq(1)), 3));
        assert_eq!(seqs(&tails, Timeline::Group(GroupId(2))), [2, 5]);
        assert_eq!((seqs(&tails, user(1)), tails.oldest(user(1))), (vec![], None));
    }

    #[test]
    fn the_room_of_what_left_is_used_again() {
        let mut tails = Tails::default();
        push(&mut tails, user(1), &[1, 3]);
        push(&mut tails, user(2), &[2]);
        assert!(tails.remove(user(1)) && !tails.remove(user(1)) && !tails.remove(user(9)));
        push(&mut tails, user(2), &[4, 5]);
        assert_eq!((seqs(&tails, user(2)), seqs(&tails, user(1))), (vec![2, 4, 5], vec![]));
        assert_eq!((tails.links.len(), tails.timelines()), (3, 1));
    }

    #[test]
    fn timelines_come_in_the_order_of_the_table() {
        let mut tails = Tails::default();
        let group = |number| Timeline::Group(GroupId(number));
        let order = [user(1), user(3), group(0), group(9), Timeline::Broadcast, Timeline::Outbox(RealmId(2))];
        for timeline in order.iter().rev() {
            push(&mut tails, *timeline, &[1]);
        }
        assert!(order.is_sorted() && tails.after(None).eq(order));
        for (place, timeline) in order.iter().enumerate() {
            assert!(tails.after(Some(*timeline)).eq(order.iter().copied().skip(place + 1)), "{timeline:?}");
        }
    }
}
