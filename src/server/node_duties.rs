//! What a node does beside following and leading: links to other realms are the leader's, which also dials for users of other
//! nodes, and so is what the configuration lists; what administrators decided anywhere is enforced at each node.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::{mpsc, watch};
use tokio::task;
use tracing::{error, info};

use crate::channel::CarriedLink;
use crate::config::Config;
use crate::federation::LinkRequest;
use crate::hub::WantedDial;
use crate::net::ServerContext;
use crate::server::node_thread::NodeRole;
use crate::server::{carried_links, provision};

/// Until the server stops.
pub(super) async fn keep(
    services: Arc<ServerContext>,
    config: Arc<ArcSwap<Config>>,
    role: watch::Receiver<NodeRole>,
    links: mpsc::Receiver<CarriedLink>,
) {
    let links = carried_links::serve(&services, links);
    tokio::join!(follow_role(&services, &config, role), enforce(&services), dial(&services), links);
}

async fn follow_role(services: &Arc<ServerContext>, config: &ArcSwap<Config>, mut role: watch::Receiver<NodeRole>) {
    loop {
        let now = *role.borrow_and_update();
        match now {
            NodeRole::Leads => begin_to_lead(services, config).await,
            NodeRole::Follows => services.federation.manager.pause(),
        }
        tokio::select! {
            () = services.stopping.cancelled() => return,
            changed = role.changed() => if changed.is_err() { return },
        }
    }
}

async fn begin_to_lead(services: &Arc<ServerContext>, config: &ArcSwap<Config>) {
    let (hub, current) = (services.hub.clone(), config.load_full());
    // Hashing passwords takes long.
    let provisioned = task::spawn_blocking(move || provision::all(&hub, &current)).await;
    match provisioned {
        Ok(Ok(())) => info!("accounts and realms are as the configuration has them"),
        Ok(Err(error)) => error!(%error, "accounts and realms are not as the configuration has them"),
        Err(panicked) => error!(%panicked, "accounts and realms are not as the configuration has them"),
    }
    services.federation.manager.peers_changed();
}

async fn enforce(services: &ServerContext) {
    loop {
        tokio::select! {
            () = services.stopping.cancelled() => return,
            () = services.hub.restricted() => services.enforce_all(),
        }
    }
}

/// Links other servers for users of other nodes, while this one leads.
async fn dial(services: &Arc<ServerContext>) {
    loop {
        let WantedDial { term, forward, by, name, address, key } = tokio::select! {
            () = services.stopping.cancelled() => return,
            wanted = services.hub.next_dial() => wanted,
        };
        let request = LinkRequest { by, name, address, idempotency_key: key, forward: Some(forward) };
        let dialling = services.clone();
        services.tasks.spawn(async move {
            let added = dialling.federation.manager.add(request).await;
            dialling.hub.end_dial(term, forward, added.map(drop));
        });
    }
}
