//! Phrases for people, in every language of text listeners: a row for each phrase, a column for each language. A phrase
//! that lacks a language does not compile.

use std::borrow::Cow;

use crate::settings::Language;
use crate::time::Time;

/// A fixed phrase. On json listeners it is in the documents' words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phrase {
    documents: &'static str,
    english: &'static str,
    indonesian: &'static str,
}

/// A phrase of the documents, and its translations.
pub(super) const fn phrase(documents: &'static str, english: &'static str, indonesian: &'static str) -> Phrase {
    Phrase { documents, english, indonesian }
}

/// A phrase that no document has: it is English among the documents' words, too.
pub(super) const fn ours(english: &'static str, indonesian: &'static str) -> Phrase {
    phrase(english, english, indonesian)
}

impl Phrase {
    pub(super) const fn text(self, language: Language) -> &'static str {
        match language {
            Language::Documents => self.documents,
            Language::English => self.english,
            Language::Indonesian => self.indonesian,
        }
    }

    /// In the documents' words, for programs.
    pub(super) const fn documents(self) -> &'static str {
        self.documents
    }
}

/// A hint behind a sentence, for the person who reads it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Detail {
    Fixed(Phrase),
    /// Made by [`counted`].
    Counted(u64, fn(Language, u64) -> String),
}

impl Detail {
    pub(super) const NONE: Self = Self::Fixed(ours("", ""));

    /// Empty if there is nothing to say in that language.
    pub(super) fn text(self, language: Language) -> Cow<'static, str> {
        match self {
            Self::Fixed(phrase) => phrase.text(language).into(),
            Self::Counted(number, text) => text(language, number).into(),
        }
    }
}

impl From<Phrase> for Detail {
    fn from(phrase: Phrase) -> Self {
        Self::Fixed(phrase)
    }
}

/// A moment. Beside the documents' words it is as programs have it; a person needs no milliseconds.
pub(super) fn shown_time(time: Time, language: Language) -> String {
    match language {
        Language::Documents => time.to_string(),
        Language::English | Language::Indonesian => time.to_minute(),
    }
}

/// A phrase with values in it, in a language: the documents', English, Indonesian.
macro_rules! say {
    ($language:expr, $documents:literal, $english:literal, $indonesian:literal) => {
        match $language {
            $crate::settings::Language::Documents => format!($documents),
            $crate::settings::Language::English => format!($english),
            $crate::settings::Language::Indonesian => format!($indonesian),
        }
    };
}

/// A [`Detail`] with a number at its `{}`: like [`ours`], English and Indonesian.
macro_rules! counted {
    ($number:expr, $english:literal, $indonesian:literal) => {
        $crate::wire::phrase::Detail::Counted($number as u64, |language, number| match language {
            $crate::settings::Language::Documents | $crate::settings::Language::English => format!($english, number),
            $crate::settings::Language::Indonesian => format!($indonesian, number),
        })
    };
}

pub(super) use {counted, say};
