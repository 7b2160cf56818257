//! Built without an engine: the configuration names no log then.

use std::sync::Arc;

use crate::cluster::SharedLog;
use crate::config::Config;
use crate::server::error::ServerError;

/// None: reading the configuration has refused any.
pub(super) fn of(_: &Config) -> Result<Option<Arc<dyn SharedLog>>, ServerError> {
    Ok(None)
}
