//! What telnet sends by itself, and what of the messages pushed to a terminal counts as read.

use crate::support::{Client, TestServer};

const INTERRUPT: &[u8] = b"\xFF\xF4\xFF\xFD\x06";
const WONT_TIMING_MARK: &[u8] = b"\xFF\xFC\x06";

fn paff_at_a_terminal(server: &TestServer) -> Client {
    let mut paff = server.connect_text();
    paff.says("login paff cytus");
    assert!(paff.hears_line().starts_with("[OK] login berhasil"));
    paff
}

fn inbox_of_paff(server: &TestServer) -> Vec<String> {
    server.connect().logged_in("paff", "cytus").asks("inbox").texts()
}

#[test]
fn an_interrupt_is_answered_so_that_telnet_shows_what_comes_next() {
    let server = TestServer::with_documented_users();
    let mut paff = paff_at_a_terminal(&server);
    paff.sends(INTERRUPT);
    paff.hears_bytes(WONT_TIMING_MARK);
    paff.hears_no_line();
}

#[test]
fn a_json_listener_answers_frames_only() {
    let server = TestServer::with_documented_users();
    let mut client = server.connect();
    client.sends(INTERRUPT);
    client.hears_nothing();
}

#[test]
fn a_message_pushed_to_a_connection_that_broke_is_still_new() {
    let server = TestServer::with_documented_users();
    let mut paff = paff_at_a_terminal(&server);
    let mut messi = server.connect().logged_in("messi", "surabaya");
    messi.asks("send paff halo").expect_ok();
    paff.hears_line();
    paff.resets();
    assert_eq!(inbox_of_paff(&server), ["halo"]);
}

#[test]
fn a_message_is_read_once_the_person_sends_the_next_line() {
    let server = TestServer::with_documented_users();
    let mut paff = paff_at_a_terminal(&server);
    let mut messi = server.connect().logged_in("messi", "surabaya");
    messi.asks("send paff satu").expect_ok();
    paff.hears_line();
    paff.hears_no_line();
    messi.asks("send paff dua").expect_ok();
    paff.hears_line();
    assert_eq!(inbox_of_paff(&server), ["dua"]);
}

#[test]
fn a_message_is_read_once_the_person_hangs_up() {
    let server = TestServer::with_documented_users();
    let mut paff = paff_at_a_terminal(&server);
    let mut messi = server.connect().logged_in("messi", "surabaya");
    messi.asks("subscribe presence").expect_ok();
    messi.asks("send paff halo").expect_ok();
    paff.hears_line();
    drop(paff);
    assert_eq!(messi.hears().0["data"]["online"], false);
    assert!(inbox_of_paff(&server).is_empty());
}
