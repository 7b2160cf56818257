//! Makes a machine a node of a running cluster, by a join token.

use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;

use crate::channel::{ChannelEndpoint, JoinRequest, ask_to_join};
use crate::cluster::{ClusterError, NodeInfo, SharedLog};
use crate::config::Config;
use crate::id::{PeerKey, Seq};
use crate::identity::Identity;
use crate::server::blocking::blocking;
use crate::server::cluster::connect;
use crate::server::error::ServerError;
use crate::server::join_token::JoinToken;
use crate::server::node::info_of;
use crate::server::snapshot_fetch::{FetchProgress, SnapshotFetch};
use crate::store::{self, Directory, NewDirectory};
use crate::time::Time;

/// Fetches the realm's key and a snapshot of the store into the data directory of a configuration, which must be new or empty.
/// Returns the newest entry that it has then. If it is interrupted once the key is there, `kabar serve` does the rest.
///
/// # Errors
/// If the token is not good, or not of this configuration's cluster, or the directory is not empty. It is as before then.
pub fn join_cluster(config: &Config, token: &JoinToken, progress: FetchProgress) -> Result<Seq, ServerError> {
    let (runtime, log) = connect(config)?;
    let home = &config.server.realm;
    if *token.realm != *home.as_str() {
        return Err(ServerError::JoinOtherRealm { token: token.realm.clone(), config: home.clone() });
    }
    let data = &config.server.data;
    if !store::is_new_or_empty(data)? {
        return Err(ServerError::JoinNotEmpty(data.clone()));
    }
    // It is reached by others only when it runs, and reports its channel then.
    let info = info_of(&config.cluster, token.key, "");
    check_members(&*log, &info)?;
    let before = NewDirectory::note(data);
    let directory = Directory::open(data)?;
    runtime.block_on(async {
        let request = JoinRequest { secret: token.secret, node: info.node.clone() };
        let key = ask_to_join(&token.address, token.key, &request).await?;
        let identity = write_key(data, token.key, &key)?;
        before.keep();
        let fetch = SnapshotFetch {
            log: log.clone(),
            endpoint: &ChannelEndpoint::new(&identity),
            info: &info,
            data: data.clone(),
            reserve: config.server.disk_reserve,
            at: Seq(0),
            has_store: false,
            progress,
        };
        let received = fetch.fetch().await?;
        let at = received.position().seq;
        received.replace(&directory)?;
        keep_log_from(log, info, at).await?;
        Ok(at)
    })
}

fn check_members(log: &dyn SharedLog, info: &NodeInfo) -> Result<(), ServerError> {
    log.head().map_err(ClusterError::from)?.ok_or(ClusterError::NotBegun)?;
    for member in log.members().map_err(ClusterError::from)? {
        if member.key != info.key {
            return Err(ServerError::JoinOtherCluster);
        }
        if member.node == info.node {
            return Err(ServerError::NodeExists(info.node.clone()));
        }
    }
    Ok(())
}

/// Writes the key, if it is that of the realm.
fn write_key(data: &Path, realm: PeerKey, text: &SecretString) -> Result<Identity, ServerError> {
    let identity = Identity::parse(text).filter(|identity| identity.key() == realm);
    let identity = identity.ok_or(ServerError::JoinOtherKey)?;
    store::write_key(data, text)?;
    Ok(identity)
}

/// Makes the node a member for which the log is kept from here on, also if it is started much later.
async fn keep_log_from(log: Arc<dyn SharedLog>, info: NodeInfo, at: Seq) -> Result<(), ServerError> {
    let reported = blocking(move || log.report(&info.member(at, Time(0)))).await?;
    Ok(reported.map_err(ClusterError::from)?)
}
