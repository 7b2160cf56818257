//! `kabar login`, `send` and `inbox` as scripts use them.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::support::port::free_address;
use crate::support::process::Process;
use crate::support::{TestServer, wait_until};

/// A person with a home directory, and the program.
pub(crate) struct Shell {
    pub(crate) home: TempDir,
}

pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self { home: TempDir::new().unwrap() }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kabar"));
        command.args(arguments).env_clear().env("HOME", self.home.path()).env("TZ", "UTC");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Run {
        finish(&mut self.command(arguments), input)
    }

    pub(crate) fn registered(self, server: &str, user: &str) -> Self {
        let run = self.run(&["login", server, "--user", user, "--register"], "rahasia\n");
        assert_eq!((run.code, run.out), (0, format!("OK: {user} at {server}\n")), "{}", run.err);
        self
    }
}

pub(crate) fn finish(command: &mut Command, input: &str) -> Run {
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn two_people() -> (TestServer, Shell, Shell) {
    let server = TestServer::at_fixed_address();
    let address = server.home().to_string();
    let (messi, neko) = (Shell::new().registered(&address, "messi"), Shell::new().registered(&address, "neko"));
    (server, messi, neko)
}

#[test]
fn what_one_sends_the_other_reads_once() {
    let (_server, messi, neko) = two_people();
    assert_eq!(messi.run(&["send", "neko", "halo", "semua"], "").code, 0);
    assert_eq!(messi.run(&["send", "neko"], "one\n\ntwo\n").code, 0);
    let inbox = neko.run(&["inbox"], "");
    let texts: Vec<&str> =
        inbox.out.lines().filter_map(|line| line.split_once("messi: ")).map(|(_, text)| text).collect();
    assert_eq!((inbox.code, texts), (0, vec!["halo semua", "one", "two"]), "{}", inbox.err);
    assert_eq!(neko.run(&["inbox"], "").out, "");
}

#[test]
fn an_inbox_as_json_has_one_message_a_line() {
    let (_server, messi, neko) = two_people();
    messi.run(&["send", "neko", "é"], "");
    let out = neko.run(&["inbox", "--json"], "").out;
    let message: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&message["from"], &message["msg"], out.lines().count()), (&"messi".into(), &"é".into(), 1));
}

#[test]
fn a_followed_inbox_goes_on_across_a_restart() {
    let (mut server, messi, neko) = two_people();
    messi.run(&["send", "neko", "old"], "");
    let mut child = neko.command(&["inbox", "--follow"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut hears = |text: &str| assert!(lines.next().unwrap().unwrap().ends_with(&format!("messi: {text}")), "{text}");
    hears("old");
    server.stop();
    server.start_again();
    messi.run(&["send", "neko", "new"], "");
    hears("new");
    wait_until("the cursor moves", || server.connect().logged_in("neko", "rahasia").asks("peek").texts().is_empty());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_same_tag_sends_once() {
    let (_server, messi, neko) = two_people();
    for _ in 0..3 {
        assert_eq!(messi.run(&["send", "--tag", "backup-2026-11-26", "neko", "done"], "").code, 0);
        assert_eq!(messi.run(&["send", "--tag", "lines", "neko", "-"], "a\nb\n").code, 0);
    }
    assert_eq!(neko.run(&["inbox"], "").out.lines().count(), 3);
}

#[test]
fn exit_codes_tell_what_is_wrong() {
    let (mut server, messi, neko) = two_people();
    let code = |shell: &Shell, arguments: &[&str]| shell.run(arguments, "").code;
    assert_eq!(code(&messi, &["send", "pele", "halo"]), 67);
    assert_eq!(code(&messi, &["send", "group:fans", "halo"]), 67);
    assert_eq!(code(&messi, &["send", "neko", &"x".repeat(20_000)]), 65);
    assert_eq!(code(&messi, &["send", "not a name", "halo"]), 2);
    assert_eq!(code(&Shell::new(), &["send", "neko", "halo"]), 77);
    assert_eq!(code(&messi, &["send", "--user", "neko", "neko", "halo"]), 77);
    assert_eq!(code(&neko, &["logout"]), 0);
    assert_eq!(code(&neko, &["inbox"]), 77);
    server.stop();
    assert_eq!(code(&messi, &["inbox"]), 75);
    let late = messi.run(&["send", "--timeout", "1", "--tag", "mine", "neko", "halo"], "");
    assert_eq!(late.code, 75);
    assert!(late.err.contains("--tag mine"), "{}", late.err);
}

#[test]
fn the_token_is_for_its_owner_only() {
    let (_server, messi, _) = two_people();
    let file = messi.home.path().join(".config/kabar/sessions.json");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
}

#[test]
fn a_wrong_password_saves_nothing() {
    let (server, ..) = two_people();
    let shell = Shell::new();
    let run = shell.run(&["login", &server.home().to_string(), "--user", "messi"], "salah\n");
    assert_eq!((run.code, run.err.as_str()), (77, "kabar: Password Salah\n"));
    assert!(!shell.home.path().join(".config").exists());
}

/// How many messages are sent to a server that is killed all the time.
const MESSAGES: usize = 60;

#[test]
fn each_message_arrives_once_though_the_server_is_killed_all_the_time() {
    let directory = TempDir::new().unwrap();
    let data = directory.path().join("data");
    let address = free_address();
    let start = || Process::start_at(address, &data, |_| {});
    let mut server = start();
    let shell = Shell::new().registered(&address.to_string(), "messi");
    let token = server.connect().asks("auth messi rahasia").token();
    let arrived = |server: &Process| server.connect().reads_all(&format!("peek {token}"));
    let sending = thread::spawn(move || {
        let sent = (0..MESSAGES).map(|number| shell.run(&["send", "messi", &number.to_string()], ""));
        sent.map(|run| (run.code, run.err)).collect::<Vec<_>>()
    });
    let mut kills = 0;
    while !sending.is_finished() {
        let before = arrived(&server).len();
        // Killed with a message on its way, as soon as one more has come.
        wait_until("one more message", || sending.is_finished() || arrived(&server).len() > before);
        server.kill();
        kills += 1;
        server = start();
    }
    for (number, run) in sending.join().unwrap().into_iter().enumerate() {
        assert_eq!(run, (0, String::new()), "message {number}");
    }
    assert!(kills > 3, "{kills} kills");
    let messages = arrived(&server);
    let texts: Vec<_> =
        messages.iter().map(|message| message["msg"].as_str().unwrap().parse::<usize>().unwrap()).collect();
    assert_eq!(texts, (0..MESSAGES).collect::<Vec<_>>());
}
