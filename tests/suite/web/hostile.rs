//! What no browser sends. Whatever it is, the next connection is served.

use tungstenite::protocol::frame::coding::CloseCode;

use crate::support::{TestServer, WebClient, frame, number};

const TEXT: u8 = 0x81;
const TEXT_BEGUN: u8 = 0x01;
const CONTINUED: u8 = 0x80;
const BINARY: u8 = 0x82;
const PING: u8 = 0x89;

/// Sends frames that end the connection, and returns the code.
fn code_after(frames: &[u8]) -> u16 {
    let server = TestServer::start();
    let mut web = server.connect_web();
    web.sends(frames);
    let code = web.hears_the_end();
    assert_eq!(server.connect_web().asks("ping").message(), "pong");
    code
}

#[test]
fn frames_against_the_rules_end_the_connection() {
    for (what, bytes, code) in [
        ("not masked", vec![TEXT, 4, b'p', b'i', b'n', b'g'], CloseCode::Protocol),
        ("binary", frame(BINARY, b"ping"), CloseCode::Unsupported),
        ("reserved bit", frame(TEXT | 0x40, b"ping"), CloseCode::Protocol),
        ("unknown kind", frame(0x83, b"ping"), CloseCode::Protocol),
        ("goes on with nothing", frame(CONTINUED, b"ping"), CloseCode::Protocol),
        ("long ping", frame(PING, &[b'x'; 126]), CloseCode::Protocol),
    ] {
        assert_eq!(code_after(&bytes), number(code), "{what}");
    }
}

#[test]
fn a_message_that_is_too_long_is_told_before_the_end() {
    let server = TestServer::start();
    let longest = format!("#t ping{}", " ".repeat(8_192 - 7));
    assert_eq!(server.connect_web().asks(&longest).message(), "pong");
    let huge_header = [TEXT, 0x80 | 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4];
    let pieces = [frame(TEXT_BEGUN, &[b'x'; 8_000]), frame(CONTINUED, &[b'x'; 8_000])].concat();
    for bytes in [&huge_header[..], &pieces, &frame(TEXT, &[b'x'; 8_193])] {
        let mut web = server.connect_web();
        web.sends(bytes);
        assert_eq!(web.hears().code(), "line_too_long");
        assert_eq!(web.hears_the_end(), number(CloseCode::Size));
    }
}

#[test]
fn text_that_is_not_utf8_is_told_before_the_end() {
    let server = TestServer::start();
    let mut web = server.connect_web();
    web.sends(&frame(TEXT, b"ping \xff"));
    assert_eq!(web.hears().code(), "invalid_utf8");
    assert_eq!(web.hears_the_end(), number(CloseCode::Invalid));
}

#[test]
fn a_message_in_pieces_with_a_ping_between_them_is_one() {
    let server = TestServer::start();
    let mut web = server.connect_web();
    let bytes = [frame(TEXT_BEGUN, b"pi"), frame(PING, b"?"), frame(CONTINUED, b"ng")].concat();
    for byte in bytes {
        web.sends(&[byte]);
    }
    assert_eq!(web.hears().message(), "pong");
}

#[test]
fn half_a_frame_and_then_the_end_runs_nothing() {
    let server = TestServer::start();
    let mut bob = server.connect().registered("bob");
    let mut alice = server.connect_web().registered("alice");
    let whole = frame(TEXT, b"send bob halo");
    alice.sends(&whole[..whole.len() - 1]);
    drop(alice);
    let mut other = server.connect_web().registered("other");
    other.asks("send bob sesudah").expect_ok();
    assert_eq!(bob.asks("inbox").texts(), ["sesudah"]);
}

#[test]
fn a_flood_of_pings_is_answered_and_leaves_others_served() {
    let server = TestServer::start();
    let mut flooding = server.connect_web();
    let pings = frame(PING, b"").repeat(20_000);
    let mut stream = flooding.0.get_ref().try_clone().unwrap();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stream, &pings).unwrap());
    assert_eq!(server.connect_web().asks("ping").message(), "pong");
    let mut pongs = 0;
    while pongs < 20_000 {
        assert!(flooding.0.read().unwrap().is_pong());
        pongs += 1;
    }
    writer.join().unwrap();
    assert_eq!(flooding.asks("ping").message(), "pong");
}

#[test]
fn random_bytes_after_the_handshake_leave_others_served() {
    let server = TestServer::start();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..200 {
        let mut web: WebClient = server.connect_web();
        let bytes: Vec<u8> = (0..random.usize(1..400)).map(|_| random.u8(..)).collect();
        web.sends(&bytes);
    }
    assert_eq!(server.connect_web().asks("ping").message(), "pong");
}

#[test]
fn a_link_to_another_server_cannot_begin_on_a_web_socket() {
    let server = TestServer::start();
    let mut web = server.connect_web();
    assert_eq!(web.asks("link 1").code(), "forbidden");
    assert_eq!(web.asks("ping").message(), "pong");
}
