//! Lines of users and groups, and of what belongs to them.

use rusqlite::params;

use crate::chat::{BounceReason, Timeline};
use crate::id::{GroupId, Seq, UserId};
use crate::limits::{LIVE_INTERVALS, MAX_GROUPS, MAX_USERS, PROFILE_BYTES};
use crate::password;
use crate::store::project;
use crate::store::transfer::import::{Import, Problem, wrong};
use crate::store::transfer::line::{Block, CompletedRequest, Group, Member, Removed, Session, User};

impl Import<'_> {
    pub(super) fn user(&mut self, line: &User<'_>) -> Result<(), Problem> {
        profile("full_name", &line.full_name)?;
        profile("country", &line.country)?;
        check_hash(&line.password_hash)?;
        let registered = self.numbers.known("registered", line.registered)?;
        let cursor = self.numbers.known("cursor", line.cursor.unwrap_or(registered))?;
        let UserId(id) = self.names.add_user(&line.name, &line.full_name, MAX_USERS)?;
        let seen = line.seen.map(|seen| seen.0.0);
        self.database
            .prepare_cached(
                "INSERT INTO users (id, name, full_name, country, password, registered, seen, cursor, unregistered)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                id,
                line.name.as_str(),
                line.full_name,
                line.country,
                line.password_hash,
                registered,
                seen,
                cursor,
                line.unregistered
            ])?;
        self.live(id, cursor, &line.live)
    }

    fn live(&mut self, user: u32, cursor: u64, intervals: &[(u64, u64)]) -> Result<(), Problem> {
        let mut end = cursor;
        for &(after, upto) in intervals {
            if after <= end || upto <= after || intervals.len() > LIVE_INTERVALS {
                return wrong(format!(
                    "live: expected at most {LIVE_INTERVALS} pairs of ascending numbers past the cursor"
                ));
            }
            end = self.numbers.known("live", upto)?;
            self.database
                .prepare_cached("INSERT INTO live_intervals (user_id, after, upto) VALUES (?1, ?2, ?3)")?
                .execute(params![user, after, upto])?;
        }
        Ok(())
    }

    pub(super) fn group(&mut self, line: &Group<'_>) -> Result<(), Problem> {
        let (UserId(owner), _) = self.names.user(line.owner.as_str())?;
        line.password_hash.as_deref().map_or(Ok(()), check_hash)?;
        let GroupId(id) = self.names.add_group(&line.name, line.deleted, MAX_GROUPS)?;
        self.database
            .prepare_cached("INSERT INTO groups (id, name, owner, password, deleted) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![id, line.name.as_str(), owner, line.password_hash, line.deleted])?;
        Ok(())
    }

    pub(super) fn member(&mut self, line: &Member) -> Result<(), Problem> {
        let (group, _) = self.names.group(line.group.as_str(), line.group_number)?;
        let (user, _) = self.names.user(line.user.as_str())?;
        let joined = self.numbers.joined(line.joined)?;
        let left = line.left.map(|left| self.numbers.known("left", left)).transpose()?;
        if left.is_some_and(|left| left <= joined) {
            return wrong("left: expected a number after that of joining");
        }
        if left.is_none() && !self.members.insert((group, user)) {
            return wrong(format!("{} is in {} already, by an earlier line", line.user, line.group));
        }
        self.database
            .prepare_cached("INSERT INTO members (joined, group_id, user_id, \"left\") VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![joined, group.0, user.0, left])?;
        Ok(())
    }

    pub(super) fn block(&mut self, line: &Block<'_>) -> Result<(), Problem> {
        let (UserId(user), _) = self.names.user(line.user.as_str())?;
        if let Some((name, realm)) = line.blocked.split_once('@') {
            return self.remote_block(user, name, self.elsewhere(realm, line.realm_number)?);
        }
        let (UserId(blocked), _) = self.names.user(&line.blocked)?;
        self.database
            .prepare_cached("INSERT OR IGNORE INTO blocks (user_id, blocked_id) VALUES (?1, ?2)")?
            .execute(params![user, blocked])?;
        Ok(())
    }

    pub(super) fn session(&mut self, line: &Session) -> Result<(), Problem> {
        let (UserId(user), _) = self.names.user(line.user.as_str())?;
        let id = self.numbers.known("id", line.id)?;
        self.database
            .prepare_cached(
                "INSERT INTO sessions (id, user_id, token, opened, used, ephemeral, origin)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                id,
                user,
                line.token_sha256.0.0,
                line.opened.0.0,
                line.used.0.0,
                line.ephemeral,
                line.origin.to_string()
            ])?;
        Ok(())
    }

    pub(super) fn done(&mut self, line: &CompletedRequest) -> Result<(), Problem> {
        let (UserId(user), _) = self.names.user(line.user.as_str())?;
        let number = self.numbers.known("number", line.number)?;
        let first = self.numbers.known("first", line.first)?;
        let (tag, request) = (line.tag.0.cast_signed(), line.request.0.cast_signed());
        let page = project::page_text(line.page.as_ref())?;
        let refused = line.refused.map(BounceReason::number);
        self.database
            .prepare_cached(
                "INSERT INTO done (seq, user_id, tag, request, first, time, page, refused)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![number, user, tag, request, first, line.time.0.0, page, refused])?;
        Ok(())
    }

    pub(super) fn removed(&mut self, line: &Removed) -> Result<(), Problem> {
        if self.numbers.have_messages() {
            return wrong("removed: expected before the first message");
        }
        let timeline = match (&line.user, &line.group, &line.outbox) {
            (Some(name), None, None) => Timeline::User(self.names.user(name.as_str())?.0),
            (None, Some(name), None) => Timeline::Group(self.names.group(name.as_str(), line.group_number)?.0),
            (None, None, Some(name)) => Timeline::Outbox(self.elsewhere(name.as_str(), line.realm_number)?),
            (None, None, None) => Timeline::Broadcast,
            _ => return wrong("removed: expected one of user, group and outbox, or none"),
        };
        let upto = Seq(self.numbers.known("upto", line.upto)?);
        Ok(self.timelines.remove(self.database, timeline, upto)?)
    }
}

fn profile(field: &str, text: &str) -> Result<(), Problem> {
    if text.len() > PROFILE_BYTES || text.chars().any(char::is_control) {
        return wrong(format!("{field}: expected at most {PROFILE_BYTES} bytes without control characters"));
    }
    Ok(())
}

fn check_hash(text: &str) -> Result<(), Problem> {
    password::check_hash(text).map(|_| ()).map_err(|expected| Problem::Line(format!("password_hash: {expected}")))
}
