//! Rust source text to tokens: enough to tell code, comments and literals apart.

use std::iter::Peekable;
use std::str::CharIndices;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier or a keyword. Of a raw identifier, the part after `r#`.
    Word,
    /// One character of punctuation, or `::`.
    Mark,
    /// A string, a character or a number.
    Literal,
    Comment,
    /// `///`, `//!`, `/**` or `/*!`.
    DocComment,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    /// Counted from 1.
    pub(crate) line: usize,
}

impl Token<'_> {
    pub(crate) fn is_mark(&self, mark: &str) -> bool {
        self.kind == Kind::Mark && self.text == mark
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    pub(crate) fn is_comment(&self) -> bool {
        matches!(self.kind, Kind::Comment | Kind::DocComment)
    }
}

/// All tokens of a source text, without white space and lifetimes.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { text, characters: text.char_indices().peekable(), line: 1 };
    std::iter::from_fn(|| lexer.next_token()).collect()
}

struct Lexer<'a> {
    text: &'a str,
    characters: Peekable<CharIndices<'a>>,
    line: usize,
}

impl<'a> Lexer<'a> {
    fn next_token(&mut self) -> Option<Token<'a>> {
        loop {
            let (start, line) = (self.position(), self.line);
            let first = self.advance()?;
            if let Some(kind) = self.rest_of_token(first, start) {
                return Some(Token { kind, text: self.since(start, kind), line });
            }
        }
    }

    /// Consumes the rest of a token. `None` for white space and lifetimes.
    fn rest_of_token(&mut self, first: char, start: usize) -> Option<Kind> {
        match first {
            '/' if self.peek() == Some('/') => {
                self.advance_while(|character| character != '\n');
                Some(comment_kind(&self.text[start..self.position()]))
            }
            '/' if self.peek() == Some('*') => {
                self.block_comment();
                Some(comment_kind(&self.text[start..self.position()]))
            }
            '"' => Some(self.string()),
            '\'' => self.character_or_lifetime(),
            ':' if self.peek() == Some(':') => {
                self.advance();
                Some(Kind::Mark)
            }
            _ if first.is_ascii_digit() => {
                self.advance_while(is_of_a_word);
                Some(Kind::Literal)
            }
            _ if is_of_a_word(first) => Some(self.word_or_prefixed_literal(start)),
            _ if first.is_whitespace() => None,
            _ => Some(Kind::Mark),
        }
    }

    fn word_or_prefixed_literal(&mut self, start: usize) -> Kind {
        self.advance_while(is_of_a_word);
        match (&self.text[start..self.position()], self.peek()) {
            ("r" | "br" | "cr", Some('"' | '#')) => self.raw_string_or_word(),
            ("b" | "c", Some('"')) => {
                self.advance();
                self.string()
            }
            ("b", Some('\'')) => {
                self.advance();
                self.character_or_lifetime().unwrap_or(Kind::Literal)
            }
            _ => Kind::Word,
        }
    }

    fn raw_string_or_word(&mut self) -> Kind {
        let hashes = self.advance_while(|character| character == '#');
        if self.peek() != Some('"') {
            self.advance_while(is_of_a_word);
            return Kind::Word;
        }
        self.advance();
        let end = format!("\"{}", "#".repeat(hashes));
        while !self.text[self.position()..].starts_with(&end) && self.advance().is_some() {}
        for _ in end.chars() {
            self.advance();
        }
        Kind::Literal
    }

    /// The rest of a string, after its first quotation mark.
    fn string(&mut self) -> Kind {
        while let Some(character) = self.advance() {
            match character {
                '"' => break,
                '\\' => {
                    self.advance();
                }
                _ => {}
            }
        }
        Kind::Literal
    }

    fn character_or_lifetime(&mut self) -> Option<Kind> {
        let mut after = self.text[self.position()..].chars();
        let is_character = after.next() == Some('\\') || after.next() == Some('\'');
        if !is_character {
            self.advance_while(is_of_a_word);
            return None;
        }
        if self.advance() == Some('\\') {
            self.advance();
        }
        self.advance_while(|character| character != '\'');
        self.advance();
        Some(Kind::Literal)
    }

    /// The rest of a block comment, after its first slash. Block comments nest.
    fn block_comment(&mut self) {
        self.advance();
        let mut depth = 1;
        while depth > 0 {
            let rest = &self.text[self.position()..];
            let (opens, closes) = (rest.starts_with("/*"), rest.starts_with("*/"));
            if opens || closes {
                depth += if opens { 1 } else { -1 };
                self.advance();
            }
            if self.advance().is_none() {
                return;
            }
        }
    }

    fn since(&mut self, start: usize, kind: Kind) -> &'a str {
        let text = &self.text[start..self.position()];
        if kind == Kind::Word { text.trim_start_matches("r#") } else { text }
    }

    fn position(&mut self) -> usize {
        self.characters.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    fn peek(&mut self) -> Option<char> {
        self.characters.peek().map(|(_, character)| *character)
    }

    fn advance(&mut self) -> Option<char> {
        let (_, character) = self.characters.next()?;
        self.line += usize::from(character == '\n');
        Some(character)
    }

    fn advance_while(&mut self, is_part: impl Fn(char) -> bool) -> usize {
        std::iter::from_fn(|| self.characters.next_if(|(_, character)| is_part(*character))).count()
    }
}

fn is_of_a_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn comment_kind(text: &str) -> Kind {
    let is_doc = ["///", "//!", "/**", "/*!"].iter().any(|start| text.starts_with(start));
    if is_doc && !text.starts_with("////") { Kind::DocComment } else { Kind::Comment }
}

#[cfg(test)]
mod tests {
    use super::{Kind, tokens};

    fn texts(text: &str, kind: Kind) -> Vec<&str> {
        tokens(text).into_iter().filter(|token| token.kind == kind).map(|token| token.text).collect()
    }

    #[test]
    fn literals_and_comments_hide_code() {
        let text = "a // b\n\"c // \\\" d\" r#\"e \" f\"# 'g' '\\'' b'h' /* i /* j */ k */ l r#type br\"m\"";
        assert_eq!(texts(text, Kind::Word), ["a", "l", "type"]);
        assert_eq!(texts(text, Kind::Comment), ["// b", "/* i /* j */ k */"]);
        assert_eq!(texts(text, Kind::Literal).len(), 6);
    }

    #[test]
    fn lifetimes_are_not_characters() {
        assert_eq!(
            texts("fn f<'a>(x: &'a str, y: char) { g('a') }", Kind::Word),
            ["fn", "f", "x", "str", "y", "char", "g"]
        );
    }

    #[test]
    fn tokens_know_their_lines_and_doc_comments_are_told_apart() {
        let lines: Vec<usize> = tokens("a\n\"b\nc\"\nd::e").into_iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 2, 4, 4, 4]);
        assert_eq!(texts("/// a\n//! b\n// c\n//// d", Kind::DocComment), ["/// a", "//! b"]);
    }
}
