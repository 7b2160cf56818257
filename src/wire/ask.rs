//! From the parameters of a command to what is asked: one function a form. Words after the last parameter are ignored,
//! as real clients send some.

use std::num::NonZeroUsize;

use crate::chat::Conversation;
use crate::chat::Topics;
use crate::id::SessionId;
use crate::wire::args::{BadParameter, Words, read_address, read_name};
use crate::wire::commands::CommandSpec;
use crate::wire::request::{Ask, NewProfile};

/// Reads the parameters of a command.
pub(super) type Read = fn(&mut Words<'_>) -> Result<Ask, BadParameter>;

pub(super) fn log_in(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::LogIn { user: words.name("USER")?, password: words.password("PASSWORD")? })
}

/// Two parameters or four: a full name without a country is a mistake to tell, not to guess about.
pub(super) fn register(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    let (user, password) = (words.name("USER")?, words.password("PASSWORD")?);
    if words.is_empty() {
        return Ok(Ask::Register { user, password, profile: None });
    }
    let profile = NewProfile { full_name: words.profile("FULLNAME")?, country: words.profile("COUNTRY")? };
    Ok(Ask::Register { user, password, profile: Some(profile) })
}

pub(super) fn send(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::Send { to: words.address("USER")?, text: words.text()? })
}

pub(super) fn acknowledge(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::Acknowledge { upto: words.id()? })
}

pub(super) fn subscribe(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    let begins_with_digit = words.rest().starts_with(|character: char| character.is_ascii_digit());
    let after = if begins_with_digit { Some(words.id()?) } else { None };
    let mut topics = Topics::default();
    while !words.is_empty() {
        let topic = match words.next() {
            "presence" => &mut topics.presence,
            "group" => &mut topics.group,
            "inbox" => &mut topics.inbox,
            _ => {
                return Err(BadParameter::new(
                    "TOPIC",
                    "expected presence, group or inbox, after the ID if there is one",
                ));
            }
        };
        *topic = true;
    }
    Ok(Ask::Subscribe { after, topics })
}

pub(super) fn chat(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::Chat { to: words.address("USER")?, text: words.text()? })
}

/// A client of the realm system writes `{}` where it means nobody.
pub(super) fn info(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    let user = match words.next() {
        "" | "{}" => None,
        word => Some(read_name("USER", word)?),
    };
    Ok(Ask::Info { user })
}

pub(super) fn broadcast(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::Broadcast { text: words.text()? })
}

pub(super) fn add_group(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::CreateGroup { group: words.name("GROUP")?, password: words.optional_password("PASSWORD")? })
}

pub(super) fn create_group(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::CreateGroup { group: words.name("GROUP")?, password: Some(words.password("PASSWORD")?) })
}

pub(super) fn join_group(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::JoinGroup { group: words.name("GROUP")?, password: words.optional_password("PASSWORD")? })
}

pub(super) fn send_group(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::SendGroup { to: words.address("GROUP")?, text: words.text()? })
}

pub(super) fn leave_group(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::LeaveGroup { group: words.name("GROUP")? })
}

pub(super) fn kick(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::Kick { group: words.name("GROUP")?, user: words.name("USER")? })
}

pub(super) fn delete_group(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::DeleteGroup { group: words.name("GROUP")? })
}

pub(super) fn change_group_password(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::ChangeGroupPassword { group: words.name("GROUP")?, password: words.optional_password("NEWPASSWORD")? })
}

pub(super) fn members(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::Members { group: words.name("GROUP")? })
}

pub(super) fn add_realm(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    let realm = words.name("REALM")?;
    if words.is_empty() {
        return Ok(Ask::AddRealm { realm, peer: None });
    }
    let peer = (words.next().into(), words.port()?);
    Ok(Ask::AddRealm { realm, peer: Some(peer) })
}

pub(super) fn remove_realm(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::RemoveRealm { realm: words.name("REALM")? })
}

pub(super) fn link(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::Link { version: words.number("VERSION", "expected a number")? })
}

pub(super) fn send_private_realm(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::SendPrivateRealm { realm: words.name("REALM")?, user: words.name("USER")?, text: words.text()? })
}

pub(super) fn send_group_realm(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    let realm = words.name("REALM")?;
    let word = words.next();
    let group = read_name("GROUP", word.strip_prefix("group:").unwrap_or(word))?;
    Ok(Ask::SendGroupRealm { realm, group, text: words.text()? })
}

pub(super) fn realm_inbox(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::RealmInbox { realm: words.name("REALM")? })
}

pub(super) fn block(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::Block { user: words.address("USER")? })
}

pub(super) fn unblock(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::Unblock { user: words.address("USER")? })
}

pub(super) fn change_password(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::ChangePassword { old: words.password("OLD")?, new: words.password("NEW")? })
}

pub(super) fn revoke(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::Revoke { session: SessionId(words.number("N", "expected a number that sessions lists")?) })
}

pub(super) fn unregister(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    Ok(Ask::Unregister { password: words.password("PASSWORD")? })
}

/// What is none of the command's words is told: nobody sends it by habit, and a page that ignored it would mislead.
pub(super) fn history(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    let for_all = words.is_empty() || begins_with_an_option(*words);
    let conversation = if for_all { Conversation::All } else { read_conversation(words.next())? };
    let (mut before, mut limit) = (None, None);
    while !words.is_empty() {
        match words.next().to_ascii_lowercase().as_str() {
            "before" => before = Some(words.id()?),
            "limit" => limit = Some(words.number::<NonZeroUsize>("N", "expected a number, at least 1")?.get()),
            _ => return Err(BadParameter::new("OPTION", "expected before ID or limit N")),
        }
    }
    Ok(Ask::History { conversation, before, limit })
}

/// Where no number follows, `before` and `limit` are names like others.
fn begins_with_an_option(mut words: Words<'_>) -> bool {
    let word = words.next();
    let is_option = ["before", "limit"].iter().any(|option| word.eq_ignore_ascii_case(option));
    is_option && words.next().starts_with(|first: char| first.is_ascii_digit())
}

fn read_conversation(word: &str) -> Result<Conversation, BadParameter> {
    match word.strip_prefix("group:") {
        Some(group) => read_address("GROUP", group).map(Conversation::Group),
        None => read_address("USER", word).map(Conversation::User),
    }
}

pub(super) fn help(words: &mut Words<'_>) -> Result<Ask, BadParameter> {
    let word = words.next();
    if word.is_empty() {
        return Ok(Ask::Help { command: None });
    }
    let spec =
        CommandSpec::find(word).ok_or_else(|| BadParameter::new("COMMAND", "expected a word that help lists"))?;
    Ok(Ask::Help { command: Some(spec.word.into()) })
}
