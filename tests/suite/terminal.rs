//! `kabar chat` as a person sees it, in a terminal.

use std::fs;
use std::process::Command;

use crate::client_commands::Shell;
use crate::support::port::free_address;
use crate::support::tmux::Tmux;
use crate::support::{Client, TestServer, wait_until};

const KABAR: &str = env!("CARGO_BIN_EXE_kabar");

/// A server, messi at a terminal that has just opened the chat, and neko at a socket.
fn messi_and_neko(columns: u16, rows: u16) -> (TestServer, Shell, Tmux, Client) {
    let server = TestServer::at_fixed_address();
    let (tmux, shell, neko) = at_a_terminal(&server, columns, rows);
    (server, shell, tmux, neko)
}

fn at_a_terminal(server: &TestServer, columns: u16, rows: u16) -> (Tmux, Shell, Client) {
    let shell = Shell::new().registered(&server.home().to_string(), "messi");
    let neko = server.connect().registered("neko");
    let tmux = Tmux::open(columns, rows, shell.home.path());
    tmux.says(&format!("{KABAR} chat"));
    connects(&tmux);
    (tmux, shell, neko)
}

/// Waits for the status of a chat that is connected: the help, which stands on the screen before, has the same words.
fn connects(tmux: &Tmux) {
    tmux.sees_that("the chat is connected", |screen| {
        screen.lines().any(|line| line.contains("messi at ") && line.contains(" online"))
    });
}

/// The screen shows a message before the server has it.
fn reads(client: &mut Client, texts: &[&str]) {
    wait_until("the messages arrive", || client.asks("peek").texts().len() >= texts.len());
    assert_eq!(client.asks("inbox").texts(), texts);
}

#[test]
fn a_newcomer_makes_an_account_and_chats_both_ways() {
    let server = TestServer::at_fixed_address();
    let shell = Shell::new();
    let tmux = Tmux::open(80, 24, shell.home.path());
    tmux.says(&format!("{KABAR} chat {}", server.home()));
    tmux.sees("User:");
    tmux.says("ani");
    tmux.sees("Password of ani:");
    tmux.says("rahasia");
    tmux.sees("(yes/no)?");
    tmux.says("yes");
    tmux.sees("Once more:");
    tmux.says("rahasia");
    tmux.sees("You are ani");
    let mut neko = server.connect().registered("neko");
    tmux.says("/to neko");
    tmux.says("halo neko");
    tmux.sees_that("the message with its time", |screen| {
        screen.lines().any(|line| line.contains("ani halo neko") && line.contains(':'))
    });
    reads(&mut neko, &["halo neko"]);
    neko.asks("send ani halo juga").expect_ok();
    tmux.sees("neko halo juga");
    assert!(!tmux.screen().contains("rahasia"));
}

#[test]
fn names_and_commands_are_completed() {
    let (_server, _shell, tmux, _neko) = messi_and_neko(80, 24);
    // A name is completed once the client has heard of it.
    tmux.sees("2 online");
    tmux.types("/ms");
    tmux.presses("Tab");
    tmux.types("ne");
    tmux.presses("Tab");
    tmux.types("halo");
    tmux.sees("> /msg neko halo");
}

#[test]
fn what_is_new_elsewhere_is_counted_until_it_is_read() {
    let (server, _shell, tmux, mut neko) = messi_and_neko(80, 24);
    neko.asks("send messi satu").expect_ok();
    neko.asks("send messi dua").expect_ok();
    tmux.sees("2 new");
    tmux.says("/kotakmasuk");
    tmux.sees("neko dua");
    tmux.sees_that("nothing new", |screen| !screen.contains("2 new"));
    let mut phone = server.connect().logged_in("messi", "rahasia");
    wait_until("the inbox cursor moves", || phone.asks("peek").texts().is_empty());
}

#[test]
fn older_messages_are_read_from_the_server() {
    let (_server, _shell, tmux, mut neko) = messi_and_neko(80, 24);
    (0..300).for_each(|number| drop(neko.asks(&format!("send messi nomor {number}.")).expect_ok()));
    tmux.says("/to neko");
    tmux.sees("nomor 299.");
    tmux.sees_that("the first message", |screen| {
        // Keys that arrive while a page is on its way only keep the client busy.
        if !screen.contains("reading …") {
            tmux.presses("PPage");
        }
        screen.contains("nomor 0.") && screen.contains("the beginning")
    });
    neko.asks("send messi baru").expect_ok();
    tmux.sees("nomor 0.");
    tmux.presses("Escape");
    tmux.sees("neko baru");
}

