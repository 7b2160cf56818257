//! Groups (PROTOCOL §4, §7).

use std::sync::Arc;

use crate::chat::model::user::PasswordHash;
use crate::id::{Seq, UserId};
use crate::name::Name;

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub name: Name,
    /// The member who may change it: the creator, or the longest-standing member after the creator has left.
    pub owner: UserId,
    /// The password for joining, if there is one.
    pub password: Option<PasswordHash>,
    /// In the order of joining. Shared, so that a push in flight keeps the recipients of its moment.
    pub members: Arc<Vec<UserId>>,
    /// The newest entry of its timeline.
    pub last: Seq,
    /// Its name is free again; its messages stay readable.
    pub deleted: bool,
    /// The memberships that refer to it, ended ones included. A deleted group without any is forgotten.
    pub references: usize,
}
