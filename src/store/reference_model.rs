//! A reference model of reading a conversation: from the log alone, slow, and without code of the implementation.

use std::collections::BTreeSet;

use crate::chat::{Author, Conversation, Destination, Event, Message, Record, RemoteName, UserRef};
use crate::id::{GroupId, RealmId, Seq, UserId};
use crate::name::{Address, Name};

/// The messages of a conversation that a user may read; `None` if the request is refused.
pub(super) fn readable(log: &[Record], reader: UserId, conversation: Option<&Conversation>) -> Option<Vec<Seq>> {
    let mut reference = ReferenceReader { reader, ..ReferenceReader::default() };
    log.iter().for_each(|record| reference.apply(record));
    reference.messages_in(conversation)
}

/// The reader's knowledge after some records.
#[derive(Default)]
struct ReferenceReader {
    reader: UserId,
    registered: bool,
    user_names: Vec<Name>,
    group_names: Vec<Name>,
    /// By number, from 1 on: the name of an existing realm, and whether it is another server.
    realms: Vec<Option<(Name, bool)>>,
    member_of: BTreeSet<GroupId>,
    once_member_of: BTreeSet<GroupId>,
    blocks: BTreeSet<UserRef>,
    messages: Vec<(Seq, Message)>,
}

impl ReferenceReader {
    fn apply(&mut self, record: &Record) {
        let reader = self.reader;
        match &record.event {
            Event::UserRegistered { user, name, .. } => {
                self.user_names.push(name.clone());
                self.registered |= *user == reader;
            }
            Event::UserUnregistered { user } if *user == reader => self.registered = false,
            Event::RealmAdded { realm, name, .. } => self.set_realm(*realm, Some((name.clone(), false))),
            Event::PeerAdded { realm, name, .. } | Event::PeerChanged { realm, name, .. } => {
                self.set_realm(*realm, Some((name.clone(), true)));
            }
            Event::AliasAdded { realm, .. } | Event::RealmRemoved { realm } => self.set_realm(*realm, None),
            Event::GroupCreated { name, .. } => self.group_names.push(name.clone()),
            Event::GroupJoined { group, user } if *user == reader => {
                self.member_of.insert(*group);
                self.once_member_of.insert(*group);
            }
            Event::GroupLeft { group, user, .. } if *user == reader => {
                self.member_of.remove(group);
            }
            Event::UserBlocked { user, blocked } if *user == reader => self.blocks.extend(blocked.user_ref()),
            Event::UserUnblocked { user, blocked } if *user == reader => {
                self.blocks.retain(|other| Some(other) != blocked.user_ref().as_ref());
            }
            Event::MessageSent(message) if self.gets(message) => self.messages.push((record.seq, message.clone())),
            Event::UserUnregistered { .. }
            | Event::GroupJoined { .. }
            | Event::GroupLeft { .. }
            | Event::UserBlocked { .. }
            | Event::UserUnblocked { .. }
            | Event::MessageSent(_)
            | Event::SessionOpened { .. }
            | Event::SessionUsed { .. }
            | Event::SessionClosed { .. }
            | Event::InboxRead { .. }
            | Event::PushedRead { .. }
            | Event::RealmInboxRead { .. }
            | Event::RequestDone { .. }
            | Event::GroupHandedOver { .. }
            | Event::GroupDeleted { .. }
            | Event::GroupPasswordChanged { .. }
            | Event::PasswordChanged { .. }
            | Event::EpochBegun { .. }
            | Event::PeerReceived { .. }
            | Event::PeerConfirmed { .. }
            | Event::OutboxAcknowledged { .. }
            | Event::UserRenamed { .. }
            | Event::MembershipForgotten { .. }
            | Event::GroupForgotten { .. }
            | Event::RealmForgotten { .. }
            | Event::ReadMarked { .. }
            | Event::Banned { .. }
            | Event::Unbanned { .. }
            | Event::UserLocked { .. }
            | Event::UserUnlocked { .. }
            | Event::InviteMade { .. }
            | Event::InviteUsed { .. }
            | Event::InviteRevoked { .. } => {}
        }
    }

