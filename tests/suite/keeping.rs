//! Keeping and copying: retention, backup, export and import, with the real program.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::Client;
use crate::support::process::Process;

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

/// The one line of a refusal.
#[track_caller]
fn refuses(output: &Output) -> String {
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &[][..]), "{output:?}");
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(told.lines().count(), 1, "{told}");
    told
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A server's directory, and what may be found in it: accounts, sessions, groups, realms, every kind of message.
struct Town {
    home: TempDir,
    tokens: Vec<String>,
}

impl Town {
    fn build(server: &Process, home: TempDir) -> Self {
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
        Self { home, tokens: vec![token, registered.token()] }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }
}

/// Everything that the people of a town can find out.
fn all_answers(server: &Process, town: &Town) -> Vec<String> {
    let mut answers = Vec::new();
    for token in &town.tokens {
        let mut client = server.connect();
        let requests = ["whoami", "groups", "inbox", "getrealminbox timur", "getrealminbox local"];
        answers.extend(requests.map(|request| {
            client.says(&format!("{request} {token}"));
            client.hears_frame()
        }));
    }
    answers
}

fn town() -> Town {
    let home = TempDir::new().unwrap();
    let server = Process::start(&home.path().join("data"));
    let town = Town::build(&server, home);
    server.kill();
    town
}

/// What people find when they log in with their passwords: their groups, what they have not read, and everything else.
fn what_people_find(server: &Process) -> Vec<String> {
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
fn an_import_of_an_export_has_the_same_people_and_messages() {
    let town = town();
    let (data, there, file) = (town.path("data"), town.path("there"), town.path("export"));
    let said = succeeds(&["export", text(&file), "--data", text(&data)]);
    let lines = fs::read_to_string(&file).unwrap();
    assert_eq!(said, format!("OK: {} lines in {}\n", lines.lines().count(), file.display()));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    succeeds(&["import", text(&file), "--data", text(&there)]);
    assert_eq!(succeeds(&["export", "--data", text(&there)]), lines);
    let found = what_people_find(&Process::start(&data));
    assert!(found.iter().any(|message| message.contains("gól")), "{found:?}");
    assert_eq!(what_people_find(&Process::start(&there)), found);
}

#[test]
fn a_backup_is_the_same_server() {
    let town = town();
    let (data, there) = (town.path("data"), town.path("there"));
    let said = succeeds(&["backup", text(&there), "--data", text(&data)]);
    assert!(said.starts_with("OK: ") && said.ends_with(&format!(" bytes in {}\n", there.display())), "{said}");
    assert_eq!(succeeds(&["export", "--data", text(&there)]), succeeds(&["export", "-", "--data", text(&data)]));
    assert_eq!(all_answers(&Process::start(&there), &town), all_answers(&Process::start(&data), &town));
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
    assert!(sent > before, "nothing was sent beside the backup");
    let copy = Process::start(&there);
    let texts = inbox(&mut copy.connect(), &token);
    assert!(texts.len() >= before, "{} of {before} messages are in the copy", texts.len());
    assert!(texts.iter().enumerate().all(|(number, text)| *text == number.to_string()), "{texts:?}");
    assert_eq!(inbox(&mut neko, &token).len(), sent);
}

/// Sends numbers from `from` on, 2,000 at least, until it may end; gives the number after the last.
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
fn nothing_is_overwritten_or_mixed() {
    let town = town();
    let (data, file) = (town.path("data"), town.path("export"));
    fs::write(&file, "mine").unwrap();
    let told = refuses(&kabar(&["export", text(&file), "--data", text(&data)]));
    assert!(told.contains("cannot be made"), "{told}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    let told = refuses(&kabar(&["backup", text(town.home.path()), "--data", text(&data)]));
    assert!(told.contains("is not empty, and nothing in it is overwritten"), "{told}");
    let told = refuses(&kabar_reading(&["import", "-", "--data", text(&data)], "{\"kabar_export\":1}\n"));
    assert!(told.contains("in use already"), "{told}");
    let told = refuses(&kabar(&["backup", text(&town.path("copy")), "--data", text(&town.path("nowhere"))]));
    assert!(told.contains("there is no store of kabar in"), "{told}");
}

#[test]
fn a_wrong_line_of_an_import_is_told_with_its_file_and_number() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("lines");
    fs::write(&file, "{\"kabar_export\":2}\n\n{\"user\":{\"country\":\"messi\"}}\n").unwrap();
    let told = refuses(&kabar(&["import", text(&file), "--data", text(&home.path().join("data"))]));
    assert_eq!(told, format!("kabar: {}:3:27: missing field `name`\n", file.display()));
    let told = refuses(&kabar_reading(&["import", "-", "--data", text(&home.path().join("data"))], "halo\n"));
    assert_eq!(told, "kabar: standard input:1: expected the first line {\"kabar_export\":2}\n");
}

#[test]
fn retention_takes_what_is_read_and_gives_its_space_back() {
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
    let deadline = Instant::now() + Duration::from_secs(20);
    while size() > before / 10 {
        assert!(Instant::now() < deadline, "{before} bytes became {}", size());
        thread::yield_now();
    }
    assert_eq!(inbox(&mut server.connect(), &token), ["unread"]);
    let left = succeeds(&["export", "--data", text(&data)]).matches("{\"message\":").count();
    assert_eq!(left, 10);
}

#[test]
fn a_subscription_from_before_what_retention_removed_is_told_so() {
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
    let deadline = Instant::now() + Duration::from_secs(20);
    while neko.reads_all("history").len() > 2 {
        assert!(Instant::now() < deadline, "nothing was removed");
        thread::yield_now();
    }
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
