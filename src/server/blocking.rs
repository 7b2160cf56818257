//! Calls that block: of the shared log and of disks.

use tokio::task;

use crate::server::error::ServerError;

/// Calls what blocks off the threads that serve.
pub(super) async fn blocking<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> Result<T, ServerError> {
    task::spawn_blocking(call).await.map_err(|error| ServerError::System { what: "a thread", source: error.into() })
}
