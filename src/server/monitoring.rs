//! The monitoring listener of a process: it is there before a server is, and while a node catches up.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio_util::sync::DropGuard;

use crate::config::Config;
use crate::server::activation::Inherited;
use crate::server::error::ServerError;
use crate::server::listeners;
use crate::web::Monitor;

pub(super) struct Monitoring {
    pub(super) monitor: Arc<Monitor>,
    pub(super) addresses: Vec<SocketAddr>,
    /// Ends the listener.
    _serving: DropGuard,
}

impl Monitoring {
    pub(super) fn start(config: &Config, inherited: &mut Inherited) -> Result<Arc<Self>, ServerError> {
        let monitor = Arc::new(Monitor::new(config.server.data.clone()));
        let (addresses, serving) = listeners::serve_monitoring(&config.metrics.listen, inherited, &monitor)?;
        Ok(Arc::new(Self { monitor, addresses, _serving: serving }))
    }
}
