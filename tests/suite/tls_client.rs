//! A client behind TLS.

use std::net::SocketAddr;

use kabar::wire::ListenerKind;
use tempfile::TempDir;

use crate::client_commands::{Shell, finish};
use crate::support::TestServer;
use crate::support::port::free_address;
use crate::support::tls::{fixture, install_certificate, show_certificate};

/// A server that clients reach over TLS alone.
fn encrypted() -> (TestServer, TempDir, SocketAddr) {
    let certificate = TempDir::new().unwrap();
    install_certificate("server", certificate.path());
    let server = TestServer::start_with(|config| {
        config.server.listen = vec![format!("tls://{}", free_address()).parse().unwrap()];
        show_certificate(config, certificate.path());
    });
    let address = server.address(ListenerKind::Json);
    (server, certificate, address)
}

const FINGERPRINT: &str = "Its SHA-256 fingerprint is\n";

#[test]
fn a_certificate_of_an_authority_of_the_system_is_trusted() {
    let (_server, _certificate, address) = encrypted();
    let shell = Shell::new();
    let url = format!("tls://localhost:{}", address.port());
    let mut login = shell.command(&["login", &url, "--user", "messi", "--register"]);
    let run = finish(login.env("SSL_CERT_FILE", fixture("authority.pem")), "rahasia\n");
    assert_eq!((run.code, run.out), (0, format!("OK: messi at {url}\n")), "{}", run.err);
    let mut send = shell.command(&["send", "messi", "halo"]);
    assert_eq!(finish(send.env("SSL_CERT_FILE", fixture("authority.pem")), "").code, 0);
    assert_eq!(shell.run(&["send", "messi", "halo"], "").code, 76, "without the authority");
}

#[test]
fn an_unknown_certificate_is_refused_until_its_fingerprint_is_given() {
    let (_server, _certificate, address) = encrypted();
    let shell = Shell::new();
    let url = format!("tls://{address}");
    let login =
        |more: &[&str]| shell.run(&[&["login", &url, "--user", "messi", "--register"][..], more].concat(), "rahasia\n");
    let refused = login(&[]);
    assert_eq!(refused.code, 76);
    let shown = refused.err.to_lowercase();
    let (_, fingerprint) = shown.split_once(&FINGERPRINT.to_lowercase()).unwrap_or_else(|| panic!("{shown}"));
    assert_eq!(login(&["--fingerprint", &"ab".repeat(32)]).code, 76, "of another certificate");
    assert_eq!(login(&["--fingerprint", fingerprint.trim()]).code, 0);
    assert_eq!(shell.run(&["send", "messi", "halo"], "").code, 0, "it is pinned now");
}

#[test]
fn a_certificate_that_changed_is_refused_with_both_fingerprints() {
    let (mut server, certificate, address) = encrypted();
    let shell = Shell::new();
    let url = format!("tls://{address}");
    let refused = shell.run(&["login", &url, "--user", "messi", "--register"], "rahasia\n").err;
    let fingerprint = refused.trim().lines().last().unwrap().to_owned();
    let run = shell.run(&["login", &url, "--user", "messi", "--register", "--fingerprint", &fingerprint], "rahasia\n");
    assert_eq!(run.code, 0, "{}", run.err);
    server.stop();
    install_certificate("other", certificate.path());
    server.start_again();
    let changed = shell.run(&["send", "messi", "halo"], "");
    assert_eq!(changed.code, 76);
    assert!(changed.err.contains("changed") && changed.err.contains(&fingerprint), "{}", changed.err);
}
