//! What somebody may read again, told from the log alone: slow, and sharing nothing with what it is compared to.

use std::collections::BTreeSet;

use crate::chat::{Author, Conversation, Destination, Event, Message, Record};
use crate::id::{GroupId, RealmId, Seq, UserId};
use crate::name::{Address, Name};

/// The numbers of what the reader heard and said in a conversation; none where that is to be refused.
pub(super) fn retell(log: &[Record], reader: UserId, conversation: &Conversation) -> Option<Vec<Seq>> {
    let mut listener = Listener { reader, ..Listener::default() };
    log.iter().for_each(|record| listener.live_through(record));
    listener.heard_in(conversation)
}

/// The reader, living through the log again.
#[derive(Default)]
struct Listener {
    reader: UserId,
    registered: bool,
    user_names: Vec<Name>,
    group_names: Vec<Name>,
    realm_names: Vec<Name>,
    member_of: BTreeSet<GroupId>,
    once_member_of: BTreeSet<GroupId>,
    blocks: BTreeSet<UserId>,
    heard: Vec<(Seq, Message)>,
}

impl Listener {
    fn live_through(&mut self, record: &Record) {
        let reader = self.reader;
        match &record.event {
            Event::UserRegistered { user, name, .. } => {
                self.user_names.push(name.clone());
                self.registered |= *user == reader;
            }
            Event::UserUnregistered { user } if *user == reader => self.registered = false,
            Event::RealmAdded { name, .. } => self.realm_names.push(name.clone()),
            Event::GroupCreated { name, .. } => self.group_names.push(name.clone()),
            Event::GroupJoined { group, user } if *user == reader => {
                self.member_of.insert(*group);
                self.once_member_of.insert(*group);
            }
            Event::GroupLeft { group, user, .. } if *user == reader => {
                self.member_of.remove(group);
            }
            Event::UserBlocked { user, blocked: Author::Local(blocked) } if *user == reader => {
                self.blocks.insert(*blocked);
            }
            Event::UserUnblocked { user, blocked: Author::Local(blocked) } if *user == reader => {
                self.blocks.remove(blocked);
            }
            Event::MessageSent(message) if self.hears(message) => self.heard.push((record.seq, message.clone())),
            _ => {}
        }
    }

    fn hears(&self, Message { from, to, .. }: &Message) -> bool {
        let is_own = *from == Author::Local(self.reader);
        match to {
            Destination::User(receiver) => *receiver == self.reader || is_own,
            Destination::RemoteUser(_) | Destination::RemoteGroup(_) => is_own,
            Destination::Group(group) => self.member_of.contains(group),
            Destination::Everyone => self.registered,
        }
    }

    fn heard_in(&self, conversation: &Conversation) -> Option<Vec<Seq>> {
        if !self.registered {
            return None;
        }
        let (peer, group, realm) = match conversation {
            Conversation::All => (None, None, None),
            Conversation::User(Address { name, realm }) => {
                let peer = self.user_names.iter().position(|user| user == name)?;
                (Some(UserId(peer as u32)), None, self.realm(realm.as_ref())?)
            }
            Conversation::Group(Address { name, realm }) => {
                let has_the_name = |group: &&GroupId| self.group_names[group.0 as usize] == *name;
                let group = self.once_member_of.iter().rev().find(has_the_name)?;
                (None, Some(*group), self.realm(realm.as_ref())?)
            }
        };
        let belongs = |(_, message): &&(Seq, Message)| {
            let Author::Local(author) = message.from else { return false };
            let in_place = match message.to {
                Destination::User(receiver) => {
                    let other = if author == self.reader { receiver } else { author };
                    group.is_none() && peer.is_none_or(|peer| peer == other)
                }
                Destination::Group(to) => {
                    peer.is_none() && group.is_none_or(|group| group == to) && !self.blocks.contains(&author)
                }
                Destination::Everyone => peer.is_none() && group.is_none() && !self.blocks.contains(&author),
                Destination::RemoteUser(_) | Destination::RemoteGroup(_) => peer.is_none() && group.is_none(),
            };
            in_place && (realm.is_none() || message.realm == realm)
        };
        Some(self.heard.iter().filter(belongs).map(|(seq, _)| *seq).collect())
    }

    /// The realm of a name, if it is known; the outer none where it is not.
    fn realm(&self, name: Option<&Name>) -> Option<Option<RealmId>> {
        let Some(name) = name else { return Some(None) };
        let place = self.realm_names.iter().position(|realm| realm == name)?;
        Some(Some(RealmId(place as u32 + 1)))
    }
}
