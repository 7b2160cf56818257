//! Administrators, invites, and the operator at the server's machine (PROTOCOL §8).

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::fail2ban::found_by_fail2ban;
use crate::support::process::Process;
use crate::support::{Client, TestServer};

fn server_of_messi() -> TestServer {
    TestServer::start_with(|config| {
        config.accounts.registration = kabar::config::Registration::Invite;
        config.accounts.administrators = vec![kabar::name::Name::parse("messi").unwrap()];
        config.users = vec![kabar::config::ConfiguredUser {
            name: kabar::name::Name::parse("messi").unwrap(),
            full_name: "".into(),
            country: "".into(),
            password: kabar::config::Password::Plain("surabaya".into()),
        }];
    })
}

fn invite(messi: &mut Client, request: &str) -> (String, u64) {
    let reply = messi.asks(request).expect_ok();
    let data = &reply.0["data"];
    (data["code"].as_str().unwrap().to_owned(), data["id"].as_u64().unwrap())
}

#[test]
fn an_invite_lets_so_many_register_and_is_used_by_who_succeeds_only() {
    let server = server_of_messi();
    let mut messi = server.connect().logged_in("messi", "surabaya");
    let (code, id) = invite(&mut messi, "invite 2");
    let mut guest = server.connect();
    assert_eq!(guest.asks(&format!("register messi rahasia #{code}")).code(), "user_exists");
    guest.asks(&format!("register rita rahasia #{}", code.to_uppercase())).expect_ok();
    assert_eq!(messi.asks("invites").expect_ok().0["data"][0]["uses"], 1);
    guest.asks(&format!("register sari rahasia Sari Indonesia {code}")).expect_ok();
    assert_eq!(guest.asks(&format!("register tito rahasia #{code}")).code(), "invite_not_found");
    assert_eq!(messi.asks("invites").expect_ok().0["data"], json!([]));
    let (code, other) = invite(&mut messi, "invite 5 30");
    assert_ne!(id, other);
    messi.asks(&format!("uninvite {other}")).expect_ok();
    assert_eq!(guest.asks(&format!("register tito rahasia #{code}")).code(), "invite_not_found");
}

#[test]
fn an_invite_is_good_after_a_restart_and_used_up_by_as_many_as_come_at_once() {
    let mut server = server_of_messi();
    let mut messi = server.connect().logged_in("messi", "surabaya");
    let (code, _) = invite(&mut messi, "invite 3");
    server.restart_with(&["KABAR_ACCOUNTS__REGISTRATION=invite"]);
    let registering: Vec<_> = (0..8)
        .map(|number| {
            let mut client = server.connect();
            client.says(&format!("register user{number} rahasia #{code}"));
            client
        })
        .collect();
    let registered = registering.into_iter().filter_map(|mut client| client.hears().is_ok().then_some(())).count();
    assert_eq!(registered, 3);
}

#[test]
fn a_fifth_word_that_is_no_code_is_an_error_where_registration_is_open_too() {
    let server = TestServer::start();
    assert_eq!(server.connect().asks("register messi x Lionel Messi Argentina").code(), "invite_not_found");
    server.connect().asks("register messi x Lionel_Messi Argentina").expect_ok();
}

