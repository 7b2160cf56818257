//! Nodes of a cluster, between which a test carries what they say.

use crate::chat::{Command, CommandMark, Context, ForwardId, PasswordHash, Record, SessionEnd};
use crate::hub::{Committer, Executed, Hub};
use crate::id::UserId;
use crate::name::Name;
use crate::store::{MemoryDisk, MemoryStore};
use crate::time::Time;

pub(super) const USER: UserId = UserId(0);

/// A node of a cluster, with what its store has.
pub(super) struct Node {
    pub(super) hub: Hub,
    pub(super) committer: Committer,
    pub(super) disk: MemoryDisk,
}

impl Node {
    pub(super) fn new() -> Self {
        let (disk, home) = (MemoryDisk::default(), Name::parse("kota").unwrap());
        let store = MemoryStore { disk: disk.clone(), home: home.clone() };
        let (hub, committer) = Hub::open(Box::new(store), home).unwrap();
        Self { hub, committer, disk }
    }

    /// One that leads, with a user.
    pub(super) fn leader() -> Self {
        let mut leader = Self::new();
        let (name, password) = (Name::parse("ani").unwrap(), PasswordHash("$hash".into()));
        let (full_name, country) = ("".into(), "".into());
        leader.execute(&Command::Register { name, full_name, country, password, session: None, invite: None });
        leader
    }

    /// One that follows, and has the log of the leader.
    pub(super) fn follower(leader: &Self) -> Self {
        let mut follower = Self::new();
        follower.hub.follow();
        follower.take_over(leader, &[]);
        follower
    }

    pub(super) fn execute(&mut self, command: &Command) -> Executed {
        let executed = self.hub.execute(&Context::on_behalf_of(USER, Time::now()), command);
        self.committer.step();
        executed
    }

    /// Takes over what the leader has more, in which the last commands are those that were forwarded.
    pub(super) fn take_over(&mut self, leader: &Self, forwarded: &[u64]) {
        let here = self.disk.copy().len();
        let records: Vec<Record> = leader.disk.copy().split_off(here);
        let own = records.len() - forwarded.len();
        let process = self.hub.process();
        let mark = |(place, record): (usize, &Record)| {
            let number = place.checked_sub(own).map(|place| forwarded[place]);
            let forward = number.map(|number| ForwardId { process, number });
            CommandMark { last: record.seq, forward, session_end: SessionEnd::Expired }
        };
        let marks: Vec<CommandMark> = records.iter().enumerate().map(mark).collect();
        self.committer.take_over(records, &marks).unwrap();
    }

    /// Has the leader decide all that was forwarded. Returns the numbers of what changed something.
    pub(super) fn forward_to(&self, leader: &mut Self) -> Vec<u64> {
        let mut changed = Vec::new();
        while let Some(forwarded) = self.hub.next_forward() {
            let number = forwarded.number;
            match leader.hub.execute_forwarded(self.hub.process(), forwarded) {
                Some(answer) => self.hub.note_answer(answer),
                None => changed.push(number),
            }
        }
        leader.committer.step();
        changed
    }
}
