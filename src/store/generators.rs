//! Generators of commands for property tests: every kind of command, for few users, groups and realms, so that commands
//! affect each other. A command is a function of the generated numbers and the state, so a seed reproduces a run.

mod administration;
mod peers;

use proptest::prelude::*;

use crate::chat::{Command, Conversation, EscapedText, NewSession, PasswordHash, Policy, State};
use crate::id::{Seq, SessionId, TokenHash, UserId};
use crate::name::{Address, Name};
use crate::store::testing::{HASH, kinds};

kinds!(CommandKind of Command:
    Register, OpenSession, TouchSession, CloseSession, LogOut, RevokeSession, SetName,
    ChangePassword, Unregister, Block, Unblock,
    SendDirect, SendGroup, Broadcast, ReadInbox, Acknowledge, MarkRead, ReadPushed, ReadRealmInbox, CreateGroup, JoinGroup,
    LeaveGroup, Kick, DeleteGroup, ChangeGroupPassword, AddRealm, RemoveRealm, AddPeer, ConfigurePeer, RegisterPeer,
    BeginEpoch, Receive, AcknowledgeOutbox, ConfirmReceived,
    KickUser, Ban, Unban, LiftBan, LockUser, UnlockUser, SetPassword, Wall, MakeInvite, RevokeInvite,
);

impl CommandKind {
    /// How often the kind is generated, relative to the others.
    fn weight(self) -> usize {
        match self {
            Self::Unregister | Self::DeleteGroup => 1,
            Self::Acknowledge => 2,
            Self::SendDirect | Self::Receive | Self::MarkRead => 12,
            Self::SendGroup | Self::AddPeer | Self::AcknowledgeOutbox => 8,
            _ => 4,
        }
    }
}

/// The numbers from which a command is made.
#[derive(Clone, Debug)]
pub(super) struct GeneratedCommand {
    pub(super) kind: CommandKind,
    pub(super) user: u32,
    /// The user, group or realm that the command is about.
    pub(super) other: u32,
    pub(super) number: u64,
}

pub(super) fn any_command() -> impl Strategy<Value = GeneratedCommand> {
    let kinds = CommandKind::ALL.iter().flat_map(|kind| std::iter::repeat_n(*kind, kind.weight()));
    let kind = prop::sample::select(kinds.collect::<Vec<_>>());
    let numbers = (kind, 0..4_u32, 0..4_u32, 0..1_000_000_u64);
    numbers.prop_map(|(kind, user, other, number)| GeneratedCommand { kind, user, other, number })
}

/// One of the hashes that passwords have here.
fn hash(number: u64) -> PasswordHash {
    PasswordHash(HASH.replace("c29t", &format!("c2{:02}", number % 100)).into())
}

pub(super) fn name(kind: &str, number: u32) -> Name {
    Name::parse(&format!("{kind}{number}")).unwrap()
}

impl GeneratedCommand {
    /// The session that acts.
    pub(super) fn session(&self, state: &State) -> SessionId {
        nth_session(state, self.number)
    }

    /// A policy under which the acting user is an administrator now and then.
    pub(super) fn policy(&self) -> Policy {
        let is_administrator = !self.number.is_multiple_of(3);
        let administrators = is_administrator.then(|| name("user", self.user).folded()).into_iter().collect();
        Policy { administrators, ..Policy::default() }
    }

