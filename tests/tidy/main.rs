//! The rules of this repository that a compiler does not check (`docs/ARCHITECTURE.md`).

#![allow(clippy::unwrap_used, clippy::panic)]

mod circles;
mod imports;
mod lexer;
mod module_tree;
mod source;
mod use_tree;
mod waits;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::imports::{forbidden_imports, imports, upward_imports};
use crate::lexer::tokens;
use crate::module_tree::{modules, rust_files};
use crate::words::CommentLines;

/// Longer files are to be split.
const LINES: usize = 400;

/// Of 100 lines of comments, so many may lean on a crutch (`words.rs`): now and then "where" is a place.
const CRUTCHES_PERCENT: usize = 1;

/// Which top-level modules a top-level module may use.
const ALLOWED: [(&str, &[&str]); 27] = [
    ("name", &["limits"]),
    ("id", &[]),
    ("time", &["limits"]),
    ("limits", &[]),
    ("json", &[]),
    ("settings", &[]),
    ("socket", &["limits"]),
    ("varint", &[]),
    ("log_limit", &["limits"]),
    ("password", &["chat", "id", "limits"]),
    ("chat", &["name", "id", "time", "limits", "json", "varint"]),
    ("wire", &["chat", "name", "id", "time", "limits", "json", "settings"]),
    ("store", &["chat", "name", "id", "time", "limits", "json", "password", "settings", "varint"]),
    ("config", &["chat", "name", "id", "time", "limits", "password", "settings"]),
    ("logging", &["config", "limits"]),
    ("identity", &["store", "id"]),
    ("cluster", &["store", "chat", "id", "time", "limits"]),
    ("hub", &["store", "wire", "chat", "name", "id", "time", "limits"]),
    ("channel", &["hub", "cluster", "identity", "chat", "id", "limits", "socket"]),
    (
        "federation",
        &[
            "identity",
            "hub",
            "store",
            "wire",
            "chat",
            "name",
            "id",
            "time",
            "limits",
            "log_limit",
            "socket",
            "settings",
        ],
    ),
    (
        "net",
        &[
            "federation",
            "hub",
            "store",
            "wire",
            "chat",
            "name",
            "id",
            "time",
            "limits",
            "log_limit",
            "password",
            "settings",
            "socket",
        ],
    ),
    ("web", &["net", "federation", "hub", "store", "wire", "chat", "logging", "limits"]),
    (
        "server",
        &[
            "channel",
            "cluster",
            "web",
            "certificates",
            "net",
            "federation",
            "identity",
            "hub",
            "store",
            "wire",
            "chat",
            "config",
            "logging",
            "name",
            "id",
            "time",
            "limits",
            "log_limit",
            "password",
        ],
    ),
    ("certificates", &["store", "limits"]),
    ("client", &["name", "limits", "socket"]),
    (
        "cli",
        &["client", "server", "identity", "store", "wire", "config", "logging", "password", "name", "time", "limits"],
    ),
    ("main", &["cli"]),
];

/// The layers inside `chat`, from the lowest to the highest.
const CHAT_LAYERS: [&[&str]; 5] = [&["model"], &["event"], &["state"], &["rules", "views"], &["command"]];

/// Where tests may wait for a time to pass, and why.
const MAY_WAIT: [(&str, &str); 3] = [
    ("src/federation/", "its tests run on a paused clock, on which every wait ends at once"),
    ("tests/suite/realms/crash.rs", "a server that is stopped by a signal does nothing that could be waited for"),
    ("tests/suite/cluster/pause.rs", "whoever asks for a leader again at once takes the cores from those who elect it"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

#[track_caller]
fn expect_none(rule: &str, found: impl IntoIterator<Item = String>) {
    let found: Vec<String> = found.into_iter().collect();
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn imports_run_one_way() {
    expect_none("imports that ALLOWED does not list", forbidden_imports(&modules(root()), &BTreeMap::from(ALLOWED)));
}

#[test]
fn imports_make_no_circles() {
    let modules = modules(root());
    expect_none("circles", circles::circles(&modules, &imports(&modules)));
}

#[test]
fn the_layers_of_the_domain_use_only_lower_ones() {
    expect_none("imports of a higher layer", upward_imports(&modules(root()), "chat", &CHAT_LAYERS));
}

#[test]
fn no_file_is_too_long() {
    let files = ["src", "tests", "benches"].into_iter().flat_map(|folder| rust_files(root(), folder));
    let lengths = files.map(|file| (read(&file).lines().count(), file)).filter(|(lines, _)| *lines > LINES);
    expect_none("files that are too long", lengths.map(|(lines, file)| format!("{file}: {lines} lines")));
}

#[test]
fn every_module_is_reachable() {
    let reached: BTreeSet<String> = modules(root()).into_iter().map(|module| module.file).collect();
    expect_none("files that no module declares", &rust_files(root(), "src") - &reached);
}

#[test]
fn every_command_is_in_the_reference() {
    let reference = read("docs/PROTOCOL.md");
    let words = kabar::wire::COMMANDS.iter().map(|spec| spec.word);
    let is_described = |word: &str| [" ", "`"].iter().any(|end| reference.contains(&format!("`{word}{end}")));
    let missing = words.filter(|word| !is_described(word)).map(str::to_owned);
    expect_none("commands that docs/PROTOCOL.md does not describe", missing);
}

#[test]
fn tests_do_not_wait_and_all_of_them_run() {
    let mut found = Vec::new();
    let mut look = |file: &str, code: &[lexer::Token<'_>]| {
        found.extend(waits::waits(file, code));
        found.extend(waits::ignored(file, code));
    };
    for module in modules(root()) {
        let source = module.source();
        look(&module.file, if module.is_test { &source.code } else { &source.test_code });
    }
    for file in rust_files(root(), "tests") {
        look(&file, &tokens(&read(&file)));
    }
    found.retain(|place| !MAY_WAIT.iter().any(|(allowed, _)| place.starts_with(allowed)));
    expect_none("tests that wait for a time to pass, or are ignored", found);
}

#[test]
fn comments_are_plain() {
    let mut lines = CommentLines::default();
    for module in modules(root()) {
        lines.add(&module.file, &module.source());
    }
    let CommentLines { count, crutches } = lines;
    let is_rare = crutches.len() * 100 < count * CRUTCHES_PERCENT;
    assert!(is_rare, "{} of {count} lines of comments are to be plainer:\n{}", crutches.len(), crutches.join("\n"));
}

#[test]
fn doc_comments_say_something() {
    let found =
        modules(root()).into_iter().flat_map(|module| words::empty_doc_comments(&module.file, &module.source()));
    expect_none("empty doc comments", found.collect::<Vec<_>>());
}

#[test]
fn names_are_the_words_of_the_field() {
    let found = modules(root()).into_iter().flat_map(|module| words::metaphors(&module.file, &module.source()));
    expect_none("metaphors", found.collect::<Vec<_>>());
}
