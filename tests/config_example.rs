//! `config.example.toml` parses, and states the defaults.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use std::path::Path;

use kabar::config::{Config, Password};
use secrecy::ExposeSecret;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config.example.toml");

fn example() -> Config {
    Config::load(Some(Path::new(PATH)), [], &[]).unwrap()
}

#[test]
fn the_example_states_the_defaults() {
    let Config { server, connections, accounts, messages, retention, realms, limits, metrics, log, texts, .. } =
        example();
    let default = Config::default();
    assert_eq!(server, default.server);
    assert_eq!(connections, default.connections);
    assert_eq!(accounts, default.accounts);
    assert_eq!(messages, default.messages);
    assert_eq!(retention, default.retention);
    assert_eq!(realms, default.realms);
    assert_eq!(limits, default.limits);
    assert_eq!(metrics, default.metrics);
    assert_eq!(log, default.log);
    assert_eq!((texts, example().peers), (default.texts, default.peers));
}

#[test]
fn the_commented_peer_parses() {
    let text = std::fs::read_to_string(PATH).unwrap();
    let commented = text.lines().skip_while(|line| *line != "# [[peers]]").take_while(|line| line.starts_with('#'));
    let mut file = tempfile::NamedTempFile::new().unwrap();
    commented.for_each(|line| writeln!(file, "{}", line.trim_start_matches("# ")).unwrap());
    let [peer] = &Config::load(Some(file.path()), [], &[]).unwrap().peers[..] else { panic!("one peer") };
    assert!(peer.address.is_some() && peer.key.is_some());
}

#[test]
fn the_example_has_the_users_of_the_documents() {
    let users = example().users;
    let listed: Vec<_> = users
        .iter()
        .map(|user| {
            let Password::Plain(password) = &user.password else { panic!("{} has a hash", user.name) };
            (user.name.as_str(), &*user.full_name, &*user.country, password.expose_secret())
        })
        .collect();
    let expected = [
        ("messi", "Lionel Messi", "Argentina", "surabaya"),
        ("henderson", "Jordan Henderson", "Inggris", "surabaya"),
        ("lineker", "Gary Lineker", "Inggris", "surabaya"),
        ("paff", "Paff Aroma", "", "cytus"),
        ("neko", "Neko UwU", "", "cytus"),
        ("robo", "Robo Head", "", "cytus"),
        ("ivy", "Ivy", "", "cytus"),
        ("vanessa", "Vanessa", "", "cytus"),
    ];
    assert_eq!(listed, expected);
}
