//! Plays a written conversation against a server, and panics at the first difference.
//!
//! ```text
//! # a remark
//! messi> auth messi surabaya             messi's connection sends this line; a new name opens a connection
//! messi< {"status":"OK",...}             the next frame of messi's, byte for byte except for ids, times, tokens, versions
//! paff/text> login paff cytus            a connection to the text listener
//! paff/text< [OK] login berhasil
//! messi< (nothing)                       no other frame is on its way to messi
//! messi< (closed)                        the server closed
//! -- restart                             the server stops and starts again; its last frames can still be read
//! -- restart with KABAR_SECTION__KEY=V   likewise, with other settings (until the next restart)
//! -- close messi                         messi's connection ends
//! -- half-close messi                    messi sends nothing more
//! ```
//!
//! In a request, `TOKEN` is the last token that this connection received, `TOKEN:paff` that of paff's, and the word `ID`
//! the last id that this connection received, `ID@EPOCH` with the last epoch; `\r`, `\t` and `\xNN` are those bytes, and no newline follows a line that
//! ends in `\`. In a reply, any id, time, token, epoch or version stands for any other.

use std::collections::{BTreeMap, HashMap};

use super::{Client, TestServer, schema};

pub(crate) struct Transcript<'a> {
    server: &'a mut TestServer,
    clients: HashMap<String, Client>,
    /// Connections that a restart has ended. Their last frames can be read until a new one is opened.
    ended: HashMap<String, Client>,
    tokens: BTreeMap<String, String>,
    ids: HashMap<String, String>,
    epochs: HashMap<String, String>,
}

impl<'a> Transcript<'a> {
    /// Plays the lines. Panics at the first difference with its line in `source`.
    pub(crate) fn play(server: &'a mut TestServer, source: &str, text: &str) {
        let (clients, ended, tokens) = (HashMap::new(), HashMap::new(), BTreeMap::new());
        let mut transcript = Self { server, clients, ended, tokens, ids: HashMap::new(), epochs: HashMap::new() };
        for (number, line) in text.lines().enumerate() {
            let place = format!("{source}:{}", number + 1);
            transcript.play_line(&place, line);
        }
    }

    fn play_line(&mut self, place: &str, line: &str) {
        if line.trim().is_empty() || line.starts_with('#') {
            return;
        }
        if let Some(directive) = line.strip_prefix("-- ") {
            return self.direct(place, directive);
        }
        let mark = line.find(['<', '>']).unwrap_or_else(|| panic!("{place}: neither > nor <: {line}"));
        let (who, said) = (&line[..mark], line[mark + 1..].strip_prefix(' ').unwrap_or(&line[mark + 1..]));
        if line.as_bytes()[mark] == b'>' { self.send(who, said) } else { self.expect(place, who, said) }
    }

    fn direct(&mut self, place: &str, directive: &str) {
        let words: Vec<&str> = directive.split(' ').collect();
        match words[..] {
            ["close", who] => drop(self.clients.remove(who)),
            ["half-close", who] => self.client(who).half_closes(),
            ["restart"] => self.restart(&[]),
            ["restart", "with", ref settings @ ..] => self.restart(settings),
            _ => panic!("{place}: no directive: {directive}"),
        }
    }

    fn restart(&mut self, settings: &[&str]) {
        self.ended = std::mem::take(&mut self.clients);
        self.server.restart_with(settings);
    }

    fn client(&mut self, who: &str) -> &mut Client {
        let server = &self.server;
        let connect = || if is_text(who) { server.connect_text() } else { server.connect() };
        self.clients.entry(who.to_owned()).or_insert_with(connect)
    }

    fn send(&mut self, who: &str, said: &str) {
        self.ended.remove(who);
        let mut said = said.to_owned();
        // A longer name goes before the one that it begins with.
        for (name, token) in self.tokens.iter().rev() {
            said = said.replace(&format!("TOKEN:{name}"), token);
        }
        if let Some(own) = self.tokens.get(who) {
            said = said.replace("TOKEN", own);
        }
        if let Some(id) = self.ids.get(who) {
            let epoch = self.epochs.get(who).map(String::as_str).unwrap_or_default();
            let word = |word: &str| match word {
                "ID" => id.clone(),
                "ID@EPOCH" => format!("{id}@{epoch}"),
                other => other.to_owned(),
            };
            said = said.split(' ').map(word).collect::<Vec<_>>().join(" ");
        }
        let bytes = match said.strip_suffix('\\') {
            Some(unfinished) => unescape(unfinished),
            None => [unescape(&said), b"\n".to_vec()].concat(),
        };
        self.client(who).sends(bytes);
    }

