//! A row of the table of errors.

use std::borrow::Cow;

use crate::settings::Language;
use crate::wire::codec::LineError;
use crate::wire::format::{Dialect, ReplyFormat};
use crate::wire::phrase::{Detail, Phrase, phrase};

/// A row of the table.
#[derive(Clone, Copy)]
pub(in crate::wire) struct ErrorSpec {
    /// Stable, for programs.
    pub(in crate::wire) code: &'static str,
    pub(super) sentence: Phrase,
    /// In the documents' words on a text listener.
    text: &'static str,
    /// In the documents' words for the commands of the draft system.
    draft: &'static str,
    /// A hint for the person who reads it.
    detail: Detail,
}

/// Errors of a line that is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// The first word is not in the table of commands.
    UnknownCommand,
    /// The line is the first one of another protocol.
    OtherProtocol,
    /// Too few or bad parameters.
    BadParameter,
    /// The line cannot be read at all.
    Line(LineError),
}

impl ParseErrorKind {
    /// Whether the client speaks another protocol, so that no other line of it may be served.
    #[must_use]
    pub fn ends_connection(self) -> bool {
        matches!(self, Self::OtherProtocol | Self::Line(LineError::Tls))
    }
}

pub(super) const BAD_FORMAT: &str = "Format message tidak sesuai";

pub(super) fn row(code: &'static str, sentence: Phrase, detail: impl Into<Detail>) -> ErrorSpec {
    let (text, draft) = (sentence.documents(), sentence.documents());
    ErrorSpec { code, sentence, text, draft, detail: detail.into() }
}

pub(super) fn bad_parameter(detail: impl Into<Detail>) -> ErrorSpec {
    let sentence = phrase("parameter salah / tidak ada", "bad parameter", "parameter salah");
    row("bad_parameter", sentence, detail).text(BAD_FORMAT)
}

impl ErrorSpec {
    pub(super) fn text(self, text: &'static str) -> Self {
        Self { text, ..self }
    }

    pub(super) fn draft(self, draft: &'static str) -> Self {
        Self { draft, ..self }
    }

    /// The sentence in a format, in the words of a dialect if the command is known.
    pub(in crate::wire) fn sentence(&self, format: ReplyFormat, dialect: Option<Dialect>) -> &'static str {
        match (format, dialect) {
            (ReplyFormat::Text(language @ (Language::English | Language::Indonesian)), _) => {
                self.sentence.text(language)
            }
            (ReplyFormat::Text(_), _) if self.text != self.sentence.documents() => self.text,
            (_, Some(Dialect::Draft)) => self.draft,
            _ => self.sentence.documents(),
        }
    }

    /// `None` if the sentence says it all.
    pub(in crate::wire) fn detail(&self, language: Language) -> Option<Cow<'static, str>> {
        Some(self.detail.text(language)).filter(|detail| !detail.is_empty())
    }
}
