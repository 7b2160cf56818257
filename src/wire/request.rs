//! A parsed request.

use std::borrow::Cow;

use secrecy::SecretString;

use crate::id::{Hash64, Token};
use crate::limits::TAG_BYTES;
use crate::settings::Language;
use crate::wire::action::{Action, SessionRequest};
use crate::wire::args::BadParameter;
use crate::wire::codec::LineError;
use crate::wire::command_spec::CommandSpec;
use crate::wire::errors::ParseErrorKind;
use crate::wire::format::Dialect;
use crate::wire::phrase::Detail;

/// A parsed line.
#[derive(Debug)]
pub enum Parsed {
    /// Nothing to answer.
    Blank,
    /// A web page drives a browser: close without an answer (PROTOCOL §1).
    Http,
    Request(Request),
    Rejected(ParseError),
}

/// A well-formed request.
#[derive(Debug)]
pub struct Request {
    /// Echoed in the reply (PROTOCOL §7).
    pub tag: Option<Tag>,
    /// The session to act for, if the request names one.
    pub token: Option<Token>,
    pub spec: &'static CommandSpec,
    pub action: Action,
    /// The same request if its token is unknown, and so the first word of a text.
    pub without_token: Option<Box<WithoutToken>>,
    /// Distinguishes tagged requests with the same tag. Does not cover [`Request::secret`].
    pub hash: Option<Hash64>,
    /// The rest of a tagged request from its first password on, if it has one: it must not be hashed quickly.
    pub secret: Option<SecretString>,
}

/// The changes to a request whose token is a word of its text.
#[derive(Debug)]
pub struct WithoutToken {
    pub action: Action,
    /// As in [`Request`].
    pub hash: Option<Hash64>,
}

/// The part of a request that its reply needs.
#[derive(Clone, Debug)]
pub struct ReplyContext {
    pub spec: &'static CommandSpec,
    /// Echoed in the reply.
    pub tag: Option<Tag>,
    /// The document whose sentences the reply uses.
    pub dialect: Dialect,
}

impl Request {
    #[must_use]
    pub fn context(&self) -> ReplyContext {
        ReplyContext { spec: self.spec, tag: self.tag.clone(), dialect: self.dialect() }
    }

    /// `register` with two parameters and `joingroup` with a password are forms of the draft system.
    fn dialect(&self) -> Dialect {
        match &self.action {
            Action::Session(SessionRequest::Register { profile: None, .. } | SessionRequest::JoinGroup { .. }) => {
                Dialect::Draft
            }
            _ => self.spec.dialect,
        }
    }
}

/// The client's name for a request: 1-64 of `A-Za-z0-9_-` (PROTOCOL §7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(Box<str>);

impl Tag {
    /// Parses a tag, without the `#` in front of it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = (1..=TAG_BYTES).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        well_formed.then(|| Self(text.into()))
    }

    /// The stored form.
    #[must_use]
    pub fn hash(&self) -> Hash64 {
        Hash64::of(&[&self.0])
    }

    /// As the client wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a line is no request.
#[derive(Clone, Debug)]
pub struct ParseError {
    pub tag: Option<Tag>,
    /// The row of its command word, if it is one.
    pub spec: Option<&'static CommandSpec>,
    pub kind: ParseErrorKind,
    /// Which parameter, and what was expected; never what the client wrote.
    pub(super) problem: Problem,
}

/// The mistake in a line.
#[derive(Clone, Copy, Debug)]
pub(super) enum Problem {
    Parameter(BadParameter),
    Line(Detail),
}

impl Problem {
    pub(super) fn text(self, language: Language) -> Cow<'static, str> {
        match self {
            Self::Parameter(parameter) => parameter.text(language).into(),
            Self::Line(detail) => detail.text(language),
        }
    }
}

impl ParseError {
    /// The problem, and the usage of the command: for programs.
    #[must_use]
    pub fn detail(&self) -> Cow<'static, str> {
        let (language, problem) = (Language::Documents, self.problem.text(Language::Documents));
        match self.spec {
            Some(spec) => format!("{problem}; usage: {}", spec.usage(language)).into(),
            None => problem,
        }
    }
}

impl From<LineError> for ParseError {
    fn from(error: LineError) -> Self {
        Self { tag: None, spec: None, kind: ParseErrorKind::Line(error), problem: Problem::Line(error.detail()) }
    }
}
