//! The context of a command or a query.

use crate::chat::error::CommandError;
use crate::chat::model::inbox_shares::InboxShares;
use crate::chat::model::message::UserRef;
use crate::chat::model::user::User;
use crate::chat::state::State;
use crate::id::{SessionId, UserId};
use crate::limits::ADMINISTRATORS_REALMS;
use crate::name::{FoldedName, Name};
use crate::time::Time;

/// The user who asks, the time, and state that only this process has. With it the rules stay pure: the same log gives
/// the same state on any machine.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The acting user; `None` for the server itself.
    pub user: Option<UserId>,
    /// The acting user's session.
    pub session: Option<SessionId>,
    pub now: Time,
    /// The time by which bans, invites and the memory of tagged requests end. It is behind `now` while the clock has gone
    /// further than the server has run.
    pub paced: Time,
    /// Whether the recipient of a direct message is online, if that is a condition (text listeners, PROTOCOL §4).
    pub recipient_online: Option<bool>,
    /// Unread messages by sender and inbox, if they are bounded.
    pub inboxes: Option<&'a InboxShares>,
    pub policy: &'a Policy,
}

/// Commands that the operator reserves for administrators.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub administrators: Vec<FoldedName>,
    /// Only administrators may broadcast.
    pub broadcast_restricted: bool,
    /// Only administrators may add realms.
    pub realms_restricted: bool,
    pub quotas: Quotas,
}

/// Quotas of one user; `None` if unlimited.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quotas {
    /// Groups that the user owns.
    pub groups: Option<u32>,
    /// Realms that the user added.
    pub realms: Option<u32>,
}

static NO_RESTRICTIONS: Policy = Policy {
    administrators: Vec::new(),
    broadcast_restricted: false,
    realms_restricted: false,
    quotas: Quotas { groups: None, realms: None },
};

impl Context<'static> {
    /// The server itself, at this time.
    #[must_use]
    pub fn server(now: Time) -> Self {
        let (user, session, recipient_online, inboxes) = (None, None, None, None);
        Self { user, session, now, paced: now, recipient_online, inboxes, policy: &NO_RESTRICTIONS }
    }

    /// A user, for what the server does on the user's behalf.
    #[must_use]
    pub fn on_behalf_of(user: UserId, now: Time) -> Self {
        Self { user: Some(user), ..Self::server(now) }
    }
}

impl Context<'_> {
    /// Checks that the acting user is an administrator, and returns the user. `None` is the server itself, and with it the
    /// operator at its machine.
    pub(in crate::chat) fn administrator(&self, state: &State) -> Result<Option<UserId>, CommandError> {
        if self.user.is_none() {
            return Ok(None);
        }
        let (id, user) = self.active_user(state)?;
        self.policy.check(true, user)?;
        Ok(Some(id))
    }

    /// What the clock will show when a ban or an invite is over that ends at a paced time, as people are told it.
    pub(in crate::chat) fn shown_end(&self, until: Time) -> Time {
        self.now.after(until.since(self.paced))
    }

    /// Checks whether a sender may leave a further message in an inbox. One's own is not bounded.
    pub(in crate::chat) fn has_room_in(&self, inbox: (UserId, &User), sender: &UserRef, bytes: usize) -> bool {
        let is_own = *sender == UserRef::Local(inbox.0);
        is_own || !self.inboxes.is_some_and(|inboxes| inboxes.is_full(inbox, sender, bytes))
    }

    /// The acting user, who may have unregistered meanwhile.
    pub(in crate::chat) fn active_user<'s>(&self, state: &'s State) -> Result<(UserId, &'s User), CommandError> {
        let id = self.user.ok_or(CommandError::NoSession)?;
        Ok((id, state.active_user(id)?))
    }
}

impl Context<'_> {
    /// Checks whether the acting user may add one more realm, before another server is dialled.
    ///
    /// # Errors
    /// [`CommandError::Forbidden`], [`CommandError::RealmQuota`], [`CommandError::RealmLimit`] if the places that are left are
    /// kept for administrators, or [`CommandError::NoSession`] for a user who has unregistered.
    pub fn may_add_realms(&self, state: &State) -> Result<(), CommandError> {
        let (id, user) = self.active_user(state)?;
        self.policy.check(self.policy.realms_restricted, user)?;
        let added = state.realms().filter(|(_, realm)| realm.by == Some(id) && realm.takes_place()).count();
        self.policy.quotas.check_realms(added)?;
        let keeps_places = !self.policy.administrators.is_empty() && !self.policy.is_administrator(&user.name);
        if keeps_places { state.check_realm_places(ADMINISTRATORS_REALMS) } else { Ok(()) }
    }
}

impl Quotas {
    pub(in crate::chat) fn check_groups(self, owned: usize) -> Result<(), CommandError> {
        self.groups.filter(|most| owned >= *most as usize).map_or(Ok(()), |most| Err(CommandError::GroupQuota(most)))
    }

    fn check_realms(self, added: usize) -> Result<(), CommandError> {
        self.realms.filter(|most| added >= *most as usize).map_or(Ok(()), |most| Err(CommandError::RealmQuota(most)))
    }
}

impl Policy {
    #[must_use]
    pub fn is_administrator(&self, name: &Name) -> bool {
        !self.administrators.is_empty() && self.administrators.contains(&name.folded())
    }

    /// Checks what is kept for administrators if `restricted`.
    pub(in crate::chat) fn check(&self, restricted: bool, user: &User) -> Result<(), CommandError> {
        if restricted && !self.is_administrator(&user.name) { Err(CommandError::Forbidden) } else { Ok(()) }
    }
}
