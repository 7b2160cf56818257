//! The attacks. Each is a process of its own, and stands for other machines: it gets the processor when nothing else wants it.

mod floods;
mod guesses;
mod places;
mod readers;
mod tally;
mod writers;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::connect_from;
use crate::server::Addresses;
pub(crate) use tally::Tally;

/// Accounts of attackers.
pub(crate) const ACCOUNTS: usize = 16;

/// What an attack knows.
pub(crate) struct Target {
    pub(crate) addresses: Addresses,
    /// Of the accounts `attacker0`, `attacker1`, …
    pub(crate) tokens: Vec<String>,
    pub(crate) until: Instant,
    pub(crate) tally: Arc<Tally>,
}

/// An attack: its name, the row of the table in issue 13 that it is of, and what it does.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    run: fn(&Target),
}

pub(crate) const ATTACKS: [Attack; 22] = [
    attack("spinners", "no attack: two processes that only compute", spin),
    attack("dead-readers", "peek in one write, nothing read, reset", readers::dead),
    attack("never-readers", "long replies for JSON and text, nothing read", readers::never),
    attack("blank-lines", "blank, unknown, rejected, invalid lines", floods::lines),
    attack("strangers", "help in one write, reset, no account", floods::strangers),
    attack("pipelines", "sends in one write, then closed", floods::pipelines),
    attack("one-of-many", "a user with 256 connections that pipeline pings", floods::many_connections),
    attack("no-lines", "telnet's options, pings and pieces of WebSockets", floods::no_lines),
    attack("storm", "connect, ping, close", floods::storm),
    attack("names", "realms and groups made and deleted", writers::names),
    attack("store", "long messages into one inbox", writers::store),
    attack("log", "realms and names that are refused and logged", writers::log),
    attack("broadcaster", "a group of 1,000 listeners", writers::broadcaster),
    attack("dialling", "realms at names and closed ports", writers::dialling),
    attack("places", "connections of one token", places::one_token),
    attack("idlers", "strangers that say a blank line each second", places::strangers),
    attack("half-links", "links that are never made", places::half_links),
    attack("slow-loris", "lines, heads, handshakes and frames, byte by byte", places::slow_loris),
    attack("guesses", "passwords guessed in parallel", guesses::in_parallel),
    attack("lock-out", "wrong passwords, to lock the owner out", guesses::lock_out),
    attack("logins", "log-ins from 16 addresses", guesses::log_ins),
    attack("registrations", "accounts from 16 addresses", guesses::registrations),
];

const fn attack(name: &'static str, what: &'static str, run: fn(&Target)) -> Attack {
    Attack { name, what, run }
}

impl Attack {
    /// Starts the attack as a process that runs when nothing else does. At nice 19 it would keep a core for a slice of 3 ms
    /// although the server is ready to run, which no other machine can.
    pub(crate) fn start(&self, addresses: Addresses, tokens: &[String], length: Duration) -> io::Result<Child> {
        let addresses = addresses.list().map(|address| address.to_string()).join(",");
        let mut command = Command::new("chrt");
        command.args(["--idle", "0"]).arg(std::env::current_exe()?).args(["--attack", self.name]);
        command.args(["--seconds", &length.as_secs_f64().to_string(), "--tokens", &tokens.join(",")]);
        command.args(["--addresses", &addresses]);
        command.stdout(Stdio::piped()).spawn()
    }

    /// Runs the attack in this process.
    pub(crate) fn run(&self, target: &Target) {
        (self.run)(target);
        println!("{}", target.tally);
    }
}

impl Target {
    pub(crate) fn goes_on(&self) -> bool {
        Instant::now() < self.until
    }

    /// Runs the same in several threads until the attack is over: `attempt` is called again and again with the number
    /// of the thread.
    pub(crate) fn endlessly(&self, threads: usize, attempt: impl Fn(usize) -> io::Result<()> + Sync) {
        thread::scope(|scope| {
            for number in 0..threads {
                let attempt = &attempt;
                scope.spawn(move || {
                    while self.goes_on() {
                        if attempt(number).is_err() {
                            self.tally.broken();
                            thread::sleep(Duration::from_millis(20));
                        }
                    }
                });
            }
        });
    }

    /// The token of one of the accounts.
    pub(crate) fn token(&self, number: usize) -> &str {
        &self.tokens[number % self.tokens.len()]
    }

    /// A connection from the address 127.0.0.NUMBER.
    pub(crate) fn connect(&self, number: usize) -> io::Result<TcpStream> {
        self.connect_to(self.addresses.json, number)
    }

    pub(crate) fn connect_to(&self, address: SocketAddr, number: usize) -> io::Result<TcpStream> {
        let stream = connect_from([127, 0, 0, 2 + (number % 200) as u8], address)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.set_write_timeout(Some(Duration::from_secs(1)))?;
        Ok(stream)
    }

    /// A connection that is logged in by a token.
    pub(crate) fn logged_in(&self, number: usize) -> io::Result<TcpStream> {
        self.logged_in_at(self.addresses.json, number)
    }

    pub(crate) fn logged_in_at(&self, address: SocketAddr, number: usize) -> io::Result<TcpStream> {
        let mut stream = self.connect_to(address, number)?;
        self.ask(&mut stream, &format!("whoami {}", self.token(number)))?;
        Ok(stream)
    }

    /// Sends a line and waits for something to come back.
    pub(crate) fn ask(&self, stream: &mut TcpStream, line: &str) -> io::Result<String> {
        stream.write_all(format!("{line}\n").as_bytes())?;
        let mut reply = Vec::new();
        let mut chunk = [0; 4096];
        // A line of a text listener ends with one line break, a JSON object with two.
        while !reply.ends_with(b"\n") {
            match stream.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => reply.extend_from_slice(&chunk[..count]),
            }
        }
        self.tally.count(&reply);
        Ok(String::from_utf8_lossy(&reply).into_owned())
    }

    /// Writes a block again and again and reads, but does not heed, what comes back, until the connection breaks.
    pub(crate) fn flood(&self, stream: TcpStream, block: &[u8]) -> io::Result<()> {
        let mut reader = stream.try_clone()?;
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut chunk = vec![0; 64 * 1024];
                while self.goes_on() {
                    match reader.read(&mut chunk) {
                        Ok(count) if count > 0 => self.tally.count(&chunk[..count]),
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        _ => break,
                    }
                }
            });
            let mut writer = &stream;
            while self.goes_on() {
                writer.write_all(block)?;
            }
            Ok(())
        })
    }
}

fn spin(target: &Target) {
    target.endlessly(2, |_| {
        std::hint::black_box((0..1_000_000_u64).fold(0, u64::wrapping_add));
        Ok(())
    });
}
