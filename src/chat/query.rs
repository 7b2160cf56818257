//! Queries: what can be read from the state at once, and the view that answers.

use crate::chat::error::CommandError;
use crate::chat::response::Response;
use crate::chat::rules::context::Context;
use crate::chat::state::State;
use crate::chat::views::administration;
use crate::chat::views::lists::{self, Process};
use crate::id::Seq;
use crate::name::Name;

/// A question that the state answers. The acting user stands in the [`Context`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    Whoami,
    Info {
        user: Name,
    },
    /// The online users.
    Online,
    Groups,
    Members {
        group: Name,
    },
    Blocks,
    Sessions,
    Realms,
    /// Bans in force, newest first. For administrators, like those below.
    Bans {
        /// Only older ones.
        before: Option<Seq>,
        limit: usize,
    },
    /// All accounts, in the order of registering.
    Users {
        after: Option<Name>,
        limit: usize,
    },
    Invites,
    Stats,
}

/// Answers a query.
///
/// # Errors
/// No such user or group, or not for this user.
pub fn answer(
    state: &State,
    context: &Context<'_>,
    query: &Query,
    process: &impl Process,
) -> Result<Response, CommandError> {
    match query {
        Query::Whoami => lists::whoami(state, context, process),
        Query::Info { user } => lists::info(state, context, user, process),
        Query::Online => Ok(lists::online(state, process)),
        Query::Groups => lists::groups(state, context),
        Query::Members { group } => lists::members(state, context, group),
        Query::Blocks => lists::blocks(state, context),
        Query::Sessions => lists::sessions(state, context, process),
        Query::Bans { before, limit } => administration::bans(state, context, *before, *limit),
        Query::Users { after, limit } => administration::users(state, context, (after.as_ref(), *limit), process),
        Query::Invites => administration::invites(state, context),
        Query::Stats => administration::stats(state, context, process),
        Query::Realms => Ok(lists::realms(state, context.now, process)),
    }
}
