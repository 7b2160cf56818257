//! Provisions what the configuration lists: accounts, registered if they are missing and never changed afterwards, and
//! other servers, known as it has them.

use tracing::{info, warn};

use crate::chat::{Command, PasswordHash, PeerAddress};
use crate::config::{Config, ConfiguredUser, Password, Peer};
use crate::hub::Hub;
use crate::name::Name;
use crate::password;
use crate::server::error::ServerError;

/// Everything that the configuration lists.
pub(super) fn all(hub: &Hub, config: &Config) -> Result<(), ServerError> {
    accounts(hub, &config.users)?;
    warn_of_missing_administrators(hub, &config.accounts.administrators);
    peers(hub, &config.peers)
}

pub(super) fn accounts(hub: &Hub, users: &[ConfiguredUser]) -> Result<(), ServerError> {
    let (missing, _) =
        hub.read(|state| users.iter().filter(|user| state.name_owner(&user.name).is_none()).collect::<Vec<_>>());
    for user in &missing {
        let register = Command::Register {
            name: user.name.clone(),
            full_name: user.full_name.clone(),
            country: user.country.clone(),
            password: hash(user)?,
            session: None,
            invite: None,
        };
        hub.execute_as_server(&register);
    }
    if !missing.is_empty() {
        info!("made {} of the configured accounts", missing.len());
    }
    Ok(())
}

fn hash(user: &ConfiguredUser) -> Result<PasswordHash, ServerError> {
    match &user.password {
        Password::Hash(hash) => Ok(hash.clone()),
        Password::Plain(plain) => password::hash(plain).map_err(|_| ServerError::Password(user.name.to_string())),
    }
}

/// Knows the configured servers as the configuration has them.
pub(super) fn peers(hub: &Hub, peers: &[Peer]) -> Result<(), ServerError> {
    for Peer { name, address, key } in peers {
        let address = address.as_ref().map(|(host, port)| PeerAddress { host: host.clone(), port: *port });
        let configure = Command::ConfigurePeer { name: name.clone(), key: *key, address };
        let configured = hub.execute_as_server(&configure).result;
        configured.map_err(|error| ServerError::Peer { name: name.clone(), code: crate::wire::code(error) })?;
    }
    Ok(())
}

/// Warns of administrators who have no account: nobody can register such a name.
fn warn_of_missing_administrators(hub: &Hub, administrators: &[Name]) {
    let (missing, _) = hub.read(|state| {
        let missing = administrators.iter().filter(|name| state.user_named(name).is_none());
        missing.map(Name::to_string).collect::<Vec<_>>()
    });
    for name in missing {
        warn!(name, "an administrator has no account, and nobody can register the name: kabar admin adduser makes it");
    }
}
