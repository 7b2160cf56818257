//! The operator on the data directory of a server that does not run.

use crate::chat::State;
use crate::config::Config;
use crate::hub::{CommitStatus, Hub, Step};
use crate::net::Operator;
use crate::server::error::ServerError;
use crate::server::paced_clock::PacedClock;
use crate::server::policies;
use crate::store;
use crate::time::Time;

/// Answers one request of the operator on a store, whose lock is held meanwhile, in the form of the admin socket.
///
/// # Errors
/// If the store cannot be used, by a server that runs for example.
pub fn administer_store(config: &Config, line: &str) -> Result<Vec<u8>, ServerError> {
    let store = store::open_alone(&config.server.data, config.server.durability)?;
    let (hub, mut committer) = Hub::open(Box::new(store), config.server.realm.clone())?;
    PacedClock::open(&config.server.data, hub.read(State::time).0, Time(0));
    let operator = Operator::of_store(hub.clone(), policies::policy(config));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|source| ServerError::System { what: "a thread", source })?;
    let reply = runtime.block_on(operator.answer(line));
    while committer.step() == Step::Stored {}
    let status = match hub.commit_status(reply.ticket) {
        CommitStatus::Pending => CommitStatus::Durable,
        status => status,
    };
    let answer = reply.render(status);
    hub.close();
    committer.run();
    Ok(answer)
}
