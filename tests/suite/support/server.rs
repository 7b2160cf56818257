//! A server in this process, on ports that the system picks, in a temporary data directory.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use kabar::chat::PasswordHash;
use kabar::config::{Accept, Config, ConfiguredUser, ListenAddress, Password};
use kabar::name::Name;
use kabar::server::{Server, ServerError};
use kabar::wire::ListenerKind;
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::client::Client;
use super::port::free_address;
use super::wait_until;

pub(crate) struct TestServer {
    config: Config,
    runtime: Runtime,
    running: Option<Server>,
    _directory: TempDir,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// A server with the accounts of PROTOCOL §3.
    pub(crate) fn with_documented_users() -> Self {
        Self::start_with(|config| config.users = documented_users())
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let directory = TempDir::new().unwrap();
        let mut config = Config::default();
        config.server.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0)).into()];
        config.server.listen_text = config.server.listen.clone();
        config.server.web = vec![SocketAddr::from(([127, 0, 0, 1], 0)).into()];
        config.server.data = directory.path().join("data");
        change(&mut config);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let running = Some(start(&runtime, &config));
        Self { config, runtime, running, _directory: directory }
    }

    /// A server whose address stays the same across restarts.
    pub(crate) fn at_fixed_address() -> Self {
        Self::start_with(|config| config.server.listen = vec![free_address().into()])
    }

    /// A server of a realm, with the accounts of PROTOCOL §3. Its address stays the same across restarts.
    pub(crate) fn of_realm(name: &str, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_with(|config| {
            config.users = documented_users();
            config.server.realm = Name::parse(name).unwrap();
            config.realms.accept = Accept::Loopback;
            config.server.listen = vec![free_address().into()];
            change(config);
        })
    }

    /// Starts the stopped server again on the same data, with other settings.
    pub(crate) fn start_again_with(&mut self, change: impl FnOnce(&mut Config)) {
        assert!(self.running.is_none(), "it runs");
        change(&mut self.config);
        self.running = Some(start(&self.runtime, &self.config));
    }

    pub(crate) fn start_again(&mut self) {
        self.start_again_with(|_| {});
    }

    /// Starts the stopped server on an empty data directory.
    pub(crate) fn start_anew(&mut self) {
        std::fs::remove_dir_all(&self.config.server.data).unwrap();
        self.start_again();
    }

    /// The configured address of the JSON listener, of a stopped server, too.
    pub(crate) fn home(&self) -> SocketAddr {
        self.config.server.listen[0].socket
    }

    pub(crate) fn data(&self) -> &Path {
        &self.config.server.data
    }

    /// Restarts the server on the same data, with settings written as `KABAR_SECTION__KEY=V`.
    pub(crate) fn restart_with(&mut self, settings: &[&str]) {
        self.stop();
        let pairs = settings.iter().map(|setting| setting.split_once('=').unwrap());
        let set = Config::load(None, pairs.map(|(key, value)| (key.into(), value.into())), &[]).unwrap();
        let Config { mut server, log, users, .. } = self.config.clone();
        server.language = set.server.language;
        self.running = Some(start(&self.runtime, &Config { server, log, users, ..set }));
    }

    /// Stops the server in order. Panics if that takes longer than `[server] shutdown_seconds`.
    pub(crate) fn stop(&mut self) {
        if let Some(server) = self.running.take() {
            self.runtime.block_on(server.stop()).unwrap();
        }
    }

    pub(crate) fn address(&self, format: ListenerKind) -> SocketAddr {
        let listening = self.running.as_ref().unwrap().listening();
        listening.iter().find(|(_, found)| *found == format).unwrap().0.socket
    }

    pub(crate) fn listening(&self) -> &[(ListenAddress, ListenerKind)] {
        self.running.as_ref().unwrap().listening()
    }

    /// The address of the monitoring listener.
    pub(crate) fn monitored_on(&self) -> SocketAddr {
        self.running.as_ref().unwrap().monitored_on()[0]
    }

    pub(crate) fn is_unmonitored(&self) -> bool {
        self.running.as_ref().unwrap().monitored_on().is_empty()
    }

    /// A connection to the JSON listener.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address(ListenerKind::Json))
    }

    /// A connection to the JSON listener, from another address of this machine.
    pub(crate) fn connect_from(&self, source: [u8; 4]) -> Client {
        Client::connect_from(source, self.address(ListenerKind::Json))
    }

    /// A connection to the text listener.
    pub(crate) fn connect_text(&self) -> Client {
        Client::connect(self.address(ListenerKind::Text))
    }
}

/// Otherwise its threads, and the memory that passwords were hashed in, stay until all tests are over.
impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(server) = self.running.take() {
            let stopping = async { timeout(Duration::from_secs(5), server.stop()).await };
            // What a test expects of a stop it says itself.
            let _stopped = self.runtime.block_on(stopping);
        }
    }
}

fn start(runtime: &Runtime, config: &Config) -> Server {
    let _inside = runtime.enter();
    let mut started = None;
    // A process that another test starts has the listener of a server that was stopped, too, until it runs its program.
    wait_until("the address is free again", || match Server::start(config) {
        Err(ServerError::Listen { source, .. }) if source.kind() == ErrorKind::AddrInUse => false,
        outcome => {
            started = Some(outcome.unwrap());
            true
        }
    });
    started.unwrap()
}

pub(crate) fn documented_users() -> Vec<ConfiguredUser> {
    let surabaya = [
        ("messi", "Lionel Messi", "Argentina"),
        ("henderson", "Jordan Henderson", "Inggris"),
        ("lineker", "Gary Lineker", "Inggris"),
    ];
    let cytus =
        [("paff", "Paff Aroma"), ("neko", "Neko UwU"), ("robo", "Robo Head"), ("ivy", "Ivy"), ("vanessa", "Vanessa")];
    let with_country = surabaya.map(|(name, full_name, country)| user(name, full_name, country, "surabaya"));
    with_country.into_iter().chain(cytus.map(|(name, full_name)| user(name, full_name, "", "cytus"))).collect()
}

fn user(name: &str, full_name: &str, country: &str, password: &str) -> ConfiguredUser {
    ConfiguredUser {
        name: Name::parse(name).unwrap(),
        full_name: full_name.into(),
        country: country.into(),
        password: Password::Hash(hashed(password)),
    }
}

/// Hashing is slow on purpose: each password is hashed once for all tests of a process.
fn hashed(password: &str) -> PasswordHash {
    static HASHES: Mutex<BTreeMap<String, PasswordHash>> = Mutex::new(BTreeMap::new());
    let mut hashes = HASHES.lock().unwrap();
    let hash = || kabar::password::hash(&SecretString::from(password)).unwrap();
    hashes.entry(password.to_owned()).or_insert_with(hash).clone()
}
