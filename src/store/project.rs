//! From an event to the rows that it changes: the entity tables' `State::apply`.
//!
//! Pure: events carry absolute values, so that nothing is read first and the same log makes the same rows anywhere.
//! Whatever `apply` does, this does in SQL; the tests hold the two together.

use rusqlite::{ToSql, params};

use crate::chat::{Author, Event, PageRead, PasswordHash, Record};
use crate::limits::{LIVE_INTERVALS, TAGS_PER_USER};

const ADD_USER: &str = "INSERT INTO users (id, name, full_name, country, password, registered, cursor)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)";
const SEE_USER: &str = "UPDATE users SET seen = ?2 WHERE id = ?1";
const SEE_USER_OF_SESSION: &str = "UPDATE users SET seen = ?2 WHERE id = (SELECT user_id FROM sessions WHERE id = ?1)";
const ADD_SESSION: &str =
    "INSERT INTO sessions (id, user_id, token, opened, used, ephemeral, origin) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)";
const USE_SESSION: &str = "UPDATE sessions SET used = ?2 WHERE id = ?1";
const REMOVE_SESSION: &str = "DELETE FROM sessions WHERE id = ?1";
const MOVE_CURSOR: &str = "UPDATE users SET cursor = ?2 WHERE id = ?1";
const REMOVE_PASSED_INTERVALS: &str = "DELETE FROM live_intervals WHERE user_id = ?1 AND upto <= ?2";
const REMOVE_TOUCHING_INTERVALS: &str = "DELETE FROM live_intervals WHERE user_id = ?1 AND after <= ?3 AND upto >= ?2";
const ADD_INTERVAL: &str = "INSERT INTO live_intervals (user_id, after, upto) VALUES (?1, ?2, ?3)";
const REMOVE_OLDEST_INTERVAL_OVER: &str = "DELETE FROM live_intervals WHERE user_id = ?1 AND after =
    (SELECT after FROM live_intervals WHERE user_id = ?1 ORDER BY after DESC LIMIT 1 OFFSET ?2)";
const MOVE_REALM_CURSOR: &str = "INSERT INTO realm_cursors (since, user_id, realm_id, cursor) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (user_id, realm_id) DO UPDATE SET cursor = excluded.cursor";
const ADD_GROUP: &str = "INSERT INTO groups (id, name, owner, password) VALUES (?1, ?2, ?3, ?4)";
const ADD_MEMBER: &str = "INSERT INTO members (joined, group_id, user_id) VALUES (?1, ?2, ?3)";
const FORGET_REQUEST: &str = "DELETE FROM done WHERE user_id = ?1 AND tag = ?2";
const ADD_REQUEST: &str =
    "INSERT INTO done (seq, user_id, tag, request, first, time, page) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const FORGET_REQUESTS_OVER: &str = "DELETE FROM done WHERE seq =
    (SELECT seq FROM done WHERE user_id = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)";
const END_MEMBERSHIP: &str =
    "UPDATE members SET \"left\" = ?3 WHERE group_id = ?1 AND user_id = ?2 AND \"left\" IS NULL";
const HAND_GROUP_OVER: &str = "UPDATE groups SET owner = ?2 WHERE id = ?1";
const DELETE_GROUP: &str = "UPDATE groups SET deleted = 1 WHERE id = ?1";
const CHANGE_GROUP_PASSWORD: &str = "UPDATE groups SET password = ?2 WHERE id = ?1";
const ADD_BLOCK: &str = "INSERT INTO blocks (user_id, blocked_id) VALUES (?1, ?2)";
const REMOVE_BLOCK: &str = "DELETE FROM blocks WHERE user_id = ?1 AND blocked_id = ?2";
const CHANGE_PASSWORD: &str = "UPDATE users SET password = ?2 WHERE id = ?1";
const UNREGISTER_USER: &str = "UPDATE users SET unregistered = 1 WHERE id = ?1";
const ADD_REALM: &str = "INSERT INTO realms (id, name) VALUES (?1, ?2)";

/// Calls `write` for each statement that the record makes, with its parameters, in order. A message makes none: it
/// stands in the log and, through it, in its timelines.
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
            write(SEE_USER, params![user.0, time])
        }
        Event::SessionUsed { session } => {
            write(SEE_USER_OF_SESSION, params![session.0, time])?;
            write(USE_SESSION, params![session.0, time])
        }
        Event::SessionClosed { session } => {
            write(SEE_USER_OF_SESSION, params![session.0, time])?;
            write(REMOVE_SESSION, params![session.0])
        }
        Event::MessageSent(_) => Ok(()),
        Event::InboxRead { user, upto } => {
            write(MOVE_CURSOR, params![user.0, upto.0])?;
            write(REMOVE_PASSED_INTERVALS, params![user.0, upto.0])
        }
        Event::LiveRead { user, after, upto } => {
            write(REMOVE_TOUCHING_INTERVALS, params![user.0, after.0, upto.0])?;
            write(ADD_INTERVAL, params![user.0, after.0, upto.0])?;
            write(REMOVE_OLDEST_INTERVAL_OVER, params![user.0, LIVE_INTERVALS])
        }
        Event::RealmInboxRead { user, realm, upto } => write(MOVE_REALM_CURSOR, params![seq, user.0, realm.0, upto.0]),
        Event::GroupCreated { group, name, owner, password } => {
            write(ADD_GROUP, params![group.0, name.as_str(), owner.0, text(password)])
        }
        Event::GroupJoined { group, user } => write(ADD_MEMBER, params![seq, group.0, user.0]),
        Event::RequestDone { once, first, page } => {
            let (tag, request) = (once.tag.0.cast_signed(), once.request.0.cast_signed());
            let page = page_text(page.as_deref())?;
            write(FORGET_REQUEST, params![once.user.0, tag])?;
            write(ADD_REQUEST, params![seq, once.user.0, tag, request, first.0, time, page])?;
            write(FORGET_REQUESTS_OVER, params![once.user.0, TAGS_PER_USER])
        }
        Event::RealmAdded { realm, name } => write(ADD_REALM, params![realm.0, name.as_str()]),
        Event::GroupLeft { group, user, by: _ } => write(END_MEMBERSHIP, params![group.0, user.0, seq]),
        Event::GroupHandedOver { group, owner } => write(HAND_GROUP_OVER, params![group.0, owner.0]),
        Event::GroupDeleted { group } => write(DELETE_GROUP, params![group.0]),
        Event::GroupPasswordChanged { group, password } => {
            write(CHANGE_GROUP_PASSWORD, params![group.0, text(password)])
        }
        Event::UserBlocked { user, blocked: Author::Local(blocked) } => write(ADD_BLOCK, params![user.0, blocked.0]),
        Event::UserUnblocked { user, blocked: Author::Local(blocked) } => {
            write(REMOVE_BLOCK, params![user.0, blocked.0])
        }
        Event::PasswordChanged { user, password } => write(CHANGE_PASSWORD, params![user.0, &*password.0]),
        Event::UserUnregistered { user } => write(UNREGISTER_USER, params![user.0]),
    }
}

/// How the page that a tagged request read is stored.
pub(super) fn page_text(page: Option<&PageRead>) -> rusqlite::Result<Option<String>> {
    let text = page.map(serde_json::to_string).transpose();
    text.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn text(password: &Option<PasswordHash>) -> Option<&str> {
    password.as_ref().map(|hash| &*hash.0)
}
