//! Realms: further names of this server, and other servers (PROTOCOL §6).

use crate::chat::{Command, CommandError, PeerAddress, Realm, RealmKind, RealmState, RealmStatus, Response, State};
use crate::federation::LinkManager;
use crate::id::RealmId;
use crate::name::Name;
use crate::net::session::{Answer, Identity, Session};
use crate::time::Time;
use crate::wire;

impl Session {
    pub(super) async fn add_realm(&mut self, who: Identity, name: Name, peer: Option<(Box<str>, u16)>) -> Answer {
        if self.policy().realms_restricted
            && let Err(error) = self.require_administrator(who)
        {
            return error.into();
        }
        match peer {
            Some((host, port)) => self.link_realm(who, name, PeerAddress { host, port }).await,
            None => {
                let executed = self.execute(&Command::AddRealm { by: who.user, name: name.clone() });
                Answer::of(executed, |_| Response::RealmAdded { name, key: None })
            }
        }
    }

    async fn link_realm(&self, who: Identity, name: Name, address: PeerAddress) -> Answer {
        let (key, is_link) = self.hub().read(|state| known(state, &name)).0;
        if let Some(before) = self.done_before() {
            return Answer::of(before, |_| Response::RealmAdded { name, key });
        }
        if is_link {
            return Answer::new(Err(CommandError::RealmExists), self.hub().read(|_| ()).1);
        }
        let added = self.services.links.manager.add(who.user, name.clone(), address, self.once).await;
        let ticket = self.hub().read(|_| ()).1;
        Answer::new(added.map(|key| Response::RealmAdded { name, key: Some(key) }), ticket)
    }

    pub(super) fn remove_realm(&mut self, who: Identity, name: Name) -> Answer {
        let is_administrator = self.require_administrator(who).is_ok();
        let realm = self.hub().read(|state| state.realm_named(&name).map(|(id, _)| id)).0;
        let lost = wire::lost(&name).into();
        let executed = self.execute(&Command::RemoveRealm { by: who.user, name, is_administrator, lost });
        if executed.result.is_ok()
            && let Some(realm) = realm
        {
            self.services.links.manager.remove(realm);
        }
        Answer::of(executed, |_| Response::RealmRemoved)
    }

    pub(super) fn realms(&self) -> Answer {
        let now = Time::now();
        let manager = &self.services.links.manager;
        let (realms, ticket) = self.hub().read(|state| {
            let numbered = state.realms().iter().zip(0..);
            numbered.filter_map(|(realm, id)| status(manager, realm, RealmId(id), now)).collect()
        });
        Answer::new(Ok(Response::Realms(realms)), ticket)
    }

    pub(super) fn require_administrator(&self, who: Identity) -> Result<(), CommandError> {
        let (name, _) = self.hub().read(|state| state.user(who.user).map(|user| user.name.folded()));
        let allowed = name.is_some_and(|name| self.policy().administrators.contains(&name));
        if allowed { Ok(()) } else { Err(CommandError::Forbidden) }
    }
}

/// The key of a realm, and whether it is another server, or the home realm, whose names are not given away.
fn known(state: &State, name: &Name) -> (Option<crate::id::PeerKey>, bool) {
    let Some((id, realm)) = state.realm_named(name) else { return (None, false) };
    let link = realm.peer();
    let is_taken = id == RealmId::HOME || link.is_some_and(|link| !link.info.self_named);
    (link.and_then(|link| link.info.key), is_taken)
}

fn status(manager: &LinkManager, realm: &Realm, id: RealmId, now: Time) -> Option<RealmStatus> {
    let nothing = RealmStatus {
        name: realm.name.clone(),
        state: if id == RealmId::HOME { RealmState::Home } else { RealmState::Name },
        since: None,
        queued: 0,
        waiting: None,
        key: None,
        address: None,
        problem: None,
    };
    let link = match &realm.kind {
        RealmKind::Own => return Some(nothing),
        RealmKind::Peer(link) => link,
        RealmKind::Alias | RealmKind::Removed(_) => return None,
    };
    let report = manager.status(id);
    Some(RealmStatus {
        state: if report.is_up { RealmState::Up } else { RealmState::Down },
        since: report.since,
        queued: link.queue.len(),
        waiting: link.queue.oldest().map(|oldest| now.since(oldest.time)),
        key: link.info.key,
        address: link.info.address.clone(),
        problem: report.problem,
        ..nothing
    })
}
