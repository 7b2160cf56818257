//! Lines to requests (PROTOCOL §1, §2, §4).

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::id::{Hash64, Token};
use crate::wire::args::{BadParameter, Words};
use crate::wire::commands::CommandSpec;
use crate::wire::http;
use crate::wire::request::{Fault, Parsed, Rejection, Request, Tag};

/// Reads a line. Total: any text comes to something.
#[must_use]
pub fn parse(line: &str) -> Parsed {
    let mut words = Words::of(line);
    if words.is_empty() {
        return Parsed::Blank;
    }
    let mut word = words.next();
    let mut tag = None;
    if let Some(text) = word.strip_prefix('#') {
        tag = Tag::parse(text);
        if tag.is_none() {
            return rejected(None, None, Fault::BadParameter, "KEY: expected # and 1-64 of A-Z a-z 0-9 _ -");
        }
        word = words.next();
    }
    let Some(spec) = CommandSpec::find(word) else {
        if http::is_http(line) {
            return Parsed::Http;
        }
        return rejected(tag, None, Fault::UnknownCommand, "help lists the commands");
    };
    let token = take_token(&mut words);
    let digest = tag.is_some().then(|| digest(spec, words));
    match (spec.read)(&mut words) {
        Ok(ask) => Parsed::Request(Request { tag, token, spec, ask, digest }),
        Err(BadParameter { name, expected }) => {
            let detail = format!("{name}: {expected}; usage: {}", spec.usage());
            rejected(tag, Some(spec), Fault::BadParameter, detail)
        }
    }
}

fn digest(spec: &CommandSpec, mut parameters: Words<'_>) -> Hash64 {
    let mut parts = vec![spec.word];
    match spec.before_password {
        Some(count) => parts.extend((0..count).map(|_| parameters.next())),
        None => parts.push(parameters.rest()),
    }
    Hash64::of(&parts)
}

/// A first parameter in the form of a token is one: no name has that form (PROTOCOL §2).
fn take_token(words: &mut Words<'_>) -> Option<Token> {
    let mut after = *words;
    let token = Token::parse(after.next())?;
    *words = after;
    Some(token)
}

fn rejected(
    tag: Option<Tag>,
    spec: Option<&'static CommandSpec>,
    fault: Fault,
    detail: impl Into<Cow<'static, str>>,
) -> Parsed {
    Parsed::Rejected(Rejection { tag, spec, fault, detail: detail.into() })
}