#[test]
fn a_small_terminal_shows_the_log_alone_and_wide_characters_fit() {
    let (_server, _shell, tmux, mut neko) = messi_and_neko(120, 40);
    tmux.says("/to neko");
    neko.asks("send messi 日本語のテキストはここで折り返されます 🎉 selesai").expect_ok();
    tmux.sees("🎉 selesai");
    tmux.resizes(40, 10);
    tmux.sees_that("a log without a list", |screen| !screen.contains('│') && screen.contains("selesai"));
    tmux.types("日本語é");
    tmux.presses("BSpace");
    tmux.sees("> 日本語");
    tmux.presses("Enter");
    tmux.sees_that("the message", |screen| screen.lines().any(|line| line.ends_with("messi 日本語")));
    reads(&mut neko, &["日本語"]);
}

#[test]
fn nothing_is_lost_or_doubled_while_the_server_is_away() {
    let (mut server, _shell, tmux, mut neko) = messi_and_neko(80, 24);
    let token = neko.asks("auth neko rahasia").token();
    tmux.says("/to neko");
    tmux.says("sebelum");
    tmux.sees("messi sebelum");
    server.stop();
    tmux.sees("no connection: again in");
    tmux.says("sementara");
    tmux.sees("messi sementara");
    server.start_again();
    let mut neko = server.connect();
    neko.asks(&format!("send {token} messi kembali")).expect_ok();
    tmux.presses("C-r");
    tmux.sees("neko kembali");
    tmux.sees_that("a message that was stored", |screen| {
        screen.lines().any(|line| line.contains("messi sementara") && line.contains(':'))
    });
    assert_eq!(tmux.screen().matches("sementara").count(), 1);
    reads(&mut neko, &["sebelum", "sementara"]);
}

#[test]
fn what_was_typed_while_the_server_was_away_outlives_the_chat_and_is_sent_once() {
    let (mut server, shell, tmux, mut neko) = messi_and_neko(80, 24);
    let token = neko.asks("auth neko rahasia").token();
    server.stop();
    tmux.sees("no connection: again in");
    tmux.says("/to neko");
    tmux.says("satu");
    tmux.sees("1 unsent");
    tmux.presses("C-d");
    tmux.sees("kabar: unsent messages, which the next kabar chat sends: 1");
    tmux.says("clear");
    tmux.says(&format!("sh -c 'echo $$ > ~/pid; exec {KABAR} chat'; reset; echo over"));
    tmux.sees("1 unsent");
    tmux.says("/to neko");
    tmux.sees("messi satu");
    tmux.says("dua");
    tmux.sees("2 unsent");
    let process = fs::read_to_string(shell.home.path().join("pid")).unwrap();
    assert!(Command::new("kill").args(["-KILL", process.trim()]).status().unwrap().success());
    tmux.sees("over");
    server.start_again();
    tmux.says(&format!("{KABAR} chat"));
    let mut neko = server.connect();
    wait_until("the messages arrive", || neko.asks(&format!("peek {token}")).texts().len() == 2);
    tmux.says("/to neko");
    tmux.sees_that("the last message, stored", |screen| {
        screen.lines().any(|line| line.contains("messi dua") && line.contains(':'))
    });
    tmux.presses("C-d");
    tmux.sees("ready>");
    assert_eq!(fs::read_dir(shell.home.path().join(".config/kabar/unsent")).unwrap().count(), 0);
    assert_eq!(neko.asks(&format!("inbox {token}")).texts(), ["satu", "dua"]);
}

#[test]
fn a_paste_of_many_lines_is_sent_only_after_a_question() {
    let (_server, _shell, tmux, mut neko) = messi_and_neko(80, 24);
    let lines: Vec<String> = (0..200).map(|number| format!("baris {number}.")).collect();
    tmux.says("/to neko");
    tmux.pastes(&lines.join("\n"));
    tmux.sees("send 200 lines?");
    tmux.presses("n");
    tmux.sees("nothing was sent");
    tmux.pastes(&lines.join("\n"));
    tmux.sees("send 200 lines?");
    tmux.presses("y");
    tmux.sees_that("the last line, stored", |screen| {
        screen.lines().any(|line| line.contains("messi baris 199.") && line.contains(':'))
    });
    assert_eq!(neko.reads_all("inbox").len(), 200);
}

