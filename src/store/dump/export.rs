//! Writes a store as lines.
//!
//! The entities come from the loaded snapshot, each at the log entry that made it, and the messages from the log.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use data_encoding::HEXLOWER;
use rusqlite::{Transaction, TransactionBehavior};

use crate::chat::{
    Author, BanTarget, ConversationId, Destination, Event, Group, Message, MessageFields, Record, Snapshot, User,
    UserRef,
};
use crate::id::{GroupId, Seq, UserId};
use crate::json;
use crate::limits::PROGRESS_STEP;
use crate::name::Name;
use crate::store::damage::{Damage, DamageLog};
use crate::store::dump::error::DumpError;
use crate::store::dump::line::{self, Block, End, Header, Line, Lock, Member, Read, Timestamp, VERSION};
use crate::store::dump::steps::{Step, steps};
use crate::store::error::StoreError;
use crate::store::index::config::IndexConfig;
use crate::store::index::timeline_index::Index;
use crate::store::log::reader::LogReader;
use crate::store::log::rows;
use crate::store::progress::Progress;
use crate::store::{load, read_only};
use crate::time::Time;

/// Writes the accounts, groups and messages of the store in a directory. Returns the number of lines, and the damage that
/// was met: messages in damaged places are left out. A server may be running on the store; what it commits after the
/// beginning is left out, too.
///
/// # Errors
/// If there is no store of this version, it cannot be read, or `out` cannot be written.
pub fn export(
    directory: &Path,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<(u64, Vec<Damage>), DumpError> {
    let damage = DamageLog::new(directory.to_owned());
    let mut database = read_only::open(directory)?;
    let transaction = Transaction::new(&mut database, TransactionBehavior::Deferred)?;
    let index = Index::open(&transaction, IndexConfig::default(), &damage)?;
    let snapshot = load::load(&mut LogReader::new(&transaction, &damage), &index)?;
    let lines = LineWriter { out, line: Vec::new(), count: 0, position: Seq(0), head: snapshot.head, progress };
    let mut export =
        Export { snapshot: &snapshot, lines, newest_user: None, created: HashSet::new(), counts: End::default() };
    export.lines.write(&Header { kabar_export: VERSION, ends: true })?;
    let mut steps = steps(&snapshot).into_iter().peekable();
    rows::for_each(&transaction, Seq(0), &damage, |segment| {
        for record in segment.records() {
            let Record { seq, time, event } = record?;
            let Event::MessageSent(message) = event else { continue };
            while let Some((_, step)) = steps.next_if(|(after, _)| *after < seq) {
                export.step(step)?;
            }
            export.message(seq, time, &message)?;
        }
        Ok::<_, DumpError>(ControlFlow::Continue(()))
    })?;
    steps.try_for_each(|(_, step)| export.step(step))?;
    export.blocks()?;
    export.locks()?;
    export.bans()?;
    export.invites()?;
    export.lines.write(&Line::End(export.counts))?;
    export.lines.out.flush()?;
    Ok((export.lines.count, damage.met()))
}

struct Export<'a> {
    snapshot: &'a Snapshot,
    lines: LineWriter<'a>,
    /// The user of the newest line, if that is a registration.
    newest_user: Option<UserId>,
    /// Of the other groups those who could read the messages are not known any more.
    created: HashSet<GroupId>,
    counts: End,
}

