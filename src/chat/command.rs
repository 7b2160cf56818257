//! Commands: every change there is, and the rule that decides it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::chat::error::{BounceReason, CommandError};
use crate::chat::event::Event;
use crate::chat::model::ban::{BanSubject, BanTarget};
use crate::chat::model::body::EscapedText;
use crate::chat::model::idempotency::Receipt;
use crate::chat::model::peer::PeerAddress;
use crate::chat::model::position::Position;
use crate::chat::model::remote_message::{Bounce, PeerHello, RemoteMessage};
use crate::chat::model::session::{NewSession, SessionEnd, SessionUse};
use crate::chat::model::user::PasswordHash;
use crate::chat::response::Response;
use crate::chat::rules::accounts::{self, NewAccount};
use crate::chat::rules::administration::{self, NewBan};
use crate::chat::rules::context::Context;
use crate::chat::rules::peers::{self, NewPeer};
use crate::chat::rules::{blocks, groups, messages, peer_registration, reading, realms, remote, sessions};
use crate::chat::state::State;
use crate::chat::views::history::Conversation;
use crate::id::{Epoch, PeerKey, RealmId, Seq, SessionId, TokenHash, UserId};
use crate::name::{Address, Name};

/// A change that a user or the server itself wants. The acting user stands in the [`Context`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Command {
    Register {
        name: Name,
        full_name: Box<str>,
        country: Box<str>,
        password: PasswordHash,
        /// The session to open; `None` for an account from the configuration.
        session: Option<NewSession>,
        /// The code that the user was invited with, if that is asked for.
        invite: Option<TokenHash>,
    },
    OpenSession {
        user: UserId,
        /// The hash that the given password was verified against; stale if the password changed meanwhile.
        verified: PasswordHash,
        session: NewSession,
        /// Of the user's other sessions, if these are as many as a user may have.
        uses: Vec<SessionUse>,
    },
    /// Record that a session is in use.
    TouchSession {
        session: SessionId,
    },
    /// End a session that expired or whose connection ended.
    CloseSession {
        session: SessionId,
    },
    LogOut,
    /// End a session of the user from another one.
    RevokeSession {
        session: SessionId,
    },
    SetName {
        full_name: Box<str>,
    },
    ChangePassword {
        /// As in [`Command::OpenSession`].
        verified: PasswordHash,
        password: PasswordHash,
    },
    Unregister {
        /// As in [`Command::OpenSession`].
        verified: PasswordHash,
    },
    Block {
        whom: Address,
    },
    Unblock {
        whom: Address,
    },
    SendDirect {
        to: Address,
        text: EscapedText,
    },
    SendGroup {
        to: Address,
        text: EscapedText,
    },
    Broadcast {
        text: EscapedText,
    },
    /// Move the inbox cursor over a page that was read.
    ReadInbox {
        /// The cursor's position when the page was read.
        from: Seq,
        upto: Seq,
    },
    /// Move the inbox cursor forward, past the messages that the client has handled.
    Acknowledge {
        upto: Position,
    },
    /// Move the read mark of a conversation forward.
    MarkRead {
        conversation: Conversation,
        upto: Position,
    },
    /// Record that a range was pushed live.
    ReadPushed {
        /// Exclusive start.
        after: Seq,
        upto: Seq,
    },
    /// Move the cursor in the view of a realm.
    ReadRealmInbox {
        realm: RealmId,
        /// The cursor's position when the page was read.
        from: Seq,
        upto: Seq,
    },
    CreateGroup {
        name: Name,
        password: Option<PasswordHash>,
    },
    JoinGroup {
        group: Name,
        /// The hash that the given password was verified against, if one was given and right.
        verified: Option<PasswordHash>,
    },
    LeaveGroup {
        group: Name,
    },
    Kick {
        group: Name,
        user: Name,
    },
    DeleteGroup {
        group: Name,
    },
    ChangeGroupPassword {
        group: Name,
        password: Option<PasswordHash>,
    },
    /// Give this server one more name.
    AddRealm {
        name: Name,
    },
    /// Forget a realm: a further name of this server, or another server and its outbox.
    RemoveRealm {
        name: Name,
        /// The text for users whose messages did not leave.
        lost: Box<str>,
    },
    /// Link another server.
    AddPeer {
        name: Name,
        /// The key that it has proven. A command without one is not decided: the node that leads dials the server first.
        key: Option<PeerKey>,
        address: PeerAddress,
    },
    /// Know another server as the configuration states it.
    ConfigurePeer {
        name: Name,
        key: Option<PeerKey>,
        address: Option<PeerAddress>,
    },
    RegisterPeer(Box<PeerHello>),
    /// End all sessions of a user, and the connections with them.
    KickUser {
        user: Name,
    },
    Ban {
        subject: BanSubject,
        /// `None` for ever.
        lifetime: Option<Duration>,
        reason: Box<str>,
    },
    Unban {
        subject: BanSubject,
    },
    /// Remove a ban that is over.
    LiftBan {
        target: BanTarget,
    },
    LockUser {
        user: Name,
    },
    UnlockUser {
        user: Name,
    },
    SetPassword {
        user: Name,
        password: PasswordHash,
    },
    /// Tell all users something in the name of the server.
    Wall {
        text: EscapedText,
    },
    MakeInvite {
        code: TokenHash,
        uses: u32,
        lifetime: Duration,
    },
    /// Remove an invite, or one that is over.
    RevokeInvite {
        invite: Seq,
    },
    BeginEpoch {
        /// Begins one after the current one, if that is not it.
        epoch: Epoch,
    },
    /// Accept messages of another server.
    Receive {
        realm: RealmId,
        epoch: Epoch,
        /// In the order of that server's numbers; an error for what cannot be a message here.
        messages: Vec<(Seq, Result<RemoteMessage, BounceReason>)>,
    },
    /// Record that another server has stored its outbox up to an entry.
    AcknowledgeOutbox {
        realm: RealmId,
        upto: Seq,
        bounces: Vec<Bounce>,
    },
    /// Record that another server has stored which of its messages were refused.
    ConfirmReceived {
        realm: RealmId,
        epoch: Epoch,
        upto: Seq,
    },
}

