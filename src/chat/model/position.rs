//! Positions: how far in the log a client has come.

use serde::{Deserialize, Serialize};

use crate::id::{Epoch, Seq};

/// A message's id as a client has kept it, with the epoch in which the server told it, if the client kept that too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub id: Seq,
    pub epoch: Option<Epoch>,
}

impl From<Seq> for Position {
    fn from(id: Seq) -> Self {
        Self { id, epoch: None }
    }
}
