//! The commands on a data directory, and retention, with the program itself.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tempfile::TempDir;

use crate::support::process::Process;
use crate::support::{Client, wait_until};

fn kabar(arguments: &[&str]) -> Output {
    kabar_reading(arguments, "")
}

fn kabar_reading(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kabar"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writing = thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let _read_to_its_end_or_refused = writing.join().unwrap();
    output
}

#[track_caller]
fn succeeds(arguments: &[&str]) -> String {
    let output = kabar(arguments);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The one line that a failed command prints.
#[track_caller]
fn refuses(output: &Output) -> String {
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &[][..]), "{output:?}");
    let printed = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(printed.lines().count(), 1, "{printed}");
    printed
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A data directory with accounts, sessions, groups, realms and every kind of message.
struct Sample {
    home: TempDir,
    tokens: Vec<String>,
}

impl Sample {
    fn new() -> Self {
        let home = TempDir::new().unwrap();
        let server = Process::start(&home.path().join("data"));
        let (mut messi, mut neko) = (server.connect().registered("messi"), server.connect());
        let registered = neko.asks("register neko rahasia Neko_UwU Jepang").expect_ok();
        let token = messi.asks("auth messi rahasia").expect_ok().token();
        for request in ["addgroup fans", "addgroup club secret", "addrealm timur", "broadcast all", "send neko read"] {
            messi.asks(request).expect_ok();
        }
        for request in ["inbox", "joingroup fans", "send messi direct", "sendprivaterealm timur messi crossed"] {
            neko.asks(request).expect_ok();
        }
        messi.asks("sendgroup fans gól").expect_ok();
        server.kill();
        Self { home, tokens: vec![token, registered.token()] }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }
}

/// The replies to everything that the users can ask with their tokens.
fn all_replies(server: &Process, sample: &Sample) -> Vec<String> {
    let mut replies = Vec::new();
    for token in &sample.tokens {
        let mut client = server.connect();
        let requests = ["whoami", "groups", "inbox", "getrealminbox timur", "getrealminbox local"];
        replies.extend(requests.map(|request| {
            let mut reply = client.asks(&format!("{request} {token}")).0;
            // Every start has its own.
            reply["data"].as_object_mut().and_then(|data| data.remove("epoch"));
            reply.to_string()
        }));
    }
    replies
}

/// What users find who log in with their passwords: their groups, their unread messages, and their history.
fn what_users_find(server: &Process) -> Vec<String> {
    let mut found = Vec::new();
    for user in ["messi", "neko"] {
        let mut client = server.connect().logged_in(user, "rahasia");
        client.says("groups");
        found.push(client.hears_frame());
        for request in ["peek", "history"] {
            for message in client.reads_all(request) {
                let part = |key: &str| message[key].to_string();
                found.push(["time", "from", "to", "msg_from", "msg_to", "msg", "kind", "group"].map(part).join(" "));
            }
        }
    }
    found
}

#[test]
fn an_import_of_an_export_has_the_same_users_and_messages() {
    let sample = Sample::new();
    let (data, there, file) = (sample.path("data"), sample.path("there"), sample.path("export"));
    let printed = succeeds(&["export", text(&file), "--data", text(&data)]);
    let lines = fs::read_to_string(&file).unwrap();
    assert_eq!(printed, format!("OK: {} lines in {}\n", lines.lines().count(), file.display()));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    succeeds(&["import", text(&file), "--data", text(&there)]);
    assert_eq!(succeeds(&["export", "--data", text(&there)]), lines);
    let found = what_users_find(&Process::start(&data));
    assert!(found.iter().any(|message| message.contains("gól")), "{found:?}");
    assert_eq!(what_users_find(&Process::start(&there)), found);
}

#[test]
fn a_backup_replies_as_the_original() {
    let sample = Sample::new();
    let (data, there) = (sample.path("data"), sample.path("there"));
    let printed = succeeds(&["backup", text(&there), "--data", text(&data)]);
    assert!(printed.starts_with("OK: ") && printed.ends_with(&format!(" bytes in {}\n", there.display())), "{printed}");
    assert_eq!(succeeds(&["export", "--data", text(&there)]), succeeds(&["export", "-", "--data", text(&data)]));
    assert_eq!(all_replies(&Process::start(&there), &sample), all_replies(&Process::start(&data), &sample));
}

