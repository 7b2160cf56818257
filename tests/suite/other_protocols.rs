//! Clients of other protocols at a chat port: the error, and the end (PROTOCOL §1). What such a client sends next may be
//! chosen by somebody else, so none of it is served.

use crate::support::TestServer;

/// The beginning of a TLS client's first message. It has no line end.
const TLS_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

#[test]
fn tls_at_a_port_without_it_is_told_so_at_once() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.sends(TLS_HELLO);
    assert_eq!(client.hears().code(), "other_protocol");
    client.hears_it_end();
    let mut person = server.connect_text();
    person.sends(TLS_HELLO);
    assert!(person.hears_line().contains("not encrypted"));
    person.hears_it_end();
}

#[test]
fn no_line_after_the_opening_of_another_protocol_is_served() {
    let server = TestServer::start();
    for opening in ["EHLO mail.example.org", "GET /", "SSH-2.0-OpenSSH_9.2"] {
        let mut client = server.connect();
        client.sends(format!("{opening}\nregister smuggled rahasia\n"));
        assert_eq!(client.hears().code(), "other_protocol", "{opening}");
        client.hears_it_end();
    }
    assert_eq!(server.connect().asks("login smuggled rahasia").code(), "user_not_found");
}

#[test]
fn a_word_that_is_no_command_ends_nothing() {
    let server = TestServer::start();
    let mut client = server.connect();
    assert_eq!(client.asks("halo semua").code(), "unknown_command");
    client.asks("ping").expect_ok();
}
