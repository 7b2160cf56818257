//! What somebody may read again, told from the log alone: slow, and sharing nothing with what it is compared to.

use std::collections::BTreeSet;

use crate::chat::{Author, Conversation, Destination, Event, Message, Record, RemoteName, UserRef};
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
    /// By their numbers, from 1 on: the names of those that stand, and whether they are other servers.
    realms: Vec<Option<(Name, bool)>>,
    member_of: BTreeSet<GroupId>,
    once_member_of: BTreeSet<GroupId>,
    blocks: BTreeSet<UserRef>,
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
            Event::RealmAdded { realm, name, .. } => self.put_realm(*realm, Some((name.clone(), false))),
            Event::PeerAdded { realm, name, .. } | Event::PeerChanged { realm, name, .. } => {
                self.put_realm(*realm, Some((name.clone(), true)));
            }
            Event::AliasAdded { realm, .. } | Event::RealmRemoved { realm } => self.put_realm(*realm, None),
            Event::GroupCreated { name, .. } => self.group_names.push(name.clone()),
            Event::GroupJoined { group, user } if *user == reader => {
                self.member_of.insert(*group);
                self.once_member_of.insert(*group);
            }
            Event::GroupLeft { group, user, .. } if *user == reader => {
                self.member_of.remove(group);
            }
            Event::UserBlocked { user, blocked } if *user == reader => self.blocks.extend(blocked.person()),
            Event::UserUnblocked { user, blocked } if *user == reader => {
                self.blocks.retain(|other| Some(other) != blocked.person().as_ref());
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

    fn put_realm(&mut self, id: RealmId, realm: Option<(Name, bool)>) {
        let place = id.0 as usize - 1;
        self.realms.resize(self.realms.len().max(place + 1), None);
        self.realms[place] = realm;
    }

    fn heard_in(&self, conversation: &Conversation) -> Option<Vec<Seq>> {
        if !self.registered {
            return None;
        }
        let topic = self.topic(conversation)?;
        let heard = self.heard.iter().filter(|(_, message)| self.belongs(message, &topic));
        Some(heard.map(|(seq, _)| *seq).collect())
    }

    /// None where there is nothing of the kind.
    fn topic<'a>(&self, conversation: &'a Conversation) -> Option<Topic<'a>> {
        let address = match conversation {
            Conversation::All => return Some(Topic::All),
            Conversation::User(address) | Conversation::Group(address) => address,
        };
        let is_group = matches!(conversation, Conversation::Group(_));
        let Address { name, realm } = address;
        let realm = match realm {
            Some(realm) => Some(self.realm(realm)?),
            None => None,
        };
        if let Some((realm, true)) = realm {
            return Some(Topic::There { realm, name, is_group });
        }
        let realm = realm.map(|(realm, _)| realm);
        if is_group {
            let has_the_name = |group: &&GroupId| self.group_names[group.0 as usize] == *name;
            let group = self.once_member_of.iter().rev().find(has_the_name)?;
            return Some(Topic::Group { group: *group, realm });
        }
        let peer = self.user_names.iter().position(|user| user == name)?;
        Some(Topic::With { peer: UserId(peer as u32), realm })
    }

    fn belongs(&self, message: &Message, topic: &Topic<'_>) -> bool {
        let Message { from, to, realm: crossed, .. } = message;
        let is_heard = !from.person().is_some_and(|author| self.blocks.contains(&author));
        match topic {
            Topic::All => matches!(to, Destination::User(_)) || to.remote_realm().is_some() || is_heard,
            Topic::With { peer, realm } => {
                let Destination::User(receiver) = to else { return false };
                let other = if *from == Author::Local(self.reader) { Author::Local(*receiver) } else { from.clone() };
                other == Author::Local(*peer) && (realm.is_none() || crossed == realm)
            }
            Topic::Group { group, realm } => {
                *to == Destination::Group(*group) && is_heard && (realm.is_none() || crossed == realm)
            }
            Topic::There { realm, name, is_group } => {
                let one = RemoteName { realm: *realm, name: (*name).clone() };
                let said = [Destination::RemoteUser(one.clone()), Destination::RemoteGroup(one.clone())];
                let heard = *from == Author::Remote(one) && matches!(to, Destination::User(_));
                *to == said[usize::from(*is_group)] || (heard && !is_group)
            }
        }
    }

    /// The realm that stands under a name, and whether it is another server.
    fn realm(&self, name: &Name) -> Option<(RealmId, bool)> {
        let standing = self.realms.iter().zip(1..).filter_map(|(realm, id)| Some((id, realm.as_ref()?)));
        let found = standing.filter(|(_, (known, _))| known == name).last();
        found.map(|(id, (_, linked))| (RealmId(id), *linked))
    }
}

/// What a conversation means.
enum Topic<'a> {
    All,
    With { peer: UserId, realm: Option<RealmId> },
    Group { group: GroupId, realm: Option<RealmId> },
    There { realm: RealmId, name: &'a Name, is_group: bool },
}
