//! Floods of cheap requests.

use std::io::{Read, Write};
use std::net::Shutdown;
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
        let streams: Vec<_> = (0..CONNECTIONS / 4).filter_map(|_| target.logged_in(0).ok()).collect();
        for stream in &streams {
            stream.set_nonblocking(true)?;
        }
        let mut chunk = vec![0; 256 * 1024];
        while target.goes_on() {
            let mut is_alive = false;
            for mut stream in &streams {
                let _is_full = stream.write(&block);
                match stream.read(&mut chunk) {
                    Ok(0) => {}
                    Ok(count) => {
                        is_alive = true;
                        target.tally.count(&chunk[..count]);
                    }
                    Err(error) => is_alive |= error.kind() == std::io::ErrorKind::WouldBlock,
                }
            }
            if !is_alive {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    });
}

/// Connections that are made and closed.
pub(super) fn storm(target: &Target) {
    target.endlessly(4, |number| {
        let mut stream = target.connect(number)?;
        target.ask(&mut stream, "ping")?;
        Ok(())
    });
}