impl Command {
    /// Whether the command adds what stays: it is refused while the disk is nearly full.
    #[must_use]
    pub fn takes_room(&self) -> bool {
        matches!(
            self,
            Self::Register { .. }
                | Self::SetName { .. }
                | Self::Block { .. }
                | Self::SendDirect { .. }
                | Self::SendGroup { .. }
                | Self::Broadcast { .. }
                | Self::Wall { .. }
                | Self::MakeInvite { .. }
                | Self::CreateGroup { .. }
                | Self::JoinGroup { .. }
                | Self::AddRealm { .. }
                | Self::AddPeer { .. }
                | Self::RegisterPeer(_)
                | Self::Receive { .. }
        )
    }

    /// Whether it links a server that is to be dialled first.
    #[must_use]
    pub fn needs_dial(&self) -> bool {
        matches!(self, Self::AddPeer { key: None, .. })
    }

    /// Whether it is of a link to another server.
    #[must_use]
    pub fn is_of_links(&self) -> bool {
        matches!(
            self,
            Self::AddPeer { key: Some(_), .. }
                | Self::ConfigurePeer { .. }
                | Self::RegisterPeer(_)
                | Self::Receive { .. }
                | Self::AcknowledgeOutbox { .. }
                | Self::ConfirmReceived { .. }
        )
    }

    /// Why the sessions ended that the command ends.
    #[must_use]
    pub fn session_end(&self) -> SessionEnd {
        match self {
            Self::LogOut => SessionEnd::LoggedOut,
            Self::RevokeSession { .. } => SessionEnd::Revoked,
            Self::ChangePassword { .. } | Self::SetPassword { .. } => SessionEnd::PasswordChanged,
            Self::KickUser { .. } => SessionEnd::Kicked,
            Self::Ban { .. } => SessionEnd::Banned,
            Self::LockUser { .. } => SessionEnd::Locked,
            Self::OpenSession { .. } => SessionEnd::TooManySessions,
            Self::Unregister { .. } => SessionEnd::Unregistered,
            // One that ends with its connection has nobody to notify.
            _ => SessionEnd::Expired,
        }
    }
}