    /// The command, for a state.
    pub(super) fn command(&self, state: &State) -> Command {
        let Self { kind, other, number, .. } = *self;
        let user = UserId(self.user.into());
        let (text, group) = (EscapedText::new(&format!("halo {number}")), name("group", other % 2));
        let within = Seq(number % (state.head().0 + 1));
        let nth = other as usize % state.realms().count();
        let (realm, known) = state.realms().nth(nth).expect("the home realm at least");
        let at_realm = number.is_multiple_of(2).then(|| known.name.clone());
        let (to_user, to_group) = (
            Address { name: name("user", other), realm: at_realm.clone() },
            Address { name: group.clone(), realm: at_realm },
        );
        let (session, verified) = (nth_session(state, number), password_of(state, user));
        match kind {
            CommandKind::Register => Command::Register {
                name: name("user", self.user),
                full_name: "Full Náme".into(),
                country: "".into(),
                password: hash(number % 2),
                session: number.is_multiple_of(2).then(|| new_session(state, number)),
                invite: number.is_multiple_of(3).then(|| invite_code(number)),
            },
            CommandKind::OpenSession => {
                Command::OpenSession { user, verified, session: new_session(state, number), uses: Vec::new() }
            }
            CommandKind::TouchSession => Command::TouchSession { session },
            CommandKind::CloseSession => Command::CloseSession { session },
            CommandKind::RevokeSession => Command::RevokeSession { session },
            CommandKind::LogOut => Command::LogOut,
            CommandKind::SetName => Command::SetName { full_name: format!("Náme {}", number % 3).into() },
            CommandKind::ChangePassword => Command::ChangePassword { verified, password: hash(number) },
            CommandKind::Unregister => Command::Unregister { verified },
            CommandKind::Block => Command::Block { whom: to_user },
            CommandKind::Unblock => Command::Unblock { whom: to_user },
            CommandKind::SendDirect => Command::SendDirect { to: to_user, text },
            CommandKind::SendGroup => Command::SendGroup { to: to_group, text },
            CommandKind::Broadcast => Command::Broadcast { text },
            CommandKind::ReadInbox => {
                let from = state.user(user).map_or(Seq(0), |user| user.cursor);
                Command::ReadInbox { from, upto: within }
            }
            CommandKind::Acknowledge => Command::Acknowledge { upto: Seq(within.0 + number % 3).into() },
            CommandKind::MarkRead => {
                let conversation = match number % 5 {
                    0 | 1 => Conversation::User(to_user),
                    2 | 3 => Conversation::Group(to_group),
                    _ if number.is_multiple_of(2) => Conversation::Broadcast,
                    _ => Conversation::Server,
                };
                Command::MarkRead { conversation, upto: within.into() }
            }
            CommandKind::ReadPushed => {
                Command::ReadPushed { after: within, upto: Seq(within.0 + 1 + u64::from(other)) }
            }
            CommandKind::ReadRealmInbox => {
                let from = state.user(user).map_or(Seq(0), |user| user.realm_cursor(realm));
                Command::ReadRealmInbox { realm, from, upto: within }
            }
            CommandKind::CreateGroup => {
                Command::CreateGroup { name: group, password: number.is_multiple_of(2).then(|| hash(0)) }
            }
            CommandKind::JoinGroup => {
                let verified = state.group_named(&group).and_then(|(_, group)| group.password.clone());
                Command::JoinGroup { group, verified }
            }
            CommandKind::LeaveGroup => Command::LeaveGroup { group },
            CommandKind::Kick => Command::Kick { group, user: name("user", (number % 4) as u32) },
            CommandKind::DeleteGroup => Command::DeleteGroup { group },
            CommandKind::ChangeGroupPassword => {
                let password = number.is_multiple_of(3).then(|| hash(number));
                Command::ChangeGroupPassword { group, password }
            }
            CommandKind::AddRealm => Command::AddRealm { name: name("realm", other) },
            CommandKind::RemoveRealm => self.remove_realm(),
            CommandKind::AddPeer => self.add_peer(),
            CommandKind::ConfigurePeer => self.configure_peer(),
            CommandKind::RegisterPeer => Command::RegisterPeer(Box::new(self.peer_hello(state))),
            CommandKind::KickUser => Command::KickUser { user: to_user.name },
            CommandKind::Ban => self.ban(state),
            CommandKind::Unban => Command::Unban { subject: self.ban_subject(state) },
            CommandKind::LiftBan => self.lift_ban(state),
            CommandKind::LockUser => Command::LockUser { user: to_user.name },
            CommandKind::UnlockUser => Command::UnlockUser { user: to_user.name },
            CommandKind::SetPassword => Command::SetPassword { user: to_user.name, password: hash(number) },
            CommandKind::Wall => Command::Wall { text },
            CommandKind::MakeInvite => self.make_invite(),
            CommandKind::RevokeInvite => self.revoke_invite(state),
            CommandKind::BeginEpoch => self.begin_epoch(),
            CommandKind::Receive => self.receive(state),
            CommandKind::AcknowledgeOutbox => self.acknowledge_outbox(state),
            CommandKind::ConfirmReceived => self.confirm_received(state),
        }
    }
}

/// One of a few, so that some are made and used.
fn invite_code(number: u64) -> TokenHash {
    TokenHash([number as u8 % 4; 32])
}

fn nth_session(state: &State, n: u64) -> SessionId {
    let mut open: Vec<_> = state.sessions().map(|(id, _)| id).collect();
    open.sort();
    open.get(n as usize % open.len().max(1)).copied().unwrap_or_default()
}

fn new_session(state: &State, number: u64) -> NewSession {
    let token = TokenHash(std::array::from_fn(|i| (state.head().0 >> (8 * (i % 8))) as u8));
    let origin =
        if number.is_multiple_of(5) { [192, 0, 2, 7].into() } else { [0x2001, 0xdb8, 0, 0, 0, 0, 0, 7].into() };
    NewSession { token, ephemeral: number.is_multiple_of(3), origin }
}

fn password_of(state: &State, user: UserId) -> PasswordHash {
    state.user(user).map_or_else(|| PasswordHash("".into()), |user| user.password.clone())
}