#[test]
fn a_backup_while_messages_flow_holds_all_that_was_acknowledged_before_it() {
    let home = TempDir::new().unwrap();
    let (data, there) = (home.path().join("data"), home.path().join("there"));
    let server = Process::start(&data);
    let (mut messi, mut neko) = (server.connect().registered("messi"), server.connect());
    let token = neko.asks("register neko rahasia").expect_ok().token();
    let before = sends_many(&mut messi, 0, || false);
    let copied = AtomicBool::new(false);
    let sent = thread::scope(|scope| {
        let sending = scope.spawn(|| sends_many(&mut messi, before, || copied.load(Ordering::Relaxed)));
        succeeds(&["backup", text(&there), "--data", text(&data)]);
        copied.store(true, Ordering::Relaxed);
        sending.join().unwrap()
    });
    assert!(sent > before, "nothing was sent during the backup");
    let copy = Process::start(&there);
    let texts = inbox(&mut copy.connect(), &token);
    assert!(texts.len() >= before, "{} of {before} messages are in the copy", texts.len());
    assert!(texts.iter().enumerate().all(|(number, text)| *text == number.to_string()), "{texts:?}");
    assert_eq!(inbox(&mut neko, &token).len(), sent);
}

/// Sends numbers from `from` on, 2,000 at least, until it may end. Returns the number after the last.
fn sends_many(client: &mut Client, from: usize, may_end: impl Fn() -> bool) -> usize {
    const AT_ONCE: usize = 100;
    let mut next = from;
    while next < from + 2_000 || (from > 0 && !may_end()) {
        client.sends((next..next + AT_ONCE).map(|number| format!("send neko {number}\n")).collect::<String>());
        (0..AT_ONCE).for_each(|_| drop(client.hears().expect_ok()));
        next += AT_ONCE;
    }
    next
}

fn inbox(client: &mut Client, token: &str) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        let page = client.asks(&format!("inbox {token}")).expect_ok();
        texts.extend(page.texts());
        if page.0["more"] != true {
            return texts;
        }
    }
}

#[test]
fn existing_files_and_stores_are_not_overwritten() {
    let sample = Sample::new();
    let (data, file) = (sample.path("data"), sample.path("export"));
    fs::write(&file, "mine").unwrap();
    let printed = refuses(&kabar(&["export", text(&file), "--data", text(&data)]));
    assert!(printed.contains("cannot be made"), "{printed}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    let printed = refuses(&kabar(&["backup", text(sample.home.path()), "--data", text(&data)]));
    assert!(printed.contains("is not empty, and nothing in it is overwritten"), "{printed}");
    let printed = refuses(&kabar_reading(&["import", "-", "--data", text(&data)], "{\"kabar_export\":1}\n"));
    assert!(printed.contains("in use already"), "{printed}");
    let printed = refuses(&kabar(&["backup", text(&sample.path("copy")), "--data", text(&sample.path("nowhere"))]));
    assert!(printed.contains("there is no store of kabar in"), "{printed}");
}

#[test]
fn the_error_of_an_import_names_the_file_and_the_line() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("lines");
    fs::write(&file, "{\"kabar_export\":2}\n\n{\"user\":{\"country\":\"messi\"}}\n").unwrap();
    let printed = refuses(&kabar(&["import", text(&file), "--data", text(&home.path().join("data"))]));
    assert_eq!(printed, format!("kabar: {}:3:27: missing field `name`\n", file.display()));
    let printed = refuses(&kabar_reading(&["import", "-", "--data", text(&home.path().join("data"))], "halo\n"));
    assert_eq!(printed, "kabar: standard input:1: expected the first line {\"kabar_export\":2}\n");
}

#[test]
fn retention_removes_read_messages_and_frees_their_space() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    let server = Process::start(&data);
    let (mut messi, mut neko) = (server.connect().registered("messi"), server.connect());
    let token = neko.asks("register neko rahasia").expect_ok().token();
    let long = "x".repeat(1_000);
    for _ in 0..20 {
        messi.sends(format!("send neko {long}\n").repeat(100));
        (0..100).for_each(|_| drop(messi.hears().expect_ok()));
    }
    inbox(&mut neko, &token);
    messi.asks("send neko unread").expect_ok();
    assert_eq!(server.terminate(), Some(0));
    let size = || fs::metadata(data.join("kabar.db")).unwrap().len();
    let before = size();
    let server = Process::start_with(&data, |command| {
        command.env("KABAR_RETENTION__MAX_MESSAGES_PER_TIMELINE", "10");
    });
    wait_until("nine tenths of the file are freed", || size() <= before / 10);
    assert_eq!(inbox(&mut server.connect(), &token), ["unread"]);
    let left = succeeds(&["export", "--data", text(&data)]).matches("{\"message\":").count();
    assert_eq!(left, 10);
}

