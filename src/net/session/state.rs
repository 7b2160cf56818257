//! The session's state: the user that a connection is attached to.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::chat::{Command, CommandError, Context, IdempotencyKey, State};
use crate::hub::{Executed, Hub, Origin, SendQueue, Ticket};
use crate::id::{SessionId, Token, TokenHash, UserId};
use crate::limits::{
    CHANGE_COST, COST_STEP, RECEIVER_COST, SESSION_TOUCH, UNAUTHENTICATED_REQUEST, UNAUTHENTICATED_REQUESTS,
};
use crate::net::budget::{Credit, UserBudget, change_bytes};
use crate::net::context::{Policy, ServerContext};
use crate::net::link_carrier::HalfLink;
use crate::net::origin::origin;
use crate::net::turns::{AwaitedTurn, Owner, OwnersTurn};
use crate::time::Time;

/// One connection's session.
pub(in crate::net) struct Session {
    pub(super) server: Arc<ServerContext>,
    /// The server's, as of the newest read.
    policy: Arc<Policy>,
    pub(super) send_queue: Arc<SendQueue>,
    pub(in crate::net) address: IpAddr,
    /// The connection's place among those that were admitted.
    pub(super) place: u64,
    pub(super) attachment: Option<Attachment>,
    /// Boxed, and only for a connection that sends, so that an idle one stays small.
    credit: Option<Box<Credit>>,
    /// The user of the last tagged request, if there may be some in flight.
    tagged: Option<Box<(UserId, Arc<UserBudget>)>>,
    /// The cost of changes that are not in the batch yet.
    cost: u64,
    /// When the requests without a login are forgiven.
    unauthenticated_until: Option<Instant>,
    /// The connection is to become a link.
    pub(in crate::net) half_link: Option<Box<HalfLink>>,
}

/// The session that a connection is attached to.
#[derive(Clone, Copy)]
pub(super) struct Attachment {
    pub(super) actor: Actor,
    pub(super) origin: SessionOrigin,
}

/// How a connection came by its session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionOrigin {
    /// By logging in at a text listener: the session ends with the connection.
    Ephemeral,
    /// By logging in. Nothing was asked for since.
    LoggedIn,
    /// By logging in; the token was not presented since.
    InUse,
    /// The client presents its token.
    Token,
}

/// The user that a request acts for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Actor {
    pub(super) user: UserId,
    pub(super) session: SessionId,
    /// The session's. A failed commit takes a session number back, and it may be given to another user: the token
    /// distinguishes the two.
    pub(super) token: TokenHash,
}

/// A request that is being served: its actor, its time, and under which idempotency key.
#[derive(Clone, Copy)]
pub(super) struct Acting {
    pub(super) actor: Actor,
    pub(super) now: Time,
    pub(super) key: Option<IdempotencyKey>,
}

impl Session {
    pub(in crate::net) fn new(
        server: Arc<ServerContext>,
        send_queue: Arc<SendQueue>,
        address: IpAddr,
        place: u64,
    ) -> Self {
        Self {
            policy: server.policy.load_full(),
            server,
            send_queue,
            address,
            place,
            attachment: None,
            credit: None,
            tagged: None,
            cost: 0,
            unauthenticated_until: None,
            half_link: None,
        }
    }

    pub(in crate::net) fn server(&self) -> Arc<ServerContext> {
        self.server.clone()
    }

    pub(super) fn hub(&self) -> &Hub {
        &self.server.hub
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What stands beside a command or query of the request.
    pub(super) fn context(&self, acting: Acting) -> Context<'_> {
        let Actor { user, session, .. } = acting.actor;
        let policy = &self.policy.chat;
        Context {
            user: Some(user),
            session: Some(session),
            now: acting.now,
            paced: acting.now.paced(),
            recipient_online: None,
            inboxes: None,
            policy,
        }
    }

    /// The origin of the request's commands.
    pub(super) fn origin<'a>(&'a self, acting: &'a Acting) -> Origin<'a> {
        Origin::new(Some(&self.send_queue), acting.key.as_ref())
    }

    /// The user that a request acts for: its token's session, or the one that the connection is attached to. A token
    /// attaches a connection that is not attached.
    pub(super) fn identify(&mut self, token: Option<&Token>, now: Time) -> Result<Actor, CommandError> {
        let ((found, is_attached), _) = self.hub().read(|state| {
            let attached = self.session_of_connection(state, now);
            let found = match token {
                Some(token) => self.session_of_token(state, token, now),
                None => attached,
            };
            (found, attached.is_some())
        });
        let (actor, is_unused) = found.ok_or(CommandError::NoSession)?;
        if is_unused {
            self.hub().execute(&Context::server(now), &Command::TouchSession { session: actor.session });
        }
        self.send_queue.record_use(now);
        if !is_attached {
            self.attach(actor, SessionOrigin::Token);
        } else if token.is_some() {
            self.record_token_use(actor);
        }
        Ok(actor)
    }

