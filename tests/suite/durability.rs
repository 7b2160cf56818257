//! What OK means (PROTOCOL §5), on a disk that holds, fails and fills at the test's word.
//!
//! `kill -9` cannot show a missing sync, for the page cache survives it. So the server runs here with a small library
//! preloaded that stands between it and the disk (`tests/shim/disk.c`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::Client;
use crate::support::process::Process;
use tempfile::TempDir;

/// A server on a disk that obeys.
struct Patient {
    directory: TempDir,
    server: Process,
}

impl Patient {
    fn start() -> Self {
        Self::start_configured("")
    }

    fn start_configured(configuration: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let config = directory.path().join("config.toml");
        fs::write(&config, configuration).unwrap();
        let shim = compile(directory.path());
        let disk = directory.path().join("disk");
        fs::create_dir(&disk).unwrap();
        let server = Process::start_with(&directory.path().join("data"), |command| {
            command.env("LD_PRELOAD", &shim).env("KABAR_DISK", &disk).arg("--config").arg(&config);
        });
        Self { directory, server }
    }

    fn word(&self, word: &str) -> PathBuf {
        self.directory.path().join("disk").join(word)
    }

    fn tell_disk(&self, word: &str) {
        fs::write(self.word(word), "").unwrap();
    }

    fn untell_disk(&self, word: &str) {
        fs::remove_file(self.word(word)).unwrap();
    }

    /// Asks, and finds the answer kept back exactly as long as the disk holds the sync.
    fn asks_while_the_disk_holds(&self, client: &mut Client, request: &str) {
        self.tell_disk("hold");
        client.says(request);
        wait_for(&self.word("held"));
        let mut other = self.server.connect();
        for _ in 0..100 {
            other.hears_nothing();
        }
        assert!(client.has_heard_nothing(), "answered before it was synced: {request}");
        self.untell_disk("hold");
        self.untell_disk("held");
        client.hears().expect_ok();
    }
}

fn compile(directory: &Path) -> PathBuf {
    let shim = directory.join("disk.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shim/disk.c");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&shim).arg(source).arg("-ldl").status();
    assert!(compiled.unwrap().success(), "the C compiler refused the shim");
    shim
}

fn wait_for(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !path.exists() {
        assert!(Instant::now() < deadline, "the server never synced");
        thread::yield_now();
    }
}

#[test]
fn no_ok_leaves_before_the_sync_that_covers_it_has_returned() {
    let patient = Patient::start();
    let mut messi = patient.server.connect().registered("messi");
    let mut neko = patient.server.connect().registered("neko");
    for request in [
        "send neko halo",
        "sendprivaterealm local neko halo",
        "broadcast halo",
        "addgroup fans",
        "sendgroup fans halo",
        "addrealm barat",
        "block neko",
        "unblock neko",
        "grouppasswd fans",
        "passwd rahasia rahasia2",
        "register ivy rahasia",
        "auth messi rahasia2",
        "logout",
    ] {
        patient.asks_while_the_disk_holds(&mut messi, request);
    }
    for request in ["joingroup fans", "inbox", "getrealminbox local", "leavegroup fans", "unregister rahasia"] {
        patient.asks_while_the_disk_holds(&mut neko, request);
    }
}

#[test]
fn what_goes_to_another_realm_is_synced_even_where_nothing_else_is() {
    let nobody_is_there = "[[peers]]\nname = \"timur\"\naddress = \"127.0.0.1:1\"\n";
    let patient = Patient::start_configured(&format!("[server]\ndurability = \"fast\"\n{nobody_is_there}"));
    let mut messi = patient.server.connect().registered("messi");
    patient.asks_while_the_disk_holds(&mut messi, "send bob@timur halo");
    patient.tell_disk("hold");
    messi.asks("send messi halo").expect_ok();
    patient.untell_disk("hold");
}

#[test]
fn nobody_is_shown_what_a_crash_could_take_back() {
    let patient = Patient::start();
    let mut messi = patient.server.connect().registered("messi");
    let mut neko = patient.server.connect().registered("neko");
    patient.tell_disk("hold");
    messi.says("addgroup fans");
    wait_for(&patient.word("held"));
    neko.says("addgroup fans");
    patient.server.connect().hears_nothing();
    assert!(neko.has_heard_nothing(), "was told of a group that is not on the disk");
    patient.untell_disk("hold");
    messi.hears().expect_ok();
    assert_eq!(neko.hears().code(), "group_exists");
}

#[test]
fn a_full_disk_refuses_changes_and_nothing_is_lost() {
    let patient = Patient::start();
    let mut messi = patient.server.connect().registered("messi");
    let mut neko = patient.server.connect().registered("neko");
    messi.asks("send neko before").expect_ok();
    patient.tell_disk("full");
    assert_eq!(messi.asks("#again send neko during").code(), "storage_failed");
    assert_eq!(messi.asks("addgroup fans").code(), "storage_failed");
    assert_eq!(neko.asks("info messi").expect_ok().message(), "messi");
    patient.untell_disk("full");
    let deadline = Instant::now() + Duration::from_secs(20);
    while !messi.asks("send neko after").is_ok() {
        assert!(Instant::now() < deadline, "the server did not try its disk again");
        thread::yield_now();
    }
    assert_eq!(neko.asks("inbox").expect_ok().texts(), ["before", "after"]);
}

#[test]
fn a_failed_sync_leaves_the_outcome_open_and_what_was_acknowledged_whole() {
    let patient = Patient::start();
    let mut messi = patient.server.connect().registered("messi");
    let mut neko = patient.server.connect().registered("neko");
    let token = neko.asks("auth neko rahasia").token();
    messi.asks("send neko before").expect_ok();
    patient.tell_disk("fail");
    let failed = messi.asks("#once send neko during");
    assert_eq!((failed.code(), &failed.0["tag"]), ("unknown_outcome", &"once".into()));
    patient.untell_disk("fail");
    assert_eq!(messi.asks("send neko after").code(), "unknown_outcome", "a disk that lost a sync is not trusted again");
    assert_eq!(neko.asks("info messi").expect_ok().message(), "messi");
    let Patient { directory, server } = patient;
    server.kill();
    let server = Process::start(&directory.path().join("data"));
    let texts = server.connect().asks(&format!("inbox {token}")).expect_ok().texts();
    assert!(texts == ["before"] || texts == ["before", "during"], "{texts:?}");
}

#[test]
fn a_connection_never_becomes_somebody_else_after_a_failed_commit() {
    let patient = Patient::start();
    let mut messi = patient.server.connect().registered("messi");
    patient.server.connect().registered("neko");
    patient.tell_disk("full");
    assert_eq!(messi.asks("auth messi rahasia").code(), "storage_failed");
    patient.untell_disk("full");
    let mut neko = patient.server.connect();
    let deadline = Instant::now() + Duration::from_secs(20);
    // The session that failed gives its number to the next one.
    while !neko.asks("auth neko rahasia").is_ok() {
        assert!(Instant::now() < deadline, "the server did not try its disk again");
    }
    // A commit that fails sooner than the connection is bound anew leaves it to its session of before.
    let messi = messi.asks("whoami");
    assert!(!messi.is_ok() || messi.message() == "messi", "{messi:?}");
    assert_eq!(neko.asks("whoami").expect_ok().message(), "neko");
}