/// Decides a command: its events (none if nothing is to change), or why not. Pure.
///
/// # Errors
/// The [`CommandError`], which is the error reply's `code`.
pub fn decide(state: &State, context: &Context<'_>, command: &Command) -> Result<Vec<Event>, CommandError> {
    match command {
        Command::Register { name, full_name, country, password, session, invite } => {
            let (session, invite) = (*session, invite.as_ref());
            accounts::register(state, context, &NewAccount { name, full_name, country, password, session, invite })
        }
        Command::OpenSession { user, verified, session, uses } => {
            sessions::open(state, context, *user, verified, *session, uses)
        }
        Command::TouchSession { session } => sessions::touch(state, context, *session),
        Command::CloseSession { session } => sessions::close(state, *session),
        Command::LogOut => sessions::log_out(state, context),
        Command::RevokeSession { session } => sessions::revoke(state, context, *session),
        Command::SetName { full_name } => accounts::set_name(state, context, full_name),
        Command::ChangePassword { verified, password } => accounts::change_password(state, context, verified, password),
        Command::Unregister { verified } => accounts::unregister(state, context, verified),
        Command::Block { whom } => blocks::block(state, context, whom),
        Command::Unblock { whom } => blocks::unblock(state, context, whom),
        Command::SendDirect { to, text } => messages::send_direct(state, context, to, text),
        Command::SendGroup { to, text } => messages::send_group(state, context, to, text),
        Command::Broadcast { text } => messages::broadcast(state, context, text),
        Command::ReadInbox { from, upto } => reading::read_inbox(state, context, *from, *upto),
        Command::Acknowledge { upto } => reading::acknowledge(state, context, *upto),
        Command::MarkRead { conversation, upto } => reading::mark_read(state, context, conversation, *upto),
        Command::ReadPushed { after, upto } => reading::read_pushed(state, context, *after, *upto),
        Command::ReadRealmInbox { realm, from, upto } => {
            reading::read_realm_inbox(state, context, *realm, *from, *upto)
        }
        Command::CreateGroup { name, password } => groups::create(state, context, name, password.as_ref()),
        Command::JoinGroup { group, verified } => groups::join(state, context, group, verified.as_ref()),
        Command::LeaveGroup { group } => groups::leave(state, context, group),
        Command::Kick { group, user } => groups::kick(state, context, group, user),
        Command::DeleteGroup { group } => groups::delete(state, context, group),
        Command::ChangeGroupPassword { group, password } => {
            groups::change_password(state, context, group, password.as_ref())
        }
        Command::AddRealm { name } => realms::add(state, context, name),
        Command::RemoveRealm { name, lost } => realms::remove(state, context, name, lost),
        Command::AddPeer { name, key, address } => {
            let (by, _) = context.active_user(state)?;
            let key = Some(key.ok_or(CommandError::Unavailable)?);
            peers::add(state, context, &NewPeer { by: Some(by), name, key, address: Some(address) })
        }
        Command::ConfigurePeer { name, key, address } => {
            peers::configure(state, &NewPeer { by: None, name, key: *key, address: address.as_ref() })
        }
        Command::RegisterPeer(hello) => peer_registration::register_peer(state, context, hello),
        Command::KickUser { user } => administration::kick(state, context, user),
        Command::Ban { subject, lifetime, reason } => {
            administration::ban(state, context, &NewBan { subject, lifetime: *lifetime, reason })
        }
        Command::Unban { subject } => administration::unban(state, context, subject),
        Command::LiftBan { target } => administration::lift(state, target),
        Command::LockUser { user } => administration::lock(state, context, user),
        Command::UnlockUser { user } => administration::unlock(state, context, user),
        Command::SetPassword { user, password } => administration::set_password(state, context, user, password),
        Command::Wall { text } => administration::wall(state, context, text),
        Command::MakeInvite { code, uses, lifetime } => {
            administration::invite(state, context, (*code, *uses, *lifetime))
        }
        Command::RevokeInvite { invite } => administration::revoke_invite(state, context, *invite),
        Command::BeginEpoch { epoch } => Ok(vec![Event::EpochBegun { epoch: state.next_epoch(*epoch) }]),
        Command::Receive { realm, epoch, messages } => remote::receive(state, context, (*realm, *epoch), messages),
        Command::AcknowledgeOutbox { realm, upto, bounces } => remote::acknowledge(state, *realm, *upto, bounces),
        Command::ConfirmReceived { realm, epoch, upto } => remote::confirm(state, *realm, *epoch, *upto),
    }
}

/// The response to a command that was done: now, or under the same tag again.
#[must_use]
pub fn response(state: &State, context: &Context<'_>, command: &Command, receipt: Receipt) -> Response {
    match command {
        Command::SendDirect { .. } | Command::SendGroup { .. } | Command::Broadcast { .. } | Command::Wall { .. } => {
            Response::Sent { receipt, to: None, delivered: None }
        }
        Command::Acknowledge { .. } => {
            let user = context.user.and_then(|user| state.user(user));
            Response::Acknowledged(user.map_or(Seq(0), |user| user.cursor))
        }
        Command::MarkRead { conversation, .. } => reading::marked(state, context, conversation),
        Command::AddRealm { name } => Response::RealmAdded { name: name.clone(), key: None },
        Command::AddPeer { name, key, .. } => {
            let stored = || state.realm_named(name)?.1.peer()?.info.key;
            Response::RealmAdded { name: name.clone(), key: key.or_else(stored) }
        }
        Command::ChangeGroupPassword { password, .. } => Response::GroupPasswordChanged { closed: password.is_some() },
        Command::LogOut => Response::LoggedOut,
        _ => Response::Done,
    }
}
