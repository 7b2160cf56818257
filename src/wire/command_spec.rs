//! A row of the table of commands.

use std::borrow::Cow;
use std::fmt;

use crate::chat::Response;
use crate::settings::Language;
use crate::wire::action::Action;
use crate::wire::args::{Args, BadParameter};
use crate::wire::errors::Wording;
use crate::wire::format::{Dialect, ReplyFormat};
use crate::wire::parameters::PROFILE;
use crate::wire::phrase::{Phrase, ours};

/// A command word.
pub struct CommandSpec {
    /// In lower case; clients may write it in any.
    pub word: &'static str,
    /// The parameters as help shows them: optional ones in brackets. A token may precede them.
    pub(super) parameters: &'static [Phrase],
    /// For help, in a few words.
    pub(super) summary: Phrase,
    pub(super) theme: Theme,
    /// In the help overview, after the other words of its theme.
    pub(super) is_last_in_overview: bool,
    pub dialect: Dialect,
    /// It acts for a user.
    pub needs_session: bool,
    /// It is for administrators, and each use is recorded.
    pub is_administrative: bool,
    /// How many parameters stand before a password, if there is one: only those are covered by a request's hash.
    pub(super) before_password: Option<usize>,
    /// The reply tells whether another realm has stored the message, also if the realm is a name of this server.
    pub(super) always_tells_delivery: bool,
    pub(super) success: Success,
    /// Errors that this command words differently from the table of errors.
    pub(super) wordings: &'static [Wording],
    pub(super) parse: ParseFn,
}

/// Parses the parameters of a command, and leaves what it does not take.
pub(super) type ParseFn = fn(&mut Args<'_>) -> Result<Action, BadParameter>;

/// Groups of the help overview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Theme {
    ComeAndGo,
    Talk,
    Read,
    /// Live, and on several devices.
    KeepUp,
    Groups,
    OwnAGroup,
    People,
    Realms,
    TalkToRealms,
    Other,
    /// For administrators, like [`Theme::Administer`].
    KeepOut,
    Administer,
}

/// Words a response in a dialect and a format.
pub(super) type SentenceFn = fn(Dialect, ReplyFormat, &Response) -> Cow<'static, str>;

/// The sentence of a successful reply.
pub(super) enum Success {
    Sentence {
        json: &'static str,
        text: Phrase,
    },
    /// In the documents' words by the form of the request.
    ByDialect {
        draft: &'static str,
        others: Phrase,
    },
    /// Depends on the response.
    Of(SentenceFn),
}

pub(super) const fn command(
    word: &'static str,
    parameters: &'static [Phrase],
    summary: Phrase,
    theme: Theme,
    parse: ParseFn,
) -> CommandSpec {
    CommandSpec {
        word,
        parameters,
        summary,
        theme,
        is_last_in_overview: false,
        dialect: Dialect::Realm,
        needs_session: true,
        is_administrative: false,
        before_password: None,
        always_tells_delivery: false,
        success: Success::Sentence { json: "", text: ours("", "") },
        wordings: &[],
        parse,
    }
}

impl CommandSpec {
    pub(super) const fn dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    pub(super) const fn last_in_overview(self) -> Self {
        Self { is_last_in_overview: true, ..self }
    }

    pub(super) const fn for_anyone(self) -> Self {
        Self { needs_session: false, ..self }
    }

    pub(super) const fn for_administrators(self) -> Self {
        Self { is_administrative: true, ..self }
    }

    pub(super) const fn password_after(self, parameters: usize) -> Self {
        Self { before_password: Some(parameters), ..self }
    }

    pub(super) const fn tells_delivery(self) -> Self {
        Self { always_tells_delivery: true, ..self }
    }

    pub(super) const fn success(self, sentence: Phrase) -> Self {
        self.success_in(sentence.documents(), sentence)
    }

    pub(super) const fn success_in(self, json: &'static str, text: Phrase) -> Self {
        Self { success: Success::Sentence { json, text }, ..self }
    }

    pub(super) const fn success_by_dialect(self, draft: &'static str, others: Phrase) -> Self {
        Self { success: Success::ByDialect { draft, others }, ..self }
    }

    pub(super) const fn success_of(self, sentence: SentenceFn) -> Self {
        Self { success: Success::Of(sentence), ..self }
    }

    pub(super) const fn errors(self, wordings: &'static [Wording]) -> Self {
        Self { wordings, ..self }
    }

    /// A full name and a country may follow the password.
    pub(super) fn takes_profile(&self) -> bool {
        self.parameters.contains(&PROFILE)
    }

    /// The word and its parameters.
    pub(super) fn usage(&self, language: Language) -> String {
        let parameters = self.parameters.iter().map(|parameter| parameter.text(language));
        std::iter::once(self.word).chain(parameters).collect::<Vec<_>>().join(" ")
    }

    /// The sentence of a successful reply.
    pub(super) fn success_sentence(
        &self,
        dialect: Dialect,
        format: ReplyFormat,
        response: &Response,
    ) -> Cow<'static, str> {
        match self.success {
            Success::Sentence { text, .. } if format.is_text() => text.text(format.language()).into(),
            Success::Sentence { json, .. } => json.into(),
            Success::ByDialect { draft, .. }
                if dialect == Dialect::Draft && format.language() == Language::Documents =>
            {
                draft.into()
            }
            Success::ByDialect { others, .. } => others.text(format.language()).into(),
            Success::Of(sentence) => sentence(dialect, format, response),
        }
    }
}

/// Words are unique: a test of the table holds that.
impl PartialEq for CommandSpec {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl Eq for CommandSpec {}

impl fmt::Debug for CommandSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommandSpec({})", self.word)
    }
}
