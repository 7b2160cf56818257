//! Linking another server (PROTOCOL §6).

use crate::chat::{Command, CommandError, PeerAddress, Response, State};
use crate::federation::LinkRequest;
use crate::id::{PeerKey, RealmId};
use crate::name::Name;
use crate::net::session::reply::PendingReply;
use crate::net::session::state::{Acting, Session};

impl Session {
    pub(super) async fn link_realm(&mut self, acting: Acting, name: Name, host: Box<str>, port: u16) -> PendingReply {
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
        if self.hub().is_following() {
            // The node that leads has the links: it dials.
            let add = Command::AddPeer { name, key: None, address };
            return self.hub().execute_for(&context, &add, self.origin(&acting)).into();
        }
        let request = LinkRequest {
            by: acting.actor.user,
            name: name.clone(),
            address,
            idempotency_key: acting.key,
            forward: None,
        };
        let added = self.server.federation.manager.add(request).await;
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
