//! Passwords.

use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::attacks::Target;
use crate::honest::PASSWORD;

/// H7: many guesses at once, at one name from one address.
pub(super) fn in_parallel(target: &Target) {
    static GUESS: AtomicU64 = AtomicU64::new(0);
    target.endlessly(100, |_| {
        let mut stream = target.connect(0)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        target.ask(&mut stream, &format!("auth owner guess{}", GUESS.fetch_add(1, Ordering::Relaxed)))?;
        Ok(())
    });
}

/// H10: ten wrong passwords of the owner from each of many addresses, then one every six seconds; and names that do not
/// exist, from the address that the owner has.
pub(super) fn lock_out(target: &Target) {
    target.endlessly(16, |number| {
        let is_elsewhere = number < 12;
        let mut stream =
            if is_elsewhere { target.connect(number)? } else { TcpStream::connect(target.addresses.json)? };
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        for guess in 0..10 {
            let name = if is_elsewhere { "owner".to_owned() } else { format!("nobody{guess}") };
            target.ask(&mut stream, &format!("auth {name} wrong"))?;
        }
        thread::sleep(Duration::from_secs(6).min(target.until.saturating_duration_since(Instant::now())));
        Ok(())
    });
}

/// Right passwords, from many addresses at once.
pub(super) fn log_ins(target: &Target) {
    target.endlessly(32, |number| {
        let mut stream = target.connect(number % 16)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        target.ask(&mut stream, &format!("auth attacker{} {PASSWORD}", number % 16))?;
        target.ask(&mut stream, "logout")?;
        Ok(())
    });
}

/// New accounts, from many addresses at once.
pub(super) fn registrations(target: &Target) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let process = std::process::id();
    target.endlessly(32, |number| {
        let mut stream = target.connect(number % 16)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        target.ask(&mut stream, &format!("register r{process}x{number} {PASSWORD}"))?;
        Ok(())
    });
}
