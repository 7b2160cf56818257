//! SIGHUP: the configuration is read again while the server runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::process::Process;
use crate::support::tmux::Tmux;
use crate::support::wait_until;

/// A server with a configuration file that changes.
struct Reloaded {
    home: TempDir,
    server: Process,
}

impl Reloaded {
    fn start(configuration: &str) -> Self {
        Self::start_with(configuration, |data, file| {
            Process::start_with(data, |command| {
                command.arg("--config").arg(file);
            })
        })
    }

    /// A server with a text listener and no other.
    fn start_for_people(configuration: &str) -> Self {
        Self::start_with(configuration, |data, file| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_kabar"));
            command.args(["--listen", "none", "--listen-text", "127.0.0.1:0", "--web", "none"]);
            command.arg("--data").arg(data).arg("--config").arg(file);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
            Process::run(command)
        })
    }

    fn start_with(configuration: &str, start: impl FnOnce(&Path, &Path) -> Process) -> Self {
        let home = TempDir::new().unwrap();
        let file = home.path().join("kabar.toml");
        fs::write(&file, configuration).unwrap();
        let server = start(&home.path().join("data"), &file);
        Self { home, server }
    }

    fn file(&self) -> PathBuf {
        self.home.path().join("kabar.toml")
    }

    /// Writes another configuration, has the server read it, and waits until it says so.
    fn reloads(&self, configuration: &str, says: &str) -> String {
        fs::write(self.file(), configuration).unwrap();
        self.server.log().clear();
        self.server.signal("HUP");
        self.server.logs(says)
    }
}

const RELOADED: &str = "the configuration was reloaded";

#[test]
fn a_text_listener_speaks_another_language_to_those_who_come_after_a_reload() {
    let reloaded = Reloaded::start_for_people("");
    let mut before = reloaded.server.connect();
    before.says("halo");
    let in_documents = before.hears_line();
    assert!(in_documents.starts_with("[ERR] *Maaf, command tidak benar"), "{in_documents}");
    reloaded.reloads("[server]\nlanguage = \"id\"\n", RELOADED);
    assert!(reloaded.server.connect().hears_line().starts_with("[kabar] selamat datang"));
    before.says("halo");
    assert_eq!(before.hears_line(), in_documents);
}

#[test]
fn what_connections_may_do_changes_for_those_that_are_there() {
    let reloaded = Reloaded::start("[accounts]\nregistration = \"open\"\n");
    let mut messi = reloaded.server.connect().registered("messi");
    reloaded.reloads("[accounts]\nregistration = \"closed\"\n[messages]\nbroadcast = \"administrators\"\n", RELOADED);
    assert_eq!(messi.asks("register neko rahasia").code(), "forbidden");
    assert_eq!(messi.asks("broadcast halo").code(), "forbidden");
    reloaded
        .reloads("[messages]\nbroadcast = \"administrators\"\n[accounts]\nadministrators = [\"messi\"]\n", RELOADED);
    messi.asks("broadcast halo").expect_ok();
    reloaded.reloads("[limits]\ngroups_per_user = 1\nmessages_per_day = 3\n", RELOADED);
    messi.asks("addgroup fans").expect_ok();
    assert_eq!(messi.asks("addgroup club").code(), "limit_reached");
    let codes: Vec<bool> = (0..5).map(|_| messi.asks("send messi halo").is_ok()).collect();
    assert_eq!(codes.last(), Some(&false), "{codes:?}");
}

#[test]
fn each_change_is_logged_with_both_values() {
    let reloaded = Reloaded::start("");
    let changed = reloaded.reloads("[messages]\ninbox_page = 7\n", "messages.inbox_page");
    assert!(changed.contains("from=\"1000\"") && changed.contains("to=\"7\""), "{changed}");
    reloaded.server.logs(RELOADED);
}

#[test]
fn a_bad_configuration_changes_nothing_and_its_mistake_is_logged_with_its_place() {
    let reloaded = Reloaded::start("");
    let bad = "[accounts]\nregistration = \"closed\"\n[messages]\ninbox_page = \"many\"\n";
    let logged = reloaded.reloads(bad, "the configuration is as before");
    assert!(logged.contains("kabar.toml:4:14: [messages] inbox_page: expected a whole number"), "{logged}");
    reloaded.server.connect().registered("neko");
}

#[test]
fn a_setting_that_needs_a_restart_says_so_each_time() {
    let reloaded = Reloaded::start("");
    for _ in 0..2 {
        let logged = reloaded.reloads("[server]\nrealm = \"timur\"\n", "changes only with a restart");
        assert!(logged.contains("WARN") && logged.contains("server.realm") && logged.contains("timur"), "{logged}");
        reloaded.server.logs(RELOADED);
    }
    reloaded.server.connect().registered("messi").asks("send neko@local halo");
}

#[test]
fn accounts_and_servers_of_the_new_configuration_are_there() {
    let reloaded = Reloaded::start("");
    let key = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
    let configuration =
        format!("[[users]]\nname = \"ivy\"\npassword = \"cytus\"\n[[peers]]\nname = \"timur\"\nkey = \"{key}\"\n");
    reloaded.reloads(&configuration, RELOADED);
    let mut ivy = reloaded.server.connect();
    ivy.asks("auth ivy cytus").expect_ok();
    ivy.says("realms");
    assert!(ivy.hears_frame().contains("timur"));
}

#[test]
fn the_log_changes_its_filter() {
    let reloaded = Reloaded::start("");
    reloaded.reloads("[log]\nfilter = \"debug\"\n", RELOADED);
    reloaded.server.connect().registered("messi");
    reloaded.server.logs("connected");
}

#[test]
fn a_terminal_that_hangs_up_stops_the_server_in_order() {
    let home = TempDir::new().unwrap();
    let (data, log) = (home.path().join("data"), home.path().join("log"));
    let command = format!(
        "{} --listen 127.0.0.1:0 --listen-text none --web none --data {} 2>{}",
        env!("CARGO_BIN_EXE_kabar"),
        data.display(),
        log.display()
    );
    let terminal = Tmux::open(80, 24, home.path());
    terminal.says(&command);
    let logged = |text: &str| fs::read_to_string(&log).is_ok_and(|log| log.contains(text));
    wait_until("the server serves", || logged("listening on"));
    drop(terminal);
    wait_until("the server has stopped in order", || logged("store closed") && logged("INFO stopped"));
}
