//! The operator at the server's own machine, who has the commands of administrators without an account: of a running
//! server by its admin socket, of a stopped one on its data directory (PROTOCOL §8).

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tracing::info;

use crate::chat::{
    Command, CommandError, Context, LinkStatus, PasswordHash, Process, Response, SessionStanding, Stats, answer,
};
use crate::hub::{CommitStatus, Executed, Hub, Origin, Ticket};
use crate::id::{RealmId, SessionId, UserId};
use crate::net::context::{Policy, ServerContext};
use crate::net::session::administration::{make_invite, new_account};
use crate::password;
use crate::settings::Language;
use crate::time::Time;
use crate::wire::{
    self, Action, ParseError, Parsed, Render, ReplyContext, ReplyFormat, Request, SessionRequest, audited_words, parse,
};

/// The operator, of a server that runs or of a store.
pub(crate) struct Operator {
    hub: Hub,
    policy: Arc<Policy>,
    /// `None` if no server runs.
    services: Option<Arc<ServerContext>>,
}

/// The reply to a request of the operator, once its ticket is settled.
pub(crate) struct OperatorReply {
    outcome: Outcome,
    pub(crate) ticket: Ticket,
    /// Of the lines for people.
    language: Language,
}

enum Outcome {
    Answered(Box<ReplyContext>, Result<Response, CommandError>),
    Rejected(ParseError),
    /// Not a request, or one for users.
    NotForOperators,
}

impl Operator {
    pub(crate) fn of_server(services: &Arc<ServerContext>) -> Self {
        Self { hub: services.hub.clone(), policy: services.policy.load_full(), services: Some(services.clone()) }
    }

    pub(crate) fn of_store(hub: Hub, policy: Policy) -> Self {
        Self { hub, policy: Arc::new(policy), services: None }
    }

    pub(crate) async fn answer(&self, line: &str) -> OperatorReply {
        let request = match parse(line) {
            Parsed::Request(request) if request.spec.is_administrative => request,
            Parsed::Rejected(error) => return self.reply(Outcome::Rejected(error), Ticket::NONE),
            Parsed::Request(_) | Parsed::Blank | Parsed::Http => {
                return self.reply(Outcome::NotForOperators, Ticket::NONE);
            }
        };
        let (words, context) = (audited_words(&request, line), request.context());
        let Executed { result, ticket, .. } = self.perform(request).await;
        let code = result.as_ref().map_or_else(|error| wire::code(*error), |_| "ok");
        let words = words.unwrap_or_default();
        info!(target: "kabar::audit", by = "operator", address = "local", command = &*words, result = code, "administration");
        self.reply(Outcome::Answered(Box::new(context), result), ticket)
    }

    fn reply(&self, outcome: Outcome, ticket: Ticket) -> OperatorReply {
        OperatorReply { outcome, ticket, language: self.policy.language }
    }

    async fn perform(&self, request: Request) -> Executed {
        let now = Time::now();
        let context = Context { policy: &self.policy.chat, paced: now.paced(), ..Context::server(now) };
        match request.action {
            Action::Change(command) => {
                let executed = self.hub.execute(&context, &command).settled().await;
                self.services.iter().for_each(|services| services.enforce(&command, &executed));
                executed
            }
            Action::Read(query) => {
                let (result, ticket) = self.hub.read(|state| answer(state, &context, &query, self));
                Executed::unchanged(result, ticket)
            }
            Action::Session(SessionRequest::Invite { uses, days }) => {
                make_invite(&self.hub, &context, Origin::default(), (uses, days)).await
            }
            Action::Session(SessionRequest::SetPassword { user, password }) => match self.hash(password).await {
                Ok(password) => self.hub.execute(&context, &Command::SetPassword { user, password }).settled().await,
                Err(error) => refused(error),
            },
            Action::Session(SessionRequest::AddUser { user, password, profile }) => match self.hash(password).await {
                Ok(password) => self.hub.execute(&context, &new_account(user, password, profile)).settled().await,
                Err(error) => refused(error),
            },
            Action::Session(_) => refused(CommandError::Forbidden),
        }
    }

    async fn hash(&self, password: SecretString) -> Result<PasswordHash, CommandError> {
        if password.expose_secret().len() < self.policy.password_min_bytes {
            return Err(CommandError::PasswordTooShort);
        }
        match &self.services {
            Some(services) => services.passwords.hash(IpAddr::V4(Ipv4Addr::LOCALHOST), password).await,
            None => password::hash(&password).map_err(|_| CommandError::Busy),
        }
    }
}

fn refused(error: CommandError) -> Executed {
    Executed::unchanged(Err(error), Ticket::NONE)
}

impl OperatorReply {
    /// The reply as a program reads it: a frame of the json listener; and after it as a person does: the lines of the text
    /// listener.
    pub(crate) fn render(&self, status: CommitStatus) -> Vec<u8> {
        let mut out = Vec::new();
        for format in [ReplyFormat::Json, ReplyFormat::Text(self.language)] {
            self.render_in(&*format, status, &mut out);
        }
        out
    }

    fn render_in(&self, format: &dyn Render, status: CommitStatus, out: &mut Vec<u8>) {
        match (&self.outcome, status) {
            (Outcome::Answered(context, _), CommitStatus::Failed(error)) => format.reply(out, context, Err(error)),
            (Outcome::Answered(context, result), _) => {
                format.reply(out, context, result.as_ref().map_err(|error| *error))
            }
            (Outcome::Rejected(error), _) => format.reject(out, error),
            (Outcome::NotForOperators, _) => format.fail(out, None, CommandError::Forbidden),
        }
    }
}

impl Process for Operator {
    fn is_online(&self, user: UserId) -> bool {
        self.hub.is_online(user)
    }

    fn last_seen(&self, user: UserId) -> Option<Time> {
        self.hub.last_seen(user)
    }

    fn last_use(&self, user: UserId, session: SessionId, now: Time) -> Option<Time> {
        let known = self.hub.session_use(user, session)?;
        Some(if known.standing == SessionStanding::Connected { now } else { known.at })
    }

    fn online(&self, limit: usize) -> Vec<UserId> {
        self.hub.online(limit)
    }

    fn counts(&self) -> Stats {
        self.services.as_ref().map_or_else(Stats::default, |services| services.counts())
    }

    fn link_status(&self, realm: RealmId) -> LinkStatus {
        let status = |services: &Arc<ServerContext>| services.federation.manager.status(realm);
        self.services.as_ref().map_or_else(LinkStatus::default, status)
    }
}
