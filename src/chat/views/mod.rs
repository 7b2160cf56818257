//! Views: what can be read of the state, and who is told of an event.

pub mod administration;
pub mod conversations;
pub mod history;
pub mod inbox;
pub mod lists;
pub mod notification;
pub mod recipients;
