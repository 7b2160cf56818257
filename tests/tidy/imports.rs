//! Which source file uses which: every path in the code, followed through re-exports to the file that defines its name.

use std::collections::{BTreeMap, BTreeSet};

use crate::lexer::{Kind, Token};
use crate::module_tree::Module;
use crate::use_tree::{InlinePath, Use, inline_paths, split_uses};

/// Re-exports of re-exports are followed this far.
const HOPS: usize = 8;

/// A use of one file by another, outside of tests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    pub(crate) from: String,
    pub(crate) line: usize,
    /// The top-level module that the path names.
    pub(crate) top: String,
    /// The file that defines the name; if that cannot be told, the last module of the path.
    pub(crate) to: String,
}

/// All imports between the files of the crate.
pub(crate) fn imports(modules: &[Module]) -> BTreeSet<Import> {
    let scopes: Vec<Scope<'_>> = modules.iter().filter(|module| !module.is_test).map(Scope::new).collect();
    let resolver = Resolver { by_path: scopes.iter().map(|scope| (scope.module.path.as_slice(), scope)).collect() };
    scopes.iter().flat_map(|scope| resolver.imports_of(scope)).collect()
}

/// What a path in one file may refer to.
struct Scope<'a> {
    module: &'a Module,
    uses: Vec<Use>,
    inline: Vec<InlinePath>,
    /// The identifiers outside of `use` declarations.
    words: BTreeSet<&'a str>,
    /// The names of its items.
    items: BTreeSet<&'a str>,
}

impl<'a> Scope<'a> {
    fn new(module: &'a Module) -> Self {
        let source = module.source();
        let (uses, rest) = split_uses(&source.code);
        let words = rest.iter().filter(|token| token.kind == Kind::Word).map(|token| token.text).collect();
        Self { module, uses, inline: inline_paths(&rest), words, items: items(&rest) }
    }

    /// The path from the root of the crate. `None` if it leads to another crate.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let mut base = self.module.path.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" | "kabar" => return Some(path[1..].to_vec()),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    base.pop()?;
                    rest = &rest[1..];
                }
            }
            first if self.module.children.iter().any(|child| child == first) => {}
            _ => return None,
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// A re-export alone is no dependency: whoever uses the name depends on the file that defines it. It is one if the
    /// re-exporting file uses the name, too.
    fn depends_on(&self, import: &Use) -> bool {
        !import.is_reexport || import.name.as_ref().is_some_and(|name| self.words.contains(name.as_str()))
    }
}

fn items<'a>(code: &[Token<'a>]) -> BTreeSet<&'a str> {
    const KEYWORDS: [&str; 9] = ["struct", "enum", "union", "trait", "type", "fn", "const", "static", "macro_rules"];
    let pairs = code.windows(2).filter(|pair| pair[0].kind == Kind::Word && KEYWORDS.contains(&pair[0].text));
    pairs.map(|pair| pair[1].text).collect()
}

struct Resolver<'a> {
    by_path: BTreeMap<&'a [String], &'a Scope<'a>>,
}

impl<'a> Resolver<'a> {
    fn imports_of(&self, scope: &Scope<'_>) -> Vec<Import> {
        let declared = scope.uses.iter().filter(|import| scope.depends_on(import));
        let declared = declared.map(|import| (&import.path, import.line));
        let written = scope.inline.iter().map(|inline| (&inline.path, inline.line));
        let paths = declared.chain(written).filter_map(|(path, line)| Some((scope.absolute(path)?, line)));
        let from = &scope.module.file;
        let found = paths.filter_map(|(path, line)| {
            let to = self.defining(&path, HOPS)?.module.file.clone();
            Some(Import { from: from.clone(), line, top: path.first()?.clone(), to })
        });
        found.filter(|import| import.to != *from).collect()
    }

    /// The file that defines what an absolute path names.
    fn defining(&self, path: &[String], hops: usize) -> Option<&'a Scope<'a>> {
        let (scope, name) = self.innermost_module(path)?;
        let Some(name) = name else { return Some(scope) };
        if hops == 0 || scope.items.contains(name) {
            return Some(scope);
        }
        let elsewhere = self.imported_by_name(scope, name, hops).or_else(|| self.imported_by_glob(scope, name, hops));
        elsewhere.or(Some(scope))
    }

    /// The longest part of a path that is a module with a file, and the segment after it.
    fn innermost_module<'p>(&self, path: &'p [String]) -> Option<(&'a Scope<'a>, Option<&'p str>)> {
        (1..=path.len()).rev().find_map(|length| {
            let scope = *self.by_path.get(&path[..length])?;
            Some((scope, path.get(length).map(String::as_str)))
        })
    }

    fn imported_by_name(&self, scope: &Scope<'_>, name: &str, hops: usize) -> Option<&'a Scope<'a>> {
        let import = scope.uses.iter().find(|import| import.name.as_deref() == Some(name))?;
        self.defining(&scope.absolute(&import.path)?, hops - 1)
    }

    fn imported_by_glob(&self, scope: &Scope<'_>, name: &str, hops: usize) -> Option<&'a Scope<'a>> {
        let globs = scope.uses.iter().filter(|import| import.name.is_none() && import.is_reexport);
        globs.filter_map(|glob| self.defining(&scope.absolute(&glob.path)?, hops - 1)).find(|target| {
            let is_there = target.items.contains(name);
            is_there && target.module.file != scope.module.file
        })
    }
}

