//! The projection of events to the entity tables: in SQL what `State::apply` does in memory. A property test compares the
//! two. Events have absolute values, so nothing is read first, and the same log gives the same rows anywhere.

use rusqlite::{ToSql, params};

use crate::chat::{BounceReason, Event, PasswordHash, PeerInfo, ReadPage, Record, UserRef};
use crate::id::{Seq, UserId};
use crate::limits::{EPOCHS, PUSHED_RANGES, REALM_CURSORS, TAGS_PER_USER};
use crate::store::columns;

const ADD_USER: &str = "INSERT INTO users (id, name, full_name, country, password, registered, cursor)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)";
const SET_SEEN: &str = "UPDATE users SET seen = ?2 WHERE id = ?1";
const SET_SEEN_OF_SESSION: &str = "UPDATE users SET seen = ?2 WHERE id = (SELECT user_id FROM sessions WHERE id = ?1)";
const ADD_SESSION: &str =
    "INSERT INTO sessions (id, user_id, token, opened, used, ephemeral, origin) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)";
const SET_USED: &str = "UPDATE sessions SET used = ?2 WHERE id = ?1";
const REMOVE_SESSION: &str = "DELETE FROM sessions WHERE id = ?1";
const MOVE_CURSOR: &str = "UPDATE users SET cursor = ?2 WHERE id = ?1";
const REMOVE_PASSED_INTERVALS: &str = "DELETE FROM live_intervals WHERE user_id = ?1 AND upto <= ?2";
const REMOVE_TOUCHING_INTERVALS: &str = "DELETE FROM live_intervals WHERE user_id = ?1 AND after <= ?3 AND upto >= ?2";
const ADD_INTERVAL: &str = "INSERT INTO live_intervals (user_id, after, upto) VALUES (?1, ?2, ?3)";
const REMOVE_OLDEST_INTERVAL_OVER: &str = "DELETE FROM live_intervals WHERE user_id = ?1 AND after =
    (SELECT after FROM live_intervals WHERE user_id = ?1 ORDER BY after DESC LIMIT 1 OFFSET ?2)";
const MOVE_REALM_CURSOR: &str = "INSERT INTO realm_cursors (since, user_id, realm_id, cursor) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (user_id, realm_id) DO UPDATE SET cursor = excluded.cursor";
const REMOVE_OLDEST_REALM_CURSOR_OVER: &str = "DELETE FROM realm_cursors WHERE since =
    (SELECT since FROM realm_cursors WHERE user_id = ?1 ORDER BY since DESC LIMIT 1 OFFSET ?2)";
const ADD_GROUP: &str = "INSERT INTO groups (id, name, owner, password) VALUES (?1, ?2, ?3, ?4)";
const ADD_MEMBER: &str = "INSERT INTO members (joined, group_id, user_id) VALUES (?1, ?2, ?3)";
const DELETE_REQUEST: &str = "DELETE FROM done WHERE user_id = ?1 AND tag = ?2";
const ADD_REQUEST: &str =
    "INSERT INTO done (seq, user_id, tag, request, first, time, page) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const DELETE_REQUESTS_OVER: &str = "DELETE FROM done WHERE seq =
    (SELECT seq FROM done WHERE user_id = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)";
const END_MEMBERSHIP: &str =
    "UPDATE members SET \"left\" = ?3 WHERE group_id = ?1 AND user_id = ?2 AND \"left\" IS NULL";
const FORGET_MEMBERSHIP: &str = "DELETE FROM members WHERE joined = ?1";
const FORGET_GROUP: &str = "DELETE FROM groups WHERE id = ?1";
const FORGET_REALM: &str = "DELETE FROM realms WHERE id = ?1";
const CHANGE_GROUP_OWNER: &str = "UPDATE groups SET owner = ?2 WHERE id = ?1";
const DELETE_GROUP: &str = "UPDATE groups SET deleted = 1 WHERE id = ?1";
const CHANGE_GROUP_PASSWORD: &str = "UPDATE groups SET password = ?2 WHERE id = ?1";
const ADD_BLOCK: &str = "INSERT INTO blocks (user_id, blocked_id) VALUES (?1, ?2)";
const REMOVE_BLOCK: &str = "DELETE FROM blocks WHERE user_id = ?1 AND blocked_id = ?2";
const CHANGE_PASSWORD: &str = "UPDATE users SET password = ?2 WHERE id = ?1";
const RENAME_USER: &str = "UPDATE users SET full_name = ?2 WHERE id = ?1";
const UNREGISTER_USER: &str = "UPDATE users SET unregistered = 1 WHERE id = ?1";
const ADD_REMOTE_BLOCK: &str = "INSERT INTO remote_blocks (user_id, realm_id, name) VALUES (?1, ?2, ?3)";
const REMOVE_REMOTE_BLOCK: &str = "DELETE FROM remote_blocks WHERE user_id = ?1 AND realm_id = ?2 AND name = ?3";
const PUT_REALM: &str = "INSERT OR REPLACE INTO realms (id, name, kind, added_by) VALUES (?1, ?2, ?3, ?4)";
const ADD_PEER: &str =
    "INSERT OR REPLACE INTO realms (id, name, kind, added_by, key, host, port, self_named, called, cursor)
    VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, 0)";
