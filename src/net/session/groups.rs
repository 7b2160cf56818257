//! Group commands with a password (PROTOCOL §4, §7).

use secrecy::SecretString;

use crate::chat::{Command, CommandError, PasswordHash, Response, owned_group};
use crate::name::Name;
use crate::net::session::reply::PendingReply;
use crate::net::session::state::{Acting, Session};
use crate::net::throttle::LoginTarget;

impl Session {
    /// A name that is taken costs no hash.
    pub(super) async fn create_group(&mut self, acting: Acting, name: Name, password: SecretString) -> PendingReply {
        if let Some(done) = self.done_before(&acting, Response::Done) {
            return done.into();
        }
        let (is_taken, ticket) = self.hub().read(|state| state.group_named(&name).is_some());
        if is_taken {
            return PendingReply::new(Err(CommandError::GroupExists), ticket);
        }
        let password = match self.hash_new(password).await {
            Ok(hash) => Some(hash),
            Err(error) => return error.into(),
        };
        self.execute(acting, None, &Command::CreateGroup { name, password }).into()
    }

    /// A user who does not own the group costs no hash.
    pub(super) async fn change_group_password(
        &mut self,
        acting: Acting,
        group: Name,
        password: SecretString,
    ) -> PendingReply {
        if let Some(done) = self.done_before(&acting, Response::GroupPasswordChanged { closed: true }) {
            return done.into();
        }
        let context = self.context(acting);
        let (allowed, ticket) = self.hub().read(|state| owned_group(state, &context, &group).map(drop));
        if let Err(error) = allowed {
            return PendingReply::new(Err(error), ticket);
        }
        let password = match self.hash_new(password).await {
            Ok(hash) => Some(hash),
            Err(error) => return error.into(),
        };
        self.execute(acting, None, &Command::ChangeGroupPassword { group, password }).into()
    }

    pub(super) async fn join_group(&mut self, acting: Acting, group: Name, password: SecretString) -> PendingReply {
        if let Some(done) = self.done_before(&acting, Response::Done) {
            return done.into();
        }
        let verified = match self.verify_for_group(acting, &group, password).await {
            Ok(verified) => verified,
            Err(reply) => return reply,
        };
        self.execute(acting, None, &Command::JoinGroup { group, verified }).into()
    }

    /// The hash that the password was verified against; `None` if the group needs none, or the user is a member.
    async fn verify_for_group(
        &mut self,
        acting: Acting,
        name: &Name,
        password: SecretString,
    ) -> Result<Option<PasswordHash>, PendingReply> {
        let (needed, ticket) = self.hub().read(|state| {
            let (id, group) = state.group_named(name)?;
            let is_member = state.user(acting.actor.user).is_some_and(|user| user.is_member(id));
            group.password.clone().filter(|_| !is_member)
        });
        let Some(hash) = needed else { return Ok(None) };
        match self.check_password(LoginTarget::Group(name.folded()), false, password, &hash).await {
            Ok(()) => Ok(Some(hash)),
            Err(error) => Err(PendingReply::new(Err(error), ticket)),
        }
    }
}
