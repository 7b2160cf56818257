//! Every bound of the server, in one place, each with the reason for its value. Those that an operator may want to move
//! are defaults here and keys in the configuration.

mod cluster;
mod connections;
mod domain;
mod federation;
mod process;
mod store;

pub use cluster::*;
pub use connections::*;
pub use domain::*;
pub use federation::*;
pub use process::*;
pub use store::*;
