//! The parsers of commands whose parameters are more than a word or two, and what all rows of the table share.

use std::num::NonZeroUsize;

use crate::chat::{Command, Conversation, Query, Topics};
use crate::id::InviteCode;
use crate::name::Name;
use crate::wire::action::{Action, NewProfile, SessionRequest};
use crate::wire::args::{Args, BadParameter, parse_address, parse_name};
use crate::wire::command_spec::CommandSpec;
use crate::wire::parameters::{
    COMMAND, COUNTRY, FULLNAME, GROUP, N, NEW_PASSWORD, OPTION, PASSWORD, REALM, TOPIC, USER, VERSION,
};
use crate::wire::phrase::ours;

pub(super) fn change(command: Command) -> Result<Action, BadParameter> {
    Ok(Action::Change(command))
}

pub(super) fn read(query: Query) -> Result<Action, BadParameter> {
    Ok(Action::Read(query))
}

pub(super) fn session(request: SessionRequest) -> Result<Action, BadParameter> {
    Ok(Action::Session(request))
}

pub(super) fn log_in(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    session(SessionRequest::LogIn { user: args.name(USER)?, password: args.password(PASSWORD)? })
}

/// Two parameters or four: a full name without a country is an error. The code of an invite may follow; behind two
/// parameters it begins with `#`.
pub(super) fn register(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let (user, password) = (args.new_name(USER)?, args.new_password(PASSWORD)?);
    let mut after = *args;
    let is_code_alone = after.next().starts_with('#') && after.is_empty();
    let profile = if is_code_alone { None } else { profile(args)? };
    let code = args.next();
    let code = code.strip_prefix('#').unwrap_or(code);
    let invite = (!code.is_empty()).then(|| InviteCode::typed(code));
    session(SessionRequest::Register { user, password, profile, invite })
}

/// A full name and a country, or nothing.
pub(super) fn profile(args: &mut Args<'_>) -> Result<Option<NewProfile>, BadParameter> {
    if args.is_empty() {
        return Ok(None);
    }
    Ok(Some(NewProfile { full_name: args.profile(FULLNAME)?, country: args.profile(COUNTRY)? }))
}

pub(super) fn send(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    change(Command::SendDirect { to: args.address(USER)?, text: args.text()? })
}

pub(super) fn send_group(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    change(Command::SendGroup { to: args.address(GROUP)?, text: args.text()? })
}

/// GROUP may be written `group:GROUP`.
pub(super) fn send_group_realm(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let realm = args.name(REALM)?;
    let word = args.next();
    let group = parse_name(GROUP, word.strip_prefix("group:").unwrap_or(word))?;
    change(Command::SendGroup { to: group.at(realm), text: args.text()? })
}

pub(super) fn send_private_realm(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let realm = args.name(REALM)?;
    let to = args.name(USER)?.at(realm);
    change(Command::SendDirect { to, text: args.text()? })
}

pub(super) fn create_group(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let group = args.new_name(GROUP)?;
    if args.is_empty() {
        return change(Command::CreateGroup { name: group, password: None });
    }
    session(SessionRequest::CreateGroup { group, password: args.new_password(PASSWORD)? })
}

pub(super) fn join_group(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let group = args.name(GROUP)?;
    if args.is_empty() {
        return change(Command::JoinGroup { group, verified: None });
    }
    session(SessionRequest::JoinGroup { group, password: args.password(PASSWORD)? })
}

pub(super) fn change_group_password(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let group = args.name(GROUP)?;
    if args.is_empty() {
        return change(Command::ChangeGroupPassword { group, password: None });
    }
    session(SessionRequest::ChangeGroupPassword { group, password: args.new_password(NEW_PASSWORD)? })
}

pub(super) fn add_realm(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let realm = args.new_name(REALM)?;
    if args.is_empty() {
        return change(Command::AddRealm { name: realm });
    }
    session(SessionRequest::LinkRealm { realm, host: args.next().into(), port: args.port()? })
}

