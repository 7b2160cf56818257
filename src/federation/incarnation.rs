//! Incarnations: a random number beside the sequence numbers of this server, new with every start.

use uuid::Uuid;

use crate::chat::{Command, CommandError};
use crate::hub::Hub;
use crate::id::Incarnation;

/// Begins a new incarnation. It must be durable before any message is sent to another realm.
///
/// A server that was restored from a backup must not reuse sequence numbers, and cannot always detect that it was
/// restored: once it has sent further messages, the numbers alone do not show it. Hence one incarnation per start
/// (PROTOCOL §6).
///
/// # Errors
/// [`CommandError`] if the hub refuses changes.
pub(crate) fn begin_incarnation(hub: &Hub) -> Result<(), CommandError> {
    let incarnation = Incarnation(Uuid::new_v4().as_u64_pair().0);
    hub.execute_as_server(&Command::BeginIncarnation { incarnation }).result.map(drop)
}
