//! Reads a dump into a new store.
//!
//! The database is built under another name, without syncs and without a way back, and becomes the store only once it is
//! complete: an import that fails or is killed leaves the directory as it was.

use std::io::{self, BufRead};
use std::path::Path;

use crate::chat::{
    Command, CommandError, Context, Conversation, Event, PasswordHash, PeerInfo, Record, RemoteName, State, decide,
};
use crate::id::{GroupId, RealmId, Seq, UserId};
use crate::limits::PROFILE_BYTES;
use crate::name::{Address, InvalidName, Name};
use crate::password;
use crate::settings::Durability;
use crate::store::damage::DamageLog;
use crate::store::directory::{Directory, TempDatabase};
use crate::store::dump::appender::Appender;
use crate::store::dump::error::DumpError;
use crate::store::dump::line::{Block, End, Group, Line, Member, Read, User};
use crate::store::dump::reader::LineReader;
use crate::store::error::StoreError;
use crate::store::log::head;
use crate::store::progress::Progress;
use crate::store::target::NewDirectory;
use crate::store::{connection, schema};
use crate::time::Time;

/// Reads lines into the store of a directory, which must be new or hold a store in which nothing has happened, and must
/// not be served. Returns the number of lines. `name` is what errors call the input, `bytes` its length, if known.
///
/// # Errors
/// If a line is wrong, the input cannot be read, or the store cannot be made. The directory is unchanged then.
pub fn import(
    input: &mut dyn BufRead,
    name: &str,
    bytes: Option<u64>,
    directory: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<u64, DumpError> {
    let before = NewDirectory::note(directory);
    let place = Directory::open(directory)?;
    if !is_unused(&place, directory)? {
        return Err(StoreError::Used(directory.to_owned()).into());
    }
    place.clear()?;
    let temp = TempDatabase::create(directory)?;
    let mut database = connection::open_temp(&temp.path())?;
    schema::prepare(&mut database, directory)?;
    let import = Import::new(Appender::new(database, &DamageLog::new(temp.path()))?)?;
    let mut reader = LineReader::new(input, name, bytes);
    import.perform_all(&mut reader, progress)?;
    temp.finish()?;
    before.keep();
    Ok(reader.count())
}

/// Whether there is no store yet, or one in which nothing has happened.
fn is_unused(place: &Directory, directory: &Path) -> Result<bool, StoreError> {
    let mut database = connection::open_writer(&place.database(), Durability::Sync)?;
    schema::prepare(&mut database, directory)?;
    let (head, _) = head::read(&database)?;
    Ok(head == Seq(0))
}

/// Why a line is refused.
pub(super) enum LineError {
    /// The mistake, and what was expected.
    Wrong(String),
    Store(StoreError),
}

impl LineError {
    fn at(self, reader: &LineReader<'_>) -> DumpError {
        match self {
            Self::Wrong(problem) => reader.error(problem),
            Self::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for LineError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<CommandError> for LineError {
    fn from(error: CommandError) -> Self {
        Self::Wrong(match error {
            CommandError::UserNotFound => "expected a user that an earlier line makes".into(),
            CommandError::UserExists => "name: an earlier line makes this user".into(),
            CommandError::GroupNotFound => "expected a group that an earlier line makes".into(),
            CommandError::GroupExists => "name: an earlier line makes this group, and none deletes it".into(),
            CommandError::AlreadyMember => "user: a member already, as the owner is from the beginning".into(),
            CommandError::NotMember => "user: expected a member of the group".into(),
            CommandError::CursorMoved => "conversation: an earlier line of the same time marks it".into(),
            CommandError::Oneself => "blocked: expected somebody else".into(),
            CommandError::UserLimit
            | CommandError::GroupLimit
            | CommandError::MembershipLimit
            | CommandError::RealmLimit
            | CommandError::GroupQuota(_)
            | CommandError::RealmQuota(_)
            | CommandError::BlockLimit => format!("a server cannot hold so many: {error:?}"),
            other => format!("refused: {other:?}"),
        })
    }
}

pub(super) fn wrong<T>(problem: impl Into<String>) -> Result<T, LineError> {
    Err(LineError::Wrong(problem.into()))
}

/// A store in the making, and its state.
pub(super) struct Import {
    pub(super) state: State,
    appender: Appender,
    /// Of the newest message: times never go back.
    pub(super) time: Time,
    /// The accounts that were given up. They are until the end, so that lines can name them.
    unregistered: Vec<UserId>,
    pub(super) counts: End,
    ended: bool,
}

impl Import {
    pub(super) fn new(appender: Appender) -> Result<Self, DumpError> {
        // The store does not hold the name of the home realm; no line depends on it.
        let home = Name::parse("home").map_err(io::Error::other)?;
        let (unregistered, counts) = (Vec::new(), End::default());
        Ok(Self { state: State::new(home), appender, time: Time(0), unregistered, counts, ended: false })
    }

    /// Performs all lines.
    pub(super) fn perform_all(
        mut self,
        reader: &mut LineReader<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), DumpError> {
        let must_end = reader.header()?.ends;
        while reader.advance()? {
            self.perform(reader.parse()?).map_err(|error| error.at(reader))?;
            reader.show(progress);
        }
        if must_end && !self.ended {
            return Err(reader.error("the file was cut: expected an end line, which the first line announces".into()));
        }
        self.finish().map_err(|error| error.at(reader))
    }

    fn perform(&mut self, line: Line<'_>) -> Result<(), LineError> {
        if self.ended {
            return wrong("expected nothing after the end line");
        }
        match line {
            Line::Message(message) => self.message(&message),
            Line::User(user) => self.user(user),
            Line::Group(group) => self.group(group),
            Line::Member(member) => self.member(member),
            Line::Read(read) => self.read(&read),
            Line::Block(block) => self.block(&block),
            Line::Lock(lock) => self.lock(&lock),
            Line::Ban(ban) => self.ban(&ban),
            Line::Invite(invite) => self.invite(&invite),
            Line::End(end) if end == self.counts => {
                self.ended = true;
                Ok(())
            }
            Line::End(_) => {
                let End { users, groups, messages } = self.counts;
                wrong(format!("the file was changed: it has {users} users, {groups} groups and {messages} messages"))
            }
        }
    }

    fn user(&mut self, line: User<'_>) -> Result<(), LineError> {
        check_profile("full_name", &line.full_name)?;
        check_profile("country", &line.country)?;
        // An empty hash is that of no password.
        let password = line.password_hash.as_deref().map_or_else(|| Ok(PasswordHash("".into())), check_hash)?;
        let user = UserId(self.state.user_count() as u64);
        self.decide(
            UserId::NOBODY,
            &Command::Register {
                name: line.name,
                full_name: line.full_name.into(),
                country: line.country.into(),
                password,
                session: None,
                invite: None,
            },
        )?;
        self.unregistered.extend(line.unregistered.then_some(user));
        self.counts.users += 1;
        Ok(())
    }

    fn group(&mut self, line: Group<'_>) -> Result<(), LineError> {
        match line {
            Group { name, owner: None, password_hash: None, deleted: true } => {
                let owner = self.state.group_named(&name).ok_or(CommandError::GroupNotFound)?.1.owner;
                self.decide(owner, &Command::DeleteGroup { group: name })
            }
            Group { name, owner: Some(owner), password_hash, deleted: false } => {
                let owner = self.user_named("owner", owner.as_str())?;
                let password = password_hash.as_deref().map(check_hash).transpose()?;
                self.counts.groups += 1;
                self.decide(owner, &Command::CreateGroup { name, password })
            }
            _ => wrong("expected an owner, or \"deleted\":true and nothing else"),
        }
    }

    fn member(&mut self, Member { group, user, left }: Member) -> Result<(), LineError> {
        let user = self.user_named("user", user.as_str())?;
        if left {
            return self.decide(user, &Command::LeaveGroup { group });
        }
        let (_, known) = self.state.group_named(&group).ok_or(CommandError::GroupNotFound)?;
        let verified = known.password.clone();
        self.decide(user, &Command::JoinGroup { group, verified })
    }

    fn read(&mut self, line: &Read<'_>) -> Result<(), LineError> {
        let user = self.user_named("user", line.user.as_str())?;
        let Some(name) = &line.conversation else {
            return self.decide(user, &Command::Acknowledge { upto: self.state.head().into() });
        };
        let conversation = self.conversation(name)?;
        self.decide(user, &Command::MarkRead { conversation, upto: self.state.head().into() })
    }

    fn conversation(&mut self, name: &str) -> Result<Conversation, LineError> {
        let (kind, address): (fn(Address) -> Conversation, _) = match name.strip_prefix("group:") {
            _ if name == "*" => return Ok(Conversation::Broadcast),
            _ if name.split_once('@').is_some_and(|(user, _)| user == Name::SERVER) => return Ok(Conversation::Server),
            Some(group) => (Conversation::Group, group),
            None => (Conversation::User, name),
        };
        if address.contains('@') {
            self.remote("conversation", address)?;
        }
        Address::parse(address).map(kind).map_err(|expected| invalid("conversation", expected))
    }

    fn block(&mut self, line: &Block<'_>) -> Result<(), LineError> {
        let user = self.user_named("user", line.user.as_str())?;
        if line.blocked.contains('@') {
            self.remote("blocked", &line.blocked)?;
        }
        let whom = Address::parse(&line.blocked).map_err(|expected| invalid("blocked", expected))?;
        self.decide(user, &Command::Block { whom })
    }

    pub(super) fn user_named(&self, field: &str, name: &str) -> Result<UserId, LineError> {
        let name = Name::parse(name).map_err(|expected| invalid(field, expected))?;
        match self.state.name_owner(&name) {
            Some((id, _)) => Ok(id),
            None => wrong(format!("{field}: no earlier line makes the user {name}")),
        }
    }

    pub(super) fn group_named(&self, name: &str) -> Result<GroupId, LineError> {
        let name = Name::parse(name).map_err(|expected| invalid("group", expected))?;
        match self.state.group_named(&name) {
            Some((id, _)) => Ok(id),
            None => wrong(format!("group: no earlier line makes the group {name}, or one deletes it")),
        }
    }

    /// A user of another server; only the name of its realm is known.
    pub(super) fn remote(&mut self, field: &str, address: &str) -> Result<RemoteName, LineError> {
        let Address { name, realm } = Address::parse(address).map_err(|expected| invalid(field, expected))?;
        let Some(realm) = realm else { return wrong(format!("{field}: expected NAME@REALM")) };
        Ok(RemoteName { realm: self.realm_of(realm)?, name })
    }

    /// Another server; only its name is known.
    pub(super) fn realm_of(&mut self, name: Name) -> Result<RealmId, LineError> {
        let known = self.state.realm_named(&name).map(|(id, _)| id).filter(|id| *id != RealmId::HOME);
        known.map_or_else(|| self.add_realm(name), Ok)
    }

    fn add_realm(&mut self, name: Name) -> Result<RealmId, LineError> {
        let realm = RealmId(self.state.realms().count() as u64);
        self.append(Event::PeerAdded { realm, name, by: None, info: PeerInfo::default() })?;
        Ok(realm)
    }

    fn decide(&mut self, user: UserId, command: &Command) -> Result<(), LineError> {
        let events = decide(&self.state, &Context::on_behalf_of(user, self.time), command)?;
        events.into_iter().try_for_each(|event| self.append(event))
    }

    pub(super) fn append(&mut self, event: Event) -> Result<(), LineError> {
        let record = Record { seq: self.state.head().next(), time: self.time, event };
        self.state.apply(&record);
        Ok(self.appender.append(record)?)
    }

    fn finish(mut self) -> Result<(), LineError> {
        for id in std::mem::take(&mut self.unregistered) {
            let Some(user) = self.state.user(id) else { continue };
            let verified = user.password.clone();
            self.decide(id, &Command::Unregister { verified })?;
        }
        Ok(self.appender.finish()?)
    }
}

fn invalid(field: &str, expected: InvalidName) -> LineError {
    LineError::Wrong(format!("{field}: {expected}"))
}

pub(super) fn check_profile(field: &str, text: &str) -> Result<(), LineError> {
    if text.len() > PROFILE_BYTES || has_control_character(text) {
        return wrong(format!("{field}: expected at most {PROFILE_BYTES} bytes without control characters"));
    }
    Ok(())
}

fn check_hash(text: &str) -> Result<PasswordHash, LineError> {
    password::check_hash(text).map_err(|expected| LineError::Wrong(format!("password_hash: {expected}")))
}

/// As for a request: it could pass for a line of the server's (PROTOCOL §1).
pub(super) fn has_control_character(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t')
}
