//! One source file: its comments, and its code without and with what only tests compile.

use crate::lexer::{Kind, Token, tokens};

pub(crate) struct Source<'a> {
    pub(crate) comments: Vec<Token<'a>>,
    /// The code outside of `#[cfg(test)]` items.
    pub(crate) code: Vec<Token<'a>>,
    /// The code of `#[cfg(test)]` items.
    pub(crate) test_code: Vec<Token<'a>>,
}

impl<'a> Source<'a> {
    pub(crate) fn parse(text: &'a str) -> Self {
        let (comments, code): (Vec<_>, Vec<_>) = tokens(text).into_iter().partition(Token::is_comment);
        let (code, test_code) = split_test_items(&code);
        Self { comments, code, test_code }
    }
}

/// The names of the modules that are declared without a body: `mod name;`.
pub(crate) fn declared_modules(code: &[Token<'_>]) -> Vec<String> {
    let declarations = code.windows(3).filter(|window| window[0].is_word("mod") && window[2].is_mark(";"));
    declarations.filter(|window| window[1].kind == Kind::Word).map(|window| window[1].text.to_owned()).collect()
}

fn split_test_items<'a>(code: &[Token<'a>]) -> (Vec<Token<'a>>, Vec<Token<'a>>) {
    let (mut kept, mut tests) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < code.len() {
        let after_attribute = end_of_attribute(code, at);
        let is_test = after_attribute.is_some_and(|end| is_test_condition(&code[at..end]));
        let end = if is_test { end_of_item(code, at) } else { after_attribute.unwrap_or(at + 1) };
        if is_test { &mut tests } else { &mut kept }.extend_from_slice(&code[at..end]);
        at = end;
    }
    (kept, tests)
}

/// If an outer attribute begins at `start`: the place after it.
fn end_of_attribute(code: &[Token<'_>], start: usize) -> Option<usize> {
    let begins = code[start].is_mark("#") && code.get(start + 1)?.is_mark("[");
    begins.then(|| end_of_group(code, start + 1))
}

/// Whether an attribute is a `cfg` which holds in tests only, such as `#[cfg(all(test, unix))]`.
fn is_test_condition(attribute: &[Token<'_>]) -> bool {
    let is_negated = |at: usize| at >= 2 && attribute[at - 2].is_word("not");
    let mut words = attribute.iter().enumerate().filter(|(_, token)| token.kind == Kind::Word);
    words.next().is_some_and(|(_, first)| first.text == "cfg")
        && words.any(|(at, word)| word.text == "test" && !is_negated(at))
}

/// The place after the item that begins at `start`, with its attributes.
fn end_of_item(code: &[Token<'_>], start: usize) -> usize {
    let mut at = start;
    while let Some(end) = code.get(at).and_then(|_| end_of_attribute(code, at)) {
        at = end;
    }
    while let Some(token) = code.get(at) {
        match token.text {
            _ if token.kind != Kind::Mark => at += 1,
            ";" => return at + 1,
            "{" => return end_of_group(code, at),
            "(" | "[" => at = end_of_group(code, at),
            "}" => return at,
            _ => at += 1,
        }
    }
    at
}

/// The place after the bracket which closes the one at `start`.
fn end_of_group(code: &[Token<'_>], start: usize) -> usize {
    let mut depth = 0;
    for (at, token) in code.iter().enumerate().skip(start).filter(|(_, token)| token.kind == Kind::Mark) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::{Source, declared_modules};
    use crate::lexer::Token;

    fn words(code: &[Token<'_>]) -> Vec<String> {
        let words = code.iter().filter(|token| token.text.starts_with(|first: char| first.is_alphabetic()));
        words.map(|token| token.text.to_owned()).collect()
    }

    #[test]
    fn items_that_only_tests_compile_are_set_apart() {
        let text = "mod a; #[cfg(test)] mod b; mod c; #[cfg(all(test, unix))] #[doc(hidden)] pub fn d(e: [u8; 2]) { f }
            g #[cfg(test)] use h::i; j #[cfg(not(test))] k #[cfg_attr(test, l)] m #[cfg(test)] mod n { fn o() {} } p";
        let source = Source::parse(text);
        let is_of_attributes = |word: &String| ["cfg", "cfg_attr", "not", "test", "mod"].contains(&word.as_str());
        let kept: Vec<_> = words(&source.code).into_iter().filter(|word| !is_of_attributes(word)).collect();
        assert_eq!(kept, ["a", "c", "g", "j", "k", "l", "m", "p"]);
        assert_eq!(declared_modules(&source.code), ["a", "c"]);
        assert_eq!(declared_modules(&source.test_code), ["b"]);
    }
}
