//! The log: it holds up nobody, whoever reads it, and shows no more than it should.

use tempfile::TempDir;

use crate::support::process::Process;

#[test]
fn a_reader_of_the_log_that_pauses_holds_up_nobody() {
    let directory = TempDir::new().unwrap();
    let server = Process::start_with(directory.path(), |command| {
        command.env("KABAR_LOG__FILTER", "debug");
    });
    let paused = server.log();
    // Each connection makes two lines: together they are more than the pipe and the queue hold.
    for _ in 0..4_000 {
        drop(server.connect());
    }
    server.connect().hears_nothing();
    drop(paused);
    server.connect().hears_nothing();
}

#[test]
fn refused_realms_are_logged_once_a_second_in_bounded_lines_without_unsafe_characters() {
    let directory = TempDir::new().unwrap();
    let server = Process::start_with(directory.path(), |command| {
        command.env("KABAR_LIMITS__REALMS_PER_DAY", "0");
    });
    let mut messi = server.connect().registered("messi");
    let host = format!("a\u{9b}31m\u{202e}{}", "x".repeat(7_000));
    (0..2_000).for_each(|_| drop(messi.asks(&format!("addrealm timur {host} 8889"))));
    messi.asks("addrealm lain").expect_ok();
    server.connect().hears_nothing();
    let log = server.log();
    let refused: Vec<_> = log.iter().filter(|line| line.contains("could not be added")).collect();
    assert!(refused.len() < 200, "{} lines", refused.len());
    for line in log.iter() {
        assert!(line.len() < 1_000 && !line.contains(['\u{9b}', '\u{202e}']), "{line}");
    }
}
