//! Changes that need nothing but the hub's decision.

use crate::chat::{Command, Response};
use crate::id::RealmId;
use crate::name::{Address, Name};
use crate::net::session::reply::PendingReply;
use crate::net::session::state::{Acting, Session};
use crate::wire::Dialect;

impl Session {
    pub(super) fn change(&mut self, acting: Acting, dialect: Dialect, command: &Command) -> PendingReply {
        if let Err(error) = self.server.check_own_address(command, self.address) {
            return error.into();
        }
        let removed = self.realm_to_unlink(command);
        let mut executed = self.execute(acting, self.recipient_online(command), command);
        self.server.enforce(command, &executed);
        if executed.is_done()
            && let Some(realm) = removed
        {
            self.server.federation.manager.remove(realm);
        }
        // The layanan system's reply names the recipient.
        if dialect == Dialect::Layanan
            && let (Ok(Response::Sent { to, .. }), Command::SendDirect { to: address, .. }) =
                (&mut executed.result, command)
        {
            *to = Some(self.recipient_name(address));
        }
        executed.into()
    }

    /// On a text listener a direct message needs a recipient who is online, unless its address has a realm (PROTOCOL §4).
    fn recipient_online(&self, command: &Command) -> Option<bool> {
        let Command::SendDirect { to, .. } = command else { return None };
        if !self.send_queue.format().is_text() || to.realm.is_some() {
            return None;
        }
        let (user, _) = self.hub().read(|state| state.user_named(&to.name).map(|(id, _)| id));
        Some(user.is_some_and(|user| self.hub().is_online(user)))
    }

    /// As registered, or as written for a user of another server.
    fn recipient_name(&self, to: &Address) -> Name {
        let (registered, _) = self.hub().read(|state| {
            let is_remote = to.realm.as_ref().and_then(|realm| state.realm_named(realm)?.1.peer()).is_some();
            if is_remote { None } else { state.user_named(&to.name).map(|(_, user)| user.name.clone()) }
        });
        registered.unwrap_or_else(|| to.name.clone())
    }

    fn realm_to_unlink(&self, command: &Command) -> Option<RealmId> {
        let Command::RemoveRealm { name, .. } = command else { return None };
        self.hub().read(|state| state.realm_named(name).map(|(id, _)| id)).0
    }
}
