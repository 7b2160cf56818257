//! Enforces decisions of administrators on connections and links.

use std::net::IpAddr;

use crate::chat::{BanSubject, Command, CommandError, Stats};
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
        if executed.result.is_err() {
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

    /// The server's numbers that only the process knows.
    pub(crate) fn counts(&self) -> Stats {
        Stats {
            online: self.hub.online_count(),
            connections: self.admission.connection_count(),
            links_up: self.federation.manager.up_count(),
            uptime: self.started.elapsed(),
            ..Stats::default()
        }
    }
}
