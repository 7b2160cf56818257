//! Connects to the log that the nodes of a cluster share.

use std::sync::Arc;
#[cfg(feature = "etcd")]
use std::{
    fs,
    path::{Path, PathBuf},
};

#[cfg(feature = "etcd")]
use tokio::runtime::Handle;

use crate::cluster::SharedLog;
#[cfg(feature = "etcd")]
use crate::cluster::{ClientTls, EtcdLog};
#[cfg(feature = "etcd")]
use crate::config::Cluster;
use crate::config::Config;
use crate::server::error::ServerError;

/// None without an engine: reading the configuration has refused any.
#[cfg(not(feature = "etcd"))]
pub(super) fn of(_: &Config) -> Result<Option<Arc<dyn SharedLog>>, ServerError> {
    Ok(None)
}

/// The shared log of a configuration, if it names one.
#[cfg(feature = "etcd")]
pub(super) fn of(config: &Config) -> Result<Option<Arc<dyn SharedLog>>, ServerError> {
    let Some(address) = &config.cluster.log else { return Ok(None) };
    let scheme = if address.is_tls { "https" } else { "http" };
    let members: Vec<String> = address.members.iter().map(|member| format!("{scheme}://{member}")).collect();
    let tls = if address.is_tls { Some(client_tls(&config.cluster)?) } else { None };
    let log = EtcdLog::new(Handle::current(), &members, tls.as_ref(), config.server.realm.as_str())?;
    Ok(Some(Arc::new(log)))
}

#[cfg(feature = "etcd")]
fn client_tls(cluster: &Cluster) -> Result<ClientTls, ServerError> {
    let read = |path: &Option<PathBuf>| path.as_deref().map(read_pem).transpose();
    let authority = read(&cluster.authority)?.unwrap_or_default();
    let identity = read(&cluster.certificate)?.zip(read(&cluster.key)?);
    Ok(ClientTls { authority, identity })
}

#[cfg(feature = "etcd")]
fn read_pem(path: &Path) -> Result<Vec<u8>, ServerError> {
    fs::read(path).map_err(|source| ServerError::ClusterFile { file: path.to_owned(), source })
}
