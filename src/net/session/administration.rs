//! Commands of administrators (PROTOCOL §8), and the audit of each.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tracing::info;

use crate::chat::{Command, CommandError, Context, PasswordHash, Response, invite_status};
use crate::hub::{Executed, Hub, Origin};
use crate::id::InviteCode;
use crate::name::Name;
use crate::net::session::reply::{Dispatched, PendingReply};
use crate::net::session::state::{Acting, Session};
use crate::wire::{self, NewProfile};

/// An entry of the audit log.
struct AuditEntry {
    command: Box<str>,
    by: Name,
    address: IpAddr,
}

impl Session {
    /// Serves an administrator's command, and records the request, its author, address and result.
    pub(super) fn dispatch_audited<'a>(
        &'a mut self,
        acting: Acting,
        command: Box<str>,
        dispatch: impl FnOnce(&'a mut Self) -> Dispatched<'a>,
    ) -> Dispatched<'a> {
        let (by, ticket) = self.hub().read(|state| state.user(acting.actor.user).map(|user| user.name.clone()));
        let Some(by) = by else { return Dispatched::Ready(CommandError::NoSession.into()) };
        let entry = AuditEntry { command, by, address: self.address.to_canonical() };
        if !self.policy().chat.is_administrator(&entry.by) {
            // Others are free to try, and not to fill the log.
            if self.server.logged_intrusions.allows(entry.address, Instant::now()).is_some() {
                entry.record(Err(CommandError::Forbidden));
            }
            return Dispatched::Ready(PendingReply::new(Err(CommandError::Forbidden), ticket));
        }
        match dispatch(self) {
            Dispatched::Ready(reply) => {
                entry.record(reply.result.as_ref().map_err(|error| *error));
                Dispatched::Ready(reply)
            }
            Dispatched::Waiting(rest) => Dispatched::waiting(async move {
                let reply = rest.await;
                entry.record(reply.result.as_ref().map_err(|error| *error));
                reply
            }),
        }
    }

    pub(super) async fn set_password(&mut self, acting: Acting, user: Name, password: SecretString) -> PendingReply {
        if let Some(done) = self.done_before(&acting, Response::Done) {
            return done.into();
        }
        let password = match self.hash_new(password).await {
            Ok(password) => password,
            Err(error) => return error.into(),
        };
        let command = Command::SetPassword { user, password };
        self.hub().execute_for(&self.context(acting), &command, self.origin(&acting)).into()
    }

    pub(super) async fn add_user(
        &mut self,
        acting: Acting,
        user: Name,
        password: SecretString,
        profile: Option<NewProfile>,
    ) -> PendingReply {
        if let Some(done) = self.done_before(&acting, Response::Done) {
            return done.into();
        }
        // Only the operator makes further administrators.
        if self.policy().chat.is_administrator(&user) {
            return CommandError::NameOfAdministrator.into();
        }
        let password = match self.hash_new(password).await {
            Ok(password) => password,
            Err(error) => return error.into(),
        };
        let command = new_account(user, password, profile);
        self.hub().execute_for(&self.context(acting), &command, self.origin(&acting)).into()
    }

    pub(super) async fn invite(&self, acting: Acting, uses: u32, days: u32) -> PendingReply {
        make_invite(self.hub(), &self.context(acting), self.origin(&acting), (uses, days)).await.into()
    }
}

/// An account that an administrator makes.
pub(in crate::net) fn new_account(name: Name, password: PasswordHash, profile: Option<NewProfile>) -> Command {
    let (full_name, country) = profile.map(|profile| (profile.full_name, profile.country)).unwrap_or_default();
    Command::Register { name, full_name, country, password, session: None, invite: None }
}

/// Makes an invite. Its code is in the response and nowhere else.
pub(in crate::net) async fn make_invite(
    hub: &Hub,
    context: &Context<'_>,
    origin: Origin<'_>,
    (uses, days): (u32, u32),
) -> Executed {
    let code = InviteCode::random();
    let lifetime = Duration::from_secs(u64::from(days) * 24 * 3_600);
    let command = Command::MakeInvite { code: code.hash(), uses, lifetime };
    let mut executed = hub.execute_for(context, &command, origin).settled().await;
    executed.result = executed.result.and_then(|_| {
        let made = hub.read(|state| {
            let (id, invite) = state.invite_of(&code.hash(), context.paced)?;
            Some(invite_status(state, context, id, invite))
        });
        let invite = made.0.ok_or(CommandError::InviteNotFound)?;
        Ok(Response::InviteMade { code: code.clone(), invite })
    });
    executed
}

impl AuditEntry {
    fn record(&self, result: Result<&Response, CommandError>) {
        let Self { command, by, address } = self;
        let result = result.map_or_else(wire::code, |_| "ok");
        info!(target: "kabar::audit", %by, %address, command = &**command, result, "administration");
    }
}
