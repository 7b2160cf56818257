//! A clock that went further than the server has run: after a pause, or because it is wrong (docs/STORE.md).

use std::path::Path;
use std::process::{Command, Stdio};

use kabar::time::Time;
use secrecy::SecretString;
use tempfile::TempDir;

use crate::support::process::Process;
use crate::support::wait_until;

const DAY: u64 = 24 * 3_600_000;

fn days_ago(days: u64) -> Time {
    Time(Time::now().0 - days * DAY)
}

/// A store whose newest record is ten days old, with a ban that was to end five days ago.
fn left_alone(data: &Path) {
    let hash = kabar::password::hash(&SecretString::from("rahasia")).unwrap();
    let (said, until) = (days_ago(10), days_ago(5));
    let lines = [
        r#"{"kabar_export":2}"#.to_owned(),
        format!(r#"{{"user":{{"name":"messi","password_hash":"{}"}}}}"#, hash.0),
        format!(r#"{{"message":{{"time":"{said}","from":"messi","to":"messi","text":"halo"}}}}"#),
        format!(r#"{{"ban":{{"user":"messi","until":"{until}"}}}}"#),
    ];
    std::fs::write(data.with_extension("lines"), lines.join("\n")).unwrap();
    let mut import = Command::new(env!("CARGO_BIN_EXE_kabar"));
    import.arg("import").arg(data.with_extension("lines")).arg("--data").arg(data).stderr(Stdio::inherit());
    assert!(import.status().unwrap().success());
}

#[test]
fn a_ban_goes_by_the_time_that_the_server_ran_until_the_operator_confirms_the_clock() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    left_alone(&data);
    let server = Process::start(&data);
    assert_eq!(server.connect().asks("auth messi rahasia").code(), "banned");
    server.logs("[retention] confirm tells that it is right");
    assert_eq!(server.terminate(), Some(0));
    let confirmed = Time::now().to_string();
    let server = Process::start_with(&data, |command| {
        command.env("KABAR_RETENTION__CONFIRM", confirmed);
    });
    wait_until("the ban is over", || server.connect().asks("auth messi rahasia").is_ok());
}
