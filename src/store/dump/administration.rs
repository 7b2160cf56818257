//! Imports what administrators decided: locks, bans and invites.

use data_encoding::HEXLOWER;

use crate::chat::{BanTarget, Event, Network, RemoteName};
use crate::id::{RealmId, TokenHash};
use crate::limits::{INVITE_USES_MAX, MAX_BANS, MAX_INVITES, REASON_BYTES};
use crate::name::Name;
use crate::store::dump::import::{Import, LineError, has_control_character, wrong};
use crate::store::dump::line::{Ban, Invite, Lock};

impl Import {
    pub(super) fn lock(&mut self, line: &Lock) -> Result<(), LineError> {
        let user = self.user_named("user", line.user.as_str())?;
        if self.state.is_locked(user) {
            return Ok(());
        }
        self.append(Event::UserLocked { user, by: None })
    }

    pub(super) fn ban(&mut self, line: &Ban<'_>) -> Result<(), LineError> {
        let target = match (&line.user, &line.network, &line.realm) {
            (Some(user), None, None) => self.banned_user(user)?,
            (None, Some(network), None) => match Network::parse(network) {
                Some(network) => BanTarget::Network(network),
                None => return wrong("network: expected an address, or a network such as 10.0.0.0/8"),
            },
            (None, None, Some(realm)) => BanTarget::Realm(self.banned_realm(realm)?),
            _ => return wrong("expected one of user, network and realm"),
        };
        if line.reason.len() > REASON_BYTES || has_control_character(&line.reason) {
            return wrong(format!("reason: expected at most {REASON_BYTES} bytes without control characters"));
        }
        if self.state.bans().get(&target).is_none() && self.state.bans().count() >= MAX_BANS {
            return wrong(format!("a server cannot hold more than {MAX_BANS} bans"));
        }
        let until = line.until.map(|until| until.0);
        self.append(Event::Banned { target, by: None, until, reason: (&*line.reason).into() })
    }

    pub(super) fn invite(&mut self, line: &Invite<'_>) -> Result<(), LineError> {
        let hash = HEXLOWER.decode(line.code_hash.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        let Some(code) = hash.map(TokenHash) else {
            return wrong("code_hash: expected a SHA-256 in 64 hexadecimal digits, in lower case");
        };
        if line.uses == 0 || line.uses > INVITE_USES_MAX {
            return wrong(format!("uses: expected 1-{INVITE_USES_MAX}"));
        }
        if self.state.invites().count() >= MAX_INVITES {
            return wrong(format!("a server cannot hold more than {MAX_INVITES} invites"));
        }
        self.append(Event::InviteMade { code, by: None, uses: line.uses, until: line.until.0 })
    }

    fn banned_user(&mut self, user: &str) -> Result<BanTarget, LineError> {
        if !user.contains('@') {
            return Ok(BanTarget::User(self.user_named("user", user)?));
        }
        let RemoteName { realm, name } = self.remote("user", user)?;
        Ok(BanTarget::RemoteUser(realm, name.folded()))
    }

    fn banned_realm(&mut self, realm: &str) -> Result<RealmId, LineError> {
        let name = Name::parse(realm).map_err(|expected| LineError::Wrong(format!("realm: {expected}")))?;
        self.realm_of(name)
    }
}
