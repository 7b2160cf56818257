//! The paths that code names: those of its `use` declarations, and those written out inside it.

use crate::lexer::{Kind, Token};

/// A path that a `use` declaration brings into scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) path: Vec<String>,
    /// The name in this scope; `None` for `*`.
    pub(crate) name: Option<String>,
    /// `pub use`, or `pub(…) use`.
    pub(crate) is_reexport: bool,
    pub(crate) line: usize,
}

/// A path of two segments or more outside of `use` declarations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InlinePath {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
}

/// Splits code into its `use` declarations and the rest.
pub(crate) fn split_uses<'a>(code: &[Token<'a>]) -> (Vec<Use>, Vec<Token<'a>>) {
    let (mut uses, mut rest) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(token) = code.get(at) {
        let captures = code.get(at + 1).is_some_and(|next| next.is_mark("<"));
        if token.is_word("use") && !captures {
            let is_reexport = rest.last().is_some_and(|last: &Token<'_>| last.is_word("pub") || last.is_mark(")"));
            let mut parser = Parser { code, at: at + 1, is_reexport, uses: &mut uses };
            parser.tree(&[]);
            at = parser.at;
        } else {
            rest.push(token.clone());
            at += 1;
        }
    }
    (uses, rest)
}

struct Parser<'a> {
    code: &'a [Token<'a>],
    at: usize,
    is_reexport: bool,
    uses: &'a mut Vec<Use>,
}

impl Parser<'_> {
    /// One tree: `a::b`, `a::*`, `a as b`, `a::{…}`.
    fn tree(&mut self, prefix: &[String]) {
        let mut path = prefix.to_vec();
        while let Some(token) = self.code.get(self.at) {
            self.at += 1;
            match token.text {
                "::" => {}
                "{" => return self.branches(&path),
                "*" => return self.push(path, None, token.line),
                // In braces it is the path before them.
                "self" if !path.is_empty() => {}
                _ => path.push(token.text.to_owned()),
            }
            if !self.code.get(self.at).is_some_and(|next| next.is_mark("::")) && token.kind == Kind::Word {
                let name = self.alias().or_else(|| path.last().cloned());
                return self.push(path, name, token.line);
            }
        }
    }

    fn branches(&mut self, prefix: &[String]) {
        while let Some(token) = self.code.get(self.at) {
            match token.text {
                "}" => return self.at += 1,
                "," => self.at += 1,
                _ => self.tree(prefix),
            }
        }
    }

    fn alias(&mut self) -> Option<String> {
        self.code.get(self.at).filter(|next| next.is_word("as"))?;
        self.at += 2;
        self.code.get(self.at - 1).map(|alias| alias.text.to_owned())
    }

    fn push(&mut self, path: Vec<String>, name: Option<String>, line: usize) {
        self.uses.push(Use { path, name, is_reexport: self.is_reexport, line });
    }
}

/// The paths that code writes out, such as `crate::chat::State` or `help::sentence`.
pub(crate) fn inline_paths(code: &[Token<'_>]) -> Vec<InlinePath> {
    let is_separator = |at: Option<usize>| at.and_then(|at| code.get(at)).is_some_and(|token| token.is_mark("::"));
    // `pub(in crate::a)` restricts a name and uses nothing.
    let is_visibility = |at: usize| at >= 2 && code[at - 1].is_word("in") && code[at - 2].is_mark("(");
    let starts = (0..code.len()).filter(|at| {
        let begins = code[*at].kind == Kind::Word && !is_separator(at.checked_sub(1));
        begins && is_separator(Some(at + 1)) && !is_visibility(*at)
    });
    starts.map(|start| inline_path(&code[start..])).filter(|inline| inline.path.len() > 1).collect()
}

fn inline_path(code: &[Token<'_>]) -> InlinePath {
    let separated = code.chunks(2).take_while(|pair| pair[0].kind == Kind::Word);
    let mut path = Vec::new();
    for pair in separated {
        path.push(pair[0].text.to_owned());
        if !pair.get(1).is_some_and(|mark| mark.is_mark("::")) {
            break;
        }
    }
    InlinePath { path, line: code[0].line }
}

#[cfg(test)]
mod tests {
    use super::{inline_paths, split_uses};
    use crate::lexer::tokens;

    /// The paths of all declarations, `path as name` each.
    fn uses(text: &str) -> Vec<String> {
        let (uses, _) = split_uses(&tokens(text));
        let shown = uses.iter().map(|found| {
            let name = found.name.as_deref().unwrap_or("*");
            format!("{}{} as {name}", if found.is_reexport { "pub " } else { "" }, found.path.join("::"))
        });
        shown.collect()
    }

    #[test]
    fn a_tree_has_a_path_for_each_leaf() {
        assert_eq!(uses("use a::{b, c::{d, e as f}};"), ["a::b as b", "a::c::d as d", "a::c::e as f"]);
        assert_eq!(
            uses("use a::{self, b::*,\n    c::{\n        self as d, e,\n    },\n};"),
            ["a as a", "a::b as *", "a::c as d", "a::c::e as e"]
        );
        assert_eq!(uses("use ::a::b; use c;"), ["a::b as b", "c as c"]);
    }

    #[test]
    fn relative_paths_keep_their_beginning() {
        assert_eq!(
            uses("use super::super::a; use self::b; use crate::{c, d};"),
            ["super::super::a as a", "self::b as b", "crate::c as c", "crate::d as d"]
        );
        assert_eq!(uses("use super::{super::a, *};"), ["super::super::a as a", "super as *"]);
    }

    #[test]
    fn re_exports_are_told_from_imports() {
        assert_eq!(
            uses("pub use a::b; pub(crate) use c::d; use e::f; pub(in crate::g) use h::i;"),
            ["pub a::b as b", "pub c::d as d", "e::f as f", "pub h::i as i"]
        );
    }

    #[test]
    fn what_surrounds_the_declarations_is_kept() {
        let text = "mod a; use b::c; fn d() -> impl Iterator + use<> { use e::f; g() }";
        let code = tokens(text);
        let (uses, rest) = split_uses(&code);
        assert_eq!(uses.len(), 2);
        let kept: String = rest.iter().map(|token| token.text).collect::<Vec<_>>().join(" ");
        assert_eq!(kept, "mod a ; ; fn d ( ) -  > impl Iterator + use < > { ; g ( ) }".replace("  ", " "));
    }

    #[test]
    fn paths_inside_the_code_are_found() {
        let code = tokens("pub(in crate::i) fn f() -> crate::a::B { c::d(); e.g::<super::H>(); Vec::<u8>::new() }");
        let paths: Vec<String> = inline_paths(&code).into_iter().map(|inline| inline.path.join("::")).collect();
        assert_eq!(paths, ["crate::a::B", "c::d", "super::H"]);
    }
}
