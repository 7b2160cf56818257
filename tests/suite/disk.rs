//! A disk that takes nothing: what is there can be read, and nothing is acknowledged that would be lost (PROTOCOL §5).

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::process::Process;
use crate::support::wait_until;

/// Starts the program with a limit of the size of its files, which `lift_limit` raises.
fn start_limited(data: &Path, bytes: usize) -> Process {
    start_limited_with(data, bytes, |_| {})
}

fn start_limited_with(data: &Path, bytes: usize, change: impl FnOnce(&mut Command)) -> Process {
    let mut command = Command::new("prlimit");
    command.arg(format!("--fsize={bytes}:unlimited")).arg(env!("CARGO_BIN_EXE_kabar"));
    let listen = SocketAddr::from(([127, 0, 0, 1], 0)).to_string();
    command.args(["--listen", &listen, "--listen-text", "none", "--web", "none", "--data"]).arg(data);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    change(&mut command);
    Process::run(command)
}

fn lift_limit(server: &Process) {
    let lifted = Command::new("prlimit").args(["--fsize=unlimited", "--pid", &server.id().to_string()]).status();
    assert!(lifted.unwrap().success());
}

/// A data directory with messi, neko, and a message for neko.
fn filled() -> TempDir {
    let directory = TempDir::new().unwrap();
    let server = Process::start(&directory.path().join("data"));
    let mut messi = server.connect().registered("messi");
    server.connect().registered("neko");
    messi.asks("send neko halo").expect_ok();
    assert_eq!(server.terminate(), Some(0));
    directory
}

#[test]
fn a_limit_of_the_file_size_is_as_a_full_disk() {
    let directory = filled();
    let server = start_limited(&directory.path().join("data"), 400_000);
    let mut messi = server.connect().logged_in("messi", "rahasia");
    let text = "x".repeat(8_000);
    let refused = (0..1_000).map(|_| messi.asks(&format!("send neko {text}"))).find(|reply| !reply.is_ok()).unwrap();
    assert_eq!(refused.code(), "storage_failed");
    let mut neko = server.connect();
    let login = neko.asks("auth neko rahasia").expect_ok();
    assert_eq!(login.0["data"]["stored"], false);
    for _ in 0..2 {
        let inbox = neko.asks("inbox").expect_ok();
        assert_eq!((&inbox.texts()[0], &inbox.0["stored"]), (&"halo".to_owned(), &false.into()));
    }
    lift_limit(&server);
    wait_until("changes are taken again", || messi.asks("send neko lagi").is_ok());
    let inbox = neko.asks("inbox").expect_ok();
    assert_eq!(inbox.0.get("stored"), None);
    assert_ne!(neko.asks("inbox").expect_ok().texts().first().map(String::as_str), Some("halo"));
}

#[test]
fn a_session_that_is_not_stored_serves_every_connection_until_the_password_changes() {
    let directory = filled();
    let server = start_limited(&directory.path().join("data"), 400_000);
    let mut messi = server.connect().logged_in("messi", "rahasia");
    let text = "x".repeat(8_000);
    while messi.asks(&format!("send neko {text}")).is_ok() {}
    let token = server.connect().asks("auth neko rahasia").expect_ok().token();
    let mut phone = server.connect();
    assert_eq!(phone.asks(&format!("whoami {token}")).expect_ok().message(), "neko");
    lift_limit(&server);
    wait_until("changes are taken again", || messi.asks("send neko lagi").is_ok());
    let mut laptop = server.connect().logged_in("neko", "rahasia");
    phone.asks("whoami").expect_ok();
    laptop.asks("passwd rahasia rahasia2").expect_ok();
    assert_eq!(phone.asks("whoami").code(), "no_session");
}

#[test]
fn a_server_starts_on_a_disk_that_takes_nothing_and_names_the_cause() {
    let directory = filled();
    let server = start_limited(&directory.path().join("data"), 0);
    let mut neko = server.connect();
    assert_eq!(neko.asks("auth neko rahasia").expect_ok().0["data"]["stored"], false);
    let inbox = neko.asks("inbox").expect_ok();
    assert_eq!((inbox.texts(), &inbox.0["stored"]), (vec!["halo".to_owned()], &false.into()));
    assert_eq!(neko.asks("history").expect_ok().texts(), ["halo"]);
    assert_eq!(neko.asks("send messi halo").code(), "storage_failed");
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_server_that_began_on_a_disk_that_took_nothing_goes_on_when_it_does() {
    let directory = filled();
    let data = directory.path().join("data");
    let file = directory.path().join("kabar.toml");
    fs::write(&file, "[[users]]\nname = \"paff\"\npassword = \"rahasia\"\n").unwrap();
    let server = start_limited_with(&data, 0, |command| {
        command.arg("--config").arg(&file);
    });
    let mut neko = server.connect();
    neko.asks("auth neko rahasia").expect_ok();
    assert_eq!(neko.asks("send messi halo").code(), "storage_failed");
    lift_limit(&server);
    server.logs("the store takes changes again");
    server.logs("what the start left to do was done");
    server.connect().asks("auth paff rahasia").expect_ok();
    neko.asks("send messi tersimpan").expect_ok();
    let admin = Command::new(env!("CARGO_BIN_EXE_kabar")).arg("admin").arg("--data").arg(&data).arg("stats").output();
    assert!(admin.unwrap().status.success());
    server.kill();
    let server = Process::start(&data);
    let mut messi = server.connect().logged_in("messi", "rahasia");
    assert_eq!(messi.asks("inbox").texts(), ["tersimpan"]);
    let mut neko = server.connect().logged_in("neko", "rahasia");
    assert_eq!(neko.asks("inbox").texts(), ["halo"]);
}

#[test]
fn a_data_directory_that_is_moved_away_is_noticed_and_nothing_is_acknowledged() {
    let directory = filled();
    let (data, moved) = (directory.path().join("data"), directory.path().join("moved"));
    let server = Process::start(&data);
    let mut messi = server.connect().logged_in("messi", "rahasia");
    fs::rename(&data, &moved).unwrap();
    assert_eq!(messi.asks("send neko hilang").code(), "storage_failed");
    server.logs("was deleted or replaced under the running server");
    assert_eq!(server.connect().asks("auth neko rahasia").expect_ok().0["data"]["stored"], false);
    fs::rename(&moved, &data).unwrap();
    wait_until("changes are taken again", || messi.asks("send neko lagi").is_ok());
    let mut neko = server.connect().logged_in("neko", "rahasia");
    assert_eq!(neko.asks("inbox").texts(), ["halo", "lagi"]);
}

#[test]
fn a_database_that_others_can_read_is_refused_with_what_to_do() {
    let directory = filled();
    let database = directory.path().join("data/kabar.db");
    fs::set_permissions(&database, fs::Permissions::from_mode(0o644)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kabar"));
    let refused =
        command.args(["--listen", "127.0.0.1:0", "--data"]).arg(directory.path().join("data")).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains(&format!("chmod 600 {}", database.display())), "{said}");
}