/// Which top-level modules use a top-level module that is not among those allowed to them.
pub(crate) fn forbidden_imports(modules: &[Module], allowed: &BTreeMap<&str, &[&str]>) -> Vec<String> {
    let mut found = Vec::new();
    let tops: BTreeMap<&str, &str> = modules.iter().map(|module| (module.file.as_str(), module.top())).collect();
    for Import { from, line, top, .. } in imports(modules) {
        let user = tops[from.as_str()];
        if user == "lib" || user == top {
            continue;
        }
        match allowed.get(user) {
            None => found.push(format!("{from}: no rule says what {user} may use")),
            Some(uses) if !uses.contains(&top.as_str()) => found.push(format!("{from}:{line}: {user} uses {top}")),
            Some(_) => {}
        }
    }
    found.dedup();
    found
}

/// Which files of a top-level module use a higher layer of it. Layers go from the lowest to the highest; each is the
/// folders or files in it. Files that are in no layer are free.
pub(crate) fn upward_imports(modules: &[Module], top: &str, layers: &[&[&str]]) -> Vec<String> {
    let paths: BTreeMap<&str, &Module> = modules.iter().map(|module| (module.file.as_str(), module)).collect();
    let layer = |file: &str| {
        let module = paths[file];
        let part = module.path.get(1).filter(|_| module.top() == top)?;
        layers.iter().position(|parts| parts.contains(&part.as_str()))
    };
    let mut found = Vec::new();
    for Import { from, line, to, .. } in imports(modules) {
        if let (Some(lower), Some(higher)) = (layer(&from), layer(&to))
            && lower < higher
        {
            found.push(format!("{from}:{line}: a lower layer uses {to}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Import, imports, upward_imports};
    use crate::module_tree::Module;

    fn module(file: &str, text: &str, children: &[&str]) -> Module {
        let path = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        Module {
            file: file.to_owned(),
            path: path.split('/').filter(|part| *part != "lib").map(str::to_owned).collect(),
            text: text.to_owned(),
            is_test: false,
            children: children.iter().map(|child| (*child).to_owned()).collect(),
        }
    }

    fn edges(modules: &[Module]) -> Vec<String> {
        imports(modules).into_iter().map(|Import { from, to, .. }| format!("{from} > {to}")).collect()
    }

    #[test]
    fn a_name_is_followed_through_facades_to_its_file() {
        let modules = [
            module("src/lib.rs", "pub mod a; pub mod d;", &["a", "d"]),
            module("src/a/mod.rs", "mod b; mod c; pub use b::B; pub use c::*;", &["b", "c"]),
            module("src/a/b.rs", "pub struct B; use super::C;", &[]),
            module("src/a/c.rs", "pub struct C; fn f() { super::b::g() }", &[]),
            module("src/d.rs", "use crate::a::{B as E, C, self}; fn h() -> a::X {}", &[]),
        ];
        assert_eq!(
            edges(&modules),
            [
                "src/a/b.rs > src/a/c.rs",
                "src/a/c.rs > src/a/b.rs",
                "src/d.rs > src/a/b.rs",
                "src/d.rs > src/a/c.rs",
                "src/d.rs > src/a/mod.rs"
            ]
        );
    }

    #[test]
    fn a_facade_that_uses_what_it_re_exports_depends_on_it() {
        let with = |code: &str| {
            let text = format!("mod b; pub use b::B; pub use b::f; {code}");
            edges(&[module("src/a/mod.rs", &text, &["b"]), module("src/a/b.rs", "pub struct B; pub fn f() {}", &[])])
        };
        assert!(with("pub struct A;").is_empty());
        assert_eq!(with("pub struct A(B);"), ["src/a/mod.rs > src/a/b.rs"]);
        assert_eq!(with("fn g() { b::f() }"), ["src/a/mod.rs > src/a/b.rs"]);
    }

    #[test]
    fn a_lower_layer_must_not_use_a_higher_one() {
        let modules = [
            module("src/chat/event.rs", "use crate::chat::{model::M, state::S}; pub struct E;", &[]),
            module("src/chat/model.rs", "pub struct M;", &[]),
            module("src/chat/state/mod.rs", "use crate::chat::event::E; pub struct S;", &[]),
        ];
        let found = upward_imports(&modules, "chat", &[&["model"], &["event"], &["state"]]);
        assert_eq!(found, ["src/chat/event.rs:1: a lower layer uses src/chat/state/mod.rs"]);
    }
}
