//! Accounts from the configuration: made where they are missing, never changed afterwards.

use tracing::info;

use crate::chat::{Command, PasswordHash};
use crate::config::{ConfiguredUser, Password};
use crate::hub::Hub;
use crate::password;
use crate::server::ServerError;

pub(super) fn accounts(hub: &Hub, users: &[ConfiguredUser]) -> Result<(), ServerError> {
    let (missing, _) =
        hub.read(|state| users.iter().filter(|user| state.holder(&user.name).is_none()).collect::<Vec<_>>());
    for user in &missing {
        let register = Command::Register {
            name: user.name.clone(),
            full_name: user.full_name.clone(),
            country: user.country.clone(),
            password: hash(user)?,
            session: None,
        };
        hub.execute(&register, None);
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
