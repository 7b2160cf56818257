//! Bans, locks and invites in the state.

use std::net::IpAddr;

use crate::chat::model::ban::{BanTarget, Invite};
use crate::chat::model::bans::Bans;
use crate::chat::model::message::{Author, UserRef};
use crate::chat::model::realm::{Realm, RealmKind};
use crate::chat::state::tables::State;
use crate::id::{PeerKey, RealmId, Seq, TokenHash, UserId};
use crate::time::Time;

impl State {
    /// All bans, those that are over included until they are removed.
    #[must_use]
    pub fn bans(&self) -> &Bans {
        &self.bans
    }

    #[must_use]
    pub fn is_user_banned(&self, user: UserId, now: Time) -> bool {
        self.bans.keep_out(&BanTarget::User(user), now)
    }

    /// Whether connections from the address are refused.
    #[must_use]
    pub fn is_address_banned(&self, address: IpAddr, now: Time) -> bool {
        self.bans.keep_out_address(address, now)
    }

    #[must_use]
    pub fn is_realm_banned(&self, realm: RealmId, now: Time) -> bool {
        self.bans.keep_out(&BanTarget::Realm(realm), now)
    }

    /// Whether a realm of that key is banned, also one that was removed since.
    pub(in crate::chat) fn is_key_banned(&self, key: &PeerKey, now: Time) -> bool {
        let has_key = |realm: &Realm| match &realm.kind {
            RealmKind::Peer(peer) => peer.info.key == Some(*key),
            RealmKind::Removed(removed) => *removed == Some(*key),
            RealmKind::Own | RealmKind::Alias => false,
        };
        self.bans.iter().any(|(target, ban)| match target {
            BanTarget::Realm(id) => !ban.is_over(now) && self.realm(*id).is_some_and(has_key),
            _ => false,
        })
    }

    pub(in crate::chat) fn is_author_banned(&self, author: &Author, now: Time) -> bool {
        match author.user_ref() {
            Some(UserRef::Remote(realm, name)) => self.bans.keep_out(&BanTarget::RemoteUser(realm, name), now),
            Some(UserRef::Local(user)) => self.is_user_banned(user, now),
            None => false,
        }
    }

    /// Whether an administrator has locked the account.
    #[must_use]
    pub fn is_locked(&self, user: UserId) -> bool {
        self.locked.contains(&user)
    }

    /// How many accounts are locked.
    #[must_use]
    pub fn locked_count(&self) -> usize {
        self.locked.len()
    }

    /// The invites, oldest first, those that are over included until they are removed.
    pub fn invites(&self) -> impl Iterator<Item = (Seq, &Invite)> {
        self.invites.iter().map(|(id, invite)| (*id, invite))
    }

    /// The invite of a code, if it is still good.
    #[must_use]
    pub fn invite_of(&self, code: &TokenHash, now: Time) -> Option<(Seq, &Invite)> {
        self.invites().find(|(_, invite)| invite.code == *code && invite.until > now)
    }

    pub(super) fn use_invite(&mut self, id: Seq) {
        let Some(invite) = self.invites.get_mut(&id) else { return };
        invite.uses = invite.uses.saturating_sub(1);
        if invite.uses == 0 {
            self.invites.remove(&id);
        }
    }
}