    fn record_token_use(&mut self, actor: Actor) {
        match &mut self.attachment {
            Some(attachment) if attachment.actor == actor => attachment.origin = SessionOrigin::Token,
            _ => self.hub().record_token_use(actor.session),
        }
    }

    fn session_of_token(&self, state: &State, token: &Token, now: Time) -> Option<(Actor, bool)> {
        let (session, _) = state.session_of(&token.hash())?;
        self.usable(state, session, now)
    }

    fn session_of_connection(&self, state: &State, now: Time) -> Option<(Actor, bool)> {
        let attached = self.attachment?.actor;
        self.usable(state, attached.session, now).filter(|(actor, _)| *actor == attached)
    }

    /// The session if it is still open, and whether its use is to be recorded.
    fn usable(&self, state: &State, id: SessionId, now: Time) -> Option<(Actor, bool)> {
        let session = state.session(id)?;
        let unused = now.since(session.used);
        let idle = self.policy().session_idle;
        let is_valid = unused < idle || now.paced().since(session.used) < idle;
        let actor = Actor { user: session.user, session: id, token: session.token };
        is_valid.then_some((actor, unused >= SESSION_TOUCH))
    }

    /// Attaches the connection; an earlier attachment ends. A user who logs in again does not go offline meanwhile.
    pub(super) fn attach(&mut self, actor: Actor, origin: SessionOrigin) {
        let old = self.attachment.replace(Attachment { actor, origin });
        if let Some(old) = old
            && old.actor.user != actor.user
        {
            self.hub().detach(old.actor.user, &self.send_queue);
        }
        self.hub().attach(actor.user, actor.session, origin == SessionOrigin::Token, &self.send_queue);
        if old.is_none_or(|old| old.actor.user != actor.user) {
            self.server.admission.log_in(self.place, actor.user);
        }
        self.close_ephemeral(old);
    }

    fn close_ephemeral(&self, attachment: Option<Attachment>) {
        if let Some(attachment) = attachment.filter(|attachment| attachment.origin == SessionOrigin::Ephemeral) {
            let close = Command::CloseSession { session: attachment.actor.session };
            self.hub().execute(&Context::server(Time::now()), &close);
        }
    }

    /// Takes from the budget of the acting user for a command.
    fn take_budget(&mut self, acting: &Acting, command: &Command) -> Result<(), CommandError> {
        let user = acting.actor.user;
        let budgets = &self.server.budgets;
        let Some(bytes) = change_bytes(command).filter(|_| self.is_own(acting.actor)) else {
            return budgets.take(user, command);
        };
        let is_of_user = self.credit.as_ref().is_some_and(|credit| credit.user == user);
        if !is_of_user {
            self.give_credit_back();
        }
        let budgets = &self.server.budgets;
        budgets.take_from(self.credit.get_or_insert_with(|| Box::new(budgets.credit(user))), bytes)
    }

    fn give_credit_back(&mut self) {
        if let Some(mut credit) = self.credit.take() {
            self.server.budgets.give_back(&mut credit);
        }
    }

    /// What was received so far was sent before the replies to it could be read: only those that left before count as read.
    pub(in crate::net) fn begin_read(&mut self) {
        self.take_over_policy();
        if let Some((_, budget)) = self.tagged.as_deref() {
            budget.tags.settle(&self.send_queue);
        }
    }

    /// Takes over a policy that was changed meanwhile.
    fn take_over_policy(&mut self) {
        let current = self.server.policy.load();
        if !Arc::ptr_eq(&self.policy, &current) {
            self.policy = Arc::clone(&current);
            // It was taken at the rates of before.
            self.credit = None;
        }
    }

    /// Counts a tagged request: no more may be in flight than are remembered.
    pub(super) fn take_tag(&mut self, user: UserId) -> Result<(), CommandError> {
        let is_other = self.tagged.as_ref().is_none_or(|tagged| tagged.0 != user);
        if is_other {
            self.tagged = Some(Box::new((user, self.server.budgets.of(user))));
        }
        self.tagged.as_ref().map_or(Ok(()), |tagged| tagged.1.tags.take(&self.send_queue))
    }

    /// Counts a request of a connection that has not logged in.
    pub(super) fn take_unauthenticated(&mut self) -> Result<(), CommandError> {
        let now = Instant::now();
        let until = self.unauthenticated_until.map_or(now, |until| until.max(now)) + UNAUTHENTICATED_REQUEST;
        let over = (until - now).saturating_sub(UNAUTHENTICATED_REQUEST * UNAUTHENTICATED_REQUESTS);
        if !over.is_zero() {
            return Err(CommandError::SlowDown(over.as_secs() as u32 + 1));
        }
        self.unauthenticated_until = Some(until);
        Ok(())
    }