/// Runs `kabar admin` on a data directory, with a line on standard input.
fn admin(data: &Path, line: &str, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kabar"));
    command.args(["admin", "--json", "--data"]).arg(data).args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[track_caller]
fn done(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_operator_administers_a_stopped_server_and_a_running_one() {
    let directory = TempDir::new().unwrap();
    let data = directory.path().join("data");
    done(&admin(&data, "rahasia", &["adduser", "rita", "Rita_Sari", "Indonesia"]));
    done(&admin(&data, "", &["lock", "rita"]));
    let server = Process::start(&data);
    let socket = std::fs::metadata(data.join("kabar.sock")).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    let mut rita = server.connect();
    assert_eq!(rita.asks("auth rita rahasia").code(), "locked");
    done(&admin(&data, "", &["unlock", "rita"]));
    rita.asks("auth rita rahasia").expect_ok();
    rita.asks("subscribe").expect_ok();
    done(&admin(&data, "kopi_tubruk", &["setpass", "rita"]));
    assert_eq!(rita.hears().0["reason"], "password_changed");
    rita.asks("auth rita kopi_tubruk").expect_ok();
    assert_eq!(done(&admin(&data, "", &["stats"]))["data"]["online"], 1);
    done(&admin(&data, "", &["ban", "rita", "for", "7d", "spam"]));
    assert_eq!(rita.hears().code(), "banned");
    let bans = done(&admin(&data, "", &["bans"]));
    assert_eq!((&bans["data"][0]["target"], &bans["data"][0]["by"]), (&"rita".into(), &Value::Null));
    for (words, status) in
        [(&["kickuser", "nobody"][..], 1), (&["ban", "10.0.0.0/33"], 64), (&["frobnicate"], 64), (&["inbox"], 1)]
    {
        assert_eq!(admin(&data, "", words).status.code(), Some(status), "{words:?}");
    }
    let audited = server.logs("command=\"setpass rita\"");
    assert!(audited.contains("by=\"operator\"") && !audited.contains("kopi_tubruk"), "{audited}");
    server.kill();
    assert_eq!(
        done(&admin(&data, "", &["unban", "rita"]))["status"],
        "OK",
        "the socket of a killed server is in nobody's way"
    );
}

#[test]
fn the_operator_bans_the_addresses_of_this_machine_and_undoes_it_through_the_socket() {
    let data = TempDir::new().unwrap();
    let server = Process::start(data.path());
    let mut here = server.connect();
    here.hears_nothing();
    for network in ["127.0.0.1", "127.0.0.0/8"] {
        done(&admin(data.path(), "", &["ban", network]));
        assert_eq!(here.hears().code(), "banned");
        assert_eq!(server.connect().hears().code(), "banned");
        done(&admin(data.path(), "", &["unban", network]));
        here = server.connect();
        here.hears_nothing();
    }
}

#[test]
fn the_filter_for_fail2ban_finds_failed_logins_and_nothing_that_imitates_them() {
    let directory = TempDir::new().unwrap();
    let server = Process::start(directory.path());
    assert_eq!(server.connect().asks("auth nobody rahasia").code(), "user_not_found");
    server.logs("login failed");
    let mut lines = server.log().join("\n");
    lines += "\nhost kabar[7]: 2026-11-27T03:22:05Z  INFO login failed name=\"a\" address=2001:db8::7 reason=\"throttled\" left_out=3";
    lines += "\n2026-11-27T03:22:05Z  INFO administration command=\"wall INFO login failed name=\\\"a\\\" address=192.0.2.9 reason=\\\"x\\\" left_out=0\"\n";
    assert_eq!(found_by_fail2ban(&lines), "127.0.0.1\n2001:db8::7\n");
}

#[test]
fn the_filter_for_fail2ban_reads_a_log_of_objects_too() {
    let directory = TempDir::new().unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_kabar"));
    server.args(["--listen", "127.0.0.1:0", "--listen-text", "none", "--web", "none", "--data"]).arg(directory.path());
    server.env("KABAR_LOG__FORMAT", "json").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let server = Process::run(server);
    assert_eq!(server.connect().asks("auth nobody rahasia").code(), "user_not_found");
    assert_eq!(server.connect().asks("register a b C D WRONG").code(), "invite_not_found");
    server.logs("login failed");
    let refused = server.logs("registration refused");
    let mut lines = server.log().join("\n");
    // Fail2ban takes the time out of a line before it looks at the rest.
    let (_, rest) = refused.split_once("Z\",").unwrap();
    lines += &format!("\n{{,{}", rest.replace("127.0.0.1", "2001:db8::7"));
    let imitation = serde_json::json!({ "level": "INFO", "message": "administration", "command": refused });
    lines += &format!("\n{imitation}\n");
    assert_eq!(found_by_fail2ban(&lines), "127.0.0.1\n127.0.0.1\n2001:db8::7\n");
}