#[test]
fn what_is_too_fast_for_the_server_is_sent_on_in_order_after_a_wait() {
    let server = TestServer::start_with(|config| {
        config.server.listen = vec![free_address().into()];
        config.limits.messages_per_second = Some(20);
    });
    let (tmux, _shell, mut neko) = at_a_terminal(&server, 80, 24);
    tmux.says("/to neko");
    let lines: Vec<String> = (0..70).map(|number| format!("baris {number}.")).collect();
    tmux.pastes(&lines.join("\n"));
    tmux.presses("y");
    tmux.sees("too fast for the server");
    tmux.sees_that("the last line, stored", |screen| {
        screen.lines().any(|line| line.contains("messi baris 69.") && line.contains(':'))
    });
    let texts: Vec<String> = neko.reads_all("inbox").iter().map(|message| message["msg"].to_string()).collect();
    assert_eq!(texts, lines.iter().map(|line| format!("{line:?}")).collect::<Vec<_>>());
}

#[test]
fn whoever_is_logged_out_elsewhere_logs_in_again_and_what_was_typed_meanwhile_is_sent() {
    let (server, _shell, tmux, mut neko) = messi_and_neko(80, 24);
    tmux.says("/to neko");
    let mut phone = server.connect().logged_in("messi", "rahasia");
    let sessions = phone.asks("sessions").expect_ok().0["data"].clone();
    let others = sessions.as_array().unwrap().iter().filter(|session| session["current"] != true);
    let others: Vec<_> = others.map(|session| session["id"].clone()).collect();
    others.iter().for_each(|number| drop(phone.asks(&format!("revoke {number}")).expect_ok()));
    tmux.sees("Ctrl-R logs in again: the session has ended (revoked elsewhere)");
    tmux.says("sementara");
    tmux.sees("messi sementara");
    tmux.presses("C-r");
    tmux.says("salah");
    tmux.sees("Password Salah");
    tmux.presses("C-r");
    tmux.says("rahasia");
    reads(&mut neko, &["sementara"]);
    neko.asks("send messi kembali").expect_ok();
    tmux.sees("neko kembali");
    assert!(!tmux.screen().contains("rahasia"));
}

#[test]
fn what_a_phone_read_is_read_here_too() {
    let (server, _shell, tmux, mut neko) = messi_and_neko(80, 24);
    let id = neko.asks("send messi satu").expect_ok().0["data"]["id"].clone();
    tmux.sees("1 new");
    let mut phone = server.connect().logged_in("messi", "rahasia");
    phone.asks(&format!("markread neko {id}")).expect_ok();
    tmux.sees_that("nothing new", |screen| !screen.contains("1 new"));
    neko.asks("send messi dua").expect_ok();
    tmux.says("/to neko");
    wait_until("the mark moves", || phone.asks("conversations").0["data"][0]["unread"] == 0);
}

#[test]
fn control_characters_are_shown_and_not_obeyed() {
    let (_server, _shell, tmux, mut neko) = messi_and_neko(80, 24);
    tmux.says("/to neko");
    neko.asks("send messi a\u{202e}b\u{2066}c").expect_ok();
    tmux.sees("a\\u{202e}b\\u{2066}c");
}

#[test]
fn the_terminal_is_given_back_at_the_end_and_after_sigterm() {
    let (_server, shell, tmux, _neko) = messi_and_neko(80, 24);
    tmux.presses("C-d");
    tmux.sees_that("the shell", |screen| screen.trim_end().ends_with("ready>"));
    let file = shell.home.path().join("pid");
    tmux.says("clear");
    tmux.says(&format!("sh -c 'echo $$ > ~/pid; exec {KABAR} chat'; stty -a | grep -o '.icanon'; echo over"));
    connects(&tmux);
    let process = fs::read_to_string(file).unwrap();
    assert!(Command::new("kill").args(["-TERM", process.trim()]).status().unwrap().success());
    tmux.sees_that("a line that is edited by the terminal", |screen| {
        // The prompt may stand before what was typed ahead of it.
        let mut lines = screen.lines().map(|line| line.trim_start_matches("ready>"));
        lines.any(|line| line == " icanon" || line == "  icanon") && lines.any(|line| line == "over")
    });
}

#[test]
fn without_a_terminal_the_chat_is_line_by_line() {
    let server = TestServer::at_fixed_address();
    let shell = Shell::new().registered(&server.home().to_string(), "messi");
    let mut neko = server.connect().registered("neko");
    let run = shell.run(&["chat", "--to", "neko"], "halo\n/msg neko lagi\n/helo\n//bukan perintah\n");
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("there is no /helo"), "{}", run.err);
    reads(&mut neko, &["halo", "lagi", "/bukan perintah"]);
}
