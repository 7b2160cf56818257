//! Applying an event: one arm for each.

use crate::chat::event::{Event, Record};
use crate::chat::model::ban::{Ban, Invite};
use crate::chat::model::idempotency::Receipt;
use crate::chat::model::message::Message;
use crate::chat::model::realm::{Realm, RealmKind};
use crate::chat::model::session::NewSession;
use crate::chat::model::timeline::Timeline;
use crate::chat::model::user::User;
use crate::chat::state::tables::State;
use crate::id::UserId;

impl State {
    /// Applies a record. Records come in the order of the log, each once; one that does not fit the state (`decide` never
    /// makes such) changes only the head.
    pub fn apply(&mut self, record: &Record) {
        let Record { seq, time, event } = record;
        self.head = *seq;
        self.time = *time;
        match event {
            Event::UserRegistered { user: _, name, full_name, country, password } => {
                self.register(*seq, name, full_name, country, password);
            }
            Event::SessionOpened { user, token, ephemeral, origin } => {
                let session = NewSession { token: *token, ephemeral: *ephemeral, origin: *origin };
                self.open_session(record, *user, session);
            }
            Event::SessionUsed { session } => self.use_session(*session, *time),
            Event::SessionClosed { session } => self.close_session(*session, *time),
            Event::MessageSent(message) => self.apply_message(record, message),
            Event::InboxRead { user, upto } => self.change_user(*user, |user| user.mark_read(*upto)),
            Event::PushedRead { user, after, upto } => {
                self.change_user(*user, |user| user.mark_pushed_read(*after, *upto));
            }
            Event::RealmInboxRead { user, realm, upto } => {
                self.change_user(*user, |user| user.mark_realm_read(*realm, *upto));
            }
            Event::GroupCreated { group, name, owner, password } => {
                self.create_group(*group, name, *owner, password.as_ref());
            }
            Event::GroupJoined { group, user } => self.join_group(*seq, *group, *user),
            Event::RequestDone { key, first, page } => {
                let receipt = Receipt { seq: *first, time: *time };
                self.change_user(key.user, |user| user.done.record(key, receipt, page.as_deref()));
            }
            Event::RealmAdded { realm, name, by } => {
                self.put_realm(*realm, Realm { name: name.clone(), by: *by, kind: RealmKind::Own });
            }
            Event::GroupLeft { group, user, by: _ } => self.leave_group(*seq, *group, *user),
            Event::GroupHandedOver { group, owner } => self.change_group(*group, |group| group.owner = *owner),
            Event::GroupDeleted { group } => self.delete_group(*group),
            Event::GroupPasswordChanged { group, password } => {
                self.change_group(*group, |group| group.password.clone_from(password));
            }
            Event::UserBlocked { user, blocked } => self.block(*user, blocked),
            Event::UserUnblocked { user, blocked } => self.unblock(*user, blocked),
            Event::PasswordChanged { user, password } => {
                self.change_user(*user, |user| user.password.clone_from(password));
            }
            Event::UserRenamed { user, full_name } => {
                self.change_user(*user, |user| user.full_name.clone_from(full_name));
            }
            Event::UserUnregistered { user } => {
                self.drop_marks(*user);
                self.change_user(*user, |user| user.unregistered = true);
            }
            Event::ReadMarked { user, conversation, upto } => self.move_mark(*user, *conversation, *upto, *time),
            Event::Banned { target, by, until, reason } => {
                let ban = Ban { id: *seq, by: *by, since: *time, until: *until, reason: reason.clone() };
                self.bans.put(*target, ban);
            }
            Event::Unbanned { target } => self.bans.remove(target),
            Event::UserLocked { user, by: _ } => drop(self.locked.insert(*user)),
            Event::UserUnlocked { user } => drop(self.locked.remove(user)),
            Event::InviteMade { code, by, uses, until } => {
                self.invites.insert(*seq, Invite { code: *code, by: *by, uses: *uses, until: *until });
            }
            Event::InviteUsed { invite, user: _ } => self.use_invite(*invite),
            Event::InviteRevoked { invite } => drop(self.invites.remove(invite)),
            Event::EpochBegun { epoch } => self.begin_epoch(*seq, *epoch),
            Event::PeerAdded { realm, name, by, info } => self.add_peer(*realm, name, *by, info),
            Event::PeerChanged { realm, name, info } => self.set_peer_info(*realm, name, info),
            Event::AliasAdded { realm, name } => {
                self.put_realm(*realm, Realm { name: name.clone(), by: None, kind: RealmKind::Alias });
            }
            Event::RealmRemoved { realm } => self.remove_realm(*realm),
            Event::PeerReceived { realm, epoch, upto, refused, forgotten } => {
                self.change_peer(*realm, |peer| peer.receive(*epoch, *upto, refused, *forgotten));
            }
            Event::PeerConfirmed { realm, epoch, upto } => {
                self.change_peer(*realm, |peer| peer.forget_refused(*epoch, *upto));
            }
            Event::MembershipForgotten { user, group, joined } => self.forget_membership(*user, *group, *joined),
            Event::GroupForgotten { group } => self.forget_group(*group),
            Event::RealmForgotten { realm } => {
                self.bans.forget_realm(*realm);
                self.forget_realm(*realm);
            }
            Event::OutboxAcknowledged { realm, upto, refused } => self.acknowledge_outbox(*realm, *upto, refused),
        }
    }

    pub(super) fn change_user(&mut self, id: UserId, change: impl FnOnce(&mut User)) {
        if let Some(user) = self.users.get_mut(id.0 as usize) {
            change(user);
        }
    }

    fn apply_message(&mut self, Record { seq, time, .. }: &Record, message: &Message) {
        let seq = *seq;
        for (timeline, _) in message.placements(seq) {
            match timeline {
                Timeline::User(user) => self.change_user(user, |user| user.last = seq),
                Timeline::Group(group) => self.change_group(group, |group| group.last = seq),
                Timeline::Broadcast => self.last_broadcast = seq,
                Timeline::Outbox(realm) => self.change_peer(realm, |peer| peer.send(seq, *time, message)),
            }
        }
    }
}