pub(super) fn link(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let expected = ours("expected a number", "harus angka");
    session(SessionRequest::Link { version: args.number(VERSION, expected)? })
}

pub(super) fn help(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let word = args.next();
    if word.is_empty() {
        return session(SessionRequest::Help(None));
    }
    let expected = ours("expected a word that help lists", "harus kata yang ditampilkan help");
    let spec = CommandSpec::find(word).ok_or_else(|| BadParameter::new(COMMAND, expected))?;
    session(SessionRequest::Help(Some(spec.word)))
}

pub(super) fn subscribe(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let begins_with_digit = args.rest().starts_with(|character: char| character.is_ascii_digit());
    let after = if begins_with_digit { Some(args.position()?) } else { None };
    let mut topics = Topics::default();
    while !args.is_empty() {
        let topic = match args.next() {
            "presence" => &mut topics.presence,
            "group" => &mut topics.group,
            "inbox" => &mut topics.inbox,
            "read" => &mut topics.read,
            _ => {
                let expected = ours(
                    "expected presence, group, inbox or read, after the ID if there is one",
                    "harus presence, group, inbox atau read, setelah ID jika ada",
                );
                return Err(BadParameter::new(TOPIC, expected));
            }
        };
        *topic = true;
    }
    session(SessionRequest::Subscribe { after, topics })
}

/// A client of the realm system writes `{}` for no user.
pub(super) fn info(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    match args.next() {
        "" | "{}" => read(Query::Online),
        word => read(Query::Info { user: parse_name(USER, word)? }),
    }
}

/// Unknown options are an error: a page that ignored one would mislead.
pub(super) fn history(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let is_for_all = args.is_empty() || begins_with_an_option(*args);
    let conversation = if is_for_all { None } else { Some(parse_conversation(args.next())?) };
    let (mut before, mut limit) = (None, None);
    while !args.is_empty() {
        match args.next().to_ascii_lowercase().as_str() {
            "before" => before = Some(args.id()?),
            "limit" => limit = Some(parse_limit(args)?),
            _ => {
                return Err(BadParameter::new(
                    OPTION,
                    ours("expected before ID or limit N", "harus before ID atau limit N"),
                ));
            }
        }
    }
    session(SessionRequest::History { conversation, before, limit })
}

pub(super) fn conversations(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let limit = match args.next() {
        "" => None,
        word if word.eq_ignore_ascii_case("limit") => Some(parse_limit(args)?),
        _ => return Err(BadParameter::new(OPTION, ours("expected limit N", "harus limit N"))),
    };
    session(SessionRequest::Conversations { limit })
}

pub(super) fn parse_limit(args: &mut Args<'_>) -> Result<usize, BadParameter> {
    let expected = ours("expected a number, at least 1", "harus angka, paling sedikit 1");
    Ok(args.number::<NonZeroUsize>(N, expected)?.get())
}

/// `before` and `limit` are options if a number follows; otherwise they are names like others.
fn begins_with_an_option(mut args: Args<'_>) -> bool {
    let word = args.next();
    let is_option = ["before", "limit"].iter().any(|option| word.eq_ignore_ascii_case(option));
    is_option && args.next().starts_with(|first: char| first.is_ascii_digit())
}

pub(super) fn parse_conversation(word: &str) -> Result<Conversation, BadParameter> {
    let realm = word.split_once('@').filter(|(name, _)| name.eq_ignore_ascii_case(Name::SERVER));
    if let Some((_, realm)) = realm {
        return parse_name(REALM, realm).map(|_| Conversation::Server);
    }
    if word == "*" {
        return Ok(Conversation::Broadcast);
    }
    match word.strip_prefix("group:") {
        Some(group) => parse_address(GROUP, group).map(Conversation::Group),
        None => parse_address(USER, word).map(Conversation::User),
    }
}
