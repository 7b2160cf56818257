//! Clients that ask and do not read.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use crate::attacks::Target;
use crate::client::reset;

const LONG_TEXT: usize = 7_000;
/// Long messages in the inbox that is peeked at: some 2 MB, a page's most.
const MESSAGES: usize = 300;

/// H1: as much `peek` as one read takes, then a reset.
pub(super) fn dead(target: &Target) {
    fill_inbox(target);
    let block = "peek\n".repeat(64 * 1024 / 5);
    target.endlessly(4, |number| {
        let mut stream = target.logged_in(0)?;
        stream.write_all(block.as_bytes())?;
        // The server is to be in the middle of it.
        thread::sleep(Duration::from_millis(20 * number as u64));
        reset(stream);
        Ok(())
    });
}

/// Long replies and pushes for connections that stay and read nothing.
pub(super) fn never(target: &Target) {
    fill_inbox(target);
    let mut held: Vec<TcpStream> = Vec::new();
    while target.goes_on() {
        let listener = [target.addresses.json, target.addresses.text][held.len() % 2];
        if held.len() < 200
            && let Ok(mut stream) = target.logged_in_at(listener, 0)
        {
            let _is_full =
                stream.write_all(format!("subscribe 0\n{}", "peek\nhistory * 1000\n".repeat(200)).as_bytes());
            held.push(stream);
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn fill_inbox(target: &Target) {
    let text = "x".repeat(LONG_TEXT);
    let Ok(mut stream) = target.logged_in(0) else { return };
    for _ in 0..MESSAGES {
        if target.ask(&mut stream, &format!("send attacker0 {text}")).is_err() {
            return;
        }
    }
}
