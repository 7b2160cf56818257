//! Making and joining groups (PROTOCOL §4).

use std::time::Instant;

use secrecy::SecretString;

use crate::chat::{Command, Outcome, PasswordHash, Refusal};
use crate::limits::LIST_NAMES;
use crate::name::Name;
use crate::net::session::{Answer, Identity, Session};
use crate::net::throttle::Door;

impl Session {
    pub(super) async fn create_group(&mut self, who: Identity, name: Name, password: Option<SecretString>) -> Answer {
        let (taken, ticket) = self.hub().read(|state| state.group_named(&name).is_some());
        // A tagged request may be the one that made the group, sent again.
        if taken && self.once.is_none() {
            return Answer { result: Err(Refusal::GroupExists), ticket };
        }
        let password = match password {
            None => None,
            Some(password) => {
                if self.is_too_short(&password) {
                    return Refusal::PasswordTooShort.into();
                }
                self.send_replies();
                match self.services.passwords.hash(password).await {
                    Ok(hash) => Some(hash),
                    Err(refusal) => return refusal.into(),
                }
            }
        };
        let executed = self.execute(&Command::CreateGroup { owner: who.user, name, password });
        Answer::of(executed, |_| Outcome::GroupCreated)
    }

    pub(super) async fn join_group(&mut self, who: Identity, group: Name, password: Option<SecretString>) -> Answer {
        let with_password = password.is_some();
        let verified = match self.verify_for_group(who, &group, password).await {
            Ok(verified) => verified,
            Err(answer) => return answer,
        };
        let executed = self.execute(&Command::JoinGroup { user: who.user, group, verified });
        Answer::of(executed, |_| Outcome::GroupJoined { with_password })
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
        let door = Door::Group(name.key());
        if !self.services.throttle.admits(self.address, door, Instant::now()) {
            return Err(Refusal::Throttled.into());
        }
        self.send_replies();
        if self.services.passwords.verify(password, hash.clone()).await? {
            return Ok(Some(hash));
        }
        self.services.throttle.failed(self.address, door, Instant::now());
        Err(Answer { result: Err(Refusal::WrongPassword), ticket })
    }

    pub(super) fn groups(&self, who: Identity) -> Answer {
        let (names, ticket) = self.hub().read(|state| {
            let memberships = state.user(who.user).map_or(&[][..], |user| &user.memberships);
            let current = memberships.iter().filter(|membership| membership.left.is_none());
            current.filter_map(|membership| Some(state.group(membership.group)?.name.clone())).collect()
        });
        Answer { result: Ok(Outcome::Groups(names)), ticket }
    }

    pub(super) fn members(&self, who: Identity, name: &Name) -> Answer {
        let (result, ticket) = self.hub().read(|state| {
            let (id, group) = state.group_named(name).ok_or(Refusal::GroupNotFound)?;
            if !state.user(who.user).is_some_and(|user| user.is_member(id)) {
                return Err(Refusal::NotMember);
            }
            let members = group.members.iter().take(LIST_NAMES);
            let names = members.filter_map(|member| Some(state.user(*member)?.name.clone())).collect();
            Ok(Outcome::Members(names))
        });
        Answer { result, ticket }
    }
}
