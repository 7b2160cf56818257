//! Random bytes at a listener: every frame is whole, and the next well-formed line is answered.

use crate::support::seed::seed;
use crate::support::{Client, TestServer};

/// Lines for each listener.
const CASES: usize = 60_000;
/// Lines sent before their replies are read.
const AT_ONCE: usize = 40;

#[test]
fn any_bytes_at_the_json_listener_leave_the_next_line_answered() {
    let server = TestServer::start();
    fuzz(&|| server.connect(), &|client, fence| {
        let expected = format!("\"tag\":\"{fence}\"");
        while !client.hears_frame().contains(&expected) {}
    });
}

#[test]
fn any_bytes_at_the_text_listener_leave_the_next_line_answered() {
    let server = TestServer::start();
    // A text reply carries no tag, but no case sends a ping.
    fuzz(&|| server.connect_text(), &|client, _| while client.hears_line() != "[OK] pong" {});
}

fn fuzz(connect: &dyn Fn() -> Client, hear_fence: &dyn Fn(&mut Client, &str)) {
    let mut random = fastrand::Rng::with_seed(seed());
    let mut client = connect();
    for round in 0..CASES / AT_ONCE {
        let mut sent = Vec::new();
        for _ in 0..AT_ONCE {
            sent.extend(case(&mut random));
            sent.push(b'\n');
        }
        let fence = format!("fence-{round}");
        sent.extend(format!("#{fence} ping\n").bytes());
        for piece in pieces(&sent, &mut random) {
            client.sends(piece);
        }
        hear_fence(&mut client, &fence);
    }
}

/// Random bytes, or nearly a command.
fn case(random: &mut fastrand::Rng) -> Vec<u8> {
    const WORDS: [&str; 16] = [
        "send",
        "inbox",
        "whoami",
        "#tag",
        "#",
        "help",
        "getrealminbox",
        "SENDGROUP",
        "info",
        "{}",
        "messi",
        "a@b",
        "5f0c8b3e-52f5-4f0c-9d1c-2b5a7c1e9d10",
        "group:x",
        "register",
        "😀",
    ];
    let mut bytes = Vec::new();
    match random.u8(0..10) {
        0..5 => {
            let length = random.usize(0..64);
            bytes.extend(std::iter::repeat_with(|| random.u8(..)).take(length));
        }
        5..7 => {
            bytes.extend(std::iter::repeat_with(|| b" \t\r\n\xff\xfa\xf0\xfb\x00\x7fa{"[random.usize(0..12)]).take(24))
        }
        7 => bytes.extend(std::iter::repeat_n(random.u8(..), random.usize(0..10_000))),
        _ => {
            for _ in 0..random.usize(1..5) {
                bytes.extend(WORDS[random.usize(0..WORDS.len())].bytes());
                bytes.push(b" \t\x01\xff"[usize::from(random.u8(0..32) / 10)]);
            }
        }
    }
    bytes
}

fn pieces<'a>(bytes: &'a [u8], random: &mut fastrand::Rng) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(random.usize(1..=rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}
