//! Half a line and then silence, on either listener: the person at a text listener is told once that lines end with
//! Enter (PROTOCOL §1).

use crate::support::{Client, TestServer};

/// Half of a `ping`.
fn sends_half_a_line(client: &mut Client) {
    client.sends("pi");
}

fn finishes_the_line(client: &mut Client) {
    client.sends("ng\n");
}

#[track_caller]
fn hears_the_notice(client: &mut Client) {
    let line = client.hears_line();
    assert!(line.starts_with("[ERR] ") && line.contains("Enter"), "{line}");
}

#[test]
fn the_notice_comes_once_and_the_line_is_served_when_it_ends() {
    let server = TestServer::start();
    let mut client = server.connect_text();
    sends_half_a_line(&mut client);
    hears_the_notice(&mut client);
    finishes_the_line(&mut client);
    assert_eq!(client.hears_line(), "[OK] pong");
    sends_half_a_line(&mut client);
    // The notice of a later connection shows that the time has passed for this one, too.
    let mut later = server.connect_text();
    sends_half_a_line(&mut later);
    hears_the_notice(&mut later);
    finishes_the_line(&mut client);
    assert_eq!(client.hears_line(), "[OK] pong");
}

#[test]
fn the_notice_does_not_end_a_session() {
    let server = TestServer::with_documented_users();
    let mut paff = server.connect_text();
    paff.says("login paff cytus");
    assert_eq!(paff.hears_line(), "[OK] login berhasil");
    paff.sends("send ne");
    hears_the_notice(&mut paff);
    let mut neko = server.connect().logged_in("neko", "cytus");
    neko.asks("send paff hai").expect_ok();
    assert_eq!(paff.hears_line(), "[neko] hai");
    paff.says("ko hai juga");
    assert_eq!(paff.hears_line(), "[OK] pesan terkirim");
}

#[test]
fn blank_and_whole_lines_get_no_notice() {
    let server = TestServer::start();
    let mut silent = server.connect_text();
    silent.sends("ping\n\r\n\n");
    assert_eq!(silent.hears_line(), "[OK] pong");
    let mut later = server.connect_text();
    sends_half_a_line(&mut later);
    hears_the_notice(&mut later);
    silent.hears_no_line();
}

#[test]
fn a_json_listener_sends_no_notice() {
    let server = TestServer::start();
    let mut client = server.connect();
    sends_half_a_line(&mut client);
    let mut later = server.connect_text();
    sends_half_a_line(&mut later);
    hears_the_notice(&mut later);
    finishes_the_line(&mut client);
    assert_eq!(client.hears().message(), "pong");
}
