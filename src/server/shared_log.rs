//! Connects to the log that the nodes of a cluster share.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::cluster::{ClientTls, EtcdLog, SharedLog};
use crate::config::{Cluster, Config};
use crate::server::error::ServerError;

/// The shared log of a configuration, if it names one.
pub(super) fn of(config: &Config) -> Result<Option<Arc<dyn SharedLog>>, ServerError> {
    let Some(address) = &config.cluster.log else { return Ok(None) };
    let scheme = if address.is_tls { "https" } else { "http" };
    let members: Vec<String> = address.members.iter().map(|member| format!("{scheme}://{member}")).collect();
    let tls = if address.is_tls { Some(client_tls(&config.cluster)?) } else { None };
    let log = EtcdLog::new(Handle::current(), &members, tls.as_ref(), config.server.realm.as_str())?;
    Ok(Some(Arc::new(log)))
}

fn client_tls(cluster: &Cluster) -> Result<ClientTls, ServerError> {
    let read = |path: &Option<PathBuf>| path.as_deref().map(read_pem).transpose();
    let authority = read(&cluster.authority)?.unwrap_or_default();
    let identity = read(&cluster.certificate)?.zip(read(&cluster.key)?);
    Ok(ClientTls { authority, identity })
}

fn read_pem(path: &Path) -> Result<Vec<u8>, ServerError> {
    fs::read(path).map_err(|source| ServerError::ClusterFile { file: path.to_owned(), source })
}
