//! The rules of the house that a compiler does not know.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A longer file wants to be two.
const LINES: usize = 400;

/// Which rooms a room may use (`docs/ARCHITECTURE.md`). The leaves use nothing but one another as listed.
const ROOMS: [(&str, &[&str]); 19] = [
    ("name", &["limits"]),
    ("id", &[]),
    ("time", &[]),
    ("limits", &[]),
    ("json", &[]),
    ("settings", &[]),
    ("socket", &["limits"]),
    ("password", &["chat", "limits"]),
    ("chat", &["name", "id", "time", "limits", "json"]),
    ("wire", &["chat", "name", "id", "time", "limits", "json"]),
    ("store", &["chat", "name", "id", "time", "limits", "json", "password", "settings"]),
    ("config", &["chat", "name", "id", "limits", "password", "settings"]),
    ("logging", &["config"]),
    ("hub", &["store", "wire", "chat", "name", "id", "time", "limits"]),
    ("federation", &["hub", "store", "wire", "chat", "name", "id", "time", "limits", "socket", "settings"]),
    ("net", &["federation", "hub", "store", "wire", "chat", "name", "id", "time", "limits", "password", "socket"]),
    (
        "server",
        &["net", "federation", "hub", "store", "wire", "chat", "config", "name", "id", "time", "limits", "password"],
    ),
    ("cli", &["server", "federation", "store", "config", "logging", "password", "limits"]),
    ("main", &["cli", "config"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The room that a source file belongs to: its first folder or its own name.
fn room_of(path: &Path) -> String {
    let below = path.strip_prefix(root().join("src")).unwrap();
    below.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

#[test]
fn imports_run_one_way() {
    for path in sources(&root().join("src")) {
        let room = room_of(&path);
        if room == "lib" {
            continue;
        }
        let (_, allowed) = ROOMS.iter().find(|(name, _)| *name == room).unwrap_or_else(|| panic!("no rule for {room}"));
        for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            for used in rooms_used(line) {
                let fine = used == room || allowed.contains(&used.as_str());
                assert!(fine, "{}:{}: {room} must not use {used}", path.display(), number + 1);
            }
        }
    }
}

fn rooms_used(line: &str) -> Vec<String> {
    let prefixes = ["crate::", "kabar::"];
    // What stands in quotes is no import: a filter of the log, for one.
    let line: String = line.split('"').step_by(2).collect();
    let starts = prefixes.iter().flat_map(|prefix| line.match_indices(prefix).map(|(at, _)| at + prefix.len()));
    starts
        .map(|at| line[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>())
        .filter(|word| word.chars().next().is_some_and(char::is_lowercase))
        .collect()
}

#[test]
fn no_file_is_too_long() {
    let folders = ["src", "tests", "benches"].map(|folder| root().join(folder));
    for path in folders.iter().filter(|folder| folder.exists()).flat_map(|folder| sources(folder)) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= LINES, "{}: {lines} lines", path.display());
    }
}

#[test]
fn every_module_is_reachable() {
    let source = root().join("src");
    let paths = sources(&source);
    let all: String = paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let declared: BTreeSet<&str> = all
        .lines()
        .filter_map(|line| line.trim_start().split_once("mod "))
        .filter_map(|(before, rest)| ["", "pub ", "pub(super) "].contains(&before).then_some(rest))
        .filter_map(|rest| rest.split([';', ' ']).next())
        .collect();
    for path in paths {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let name = if stem == "mod" {
            path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned()
        } else {
            stem
        };
        assert!(["main", "lib"].contains(&name.as_str()) || declared.contains(name.as_str()), "{}", path.display());
    }
}

#[test]
fn every_command_is_in_the_reference() {
    let reference = fs::read_to_string(root().join("docs/PROTOCOL.md")).unwrap();
    for spec in kabar::wire::COMMANDS {
        assert!(reference.contains(&format!("`{}", spec.word)), "docs/PROTOCOL.md says nothing of {}", spec.word);
    }
}

#[test]
fn tests_do_not_sleep() {
    let this_rule = file!().rsplit('/').next().unwrap();
    for path in sources(&root().join("tests")) {
        let text = fs::read_to_string(&path).unwrap();
        let excepted = path.ends_with(this_rule);
        assert!(excepted || !(text.contains("sleep(") || text.contains("#[ignore")), "{}", path.display());
    }
}
