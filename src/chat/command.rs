//! What somebody wants: parsed, authenticated, and carrying whatever `decide` may not fetch for itself.

use std::net::IpAddr;

use crate::chat::accounts::PasswordHash;
use crate::chat::error::BounceReason;
use crate::chat::peer::PeerAddress;
use crate::chat::peer_registration::PeerHello;
use crate::chat::remote::{Bounce, RemoteMessage};
use crate::id::{Incarnation, PeerKey, RealmId, Seq, SessionId, TokenHash, UserId};
use crate::name::{Address, Name};

/// A wish to change something. The connection that has it is authenticated; whom it acts for stands in the command.
#[derive(Clone, Debug)]
pub enum Command {
    /// Make an account and, for a person at a connection, log in.
    Register {
        /// The account's name.
        name: Name,
        /// The person's name.
        full_name: Box<str>,
        /// Where the person is from.
        country: Box<str>,
        /// Of the chosen password.
        password: PasswordHash,
        /// The session to open; none for an account from the configuration.
        session: Option<NewSession>,
    },
    /// Log in.
    OpenSession {
        /// Who.
        user: UserId,
        /// The hash that the given password was verified against; stale where the password changed meanwhile.
        verified: PasswordHash,
        /// The session to open.
        session: NewSession,
    },
    /// Note that a session is in use.
    TouchSession {
        /// Which.
        session: SessionId,
    },
    /// Log out.
    CloseSession {
        /// Which.
        session: SessionId,
    },
    /// End a session of one's own from another.
    RevokeSession {
        /// Whose it must be.
        user: UserId,
        /// Which.
        session: SessionId,
    },
    /// Change one's password, which ends all other sessions.
    ChangePassword {
        /// Whose.
        user: UserId,
        /// The session that stays.
        session: SessionId,
        /// The hash that the old password was verified against; stale where it changed meanwhile.
        verified: PasswordHash,
        /// Of the new password.
        password: PasswordHash,
    },
    /// Give up one's account.
    Unregister {
        /// Whose.
        user: UserId,
        /// The hash that the password was verified against; stale where it changed meanwhile.
        verified: PasswordHash,
    },
    /// Hear no more from somebody.
    Block {
        /// Who does not want to hear …
        user: UserId,
        /// … from whom.
        whom: Address,
    },
    /// Hear from somebody again.
    Unblock {
        /// Who wants to hear …
        user: UserId,
        /// … from whom.
        whom: Address,
    },
    /// Send to one user.
    SendDirect {
        /// Who.
        from: UserId,
        /// To whom, of this server or another realm.
        to: Address,
        /// What.
        text: Box<str>,
        /// Whether the receiver is online, where that is a condition (text listeners, PROTOCOL §4).
        online: Option<bool>,
    },
    /// Send to a group.
    SendGroup {
        /// Who.
        from: UserId,
        /// To which group, of this server or another realm.
        to: Address,
        /// What.
        text: Box<str>,
    },
    /// Send to everyone.
    Broadcast {
        /// Who.
        from: UserId,
        /// What.
        text: Box<str>,
    },
    /// Move a user's inbox cursor over a page that was read.
    ReadInbox {
        /// Whose.
        user: UserId,
        /// Where the cursor stood when the page was read.
        from: Seq,
        /// Where it goes.
        upto: Seq,
    },
    /// Move a user's inbox cursor forward, past what the user has dealt with.
    Acknowledge {
        /// Whose.
        user: UserId,
        /// To this one, or to the newest.
        upto: Seq,
    },
    /// Note that everything in an interval was pushed live to the user.
    ReadPushed {
        /// Whose.
        user: UserId,
        /// After this one …
        after: Seq,
        /// … up to and with this one.
        upto: Seq,
    },
    /// Move a user's cursor in the view of a realm.
    ReadRealmInbox {
        /// Whose.
        user: UserId,
        /// Of which realm.
        realm: RealmId,
        /// Where the cursor stood when the page was read.
        from: Seq,
        /// Where it goes.
        upto: Seq,
    },
    /// Make a group.
    CreateGroup {
        /// Its owner and first member.
        owner: UserId,
        /// Its name.
        name: Name,
        /// Of its password, where it gets one.
        password: Option<PasswordHash>,
    },
    /// Join a group.
    JoinGroup {
        /// Who.
        user: UserId,
        /// Which.
        group: Name,
        /// The hash that the given password was verified against, if one was given and was right.
        verified: Option<PasswordHash>,
    },
    /// Leave a group.
    LeaveGroup {
        /// Who.
        user: UserId,
        /// Which.
        group: Name,
    },
    /// Put a member out of a group.
    Kick {
        /// Who wants it: the group's owner.
        owner: UserId,
        /// Out of which.
        group: Name,
        /// Whom.
        user: Name,
    },
    /// End a group.
    DeleteGroup {
        /// Who wants it: the group's owner.
        owner: UserId,
        /// Which.
        group: Name,
    },
    /// Have joining a group ask for another password, or for none.
    ChangeGroupPassword {
        /// Who wants it: the group's owner.
        owner: UserId,
        /// Which.
        group: Name,
        /// Of the new password, where there is to be one.
        password: Option<PasswordHash>,
    },
    /// Give this server one more name.
    AddRealm {
        /// Who wants it.
        by: UserId,
        /// The name.
        name: Name,
    },
    /// Forget a realm: a further name of this server, or another server and what waits for it.
    RemoveRealm {
        /// Who wants it.
        by: UserId,
        /// Which.
        name: Name,
        /// Who wants it may remove any.
        is_administrator: bool,
        /// What those are told who have messages that did not leave.
        lost: Box<str>,
    },
    /// Link another server, which has proven its key.
    AddPeer {
        /// Who wants it.
        by: UserId,
        /// What it is to be called.
        name: Name,
        /// Its key.
        key: PeerKey,
        /// Where it was dialled.
        address: PeerAddress,
    },
    /// Know another server as the configuration has it.
    ConfigurePeer {
        /// What it is to be called.
        name: Name,
        /// Its key, where that is given.
        key: Option<PeerKey>,
        /// Where it is dialled, where that is given.
        address: Option<PeerAddress>,
    },
    /// Take note of another server that has proven its key.
    RegisterPeer(PeerHello),
    /// Begin to count anew towards other servers.
    BeginIncarnation {
        /// A random number.
        incarnation: Incarnation,
    },
    /// Take in what another server sends.
    Receive {
        /// Which.
        realm: RealmId,
        /// In which of its incarnations.
        incarnation: Incarnation,
        /// In the order of its numbers; with what cannot be a message here.
        messages: Vec<(Seq, Result<RemoteMessage, BounceReason>)>,
    },
    /// Note that another server has what was sent to it.
    AcknowledgeOutbox {
        /// Which.
        realm: RealmId,
        /// Up to and with this entry.
        upto: Seq,
        /// What of it was refused.
        bounces: Vec<Bounce>,
    },
    /// Note that another server has noted what was refused of what it sent.
    ConfirmReceived {
        /// Which.
        realm: RealmId,
        /// In which of its incarnations.
        incarnation: Incarnation,
        /// Up to and with this number.
        upto: Seq,
    },
}

/// A session about to be opened.
#[derive(Clone, Copy, Debug)]
pub struct NewSession {
    /// Of the token that the client gets.
    pub token: TokenHash,
    /// Whether it ends with its connection.
    pub ephemeral: bool,
    /// The address of the client.
    pub origin: IpAddr,
}
