//! The rules: what a command comes to. Pure functions of the state, one module for each subject.

pub(super) mod accounts;
pub(super) mod administration;
pub(super) mod blocks;
pub(super) mod context;
pub(super) mod groups;
pub(super) mod messages;
pub(super) mod peer_registration;
pub(super) mod peers;
pub(super) mod reading;
pub(super) mod realms;
pub(super) mod remote;
pub(super) mod sessions;
mod system_message;
