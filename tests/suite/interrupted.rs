//! Commands on files that are refused, interrupted or misled: what they leave, and what they say.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::process::Process;

fn kabar(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kabar")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn refuses(arguments: &[&str]) -> String {
    let output = kabar(arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[track_caller]
fn succeeds(arguments: &[&str]) {
    let output = kabar(arguments);
    assert!(output.status.success(), "{output:?}");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A store with one message, whose server was killed.
fn store(home: &TempDir) -> PathBuf {
    let data = home.path().join("data");
    let server = Process::start(&data);
    server.connect().registered("messi").asks("send messi first").expect_ok();
    server.kill();
    data
}

#[test]
fn a_refused_import_leaves_no_directory_and_an_empty_one_empty() {
    let home = TempDir::new().unwrap();
    let (lines, there, empty) = (home.path().join("lines"), home.path().join("there"), home.path().join("empty"));
    fs::create_dir(&empty).unwrap();
    fs::write(&lines, "{\"kabar_export\":2,\"ends\":true}\n{\"user\":{\"name\":\"messi\"}}\n").unwrap();
    for directory in [&there, &empty] {
        let told = refuses(&["import", text(&lines), "--data", text(directory)]);
        assert!(told.contains("lines:2: the file was cut: expected an end line"), "{told}");
    }
    assert!(!there.exists());
    assert_eq!(names(&empty), [""; 0]);
}

#[test]
fn a_value_out_of_range_is_refused_with_its_place() {
    let home = TempDir::new().unwrap();
    let (lines, there) = (home.path().join("lines"), home.path().join("there"));
    let table = [
        ("{\"end\":{\"users\":99999999999999999999,\"groups\":0,\"messages\":0}}", "lines:3:"),
        (
            "{\"message\":{\"time\":\"99999-01-01T00:00:00Z\",\"from\":\"messi\",\"to\":\"*\",\"text\":\"x\"}}",
            "lines:3:",
        ),
        (
            "{\"message\":{\"time\":\"1960-01-01T00:00:00Z\",\"from\":\"messi\",\"to\":\"*\",\"text\":\"x\"}}",
            "lines:3:",
        ),
        ("{\"end\":{\"users\":7,\"groups\":0,\"messages\":0}}", "lines:3:"),
    ];
    for (line, place) in table {
        fs::write(&lines, format!("{{\"kabar_export\":2}}\n{{\"user\":{{\"name\":\"messi\"}}}}\n{line}\n")).unwrap();
        let told = refuses(&["import", text(&lines), "--data", text(&there)]);
        assert!(told.contains(place) && !there.exists(), "{line}: {told}");
    }
}

#[test]
fn what_a_killed_backup_left_is_not_in_the_way_of_the_next() {
    let home = TempDir::new().unwrap();
    let (data, copy) = (store(&home), home.path().join("copy"));
    fs::create_dir(&copy).unwrap();
    fs::write(copy.join("kabar.db.unfinished"), "half a database").unwrap();
    fs::write(copy.join("realm.key"), "a key").unwrap();
    succeeds(&["backup", text(&copy), "--data", text(&data)]);
    assert_eq!(names(&copy), ["kabar.db", "realm.key"]);
    let key = |directory: &Path| kabar(&["realm", "key", "--data", text(directory)]).stdout;
    assert_eq!(key(&copy), key(&data));
}

#[test]
fn a_refused_backup_leaves_nothing_and_touches_nothing() {
    let home = TempDir::new().unwrap();
    let (data, copy, mine) = (store(&home), home.path().join("copy"), home.path().join("mine"));
    fs::create_dir(&mine).unwrap();
    fs::write(mine.join("kabar.db.unfinished"), "").unwrap();
    fs::write(mine.join("thesis.txt"), "…").unwrap();
    assert!(refuses(&["backup", text(&mine), "--data", text(&data)]).contains("is not empty"));
    assert_eq!(names(&mine), ["kabar.db.unfinished", "thesis.txt"]);
    fs::write(data.join("realm.key"), "too open").unwrap();
    fs::set_permissions(data.join("realm.key"), fs::Permissions::from_mode(0o644)).unwrap();
    refuses(&["backup", text(&copy), "--data", text(&data)]);
    assert!(!copy.exists());
}

#[test]
fn an_export_has_its_name_once_it_is_complete() {
    let home = TempDir::new().unwrap();
    let (data, file) = (store(&home), home.path().join("export"));
    let unfinished = home.path().join("export.unfinished");
    // Of a command that was killed.
    fs::write(&unfinished, "{\"kabar_export\":2}\n".repeat(1_000)).unwrap();
    succeeds(&["export", text(&file), "--data", text(&data)]);
    let lines = fs::read_to_string(&file).unwrap();
    assert!(lines.lines().last().unwrap().starts_with("{\"end\":{\"users\":1,"), "{lines}");
    assert!(!unfinished.exists());
    refuses(&["export", text(&home.path().join("other")), "--data", text(&home.path().join("nowhere"))]);
    assert_eq!(names(home.path()), ["data", "export"]);
}

#[test]
fn a_database_that_was_restored_beside_the_log_of_another_is_refused() {
    let home = TempDir::new().unwrap();
    let (data, copy) = (store(&home), home.path().join("copy"));
    succeeds(&["backup", text(&copy), "--data", text(&data)]);
    let server = Process::start(&data);
    server.connect().logged_in("messi", "rahasia").asks("send messi later").expect_ok();
    server.kill();
    fs::copy(copy.join("kabar.db"), data.join("kabar.db")).unwrap();
    for command in [&["serve", "--listen", "127.0.0.1:0", "--web", "none"][..], &["export", "-"], &["check"]] {
        let told = refuses(&[command, &["--data", text(&data)]].concat());
        let wal = data.join("kabar.db-wal");
        assert!(told.contains(&format!("{} belongs to the store that was here before", wal.display())), "{told}");
    }
    for file in ["kabar.db-wal", "kabar.db-shm"] {
        fs::remove_file(data.join(file)).unwrap();
    }
    let server = Process::start(&data);
    let texts = server.connect().logged_in("messi", "rahasia").asks("peek").expect_ok().texts();
    assert_eq!(texts, ["first"]);
    server.kill();
    Process::start(&data);
}

#[test]
fn no_store_and_no_permission_are_different_errors_that_name_the_path() {
    let home = TempDir::new().unwrap();
    let data = store(&home);
    let nowhere = home.path().join("nowhere");
    let missing = refuses(&["messages", "--data", text(&nowhere)]);
    assert_eq!(missing, format!("kabar: there is no store of kabar in {}\n", nowhere.display()));
    // Root may read everything: a file in place of the directory is an error of the same kind.
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    for command in ["messages", "export", "check"] {
        let told = refuses(&[command, "--data", text(&file)]);
        assert!(
            told.contains(&format!("{} cannot be used: Not a directory", file.join("kabar.db").display())),
            "{told}"
        );
    }
    drop(data);
}

#[test]
fn what_cannot_be_read_or_written_is_named() {
    let home = TempDir::new().unwrap();
    let (data, folder) = (home.path().join("data"), home.path().join("folder"));
    fs::create_dir(&folder).unwrap();
    let refused = refuses(&["import", text(&folder), "--data", text(&data)]);
    assert!(refused.starts_with(&format!("kabar: {} cannot be read: ", folder.display())), "{refused}");
    Process::start(&data).kill();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut export = Command::new(env!("CARGO_BIN_EXE_kabar"));
    let export =
        export.args(["export", "-", "--data", text(&data)]).stdin(Stdio::null()).stdout(full).output().unwrap();
    let refused = String::from_utf8(export.stderr).unwrap();
    assert!(refused.starts_with("kabar: standard output cannot be written: "), "{refused}");
}