impl<'a> Export<'a> {
    fn step(&mut self, step: Step) -> Result<(), DumpError> {
        let newest_user = self.newest_user.take();
        let line = match step {
            Step::Registered(id) => {
                self.newest_user = Some(id);
                self.counts.users += 1;
                Line::User(account(self.user(id)?))
            }
            Step::Deleted(id) => {
                let name = self.group(id)?.name.clone();
                Line::Group(line::Group { name, owner: None, password_hash: None, deleted: true })
            }
            Step::Created(id, owner) => {
                self.created.insert(id);
                self.counts.groups += 1;
                let (group, owner) = (self.group(id)?, Some(self.user(owner)?.name.clone()));
                let password_hash = group.password.as_ref().map(|hash| Cow::Borrowed(&*hash.0));
                Line::Group(line::Group { name: group.name.clone(), owner, password_hash, deleted: false })
            }
            Step::Joined(group, user) => Line::Member(self.member(group, user, false)?),
            Step::Left(group, user) => Line::Member(self.member(group, user, true)?),
            // Nothing came before it that the user could have read.
            Step::Read(user) | Step::Marked(user, _) if newest_user == Some(user) => {
                self.newest_user = newest_user;
                return Ok(());
            }
            Step::Read(user) => Line::Read(Read { user: self.user(user)?.name.clone(), conversation: None }),
            Step::Marked(user, conversation) => {
                let Some(conversation) = self.conversation_name(&conversation)? else {
                    self.newest_user = newest_user;
                    return Ok(());
                };
                Line::Read(Read { user: self.user(user)?.name.clone(), conversation: Some(conversation.into()) })
            }
        };
        self.lines.write(&line)
    }

    /// `None` for one with a realm that was forgotten.
    fn conversation_name(&self, conversation: &ConversationId) -> Result<Option<String>, StoreError> {
        Ok(match conversation {
            ConversationId::User(id) => Some(self.user(*id)?.name.to_string()),
            ConversationId::Group(id) => Some(format!("group:{}", self.group(*id)?.name)),
            ConversationId::RemoteUser(realm, name) => self.name_of(&UserRef::Remote(*realm, *name))?,
            ConversationId::RemoteGroup(realm, name) => {
                self.name_of(&UserRef::Remote(*realm, *name))?.map(|name| format!("group:{name}"))
            }
            ConversationId::Broadcast => Some("*".to_owned()),
            // The store does not hold the name of the home realm, and none is needed.
            ConversationId::Server => Some(format!("{}@home", Name::SERVER)),
        })
    }

    fn member(&self, group: GroupId, user: UserId, left: bool) -> Result<Member, StoreError> {
        Ok(Member { group: self.group(group)?.name.clone(), user: self.user(user)?.name.clone(), left })
    }

    fn message(&mut self, seq: Seq, time: Time, message: &Message) -> Result<(), DumpError> {
        self.lines.position = seq;
        if matches!(message.to, Destination::Group(group) if !self.created.contains(&group)) {
            return Ok(());
        }
        self.newest_user = None;
        self.counts.messages += 1;
        let account = match message.from {
            Author::Local(id) => Some(self.user(id)?),
            Author::Remote(_) | Author::Server => None,
        };
        let damaged = || StoreError::Damaged("the body of a message".into());
        let MessageFields { from, to, msg_from, msg, .. } = message.body.fields().ok_or_else(damaged)?;
        let shown = match (account, from.split_once('@')) {
            (Some(user), _) => user.shown_name(),
            (None, Some((name, _))) if matches!(message.from, Author::Remote(_)) => name,
            (None, _) => &from,
        };
        let msg_from = (msg_from != shown).then_some(msg_from);
        let is_group = matches!(message.to, Destination::Group(_) | Destination::RemoteGroup(_));
        let (to, group) = if is_group { (None, Some(to)) } else { (Some(to), None) };
        let time = Timestamp(time);
        let from = Cow::Borrowed(&*from);
        self.lines.write(&Line::Message(line::Message { time, from, to, group, msg_from, text: msg }))
    }

    /// In the order of the names, as the numbers of other realms change with an import.
    fn blocks(&mut self) -> Result<(), DumpError> {
        for user in self.snapshot.users.iter().filter(|user| !user.unregistered) {
            let blocked = user
                .blocks
                .iter()
                .filter_map(|person| self.name_of(person).transpose())
                .collect::<Result<BTreeSet<_>, _>>()?;
            for blocked in blocked {
                let line = Block { user: user.name.clone(), blocked: blocked.into() };
                self.lines.write(&Line::Block(line))?;
            }
        }
        Ok(())
    }

