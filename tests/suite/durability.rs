//! What OK means (PROTOCOL §5), on a disk that blocks, fails or is full when the test says so.
//!
//! `kill -9` cannot show a missing sync, for the page cache survives it. So the server runs with a preloaded library
//! that intercepts its system calls for the disk (`tests/shim/disk.c`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::port::free_address;
use crate::support::process::Process;
use crate::support::{Client, HttpClient, wait_until};
use tempfile::TempDir;

/// A server on a disk that a test makes fail.
struct ServerOnFaultyDisk {
    directory: TempDir,
    server: Process,
}

impl ServerOnFaultyDisk {
    fn start() -> Self {
        Self::start_configured("")
    }

    fn start_configured(configuration: &str) -> Self {
        Self::start_with(configuration, |_| {})
    }

    fn start_with(configuration: &str, change: impl FnOnce(&mut Command)) -> Self {
        let directory = TempDir::new().unwrap();
        let config = directory.path().join("config.toml");
        fs::write(&config, configuration).unwrap();
        let shim = compile(directory.path());
        let disk = directory.path().join("disk");
        fs::create_dir(&disk).unwrap();
        let server = Process::start_with(&directory.path().join("data"), |command| {
            command.env("LD_PRELOAD", &shim).env("DISK_CONTROL", &disk).arg("--config").arg(&config);
            change(command);
        });
        Self { directory, server }
    }

    /// A file that controls the disk (`tests/shim/disk.c`).
    fn flag(&self, name: &str) -> PathBuf {
        self.directory.path().join("disk").join(name)
    }

    fn set(&self, flag: &str) {
        fs::write(self.flag(flag), "").unwrap();
    }

    fn clear(&self, flag: &str) {
        fs::remove_file(self.flag(flag)).unwrap();
    }

    fn wait_for_a_blocked_sync(&self) {
        wait_until("the server syncs", || self.flag("held").exists());
    }

