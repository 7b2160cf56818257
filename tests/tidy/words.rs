//! Words: what a machine can see of the rules for names and for English.

use std::collections::BTreeSet;

use crate::lexer::{Kind, Token};
use crate::source::Source;

/// Metaphors that no reader can search for. Letters of the alphabet are allowed, in the plural or as "a letter or a digit".
const METAPHORS: [&str; 7] = ["house", "courier", "office", "letter", "fate", "stranger", "impostor"];

/// Doc comments which consist of one of these say nothing.
const EMPTY_ANSWERS: [&str; 12] =
    ["who", "whom", "whose", "what", "which", "where", "when", "why", "how", "it", "this", "likewise"];

/// Words and phrases that mostly stand for a plainer "if", "except", "no" or a noun.
const CRUTCHES: [&str; 6] = ["where", "whoever", "whom", "nobody's", "but for", "it is it"];

/// Lines of comments, and those among them that lean on a crutch.
#[derive(Default)]
pub(crate) struct CommentLines {
    pub(crate) count: usize,
    pub(crate) crutches: Vec<String>,
}

impl CommentLines {
    pub(crate) fn add(&mut self, file: &str, source: &Source<'_>) {
        for comment in &source.comments {
            for (offset, line) in comment.text.lines().enumerate() {
                self.count += 1;
                if leans_on_a_crutch(line) {
                    self.crutches.push(format!("{file}:{}: {}", comment.line + offset, line.trim()));
                }
            }
        }
    }
}

fn leans_on_a_crutch(line: &str) -> bool {
    let words = prose_words(line).join(" ");
    let padded = format!(" {words} ");
    CRUTCHES.iter().any(|crutch| padded.contains(&format!(" {crutch} ")))
}

/// The words of a comment in lower case, without quoted code and without SQL keywords.
fn prose_words(line: &str) -> Vec<String> {
    let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let words = prose.split(|character: char| !character.is_alphanumeric() && character != '\'');
    let is_keyword = |word: &&str| word.len() > 1 && word.chars().all(char::is_uppercase);
    words.filter(|word| !word.is_empty() && !is_keyword(word)).map(str::to_lowercase).collect()
}

/// The doc comments of a file that consist of one empty word.
pub(crate) fn empty_doc_comments(file: &str, source: &Source<'_>) -> Vec<String> {
    let docs = source.comments.iter().filter(|comment| comment.kind == Kind::DocComment);
    let mut blocks: Vec<(usize, usize, Vec<String>)> = Vec::new();
    for doc in docs {
        let words = prose_words(doc.text);
        match blocks.last_mut() {
            Some((_, last, text)) if *last + 1 == doc.line => {
                *last = doc.line;
                text.extend(words);
            }
            _ => blocks.push((doc.line, doc.line, words)),
        }
    }
    let empty =
        blocks.iter().filter(|(.., words)| matches!(&words[..], [one] if EMPTY_ANSWERS.contains(&one.as_str())));
    empty.map(|(line, _, words)| format!("{file}:{line}: {}", words[0])).collect()
}

/// The metaphors in the identifiers and comments of a file.
pub(crate) fn metaphors(file: &str, source: &Source<'_>) -> BTreeSet<String> {
    let code = source.code.iter().chain(&source.test_code).filter(|token| token.kind == Kind::Word);
    let in_code = code.flat_map(|token| with_place(token, parts_of_identifier(token.text)));
    let in_comments = source.comments.iter().flat_map(|token| with_place(token, parts_of_comment(token.text)));
    let found = in_code.chain(in_comments).filter(|(_, word)| is_metaphor(word));
    found.map(|(line, word)| format!("{file}:{line}: {word}")).collect()
}

fn with_place(token: &Token<'_>, words: Vec<String>) -> impl Iterator<Item = (usize, String)> {
    let line = token.line;
    words.into_iter().map(move |word| (line, word))
}

fn parts_of_comment(text: &str) -> Vec<String> {
    let plain = text.to_lowercase().replace("letter or ", "");
    plain.split(|character: char| !character.is_alphanumeric()).map(str::to_owned).collect()
}

/// The words of a `snake_case` or `CamelCase` name, in lower case.
fn parts_of_identifier(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for character in name.chars() {
        if character == '_' || (character.is_uppercase() && !name.chars().all(|c| !c.is_lowercase())) {
            parts.push(String::new());
        }
        let part = parts.last_mut().unwrap();
        part.extend(character.to_lowercase().filter(|lower| *lower != '_'));
    }
    parts
}

fn is_metaphor(word: &str) -> bool {
    let plural = word.strip_suffix('s').filter(|singular| *singular != "letter");
    METAPHORS.contains(&word) || plural.is_some_and(|singular| METAPHORS.contains(&singular))
}

#[cfg(test)]
mod tests {
    use super::{empty_doc_comments, leans_on_a_crutch, metaphors, parts_of_identifier};
    use crate::source::Source;

    #[test]
    fn crutches_are_whole_words_of_prose() {
        for bad in
            ["// none where empty", "// Where it is: whoever", "// all but for one", "// nobody's", "// it is it"]
        {
            assert!(leans_on_a_crutch(bad), "{bad}");
        }
        for good in ["// elsewhere", "// a `where` clause", "// SELECT a WHERE b", "// but forward", "// nobody"] {
            assert!(!leans_on_a_crutch(good), "{good}");
        }
    }

    #[test]
    fn a_doc_comment_of_one_empty_word_is_found() {
        let source = Source::parse("/// Which.\na\n/// Who.\n/// Of all.\nb\n/// Bytes.\nc\n// What.\n/// Whose?\nd");
        assert_eq!(empty_doc_comments("f", &source), ["f:1: which", "f:9: whose"]);
    }

    #[test]
    fn metaphors_are_found_as_words_of_names_and_comments() {
        assert_eq!(parts_of_identifier("WireLetter_two"), ["", "wire", "letter", "two"]);
        assert_eq!(parts_of_identifier("LAST_OFFICE"), ["last", "office"]);
        let text = "struct WireLetter; // keeps house\nlet housekeeping = letters; // a letter or a digit\nfn evict_strangers() {}";
        let found: Vec<String> = metaphors("f", &Source::parse(text)).into_iter().collect();
        assert_eq!(found, ["f:1: house", "f:1: letter", "f:3: strangers"]);
    }
}
