//! What is stored, logged, resolved and pushed at a user's wish.

use std::io;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::attacks::Target;
use crate::client::{connect_from, free_address};

/// H4: names that come and go, in one pipeline each.
pub(super) fn names(target: &Target) {
    let churns = ["addrealm x{n}\ndelrealm x{n}\n", "addgroup x{n}\ndelgroup x{n}\n", "joingroup x\nleavegroup x\n"];
    target.endlessly(6, |number| {
        let lines = churns[number % churns.len()].replace("{n}", &number.to_string());
        target.flood(target.logged_in(number)?, lines.repeat(500).as_bytes())
    });
}

/// H8: as many bytes as one connection takes, into one inbox. With several accounts, as many times that.
pub(super) fn store(target: &Target) {
    let block = format!("send victim {}\n", "x".repeat(8_000)).repeat(16);
    target.endlessly(4, |number| target.flood(target.logged_in(number)?, block.as_bytes()));
}

/// H9: refusals that are logged, with what would break a terminal.
pub(super) fn log(target: &Target) {
    let lines = "addrealm z \u{9b}31m\u{202e}host 1\naddrealm z 10.1.2.3 22\nauth \u{202e}x y\n".repeat(200);
    target.endlessly(3, |number| target.flood(target.logged_in(number)?, lines.as_bytes()));
}

/// H6: names that must be looked up, and ports that are open or closed. Both must take as long.
pub(super) fn dialling(target: &Target) {
    let (Ok(open), Ok(closed)) = (TcpListener::bind(("127.0.0.1", 0)), free_address()) else { return };
    let ports = [open.local_addr().map_or(1, |address| address.port()), closed.port()];
    target.endlessly(4, |number| {
        // Accounts that have not used up their realms of the day.
        let mut stream = target.logged_in(8 + number)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        if number > 1 {
            target.ask(&mut stream, &format!("addrealm z{number} name{number}.example 1"))?;
            return Ok(());
        }
        let begun = Instant::now();
        let reply = target.ask(&mut stream, &format!("addrealm z{number} 127.0.0.1 {}", ports[number]))?;
        if !reply.contains("slow_down") {
            let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            target.tally.dialled(number == 0, took);
        }
        Ok(())
    });
}

/// Item 1: a thousand listeners of four accounts, and one who talks to them without a pause.
pub(super) fn broadcaster(target: &Target) {
    const LISTENERS: usize = 1_000;
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    while target.goes_on() {
        if let Err(_is_restarting) = gather(target) {
            std::thread::sleep(Duration::from_millis(50));
            continue;
        }
        runtime.block_on(async {
            let listeners: Vec<_> = (0..LISTENERS)
                .map(|number| tokio::spawn(listen(target.addresses.json, target.token(number % 4).to_owned())))
                .collect();
            let _is_over = tokio::time::timeout_at(target.until.into(), talk(target)).await;
            listeners.iter().for_each(tokio::task::JoinHandle::abort);
        });
    }
}

fn gather(target: &Target) -> io::Result<()> {
    for number in 0..4 {
        let mut stream = target.logged_in(number)?;
        target.ask(&mut stream, if number == 0 { "addgroup crowd" } else { "joingroup crowd" })?;
    }
    Ok(())
}

async fn listen(address: std::net::SocketAddr, token: String) -> io::Result<()> {
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream.write_all(format!("subscribe {token}\n").as_bytes()).await?;
    let mut chunk = vec![0; 16 * 1024];
    while stream.read(&mut chunk).await? > 0 {}
    Ok(())
}

/// Sends messages, sixteen of them in flight.
async fn talk(target: &Target) -> io::Result<()> {
    const IN_FLIGHT: usize = 16;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let stream = connect_from([127, 0, 0, 2], target.addresses.json)?;
    stream.set_nonblocking(true)?;
    let mut stream = tokio::net::TcpStream::from_std(stream)?;
    let line = format!("sendgroup {} crowd hello\n", target.token(0));
    let mut chunk = vec![0; 16 * 1024];
    stream.write_all(line.repeat(IN_FLIGHT).as_bytes()).await?;
    loop {
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            return Ok(());
        }
        target.tally.count(&chunk[..count]);
        let answered = memchr::memmem::find_iter(&chunk[..count], "\r\n\r\n").count();
        stream.write_all(line.repeat(answered).as_bytes()).await?;
    }
}