#[test]
fn a_subscription_from_a_removed_message_begins_with_a_truncated_event() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    let server = Process::start(&data);
    let mut neko = server.connect().registered("neko").logged_in("neko", "rahasia");
    for number in 1..=7 {
        neko.asks(&format!("send neko {number}")).expect_ok();
    }
    let ids: Vec<u64> = neko.reads_all("inbox").iter().map(|message| message["id"].as_u64().unwrap()).collect();
    assert_eq!(server.terminate(), Some(0));
    let server = Process::start_with(&data, |command| {
        command.env("KABAR_RETENTION__MAX_MESSAGES_PER_TIMELINE", "2");
    });
    let mut neko = server.connect().logged_in("neko", "rahasia");
    wait_until("old messages are removed", || neko.reads_all("history").len() <= 2);
    let [.., removed, first, last] = ids[..] else { panic!("{ids:?}") };
    for (after, truncated) in [(0, true), (removed - 1, true), (removed, false), (first, false)] {
        neko.asks(&format!("subscribe {after}")).expect_ok();
        if truncated {
            assert_eq!(neko.hears_frame(), format!(r#"{{"event":"truncated","before":{}}}"#, removed + 1));
        }
        for id in [first, last].into_iter().filter(|id| *id > after) {
            assert_eq!(neko.hears().0["data"]["id"], id);
        }
    }
    neko.hears_nothing();
}

#[test]
fn messages_are_listed_by_person_group_and_time() {
    let sample = Sample::new();
    let data = sample.path("data");
    let listed = |arguments: &[&str]| succeeds(&[&["messages", "--data", text(&data)], arguments].concat());
    let texts = |listed: &str| -> Vec<String> {
        listed.lines().map(|line| line.split_once(": ").unwrap().1.to_owned()).collect()
    };
    assert_eq!(texts(&listed(&[])), ["all", "read", "direct", "crossed", "gól"]);
    assert_eq!(texts(&listed(&["--user", "NEKO"])), ["read", "direct", "crossed"]);
    assert!(listed(&["--group", "fans"]).ends_with(" messi -> group:fans: gól\n"));
    assert_eq!(
        (listed(&["--since", "2030-01-01"]), texts(&listed(&["--since", "2020-01-01"])).len()),
        (String::new(), 5)
    );
    let object: serde_json::Value = serde_json::from_str(&listed(&["--group", "fans", "--json"])).unwrap();
    assert_eq!((object["msg"].as_str(), object["kind"].as_str()), (Some("gól"), Some("group")));
}

#[test]
fn log_entries_are_listed_by_number_without_secrets() {
    let sample = Sample::new();
    let data = sample.path("data");
    let listed = succeeds(&["log", "--data", text(&data)]);
    let entries: Vec<serde_json::Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(entries.iter().zip(1..).all(|(entry, number)| entry["id"] == number));
    assert!(listed.contains("UserRegistered") && listed.contains("\"msg\":\"direct\""));
    assert!(!listed.contains("$argon2id$") && listed.contains("\"password\":\"hidden\""));
    let some = succeeds(&["log", "--data", text(&data), "3", "4"]);
    assert_eq!(some.lines().collect::<Vec<_>>(), listed.lines().skip(2).take(2).collect::<Vec<_>>());
}

#[test]
fn a_check_reads_all_of_the_store_beside_the_server() {
    let sample = Sample::new();
    let data = sample.path("data");
    let _server = Process::start(&data);
    let checked = succeeds(&["check", "--data", text(&data)]);
    assert!(checked.ends_with("of them messages, nothing is damaged\n"), "{checked}");
    assert!(succeeds(&["check", "--data", text(&sample.path("none"))]).ends_with("yet\n"));
}

#[test]
fn damage_is_told_by_every_command_and_the_rest_is_there() {
    let sample = Sample::new();
    let data = sample.path("data");
    // After an orderly stop all messages are in the index: of one that is not, a damaged log would place nothing.
    assert_eq!(Process::start(&data).terminate(), Some(0));
    let database = rusqlite::Connection::open(data.join("kabar.db")).unwrap();
    // The row of the message "read", which was committed alone.
    let entry = succeeds(&["messages", "--data", text(&data), "--user", "neko"]);
    let number = entry.split(' ').next().unwrap();
    database.execute("UPDATE log SET data = zeroblob(30) WHERE last = ?1", [number]).unwrap();
    drop(database);
    let (copy, lines) = (sample.path("copy"), sample.path("lines"));
    for arguments in [&["check"][..], &["messages"], &["log"], &["export", text(&lines)], &["backup", text(&copy)]] {
        let output = kabar(&[arguments, &["--data", text(&data)]].concat());
        let told = String::from_utf8(output.stderr).unwrap();
        let place = format!("log entry {number}");
        assert_eq!((output.status.code(), told.contains(&place)), (Some(1), true), "{arguments:?}: {told}");
    }
    assert!(fs::read_to_string(&lines).unwrap().contains("g\\u00f3l"));
    let server = Process::start(&data);
    let mut neko = server.connect();
    neko.asks("auth neko rahasia").expect_ok();
    neko.says("history messi");
    let history = neko.hears_frame();
    assert!(history.contains("\"kind\":\"damaged\"") && history.contains("\"msg\":\"direct\""), "{history}");
    assert!(!history.contains("\"msg\":\"read\""));
}