    fn gets(&self, Message { from, to, .. }: &Message) -> bool {
        let is_own = *from == Author::Local(self.reader);
        match to {
            Destination::User(receiver) => *receiver == self.reader || is_own,
            Destination::RemoteUser(_) | Destination::RemoteGroup(_) => is_own,
            Destination::Group(group) => self.member_of.contains(group),
            Destination::Everyone => self.registered,
        }
    }

    fn set_realm(&mut self, id: RealmId, realm: Option<(Name, bool)>) {
        let place = id.0 as usize - 1;
        self.realms.resize(self.realms.len().max(place + 1), None);
        self.realms[place] = realm;
    }

    fn messages_in(&self, conversation: Option<&Conversation>) -> Option<Vec<Seq>> {
        if !self.registered {
            return None;
        }
        let topic = self.topic(conversation)?;
        let messages = self.messages.iter().filter(|(_, message)| self.is_in(message, &topic));
        Some(messages.map(|(seq, _)| *seq).collect())
    }

    /// Returns `None` if the user, group or realm does not exist.
    fn topic<'a>(&self, conversation: Option<&'a Conversation>) -> Option<Topic<'a>> {
        let address = match conversation {
            None => return Some(Topic::All),
            Some(Conversation::Broadcast) => return Some(Topic::Broadcast),
            Some(Conversation::Server) => return Some(Topic::Server),
            Some(Conversation::User(address) | Conversation::Group(address)) => address,
        };
        let is_group = matches!(conversation, Some(Conversation::Group(_)));
        let Address { name, realm } = address;
        let realm = match realm {
            Some(realm) => Some(self.realm(realm)?),
            None => None,
        };
        if let Some((realm, true)) = realm {
            return Some(Topic::Remote { realm, name, is_group });
        }
        let realm = realm.map(|(realm, _)| realm);
        if is_group {
            let has_the_name = |group: &&GroupId| self.group_names[group.0 as usize] == *name;
            let group = self.once_member_of.iter().rev().find(has_the_name)?;
            return Some(Topic::Group { group: *group, realm });
        }
        let peer = self.user_names.iter().position(|user| user == name)?;
        Some(Topic::With { peer: UserId(peer as u64), realm })
    }

    fn is_in(&self, message: &Message, topic: &Topic<'_>) -> bool {
        let Message { from, to, realm: crossed, .. } = message;
        let is_unblocked = !from.user_ref().is_some_and(|author| self.blocks.contains(&author));
        match topic {
            Topic::All => matches!(to, Destination::User(_)) || to.remote_realm().is_some() || is_unblocked,
            Topic::Broadcast => *to == Destination::Everyone && is_unblocked,
            Topic::Server => *from == Author::Server && matches!(to, Destination::User(_)),
            Topic::With { peer, realm } => {
                let Destination::User(receiver) = to else { return false };
                let other = if *from == Author::Local(self.reader) { Author::Local(*receiver) } else { from.clone() };
                other == Author::Local(*peer) && (realm.is_none() || crossed == realm)
            }
            Topic::Group { group, realm } => {
                *to == Destination::Group(*group) && is_unblocked && (realm.is_none() || crossed == realm)
            }
            Topic::Remote { realm, name, is_group } => {
                let counterpart = RemoteName { realm: *realm, name: (*name).clone() };
                let sent =
                    [Destination::RemoteUser(counterpart.clone()), Destination::RemoteGroup(counterpart.clone())];
                let is_received = *from == Author::Remote(counterpart) && matches!(to, Destination::User(_));
                *to == sent[usize::from(*is_group)] || (is_received && !is_group)
            }
        }
    }

    /// The realm with a name, and whether it is another server.
    fn realm(&self, name: &Name) -> Option<(RealmId, bool)> {
        let existing = self.realms.iter().zip(1..).filter_map(|(realm, id)| Some((id, realm.as_ref()?)));
        let found = existing.filter(|(_, (known, _))| known == name).last();
        found.map(|(id, (_, is_peer))| (RealmId(id), *is_peer))
    }
}

/// A conversation with its names resolved.
enum Topic<'a> {
    All,
    Broadcast,
    Server,
    With { peer: UserId, realm: Option<RealmId> },
    Group { group: GroupId, realm: Option<RealmId> },
    Remote { realm: RealmId, name: &'a Name, is_group: bool },
}
