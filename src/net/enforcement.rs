//! Enforces decisions of administrators on connections and links.

use std::net::IpAddr;

use crate::chat::{BanSubject, BanTarget, Command, CommandError, Stats};
use crate::hub::Executed;
use crate::net::context::ServerContext;

impl ServerContext {
    /// Refuses a ban that would shut out who asks for it. The operator has no address, and can undo any ban.
    pub(crate) fn check_own_address(&self, command: &Command, address: IpAddr) -> Result<(), CommandError> {
        match command {
            Command::Ban { subject: BanSubject::Network(network), .. } if network.keeps_out(address) => {
                Err(CommandError::OwnAddress)
            }
            _ => Ok(()),
        }
    }

    /// Ends connections and links that a command keeps out from now on, and has links made again that it lets in.
    pub(crate) fn enforce(&self, command: &Command, executed: &Executed) {
        if !executed.is_done() {
            return;
        }
        match command {
            Command::Ban { subject: BanSubject::Network(network), .. } => self.admission.end_network(network),
            Command::Ban { subject: BanSubject::Realm(name), .. }
            | Command::Unban { subject: BanSubject::Realm(name) } => {
                let (realm, _) = self.hub.read(|state| state.realm_named(name).map(|(id, _)| id));
                realm.into_iter().for_each(|realm| self.federation.manager.reconsider(realm));
            }
            _ => {}
        }
    }

    /// Ends connections and links that are kept out by decisions of which this node has read in the cluster's log.
    pub(crate) fn enforce_all(&self) {
        let (networks, _) = self.hub.read(|state| {
            let networks = state.bans().iter().filter_map(|(target, _)| match target {
                BanTarget::Network(network) => Some(*network),
                _ => None,
            });
            networks.collect::<Vec<_>>()
        });
        networks.iter().for_each(|network| self.admission.end_network(network));
        self.federation.manager.enforce();
    }

    /// The server's numbers that only the process knows.
    pub(crate) fn counts(&self) -> Stats {
        Stats {
            online: self.hub.online_count(),
            connections: self.admission.connection_count(),
            links_up: self.federation.manager.up_count().unwrap_or_default(),
            uptime: self.started.elapsed(),
            ..Stats::default()
        }
    }
}