    fn locks(&mut self) -> Result<(), DumpError> {
        let users = self.snapshot.users.iter().zip((0..).map(UserId));
        let locked = users.filter(|(user, id)| !user.unregistered && self.snapshot.locked.contains(id));
        let names: Vec<_> = locked.map(|(user, _)| user.name.clone()).collect();
        names.into_iter().try_for_each(|user| self.lines.write(&Line::Lock(Lock { user })))
    }

    /// In the order of the names, like blocks.
    fn bans(&mut self) -> Result<(), DumpError> {
        let mut bans = BTreeMap::new();
        for (target, ban) in &self.snapshot.bans {
            let (kind, name) = match target {
                BanTarget::User(id) => (0, Some(self.user(*id)?.name.to_string())),
                BanTarget::RemoteUser(realm, name) => (0, self.name_of(&UserRef::Remote(*realm, *name))?),
                BanTarget::Network(network) => (1, Some(network.to_string())),
                BanTarget::Realm(realm) => {
                    (2, self.snapshot.realms.get(realm).map(|realm| realm.name.folded().to_string()))
                }
            };
            bans.extend(name.map(|name| ((kind, name), ban)));
        }
        for ((kind, name), ban) in bans {
            let of_kind = |wanted| (kind == wanted).then(|| Cow::Owned(name.clone()));
            let (user, network, realm) = (of_kind(0), of_kind(1), of_kind(2));
            let (until, reason) = (ban.until.map(Timestamp), Cow::Borrowed(&*ban.reason));
            self.lines.write(&Line::Ban(line::Ban { user, network, realm, until, reason }))?;
        }
        Ok(())
    }

    /// The oldest first.
    fn invites(&mut self) -> Result<(), DumpError> {
        self.snapshot.invites.values().try_for_each(|invite| {
            let code_hash = HEXLOWER.encode(&invite.code.0).into();
            let (uses, until) = (invite.uses, Timestamp(invite.until));
            self.lines.write(&Line::Invite(line::Invite { code_hash, uses, until }))
        })
    }

    /// `None` for a user of a realm that was forgotten.
    fn name_of(&self, person: &UserRef) -> Result<Option<String>, StoreError> {
        match person {
            UserRef::Local(id) => Ok(Some(self.user(*id)?.name.to_string())),
            UserRef::Remote(realm, name) => {
                let realm = self.snapshot.realms.get(realm);
                Ok(realm.map(|realm| format!("{name}@{}", realm.name.folded())))
            }
        }
    }

    fn user(&self, UserId(id): UserId) -> Result<&'a User, StoreError> {
        let damaged = || StoreError::Damaged(format!("there is no user {id}").into());
        self.snapshot.users.get(id as usize).ok_or_else(damaged)
    }

    fn group(&self, id: GroupId) -> Result<&'a Group, StoreError> {
        self.snapshot.groups.get(&id).ok_or_else(|| StoreError::Damaged(format!("there is no group {id}").into()))
    }
}

/// An account that was given up has no password.
fn account(user: &User) -> line::User<'_> {
    let has_password = !user.unregistered && !user.password.0.is_empty();
    line::User {
        name: user.name.clone(),
        full_name: Cow::Borrowed(&user.full_name),
        country: Cow::Borrowed(&user.country),
        password_hash: has_password.then_some(Cow::Borrowed(&*user.password.0)),
        unregistered: user.unregistered,
    }
}

struct LineWriter<'a> {
    out: &'a mut dyn Write,
    line: Vec<u8>,
    count: u64,
    /// The newest message, of a log that goes to `head`.
    position: Seq,
    head: Seq,
    progress: &'a mut dyn FnMut(Progress),
}

impl LineWriter<'_> {
    fn write(&mut self, line: &impl serde::Serialize) -> Result<(), DumpError> {
        self.line.clear();
        json::append(&mut self.line, line);
        self.line.push(b'\n');
        self.out.write_all(&self.line)?;
        self.count += 1;
        if self.count.is_multiple_of(PROGRESS_STEP) {
            (self.progress)(Progress::new(self.count, "lines", self.position.0, Some(self.head.0)));
        }
        Ok(())
    }
}
