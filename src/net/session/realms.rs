//! Linking another server (PROTOCOL §6).

use crate::chat::{CommandError, PeerAddress, Response, State};
use crate::id::{PeerKey, RealmId};
use crate::name::Name;
use crate::net::session::reply::PendingReply;
use crate::net::session::state::{Acting, Session};

impl Session {
    pub(super) async fn link_realm(&mut self, acting: Acting, name: Name, host: Box<str>, port: u16) -> PendingReply {
        // Only the node that leads has links.
        if self.hub().is_following() {
            return CommandError::Unavailable.into();
        }
        let context = self.context(acting);
        let ((allowed, key, is_taken), ticket) = self.hub().read(|state| {
            let (key, is_taken) = known(state, &name);
            (context.may_add_realms(state), key, is_taken)
        });
        if let Err(error) = allowed {
            return PendingReply::new(Err(error), ticket);
        }
        if let Some(done) = self.done_before(&acting, Response::RealmAdded { name: name.clone(), key }) {
            return done.into();
        }
        if is_taken {
            return PendingReply::new(Err(CommandError::RealmExists), ticket);
        }
        if let Err(error) = self.server.budgets.take_realm(acting.actor.user) {
            return error.into();
        }
        let address = PeerAddress { host, port };
        let manager = &self.server.federation.manager;
        let added = manager.add(acting.actor.user, name.clone(), address, acting.key).await;
        let ticket = self.hub().read(|_| ()).1;
        PendingReply::new(added.map(|key| Response::RealmAdded { name, key: Some(key) }), ticket)
    }
}

/// The key of a realm, and whether its name is taken: by another server, or by the home realm.
fn known(state: &State, name: &Name) -> (Option<PeerKey>, bool) {
    let Some((id, realm)) = state.realm_named(name) else { return (None, false) };
    let peer = realm.peer();
    let is_taken = id == RealmId::HOME || peer.is_some_and(|peer| !peer.info.self_named);
    (peer.and_then(|peer| peer.info.key), is_taken)
}