    fn expect(&mut self, place: &str, who: &str, expected: &str) {
        let client = if self.ended.contains_key(who) { self.ended.get_mut(who).unwrap() } else { self.client(who) };
        match expected {
            "(nothing)" if is_text(who) => return client.hears_no_line(),
            "(nothing)" => return client.hears_nothing(),
            "(closed)" => return client.hears_the_end(),
            _ => {}
        }
        let heard = if is_text(who) { client.hears_line() } else { client.hears_frame() };
        if !is_text(who) {
            schema::check(place, &heard);
        }
        if let Some(token) = token_in(&heard) {
            self.tokens.insert(who.to_owned(), token);
        }
        if let Some(epoch) = epoch_in(&heard) {
            self.epochs.insert(who.to_owned(), epoch);
        }
        if let Some(id) = id_in(&heard) {
            self.ids.insert(who.to_owned(), id);
        }
        assert_eq!(masked(&heard), masked(expected), "{place}\n heard: {heard}\n");
    }
}

fn is_text(who: &str) -> bool {
    who.ends_with("/text")
}

fn token_in(heard: &str) -> Option<String> {
    heard.split(|c| !is_of_a_word(c)).find(|word| is_token(word)).map(str::to_owned)
}

fn epoch_in(heard: &str) -> Option<String> {
    heard.split(|c| !is_of_a_word(c)).find(|word| is_epoch(word)).map(str::to_owned)
}

/// The last id of a message, or the `before` of a history page.
fn id_in(heard: &str) -> Option<String> {
    let after = |key: &&str| heard.rfind(*key).map(|at| at + key.len());
    let at = ID_KEYS.iter().filter_map(after).max()?;
    Some(heard[at..].chars().skip(1).take_while(char::is_ascii_digit).collect())
}

/// Ends of keys whose value is an id.
const ID_KEYS: [&str; 3] = ["id\"", "before\"", "mark\""];
/// The end of `retry_after`, whose value is a number of seconds, and of the `after` of a subscription.
const AFTER_KEY: &str = "after\"";

/// The text, with placeholders for everything that differs from run to run.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    let mut after = "";
    for piece in text.split_inclusive(|c| !is_of_a_word(c)) {
        let word = piece.trim_end_matches(|c| !is_of_a_word(c));
        masked.push_str(match word {
            _ if is_token(word) => "TOKEN",
            _ if is_time(word) => "TIME",
            _ if is_epoch(word) => "EPOCH",
            env!("CARGO_PKG_VERSION") => "VERSION",
            _ if after == "wait " && word.parse::<u32>().is_ok() => "SECONDS",
            _ if is_minute(word) => "MINUTE",
            _ if after == "#" && word.parse::<u64>().is_ok() => "ID",
            _ if (ID_KEYS.contains(&after) || after == AFTER_KEY) && is_number(word) => ":ID",
            other => other,
        });
        masked.push_str(&piece[word.len()..]);
        after = piece;
    }
    masked
}

fn is_of_a_word(character: char) -> bool {
    character.is_alphanumeric() || "-:.".contains(character)
}

fn is_token(word: &str) -> bool {
    word.len() == 36 && uuid::Uuid::try_parse(word).is_ok()
}

fn is_epoch(word: &str) -> bool {
    word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_number(word: &str) -> bool {
    word.strip_prefix(':').is_some_and(|number| number.parse::<u64>().is_ok())
}

/// A part of `2026-11-21 07:00Z`.
fn is_minute(word: &str) -> bool {
    let form: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    form == "0000-00-00" || form == "00:00Z"
}

fn is_time(word: &str) -> bool {
    word.len() == 24 && word.ends_with('Z') && word.as_bytes()[10] == b'T'
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let (byte, length) = match after.as_bytes().first() {
            Some(b'r') => (b'\r', 1),
            Some(b't') => (b'\t', 1),
            Some(b'x') => (u8::from_str_radix(&after[1..3], 16).unwrap(), 3),
            _ => (b'\\', 0),
        };
        bytes.push(byte);
        rest = &after[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}
