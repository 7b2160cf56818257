//! The one table of errors: code, sentences and detail of everything that can go wrong (PROTOCOL §4).
//!
//! No error of `auth`, `login` or `register` may contain the letters "ok": a real graphical client takes them for
//! success (PROTOCOL §1).

mod connections;
mod requests;
mod row;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::chat::{BounceReason, CommandError};
use crate::settings::Language;
use crate::wire::codec::LineError;
use crate::wire::format::{Dialect, ReplyFormat};

pub(super) use connections::{of_disconnect, of_line};
pub(super) use requests::of;
pub use row::ParseErrorKind;

/// The words of one command for an error, if its document differs from the table. Other languages have those of the table.
pub(super) struct Wording {
    error: CommandError,
    json: Option<&'static str>,
    text: Option<&'static str>,
    /// Only for the command's form of the draft system.
    draft_only: bool,
}

impl Wording {
    pub(super) const fn new(error: CommandError, json: &'static str, text: &'static str) -> Self {
        Self { error, json: Some(json), text: Some(text), draft_only: false }
    }

    pub(super) const fn same(error: CommandError, sentence: &'static str) -> Self {
        Self::new(error, sentence, sentence)
    }

    pub(super) const fn in_text(error: CommandError, text: &'static str) -> Self {
        Self { error, json: None, text: Some(text), draft_only: false }
    }

    pub(super) const fn in_draft(error: CommandError, sentence: &'static str) -> Self {
        Self { draft_only: true, ..Self::same(error, sentence) }
    }

    fn applies(&self, error: CommandError, dialect: Dialect) -> bool {
        self.error == error && (!self.draft_only || dialect == Dialect::Draft)
    }
}

/// The sentence for a failed command: the command's own words, which only the documents have, or those of the table.
pub(super) fn sentence(
    error: CommandError,
    format: ReplyFormat,
    command: Option<(Dialect, &[Wording])>,
) -> &'static str {
    let (dialect, wordings) = command.map_or((None, &[][..]), |(dialect, wordings)| (Some(dialect), wordings));
    let own = dialect.and_then(|dialect| wordings.iter().find(|wording| wording.applies(error, dialect)));
    let own = own.and_then(|wording| match format {
        ReplyFormat::Text(Language::Documents) => wording.text,
        ReplyFormat::Text(Language::English | Language::Indonesian) => None,
        ReplyFormat::Json | ReplyFormat::WebSocket => wording.json,
    });
    own.unwrap_or_else(|| of(error).sentence(format, dialect))
}

/// The stable code of an error, for logs and other servers.
#[must_use]
pub fn code(error: CommandError) -> &'static str {
    of(error).code
}

/// The stable code of a line that is no request.
#[must_use]
pub fn line_code(kind: ParseErrorKind) -> &'static str {
    of_line(kind).code
}

/// Every code that the reply to a line may have.
#[must_use]
pub fn codes() -> BTreeSet<&'static str> {
    let lines = [LineError::TooLong { limit: 0 }, LineError::NotUtf8, LineError::ControlCharacter, LineError::Tls];
    let kinds = lines.map(ParseErrorKind::Line).into_iter();
    let kinds = kinds.chain([ParseErrorKind::UnknownCommand, ParseErrorKind::BadParameter]);
    CommandError::ALL.iter().map(|error| code(*error)).chain(kinds.map(line_code)).collect()
}

/// The sentence for a message that came back from another realm.
pub(super) fn bounce_sentence(why: BounceReason, language: Language) -> &'static str {
    of(why.into()).sentence.text(language)
}