    /// Sends a request while the disk blocks, and checks that the reply comes only after the sync.
    fn asks_while_the_disk_blocks(&self, client: &mut Client, request: &str) {
        self.set("hold");
        client.says(request);
        self.wait_for_a_blocked_sync();
        let mut other = self.server.connect();
        for _ in 0..100 {
            other.hears_nothing();
        }
        assert!(client.has_heard_nothing(), "a reply left before the sync: {request}");
        self.clear("hold");
        self.clear("held");
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

#[test]
fn no_ok_leaves_before_the_sync_that_covers_it_has_returned() {
    let faulty = ServerOnFaultyDisk::start();
    let mut messi = faulty.server.connect().registered("messi");
    let mut neko = faulty.server.connect().registered("neko");
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
        faulty.asks_while_the_disk_blocks(&mut messi, request);
    }
    for request in ["joingroup fans", "inbox", "getrealminbox local", "leavegroup fans", "unregister rahasia"] {
        faulty.asks_while_the_disk_blocks(&mut neko, request);
    }
}

#[test]
fn messages_to_other_realms_are_synced_even_with_fast_durability() {
    let nobody_is_there = "[[peers]]\nname = \"timur\"\naddress = \"127.0.0.1:1\"\n";
    let faulty = ServerOnFaultyDisk::start_configured(&format!("[server]\ndurability = \"fast\"\n{nobody_is_there}"));
    let mut messi = faulty.server.connect().registered("messi");
    faulty.asks_while_the_disk_blocks(&mut messi, "send bob@timur halo");
    faulty.set("hold");
    messi.asks("send messi halo").expect_ok();
    faulty.clear("hold");
}

#[test]
fn a_reply_that_shows_an_unsynced_change_waits_for_the_sync() {
    let faulty = ServerOnFaultyDisk::start();
    let mut messi = faulty.server.connect().registered("messi");
    let mut neko = faulty.server.connect().registered("neko");
    faulty.set("hold");
    messi.says("addgroup fans");
    faulty.wait_for_a_blocked_sync();
    neko.says("addgroup fans");
    faulty.server.connect().hears_nothing();
    assert!(neko.has_heard_nothing(), "the reply shows a group that is not on the disk");
    faulty.clear("hold");
    messi.hears().expect_ok();
    assert_eq!(neko.hears().code(), "group_exists");
}

#[test]
fn on_a_full_disk_changes_are_refused_and_nothing_is_lost() {
    let faulty = ServerOnFaultyDisk::start();
    let mut messi = faulty.server.connect().registered("messi");
    let mut neko = faulty.server.connect().registered("neko");
    messi.asks("send neko before").expect_ok();
    faulty.set("full");
    assert_eq!(messi.asks("#again send neko during").code(), "storage_failed");
    assert_eq!(messi.asks("addgroup fans").code(), "storage_failed");
    assert_eq!(neko.asks("info messi").expect_ok().message(), "messi");
    faulty.clear("full");
    wait_until("the server writes again", || messi.asks("send neko after").is_ok());
    assert_eq!(neko.asks("inbox").expect_ok().texts(), ["before", "after"]);
}

#[test]
fn the_watchdog_starves_while_a_commit_is_stuck() {
    let faulty = ServerOnFaultyDisk::start_with("", |command| {
        command.env("WATCHDOG_USEC", "2500000");
    });
    let mut messi = faulty.server.connect().registered("messi");
    faulty.set("hold");
    messi.says("addgroup fans");
    let logged = faulty.server.logs("the server is stuck");
    assert!(logged.contains("a commit has taken"), "{logged}");
    faulty.clear("hold");
    messi.hears().expect_ok();
}

#[test]
fn a_server_whose_disk_lost_a_sync_lives_and_is_not_ready() {
    let monitoring = free_address();
    let faulty = ServerOnFaultyDisk::start_configured(&format!("[metrics]\nlisten = [\"{monitoring}\"]\n"));
    let mut messi = faulty.server.connect().registered("messi");
    let asked = |path: &str| {
        let response = HttpClient::connect(monitoring).gets(path);
        (response.head.split(' ').nth(1).unwrap().to_owned(), String::from_utf8(response.body).unwrap())
    };
    assert_eq!(asked("/readyz"), ("200".into(), "ok\n".into()));
    faulty.set("fail");
    assert_eq!(messi.asks("addgroup fans").code(), "unknown_outcome");
    let (status, why) = asked("/readyz");
    assert_eq!(
        (status.as_str(), why.as_str()),
        ("503", "a write failed half-way: changes are refused until a restart\n")
    );
    assert_eq!(asked("/livez").0, "200");
}

#[test]
fn after_a_failed_sync_the_outcome_is_unknown_and_acknowledged_messages_survive() {
    let faulty = ServerOnFaultyDisk::start();
    let mut messi = faulty.server.connect().registered("messi");
    let mut neko = faulty.server.connect().registered("neko");
    let token = neko.asks("auth neko rahasia").token();
    messi.asks("send neko before").expect_ok();
    faulty.set("fail");
    let failed = messi.asks("#once send neko during");
    assert_eq!((failed.code(), &failed.0["tag"]), ("unknown_outcome", &"once".into()));
    faulty.clear("fail");
    assert_eq!(messi.asks("send neko after").code(), "unknown_outcome", "a disk that lost a sync is not trusted again");
    assert_eq!(neko.asks("info messi").expect_ok().message(), "messi");
    let ServerOnFaultyDisk { directory, server } = faulty;
    server.kill();
    let server = Process::start(&directory.path().join("data"));
    let texts = server.connect().asks(&format!("inbox {token}")).expect_ok().texts();
    assert!(texts == ["before"] || texts == ["before", "during"], "{texts:?}");
}

#[test]
fn a_login_that_was_not_committed_never_binds_the_connection_to_another_user() {
    let faulty = ServerOnFaultyDisk::start();
    let mut messi = faulty.server.connect().registered("messi");
    faulty.server.connect().registered("neko");
    faulty.set("full");
    assert_eq!(messi.asks("auth messi rahasia").expect_ok().0["data"]["stored"], false);
    faulty.clear("full");
    let mut neko = faulty.server.connect();
    // The number of the session that failed is used again for this one.
    wait_until("the server writes again", || neko.asks("auth neko rahasia").0["data"].get("stored").is_none());
    // If the commit fails before the connection is bound anew, its earlier session remains.
    let messi = messi.asks("whoami");
    assert!(!messi.is_ok() || messi.message() == "messi", "{messi:?}");
    assert_eq!(neko.asks("whoami").expect_ok().message(), "neko");
}

#[test]
fn a_users_changes_share_a_batch_however_many_connections_make_them() {
    const CONNECTIONS: usize = 250;
    const SENDS: usize = 60;
    let monitoring = free_address();
    let faulty = ServerOnFaultyDisk::start_configured(&format!("[metrics]\nlisten = [\"{monitoring}\"]\n"));
    let metrics = || String::from_utf8(HttpClient::connect(monitoring).gets("/metrics").body).unwrap();
    let value = |text: &str, name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        value.unwrap_or_default() as usize
    };
    let mut messi = faulty.server.connect().registered("messi");
    let token = messi.asks("auth messi rahasia").token();
    faulty.set("hold");
    messi.says("addgroup fans");
    faulty.wait_for_a_blocked_sync();
    let pipeline = format!("whoami {token}\n") + &format!("send messi {}\n", "x".repeat(40)).repeat(SENDS);
    let clients: Vec<Client> = (0..CONNECTIONS)
        .map(|_| {
            let mut client = faulty.server.connect();
            client.sends(pipeline.clone());
            client
        })
        .collect();
    let who = r#"kabar_requests_total{command="whoami",outcome="done"}"#;
    wait_until("all have logged in", || value(&metrics(), who) >= CONNECTIONS);
    faulty.clear("hold");
    let send = r#"kabar_requests_total{command="send",outcome="done"}"#;
    wait_until("all is done", || value(&metrics(), send) >= CONNECTIONS * SENDS);
    let text = metrics();
    let small = value(&text, r#"kabar_commit_records_bucket{le="4096.0"}"#);
    assert_eq!(small, value(&text, "kabar_commit_records_count"), "a batch was larger than a user's share");
    drop(clients);
}
