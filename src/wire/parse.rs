//! Lines to requests (PROTOCOL §1, §2, §4).

#[cfg(test)]
mod secrets;
#[cfg(test)]
mod tests;

use secrecy::SecretString;

use crate::id::{Hash64, Token};
use crate::wire::action::Action;
use crate::wire::args::{Args, BadParameter};
use crate::wire::command_spec::CommandSpec;
use crate::wire::errors::ParseErrorKind;
use crate::wire::other_protocols;
use crate::wire::parameters::{KEY, REST, TEXT};
use crate::wire::phrase::ours;
use crate::wire::request::{ParseError, Parsed, Problem, Request, Tag, WithoutToken};

/// Parses a line. Any text has a result.
#[must_use]
pub fn parse(line: &str) -> Parsed {
    let mut args = Args::of(line);
    if args.is_empty() {
        return Parsed::Blank;
    }
    let mut word = args.next();
    let mut tag = None;
    if let Some(text) = word.strip_prefix('#') {
        tag = Tag::parse(text);
        if tag.is_none() {
            let expected = ours("expected # and 1-64 of A-Z a-z 0-9 _ -", "harus # dan 1-64 dari A-Z a-z 0-9 _ -");
            let problem = Problem::Parameter(BadParameter::new(KEY, expected));
            return rejected(None, None, ParseErrorKind::BadParameter, problem);
        }
        word = args.next();
    }
    let Some(spec) = CommandSpec::find(word) else {
        if other_protocols::is_http(line) {
            return Parsed::Http;
        }
        if other_protocols::is_opening(line) {
            let problem = ours("expected a command: help lists them", "harus sebuah perintah: help menampilkannya");
            return rejected(None, None, ParseErrorKind::OtherProtocol, Problem::Line(problem.into()));
        }
        let problem = ours("help lists the commands, quit leaves", "help menampilkan semua perintah, quit keluar");
        return rejected(tag, None, ParseErrorKind::UnknownCommand, Problem::Line(problem.into()));
    };
    match parse_parameters(spec, tag.clone(), args) {
        Ok(request) => Parsed::Request(request),
        Err(error) => rejected(tag, Some(spec), ParseErrorKind::BadParameter, Problem::Parameter(error)),
    }
}

fn parse_parameters(spec: &'static CommandSpec, tag: Option<Tag>, mut args: Args<'_>) -> Result<Request, BadParameter> {
    let mut whole = args;
    let token = take_token(&mut args);
    let hash = tag.is_some().then(|| hash(spec, args));
    let secret = tag.as_ref().and_then(|_| secret(spec, args));
    let action = parse_all(spec, &mut args)?;
    let without_token = if token.is_some() && spec.parameters == [TEXT] {
        let hash = tag.is_some().then(|| self::hash(spec, whole));
        Some(Box::new(WithoutToken { action: parse_all(spec, &mut whole)?, hash }))
    } else {
        None
    };
    Ok(Request { tag, token, spec, action, without_token, hash, secret })
}

/// A word too many is an error: it may be the rest of a password that was meant to have blanks.
fn parse_all(spec: &CommandSpec, args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let action = (spec.parse)(args)?;
    if !args.is_empty() {
        return Err(BadParameter::new(REST, ours("expected the end of the line", "harus akhir baris")));
    }
    Ok(action)
}

fn hash(spec: &CommandSpec, mut parameters: Args<'_>) -> Hash64 {
    let mut parts = vec![spec.word];
    match spec.before_password {
        Some(count) => parts.extend((0..count).map(|_| parameters.next())),
        None => parts.push(parameters.rest()),
    }
    Hash64::of(&parts)
}

/// The words of an administrator's request, up to a password: what is recorded of its line. `None` for requests of others.
#[must_use]
pub fn audited_words(request: &Request, line: &str) -> Option<Box<str>> {
    let spec = request.spec;
    if !spec.is_administrative {
        return None;
    }
    let mut parameters = Args::of(line);
    if request.tag.is_some() {
        parameters.next();
    }
    parameters.next();
    take_token(&mut parameters);
    let shown = match spec.before_password {
        Some(count) => (0..count).map(|_| parameters.next()).collect::<Vec<_>>().join(" "),
        None => parameters.rest().to_owned(),
    };
    Some(format!("{} {shown}", spec.word).trim_end().into())
}

fn secret(spec: &CommandSpec, mut parameters: Args<'_>) -> Option<SecretString> {
    for _ in 0..spec.before_password? {
        parameters.next();
    }
    let secret = parameters.rest();
    (!secret.is_empty()).then(|| SecretString::from(secret))
}

/// A first parameter in the form of a token is one: no name has that form (PROTOCOL §2).
fn take_token(args: &mut Args<'_>) -> Option<Token> {
    let mut after = *args;
    let token = Token::parse(after.next())?;
    *args = after;
    Some(token)
}

fn rejected(tag: Option<Tag>, spec: Option<&'static CommandSpec>, kind: ParseErrorKind, problem: Problem) -> Parsed {
    Parsed::Rejected(ParseError { tag, spec, kind, problem })
}