const CHANGE_PEER: &str =
    "UPDATE realms SET name = ?2, key = ?3, host = ?4, port = ?5, self_named = ?6, called = ?7 WHERE id = ?1";
const DELETE_RECEIVED_OF_OTHERS: &str = "DELETE FROM received WHERE realm_id = ?1 AND
    EXISTS (SELECT 1 FROM realms WHERE id = ?1 AND key IS NOT NULL AND key IS NOT ?2)";
const DELETE_REFUSED_OF_OTHERS: &str = "DELETE FROM refused WHERE realm_id = ?1 AND
    EXISTS (SELECT 1 FROM realms WHERE id = ?1 AND key IS NOT NULL AND key IS NOT ?2)";
const REMOVE_REALM: &str = "UPDATE realms
    SET kind = 3, host = NULL, port = NULL, self_named = 0, called = NULL, cursor = 0 WHERE id = ?1";
const DELETE_RECEIVED: &str = "DELETE FROM received WHERE realm_id = ?1";
const DELETE_REFUSED: &str = "DELETE FROM refused WHERE realm_id = ?1";
const ADD_EPOCH: &str = "INSERT INTO incarnations (begun, incarnation) VALUES (?1, ?2)";
const DELETE_EPOCHS_OVER: &str = "DELETE FROM incarnations WHERE begun =
    (SELECT begun FROM incarnations ORDER BY begun DESC LIMIT 1 OFFSET ?1)";
const SET_RECEIVED: &str = "INSERT INTO received (realm_id, incarnation, upto, seq) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (realm_id, incarnation) DO UPDATE SET upto = excluded.upto, seq = excluded.seq";
const DELETE_RECEIVED_OF: &str = "DELETE FROM received WHERE realm_id = ?1 AND incarnation = ?2";
const DELETE_REFUSED_OF: &str = "DELETE FROM refused WHERE realm_id = ?1 AND incarnation = ?2";
const ADD_REFUSED: &str = "INSERT INTO refused (realm_id, incarnation, number, why, seq) VALUES (?1, ?2, ?3, ?4, ?5)";
const DELETE_CONFIRMED: &str = "DELETE FROM refused WHERE realm_id = ?1 AND incarnation = ?2 AND number <= ?3";
const MOVE_OUTBOX_CURSOR: &str = "UPDATE realms SET cursor = ?2 WHERE id = ?1";
const SET_BOUNCE_REASON: &str = "UPDATE done SET refused = ?3 WHERE user_id = ?1 AND first = ?2";

const DROP_PASSED_MARKS: &str = "DELETE FROM read_marks
    WHERE user_id = ?1 AND upto <= (SELECT cursor FROM users WHERE id = ?1)";
const MOVE_MARK: &str =
    "INSERT OR REPLACE INTO read_marks (user_id, kind, number, name, upto, time) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const DROP_MARKS: &str = "DELETE FROM read_marks WHERE user_id = ?1";

const PUT_BAN: &str = "INSERT OR REPLACE INTO bans (kind, number, name, seq, banned_by, since, until, reason)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const REMOVE_BAN: &str = "DELETE FROM bans WHERE kind = ?1 AND number = ?2 AND name = ?3";
const REMOVE_BANS_OF_REALM: &str = "DELETE FROM bans WHERE kind IN (1, 3) AND number = ?1";
const ADD_LOCK: &str = "INSERT OR IGNORE INTO locks (user_id) VALUES (?1)";
const REMOVE_LOCK: &str = "DELETE FROM locks WHERE user_id = ?1";
const ADD_INVITE: &str = "INSERT INTO invites (seq, code, made_by, uses, until) VALUES (?1, ?2, ?3, ?4, ?5)";
const USE_INVITE: &str = "UPDATE invites SET uses = uses - 1 WHERE seq = ?1";
const REMOVE_USED_INVITE: &str = "DELETE FROM invites WHERE seq = ?1 AND uses <= 0";
const REMOVE_INVITE: &str = "DELETE FROM invites WHERE seq = ?1";

const OWN: u8 = 0;
const ALIAS: u8 = 2;

