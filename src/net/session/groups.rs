//! Groups: made, joined, left, ended (PROTOCOL §4, §7).

use secrecy::SecretString;

use crate::chat::{Command, CommandError, PasswordHash, Response};
use crate::limits::LIST_NAMES;
use crate::name::Name;
use crate::net::session::{Answer, Identity, Session};
use crate::net::throttle::LoginTarget;

impl Session {
    pub(super) async fn create_group(&mut self, who: Identity, name: Name, password: Option<SecretString>) -> Answer {
        if let Some(executed) = self.done_before() {
            return Answer::of(executed, |_| Response::GroupCreated);
        }
        let (taken, ticket) = self.hub().read(|state| state.group_named(&name).is_some());
        if taken {
            return Answer::new(Err(CommandError::GroupExists), ticket);
        }
        let password = match self.hash_for_group(password).await {
            Ok(hash) => hash,
            Err(error) => return error.into(),
        };
        let executed = self.execute(&Command::CreateGroup { owner: who.user, name, password });
        Answer::of(executed, |_| Response::GroupCreated)
    }

    async fn hash_for_group(&mut self, password: Option<SecretString>) -> Result<Option<PasswordHash>, CommandError> {
        let Some(password) = password else { return Ok(None) };
        if self.is_too_short(&password) {
            return Err(CommandError::PasswordTooShort);
        }
        self.send_replies();
        self.services.passwords.hash(password).await.map(Some)
    }

    pub(super) async fn change_group_password(
        &mut self,
        who: Identity,
        group: Name,
        password: Option<SecretString>,
    ) -> Answer {
        let closed = password.is_some();
        if let Some(executed) = self.done_before() {
            return Answer::of(executed, |_| Response::GroupPasswordChanged { closed });
        }
        let (is_owner, ticket) = self.hub().read(|state| state.group_named(&group).map(|(_, g)| g.owner == who.user));
        match is_owner {
            Some(true) => {}
            Some(false) => return Answer::new(Err(CommandError::NotOwner), ticket),
            None => return Answer::new(Err(CommandError::GroupNotFound), ticket),
        }
        let password = match self.hash_for_group(password).await {
            Ok(hash) => hash,
            Err(error) => return error.into(),
        };
        let change = Command::ChangeGroupPassword { owner: who.user, group, password };
        Answer::of(self.execute(&change), |_| Response::GroupPasswordChanged { closed })
    }

    pub(super) fn leave_group(&self, who: Identity, group: Name) -> Answer {
        let executed = self.execute(&Command::LeaveGroup { user: who.user, group });
        Answer::of(executed, |_| Response::GroupLeft)
    }

    pub(super) fn kick(&self, who: Identity, group: Name, user: Name) -> Answer {
        let executed = self.execute(&Command::Kick { owner: who.user, group, user });
        Answer::of(executed, |_| Response::Kicked)
    }

    pub(super) fn delete_group(&self, who: Identity, group: Name) -> Answer {
        let executed = self.execute(&Command::DeleteGroup { owner: who.user, group });
        Answer::of(executed, |_| Response::GroupDeleted)
    }

    pub(super) async fn join_group(&mut self, who: Identity, group: Name, password: Option<SecretString>) -> Answer {
        let with_password = password.is_some();
        let verified = match self.verify_for_group(who, &group, password).await {
            Ok(verified) => verified,
            Err(answer) => return answer,
        };
        let executed = self.execute(&Command::JoinGroup { user: who.user, group, verified });
        Answer::of(executed, |_| Response::GroupJoined { with_password })
    }

    /// The hash that the given password was found right against; none where none was given or none is needed.
    async fn verify_for_group(
        &mut self,
        who: Identity,
        name: &Name,
        password: Option<SecretString>,
    ) -> Result<Option<PasswordHash>, Answer> {
        let Some(password) = password else { return Ok(None) };
        let (needed, ticket) = self.hub().read(|state| {
            let (id, group) = state.group_named(name)?;
            let is_member = state.user(who.user).is_some_and(|user| user.is_member(id));
            group.password.clone().filter(|_| !is_member)
        });
        let Some(hash) = needed else { return Ok(None) };
        match self.check_password(LoginTarget::Group(name.folded()), password, &hash).await {
            Ok(()) => Ok(Some(hash)),
            Err(error) => Err(Answer::new(Err(error), ticket)),
        }
    }

    pub(super) fn groups(&self, who: Identity) -> Answer {
        let (result, ticket) = self.hub().read(|state| {
            let user = state.user(who.user).ok_or(CommandError::NoSession)?;
            Ok(Response::Groups(state.groups_of(user).map(|(_, group)| group.name.clone()).collect()))
        });
        Answer::new(result, ticket)
    }

    pub(super) fn members(&self, who: Identity, name: &Name) -> Answer {
        let (result, ticket) = self.hub().read(|state| {
            let (id, group) = state.group_named(name).ok_or(CommandError::GroupNotFound)?;
            if !state.user(who.user).is_some_and(|user| user.is_member(id)) {
                return Err(CommandError::NotMember);
            }
            let members = group.members.iter().take(LIST_NAMES);
            let names = members.filter_map(|member| Some(state.user(*member)?.name.clone())).collect();
            let owner = state.user(group.owner).map(|owner| owner.name.clone());
            Ok(Response::Members { names, owner })
        });
        Answer::new(result, ticket)
    }
}