    /// Whether the request acts for the user that the connection is attached to.
    pub(super) fn is_own(&self, actor: Actor) -> bool {
        self.attachment.is_some_and(|attachment| attachment.actor.user == actor.user)
    }

    pub(in crate::net) fn send_replies(&self) {
        self.hub().send_replies(&self.send_queue);
    }

    /// The owner of the connection's work.
    pub(in crate::net) fn owner(&self) -> Owner {
        match self.attachment {
            Some(attachment) => Owner::User(attachment.actor.user),
            None => Owner::Address(origin(self.address)),
        }
    }

    /// Takes the turn of the connection's owner. If another connection has it, this one's replies leave, and it has to wait.
    pub(in crate::net) fn try_take_turn(&self) -> Result<OwnersTurn, AwaitedTurn> {
        self.server.turns.try_take(self.owner()).inspect_err(|_| self.send_replies())
    }

    /// Decides a change of the request, within the budget of its user, and counts what it costs.
    pub(super) fn execute(&mut self, acting: Acting, recipient_online: Option<bool>, command: &Command) -> Executed {
        if let Err(error) = self.take_budget(&acting, command) {
            return Executed::unchanged(Err(error), Ticket::NONE);
        }
        let context = Context { recipient_online, ..self.context(acting) };
        let executed = self.hub().execute_for(&context, command, self.origin(&acting));
        if executed.result.is_ok() {
            self.add_cost(command, executed.receivers);
        } else {
            self.server.budgets.refund(acting.actor.user, command);
        }
        executed
    }

    fn add_cost(&mut self, command: &Command, members: usize) {
        let is_for_all = matches!(command, Command::Broadcast { .. });
        let receivers = if is_for_all { self.hub().online_count() } else { members };
        self.cost += CHANGE_COST + change_bytes(command).unwrap_or(0) + receivers as u64 * RECEIVER_COST;
    }

    /// Whether changes cost so much that the connection must wait, or may have to.
    pub(in crate::net) fn is_costly(&self) -> bool {
        self.cost >= COST_STEP
    }

    /// Whether [`Session::wait_for_the_hub`] would do anything.
    pub(in crate::net) fn must_wait_for_the_hub(&self) -> bool {
        self.is_costly() || !self.hub().has_capacity()
    }

    /// Waits while too much waits for the disk, over all connections or of the connection's owner; or while too many pushes
    /// of the owner's messages wait to be written.
    pub(in crate::net) async fn wait_for_the_hub(&mut self) {
        while !self.hub().has_capacity() {
            self.send_replies();
            self.hub().wait_for_capacity().await;
        }
        if self.is_costly() {
            self.wait_for_share().await;
        }
    }

    /// Whether the connection's owner has used its share of the batch that is being gathered, on whatever connections.
    pub(in crate::net) fn has_used_share(&mut self) -> bool {
        self.server.turns.add_cost(self.owner(), std::mem::take(&mut self.cost), self.hub().gathered_batch())
    }

    /// Whether [`Session::wait_for_share`] would wait. Costs no lock while nobody has used a share.
    pub(in crate::net) fn must_wait_for_share(&mut self) -> bool {
        self.server.turns.any_has_used_share() && self.has_used_share()
    }

    /// Waits while the connection's owner has used its share of the batch.
    pub(in crate::net) async fn wait_for_share(&mut self) {
        let owner = self.owner();
        let mut batch = self.hub().gathered_batch();
        while self.server.turns.add_cost(owner, std::mem::take(&mut self.cost), batch) {
            self.send_replies();
            self.hub().wait_for_batch(batch).await;
            let next = self.hub().gathered_batch();
            // Nothing of it waits for the disk: what was counted was taken back, or changed nothing.
            if next == batch {
                self.server.turns.forget_costs(batch);
                break;
            }
            batch = next;
        }
        if let Owner::User(user) = owner
            && self.hub().is_far_ahead(user)
        {
            self.send_replies();
            self.hub().wait_for_pushes(user).await;
        }
    }

    /// Resumes pushes after a lag, once the reader has caught up.
    pub(in crate::net) fn resume_pushes_if_drained(&self) {
        if let Some(attachment) = self.attachment
            && self.send_queue.status().is_drained_after_lag
        {
            self.hub().recover(attachment.actor.user, &self.send_queue);
        }
    }

    /// The connection is over: its user may be offline now.
    pub(in crate::net) fn end(&mut self) {
        self.give_credit_back();
        // Many connections that close after a few changes each would have them at no cost.
        if self.cost > 0 {
            self.has_used_share();
        }
        let Some(attachment) = self.attachment.take() else { return };
        self.hub().detach(attachment.actor.user, &self.send_queue);
        self.close_ephemeral(Some(attachment));
    }
}
