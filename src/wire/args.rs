//! The words of a line, and what a parameter may be.

use std::str::FromStr;

use memchr::memchr2;
use secrecy::SecretString;

use crate::chat::{EscapedText, Position};
use crate::id::{Epoch, Seq, Token};
use crate::limits::{PASSWORD_BYTES, PROFILE_BYTES};
use crate::name::{Address, Name};
use crate::settings::Language;
use crate::wire::parameters::{ID, PORT, TEXT};
use crate::wire::phrase::{Detail, Phrase, counted, ours};

/// Separators of words.
const BLANKS: [char; 2] = [' ', '\t'];

/// A cursor over the words of a line: the rest that was not parsed yet. It begins with a word, or is empty.
#[derive(Clone, Copy)]
pub(super) struct Args<'a>(&'a str);

/// A parameter that is missing or not what was expected.
#[derive(Clone, Copy, Debug)]
pub(super) struct BadParameter {
    /// Its name in the usage of the command.
    pub(super) name: Phrase,
    /// The expected form.
    expected: Detail,
}

impl BadParameter {
    pub(super) fn new(name: Phrase, expected: impl Into<Detail>) -> Self {
        Self { name, expected: expected.into() }
    }

    pub(super) fn text(self, language: Language) -> String {
        format!("{}: {}", self.name.text(language), self.expected.text(language))
    }
}

impl<'a> Args<'a> {
    pub(super) fn of(line: &'a str) -> Self {
        Self(line.trim_matches(BLANKS))
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The rest that was not parsed yet.
    pub(super) fn rest(self) -> &'a str {
        self.0
    }

    /// The next word, or an empty text at the end of the line.
    pub(super) fn next(&mut self) -> &'a str {
        let end = memchr2(b' ', b'\t', self.0.as_bytes()).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest.trim_start_matches(BLANKS);
        word
    }

    /// The name of a user, group or realm.
    pub(super) fn name(&mut self, parameter: Phrase) -> Result<Name, BadParameter> {
        parse_name(parameter, self.next())
    }

    /// A name that is given to something new: some are reserved (PROTOCOL §3).
    pub(super) fn new_name(&mut self, parameter: Phrase) -> Result<Name, BadParameter> {
        let name = self.name(parameter)?;
        if name.is_reserved() {
            return Err(BadParameter::new(
                parameter,
                ours("expected another name: this one is reserved", "harus nama lain: yang ini dicadangkan"),
            ));
        }
        Ok(name)
    }

    /// `NAME` or `NAME@REALM`.
    pub(super) fn address(&mut self, parameter: Phrase) -> Result<Address, BadParameter> {
        parse_address(parameter, self.next())
    }

    /// A message's id; 0 is before all.
    pub(super) fn id(&mut self) -> Result<Seq, BadParameter> {
        let expected = ours("expected a message's id, or 0", "harus ID sebuah pesan, atau 0");
        self.next().parse().map(Seq).map_err(|_| BadParameter::new(ID, expected))
    }

    /// `ID` or `ID@EPOCH`.
    pub(super) fn position(&mut self) -> Result<Position, BadParameter> {
        let word = self.next();
        let (id, epoch) = word.split_once('@').map_or((word, None), |(id, epoch)| (id, Some(epoch)));
        let epoch = epoch.map(|epoch| Epoch::parse(epoch).ok_or_else(not_a_position)).transpose()?;
        Ok(Position { id: id.parse().map(Seq).map_err(|_| not_a_position())?, epoch })
    }

    /// A password to be checked.
    pub(super) fn password(&mut self, parameter: Phrase) -> Result<SecretString, BadParameter> {
        let word = self.next();
        if !(1..=PASSWORD_BYTES).contains(&word.len()) {
            let expected =
                counted!(PASSWORD_BYTES, "expected 1-{} bytes without white space", "harus 1-{} byte tanpa spasi");
            return Err(BadParameter::new(parameter, expected));
        }
        Ok(word.into())
    }

    /// A new password. A token in its place is a mistake of the client: it would be stored for ever as a password that
    /// only looks like a session.
    pub(super) fn new_password(&mut self, parameter: Phrase) -> Result<SecretString, BadParameter> {
        let is_token = Token::parse(Args(self.0).next()).is_some();
        let password = self.password(parameter)?;
        if is_token {
            return Err(BadParameter::new(
                parameter,
                ours("expected something other than a UUID", "tidak boleh berupa UUID"),
            ));
        }
        Ok(password)
    }

    /// A full name or country, in which `_` stands for a space (PROTOCOL §3).
    pub(super) fn profile(&mut self, parameter: Phrase) -> Result<Box<str>, BadParameter> {
        let word = self.next();
        if !(1..=PROFILE_BYTES).contains(&word.len()) {
            let expected =
                counted!(PROFILE_BYTES, "expected 1-{} bytes, _ for a space", "harus 1-{} byte, _ untuk spasi");
            return Err(BadParameter::new(parameter, expected));
        }
        Ok(word.replace('_', " ").into())
    }

    /// A number.
    pub(super) fn number<T: FromStr>(&mut self, parameter: Phrase, expected: Phrase) -> Result<T, BadParameter> {
        self.next().parse().map_err(|_| BadParameter::new(parameter, expected))
    }

    /// A TCP port.
    pub(super) fn port(&mut self) -> Result<u16, BadParameter> {
        let port = self.next().parse().ok().filter(|port| *port != 0);
        let expected = ours("expected a number from 1 to 65535", "harus angka dari 1 sampai 65535");
        port.ok_or_else(|| BadParameter::new(PORT, expected))
    }

    /// The rest of the line, which may be empty.
    pub(super) fn take_rest(&mut self) -> &'a str {
        std::mem::take(&mut self.0)
    }

    /// The rest of the line, byte for byte.
    pub(super) fn text(&mut self) -> Result<EscapedText, BadParameter> {
        if self.is_empty() {
            let expected = ours("expected a text up to the end of the line", "harus teks sampai akhir baris");
            return Err(BadParameter::new(TEXT, expected));
        }
        Ok(EscapedText::new(std::mem::take(&mut self.0)))
    }
}

pub(super) fn parse_name(parameter: Phrase, word: &str) -> Result<Name, BadParameter> {
    Name::parse(word).map_err(|_| not_a_name(parameter))
}

pub(super) fn parse_address(parameter: Phrase, word: &str) -> Result<Address, BadParameter> {
    Address::parse(word).map_err(|_| not_a_name(parameter))
}

fn not_a_position() -> BadParameter {
    BadParameter::new(
        ID,
        ours(
            "expected a message's id or 0, or ID@EPOCH with an epoch of 16 hexadecimal digits",
            "harus ID sebuah pesan atau 0, atau ID@EPOCH dengan epoch 16 digit heksadesimal",
        ),
    )
}

fn not_a_name(parameter: Phrase) -> BadParameter {
    BadParameter::new(
        parameter,
        ours(
            "expected 1-32 of A-Z a-z 0-9 _ - . starting with a letter or digit, and not the word realm",
            "harus 1-32 dari A-Z a-z 0-9 _ - . yang diawali huruf atau angka, dan bukan kata realm",
        ),
    )
}
