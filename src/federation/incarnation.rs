//! How a server counts towards others.

use uuid::Uuid;

use crate::chat::{Command, CommandError};
use crate::hub::Hub;
use crate::id::Incarnation;

/// Begins to count anew. To be durable before any message is sent to another realm.
///
/// A server that was restored from a backup must not give numbers again that it gave before, and cannot tell whether it
/// was: once it has sent on for a while, the numbers alone do not show it. So it counts anew with every start
/// (PROTOCOL §6).
///
/// # Errors
/// Where the hub refuses changes.
pub fn begin_incarnation(hub: &Hub) -> Result<(), CommandError> {
    let incarnation = Incarnation(Uuid::new_v4().as_u64_pair().0);
    hub.execute(&Command::BeginIncarnation { incarnation }, None).result.map(drop)
}
