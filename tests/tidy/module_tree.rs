//! The modules of `src/`, found as the compiler finds them: from `lib.rs` and `main.rs` along the `mod` declarations.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::source::{Source, declared_modules};

/// A module that has a file of its own.
pub(crate) struct Module {
    /// Relative to the root of the repository, with `/`.
    pub(crate) file: String,
    /// Without `crate`: `["chat", "state"]` is `crate::chat::state`. Empty for `lib.rs` and `main.rs`.
    pub(crate) path: Vec<String>,
    pub(crate) text: String,
    /// Only tests compile it.
    pub(crate) is_test: bool,
    /// The modules that it declares outside of `#[cfg(test)]`.
    pub(crate) children: Vec<String>,
}

impl Module {
    pub(crate) fn source(&self) -> Source<'_> {
        Source::parse(&self.text)
    }

    /// The top-level module that it belongs to; `main` and `lib` are ones of their own.
    pub(crate) fn top(&self) -> &str {
        let stem = || self.file.trim_start_matches("src/").trim_end_matches(".rs");
        self.path.first().map_or_else(stem, String::as_str)
    }
}

/// All modules of the library and the program, in the order of their files.
pub(crate) fn modules(root: &Path) -> Vec<Module> {
    let mut found = BTreeMap::new();
    for file in ["lib.rs", "main.rs"] {
        visit(root, root.join("src").join(file), Vec::new(), false, &mut found);
    }
    found.into_values().collect()
}

fn visit(root: &Path, file: PathBuf, path: Vec<String>, is_test: bool, found: &mut BTreeMap<String, Module>) {
    let text = fs::read_to_string(&file).unwrap();
    let source = Source::parse(&text);
    let (children, test_children) = (declared_modules(&source.code), declared_modules(&source.test_code));
    let tested = test_children.iter().map(|name| (name, true));
    for (name, only_tests) in children.iter().map(|name| (name, is_test)).chain(tested) {
        let path = path.iter().chain([name]).cloned().collect();
        visit(root, file_of_child(&file, name), path, only_tests, found);
    }
    let file = relative(root, &file);
    found.insert(file.clone(), Module { file, path, text, is_test, children });
}

fn file_of_child(parent: &Path, name: &str) -> PathBuf {
    let (folder, stem) = (parent.parent().unwrap(), parent.file_stem().unwrap());
    let has_own_folder = ["mod", "lib", "main"].iter().all(|root| stem != *root);
    let folder = if has_own_folder { folder.join(stem) } else { folder.to_owned() };
    let file = folder.join(format!("{name}.rs"));
    if file.exists() { file } else { folder.join(name).join("mod.rs") }
}

/// All Rust files below a folder of the repository.
pub(crate) fn rust_files(root: &Path, folder: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.insert(relative(root, &path));
            }
        }
    }
    found
}

fn relative(root: &Path, file: &Path) -> String {
    file.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/")
}
