//! Lists messages and records for an operator, beside a running server too. Everything is read in the order of the log and
//! handed over at once.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use serde_json::{Value, json};

use crate::chat::{Event, Kind, Message, MessageFields, Record, StoredMessage};
use crate::id::Seq;
use crate::name::Name;
use crate::store::damage::{Damage, DamageLog};
use crate::store::dump::DumpError;
use crate::store::error::StoreError;
use crate::store::log::{head, rows, time_search};
use crate::store::read_only;
use crate::time::Time;

/// Which messages to list: those that match all that is given.
#[derive(Clone, Debug, Default)]
pub struct MessageFilter {
    /// Sent by this user of this server, or to it alone.
    pub user: Option<Name>,
    /// Sent to this group of this server.
    pub group: Option<Name>,
    /// Not older than this.
    pub since: Option<Time>,
}

impl MessageFilter {
    /// Reads the parts of a filter; the error says what was expected.
    ///
    /// # Errors
    /// If a name or the time is none.
    pub fn parse(user: Option<&str>, group: Option<&str>, since: Option<&str>) -> Result<Self, String> {
        let name = |flag: &str, text: &str| Name::parse(text).map_err(|expected| format!("{flag}: {expected}"));
        let user = user.map(|text| name("--user", text)).transpose()?;
        let group = group.map(|text| name("--group", text)).transpose()?;
        let since = since.map(|text| {
            day_or_time(text)
                .ok_or("--since: expected a day such as 2026-11-21, or a time such as 2026-11-21T14:00:00Z")
        });
        Ok(Self { user, group, since: since.transpose()? })
    }

    fn matches(&self, message: &Message) -> bool {
        let Some(fields) = message.body.fields() else { return false };
        let is = |name: &Name, text: &str| Name::parse(text).is_ok_and(|other| other.folded() == name.folded());
        let is_group = fields.kind == Kind::Group;
        let of_user = |user| is(user, &fields.from) || (!is_group && is(user, &fields.to));
        self.user.as_ref().is_none_or(of_user)
            && self.group.as_ref().is_none_or(|group| is_group && is(group, &fields.to))
    }
}

fn day_or_time(text: &str) -> Option<Time> {
    Time::parse(text).or_else(|| Time::parse(&format!("{text}T00:00:00Z")))
}

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageFormat {
    /// A line for people.
    Text,
    /// The message object of the protocol.
    Json,
}

/// Writes the messages of the store in a directory that match, a line each, oldest first. Returns the damage that was met.
///
/// # Errors
/// If there is no store of this version, it cannot be read, or `out` cannot be written.
pub fn list_messages(
    directory: &Path,
    filter: &MessageFilter,
    format: MessageFormat,
    out: &mut dyn Write,
) -> Result<Vec<Damage>, DumpError> {
    let after = |database: &Connection| match filter.since {
        Some(since) => time_search::newest_before(database, since, head::read(database)?.0),
        None => Ok(Seq(0)),
    };
    for_each_record(directory, after, |record| {
        if let Record { seq, time, event: Event::MessageSent(message) } = record
            && filter.matches(&message)
        {
            write_message(out, format, &StoredMessage { seq, time, body: message.body })?;
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// Writes the records of the store in a directory from one number to another, as lines of JSON, without secrets. Returns the
/// damage that was met.
///
/// # Errors
/// If there is no store of this version, it cannot be read, or `out` cannot be written.
pub fn list_records(
    directory: &Path,
    (first, last): (u64, u64),
    out: &mut dyn Write,
) -> Result<Vec<Damage>, DumpError> {
    let after = Seq(first.saturating_sub(1));
    for_each_record(
        directory,
        |_| Ok(after),
        |record| {
            if record.seq.0 > last {
                return Ok(ControlFlow::Break(()));
            }
            write_record(out, &record)?;
            Ok(ControlFlow::Continue(()))
        },
    )
}

fn for_each_record(
    directory: &Path,
    after: impl FnOnce(&Connection) -> Result<Seq, StoreError>,
    mut visit: impl FnMut(Record) -> io::Result<ControlFlow<()>>,
) -> Result<Vec<Damage>, DumpError> {
    let mut database = read_only::open(directory)?;
    let snapshot = Transaction::new(&mut database, TransactionBehavior::Deferred)?;
    let damage = DamageLog::new(directory.to_owned());
    let after = after(&snapshot)?;
    rows::for_each(&snapshot, after, &damage, |segment| {
        for record in segment.records() {
            let record = record?;
            if record.seq > after && visit(record)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok::<_, DumpError>(ControlFlow::Continue(()))
    })?;
    Ok(damage.met())
}

fn write_message(
    out: &mut dyn Write,
    format: MessageFormat,
    StoredMessage { seq, time, body }: &StoredMessage,
) -> io::Result<()> {
    if format == MessageFormat::Json {
        out.write_all(&body.object(*seq, *time))?;
        return out.write_all(b"\n");
    }
    let Some(MessageFields { from, to, msg, kind, .. }) = body.fields() else { return Ok(()) };
    let group = if kind == Kind::Group { "group:" } else { "" };
    writeln!(out, "{seq} {time} {from} -> {group}{to}: {}", shown(&msg))
}

/// A text without what would change the look of other lines on a terminal.
fn shown(text: &str) -> String {
    let is_unsafe = |char: char| {
        char.is_control() || matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let escape = |char: char| if is_unsafe(char) { char.escape_unicode().to_string() } else { char.to_string() };
    text.chars().map(escape).collect()
}

fn write_record(out: &mut dyn Write, Record { seq, time, event }: &Record) -> io::Result<()> {
    let mut what = serde_json::to_value(event)?;
    hide_secrets(&mut what);
    let mut line = json!({"id": seq.0, "time": time.to_string(), "event": what});
    if let (Event::MessageSent(message), Some(line)) = (event, line.as_object_mut()) {
        line.insert("message".to_owned(), serde_json::from_slice(&message.body.object(*seq, *time))?);
    }
    writeln!(out, "{line}")
}

/// Hashes of passwords and tokens must never be shown.
fn hide_secrets(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(key, value)| {
            if (key == "password" || key == "token") && !value.is_null() {
                *value = Value::from("hidden");
            }
            hide_secrets(value);
        }),
        Value::Array(items) => items.iter_mut().for_each(hide_secrets),
        _ => {}
    }
}