/// Calls `write` with each statement of a record and its parameters, in order. A message has none: its timelines are in the
/// index.
pub(super) fn project(
    Record { seq, time, event }: &Record,
    mut write: impl FnMut(&'static str, &[&dyn ToSql]) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let (seq, time) = (seq.0, time.0);
    match event {
        Event::UserRegistered { user, name, full_name, country, password } => {
            write(ADD_USER, params![user.0, name.as_str(), &**full_name, &**country, &*password.0, seq])
        }
        Event::SessionOpened { user, token, ephemeral, origin } => {
            write(ADD_SESSION, params![seq, user.0, token.0, time, ephemeral, origin.to_string()])?;
            write(SET_SEEN, params![user.0, time])
        }
        Event::SessionUsed { session } => {
            write(SET_SEEN_OF_SESSION, params![session.0, time])?;
            write(SET_USED, params![session.0, time])
        }
        Event::SessionClosed { session } => {
            write(SET_SEEN_OF_SESSION, params![session.0, time])?;
            write(REMOVE_SESSION, params![session.0])
        }
        Event::MessageSent(_) => Ok(()),
        Event::InboxRead { user, upto } => {
            write(MOVE_CURSOR, params![user.0, upto.0])?;
            write(REMOVE_PASSED_INTERVALS, params![user.0, upto.0])
        }
        Event::PushedRead { user, after, upto } => {
            write(REMOVE_TOUCHING_INTERVALS, params![user.0, after.0, upto.0])?;
            write(ADD_INTERVAL, params![user.0, after.0, upto.0])?;
            write(REMOVE_OLDEST_INTERVAL_OVER, params![user.0, PUSHED_RANGES])
        }
        Event::RealmInboxRead { user, realm, upto } => {
            write(MOVE_REALM_CURSOR, params![seq, user.0, realm.0, upto.0])?;
            write(REMOVE_OLDEST_REALM_CURSOR_OVER, params![user.0, REALM_CURSORS])
        }
        Event::GroupCreated { group, name, owner, password } => {
            write(ADD_GROUP, params![group.0, name.as_str(), owner.0, text(password)])
        }
        Event::GroupJoined { group, user } => write(ADD_MEMBER, params![seq, group.0, user.0]),
        Event::RequestDone { key, first, page } => {
            let (tag, request) = (key.tag.0.cast_signed(), key.request.0.cast_signed());
            let page = page_text(page.as_deref())?;
            write(DELETE_REQUEST, params![key.user.0, tag])?;
            write(ADD_REQUEST, params![seq, key.user.0, tag, request, first.0, time, page])?;
            write(DELETE_REQUESTS_OVER, params![key.user.0, TAGS_PER_USER])
        }
        Event::RealmAdded { realm, name, by } => {
            write(PUT_REALM, params![realm.0, name.as_str(), OWN, by.map(|user| user.0)])
        }
        Event::GroupLeft { group, user, by: _ } => write(END_MEMBERSHIP, params![group.0, user.0, seq]),
        Event::GroupHandedOver { group, owner } => write(CHANGE_GROUP_OWNER, params![group.0, owner.0]),
        Event::GroupDeleted { group } => write(DELETE_GROUP, params![group.0]),
        Event::GroupPasswordChanged { group, password } => {
            write(CHANGE_GROUP_PASSWORD, params![group.0, text(password)])
        }
        Event::UserBlocked { user, blocked } => match blocked.user_ref() {
            Some(UserRef::Local(blocked)) => write(ADD_BLOCK, params![user.0, blocked.0]),
            Some(UserRef::Remote(realm, name)) => write(ADD_REMOTE_BLOCK, params![user.0, realm.0, name.to_string()]),
            None => Ok(()),
        },
        Event::UserUnblocked { user, blocked } => match blocked.user_ref() {
            Some(UserRef::Local(blocked)) => write(REMOVE_BLOCK, params![user.0, blocked.0]),
            Some(UserRef::Remote(realm, name)) => {
                write(REMOVE_REMOTE_BLOCK, params![user.0, realm.0, name.to_string()])
            }
            None => Ok(()),
        },
        Event::PasswordChanged { user, password } => write(CHANGE_PASSWORD, params![user.0, &*password.0]),
        Event::UserRenamed { user, full_name } => write(RENAME_USER, params![user.0, full_name]),
        Event::UserUnregistered { user } => {
            write(DROP_MARKS, params![user.0])?;
            write(UNREGISTER_USER, params![user.0])
        }
        Event::ReadMarked { user, conversation, upto } => {
            let (kind, number, name) = columns::of_conversation(conversation);
            write(DROP_PASSED_MARKS, params![user.0])?;
            write(MOVE_MARK, params![user.0, kind, number, name, upto.0, time])
        }
        Event::EpochBegun { epoch } => {
            write(ADD_EPOCH, params![seq, epoch.0.cast_signed()])?;
            write(DELETE_EPOCHS_OVER, params![EPOCHS])
        }
        Event::PeerAdded { realm, name, by, info } => {
            let PeerInfo { key, address, self_named, our_alias } = info;
            let (key, our_alias) = (key.map(|key| key.0), our_alias.map(|realm| realm.0));
            let (host, port) = (address.as_ref().map(|at| &*at.host), address.as_ref().map(|at| at.port));
            let by = by.map(|user| user.0);
            write(ADD_PEER, params![realm.0, name.as_str(), by, key, host, port, self_named, our_alias])
        }
        Event::PeerChanged { realm, name, info } => {
            let PeerInfo { key, address, self_named, our_alias } = info;
            let (key, our_alias) = (key.map(|key| key.0), our_alias.map(|realm| realm.0));
            let (host, port) = (address.as_ref().map(|at| &*at.host), address.as_ref().map(|at| at.port));
            write(DELETE_RECEIVED_OF_OTHERS, params![realm.0, key])?;
            write(DELETE_REFUSED_OF_OTHERS, params![realm.0, key])?;
            write(CHANGE_PEER, params![realm.0, name.as_str(), key, host, port, self_named, our_alias])
        }
        Event::AliasAdded { realm, name } => write(PUT_REALM, params![realm.0, name.as_str(), ALIAS, None::<u64>]),
        Event::RealmRemoved { realm } => {
            write(REMOVE_REALM, params![realm.0])?;
            write(DELETE_RECEIVED, params![realm.0])?;
            write(DELETE_REFUSED, params![realm.0])
        }
        Event::PeerReceived { realm, epoch, upto, refused, forgotten } => {
            let epoch = epoch.0.cast_signed();
            write(SET_RECEIVED, params![realm.0, epoch, upto.0, seq])?;
            if let Some(forgotten) = forgotten {
                write(DELETE_RECEIVED_OF, params![realm.0, forgotten.0.cast_signed()])?;
                write(DELETE_REFUSED_OF, params![realm.0, forgotten.0.cast_signed()])?;
            }
            refused
                .iter()
                .try_for_each(|(number, why)| write(ADD_REFUSED, params![realm.0, epoch, number.0, why.number(), seq]))
        }
        Event::PeerConfirmed { realm, epoch, upto } => {
            write(DELETE_CONFIRMED, params![realm.0, epoch.0.cast_signed(), upto.0])
        }
        Event::MembershipForgotten { user: _, group: _, joined } => write(FORGET_MEMBERSHIP, params![joined.0]),
        Event::GroupForgotten { group } => write(FORGET_GROUP, params![group.0]),
        Event::RealmForgotten { realm } => {
            write(REMOVE_BANS_OF_REALM, params![realm.0])?;
            write(FORGET_REALM, params![realm.0])
        }
        Event::Banned { target, by, until, reason } => {
            let (kind, number, name) = columns::of_ban(target);
            let (by, until) = (by.map(|user| user.0), until.map(|until| until.0));
            write(PUT_BAN, params![kind, number, name, seq, by, time, until, reason])
        }
        Event::Unbanned { target } => {
            let (kind, number, name) = columns::of_ban(target);
            write(REMOVE_BAN, params![kind, number, name])
        }
        Event::UserLocked { user, by: _ } => write(ADD_LOCK, params![user.0]),
        Event::UserUnlocked { user } => write(REMOVE_LOCK, params![user.0]),
        Event::InviteMade { code, by, uses, until } => {
            write(ADD_INVITE, params![seq, code.0, by.map(|user| user.0), uses, until.0])
        }
        Event::InviteUsed { invite, user: _ } => {
            write(USE_INVITE, params![invite.0])?;
            write(REMOVE_USED_INVITE, params![invite.0])
        }
        Event::InviteRevoked { invite } => write(REMOVE_INVITE, params![invite.0]),
        Event::OutboxAcknowledged { realm, upto, refused } => {
            write(MOVE_OUTBOX_CURSOR, params![realm.0, upto.0])?;
            let bounced = |(number, user, why): &(Seq, UserId, BounceReason)| {
                write(SET_BOUNCE_REASON, params![user.0, number.0, why.number()])
            };
            refused.iter().try_for_each(bounced)
        }
    }
}

/// The value of the column for the page that a tagged request read.
pub(super) fn page_text(page: Option<&ReadPage>) -> rusqlite::Result<Option<String>> {
    let text = page.map(serde_json::to_string).transpose();
    text.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn text(password: &Option<PasswordHash>) -> Option<&str> {
    password.as_ref().map(|hash| &*hash.0)
}
