//! Floods of cheap requests.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use crate::attacks::Target;
use crate::client::reset;

/// H2: four connections, each with lines of another kind.
pub(super) fn lines(target: &Target) {
    let kinds: [&[u8]; 6] = [b"\n", b" \t \n", b"blarg\n", b"send\n", b"\xff\xfe\n", b"#a,b ping\n"];
    target.endlessly(kinds.len(), |number| target.flood(target.connect(number)?, &kinds[number].repeat(16 * 1024)));
}

/// H3: as much `help` as one read takes, then a reset.
pub(super) fn strangers(target: &Target) {
    let block = "help\n".repeat(64 * 1024 / 5);
    target.endlessly(8, |number| {
        let mut stream = target.connect(number)?;
        stream.write_all(block.as_bytes())?;
        reset(stream);
        Ok(())
    });
}

/// Many requests in one write, then a close in order.
pub(super) fn pipelines(target: &Target) {
    target.endlessly(4, |number| {
        let mut stream = target.connect(number)?;
        let sends = format!("send attacker{number} x\n").repeat(500);
        stream.write_all(format!("whoami {}\n{sends}", target.token(number)).as_bytes())?;
        stream.shutdown(Shutdown::Write)?;
        Ok(())
    });
}

/// One user on as many connections as it may have, each with a pipeline that never ends.
pub(super) fn many_connections(target: &Target) {
    const CONNECTIONS: usize = 250;
    let block = b"ping\n".repeat(1_000);
    target.endlessly(4, |_| {
        let streams = (0..CONNECTIONS / 4).filter_map(|_| target.logged_in(0).ok()).collect();
        fill(target, streams, &block, |received| target.tally.count(received))
    });
}

/// Bytes that make no line, from many addresses: options of telnet, and pings and empty pieces of messages of a WebSocket.
pub(super) fn no_lines(target: &Target) {
    const CONNECTIONS: usize = 100;
    let (text, web) = (target.addresses.text, target.addresses.web);
    let telnet = b"\xff\xfd\x06\xff\xfb\x01\xff\xfa\x1f\0\x50\xff\xf0".repeat(1_000);
    let pings = b"\x89\x84\0\0\0\0ping".repeat(1_000);
    let pieces = [&b"\x01\x84\0\0\0\0ping"[..], &b"\0\x80\0\0\0\0".repeat(1_000), b"\x80\x80\0\0\0\0"].concat();
    let kinds = [(text, &b""[..], telnet), (web, HANDSHAKE, pings), (web, HANDSHAKE, pieces)];
    target.endlessly(kinds.len(), |kind| {
        let (address, first, block) = &kinds[kind];
        let connect = |number| {
            let mut stream = target.connect_to(*address, number)?;
            stream.write_all(first)?;
            if !first.is_empty() {
                let _response = stream.read(&mut [0; 1024])?;
            }
            Ok::<_, io::Error>(stream)
        };
        fill(target, (0..CONNECTIONS).filter_map(|number| connect(number).ok()).collect(), block, |_| {})
    });
}

const HANDSHAKE: &[u8] = b"GET /ws HTTP/1.1\r\nhost: kabar\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Writes a block again and again to connections and reads what comes back, until all have ended.
fn fill(target: &Target, streams: Vec<TcpStream>, block: &[u8], count: impl Fn(&[u8])) -> io::Result<()> {
    let mut streams: Vec<_> = streams.into_iter().map(|stream| (stream, 0)).collect();
    for (stream, _) in &streams {
        stream.set_nonblocking(true)?;
    }
    let mut chunk = vec![0; 256 * 1024];
    while target.goes_on() && !streams.is_empty() {
        streams.retain_mut(|(stream, written)| {
            // Where the last write ended: what comes next is what the server expects.
            *written = (*written + stream.write(&block[*written..]).unwrap_or(0)) % block.len();
            match stream.read(&mut chunk) {
                Ok(0) => false,
                Ok(received) => {
                    count(&chunk[..received]);
                    true
                }
                Err(error) => error.kind() == io::ErrorKind::WouldBlock,
            }
        });
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Connections that are made and closed.
pub(super) fn storm(target: &Target) {
    target.endlessly(4, |number| {
        let mut stream = target.connect(number)?;
        target.ask(&mut stream, "ping")?;
        Ok(())
    });
}
