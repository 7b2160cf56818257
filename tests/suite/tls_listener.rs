//! Listeners with TLS.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use kabar::wire::ListenerKind;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tempfile::TempDir;

use crate::support::port::free_address;
use crate::support::process::Process;
use crate::support::server::documented_users;
use crate::support::tls::{TlsClient, fixture, install_certificate, show_certificate, tls_address};
use crate::support::{Client, TestServer};

/// A server with TLS on all its listeners but one for JSON.
fn server() -> (TestServer, TempDir) {
    let certificate = TempDir::new().unwrap();
    install_certificate("server", certificate.path());
    let server = TestServer::start_with(|config| {
        config.users = documented_users();
        config.server.listen.insert(0, tls_address());
        config.server.listen_text = vec![tls_address()];
        config.server.web = vec![tls_address()];
        show_certificate(config, certificate.path());
    });
    (server, certificate)
}

#[test]
fn a_first_start_makes_its_certificate_in_a_data_directory_that_was_not_there() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("new");
    let server = Process::start_with(&data, |command| {
        command.args(["--listen", "tls://127.0.0.1:0"]).env("KABAR_TLS__SELF_SIGNED", "true");
    });
    assert!(data.join("tls.pem").exists());
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_conversation_over_tls_is_that_of_a_plain_listener() {
    let (server, _certificate) = server();
    let mut tls = TlsClient::connect(server.address(ListenerKind::Json));
    let mut plain = plain(&server);
    for line in ["ping", "auth messi salah", "help send", "auth messi surabaya", "#1 send messi halo", "list {}"] {
        let (reply, expected) = (tls.asks(line), plain.asks(line).0);
        let reply: serde_json::Value = serde_json::from_str(&reply).unwrap();
        for key in ["status", "code", "detail", "tag"] {
            assert_eq!(reply[key], expected[key], "{line}: {key}");
        }
    }
}

#[test]
fn a_text_listener_pushes_over_tls() {
    let (server, _certificate) = server();
    let mut messi = TlsClient::connect(server.address(ListenerKind::Text));
    messi.says("login messi surabaya");
    messi.says("ping");
    messi.hears_until("pong\r\n");
    plain(&server).logged_in("henderson", "surabaya").asks("send messi halo").expect_ok();
    assert!(messi.hears_until("halo\r\n").contains("henderson"));
}

#[test]
fn replies_larger_than_many_records_arrive_whole() {
    let (server, _certificate) = server();
    let mut messi = TlsClient::connect(server.address(ListenerKind::Json));
    messi.asks("auth messi surabaya");
    let text = "x".repeat(4_000);
    for _ in 0..200 {
        messi.says(&format!("send messi {text}"));
    }
    messi.says("inbox");
    for _ in 0..200 {
        assert!(messi.hears_until("\r\n\r\n").contains(r#""status":"OK""#));
    }
    let inbox = messi.hears_until("\r\n\r\n");
    let inbox: serde_json::Value = serde_json::from_str(&inbox).unwrap();
    assert_eq!(inbox["data"].as_array().unwrap().len(), 200);
}

#[test]
fn the_page_is_served_over_tls() {
    let (server, _certificate) = server();
    let mut browser = TlsClient::connect_with(server.address(ListenerKind::Web), &["h2", "http/1.1"]).unwrap();
    assert_eq!(browser.protocol(), Some(&b"http/1.1"[..]));
    browser.sends("GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert!(browser.hears_until("\r\n").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_client_that_names_a_protocol_names_the_right_one() {
    let (server, _certificate) = server();
    let address = server.address(ListenerKind::Json);
    assert_eq!(TlsClient::connect_with(address, &["kabar/1"]).unwrap().protocol(), Some(&b"kabar/1"[..]));
    assert!(TlsClient::connect_with(address, &["irc"]).is_err());
}

#[test]
fn the_last_line_without_its_end_counts_only_if_tls_was_closed() {
    let (server, _certificate) = server();
    let address = server.address(ListenerKind::Json);
    let mut closing = TlsClient::connect(address);
    closing.sends("ping\npin");
    closing.sends("g");
    assert_eq!(closing.closes().matches("pong").count(), 2);
    let mut cut = TlsClient::connect(address);
    cut.sends("ping\nping");
    assert_eq!(cut.breaks().matches("pong").count(), 1);
}

#[test]
fn who_speaks_no_tls_is_told_so() {
    let (server, _certificate) = server();
    for (format, said, expected) in [
        (ListenerKind::Json, "ping\n", r#""code":"tls_expected""#),
        (ListenerKind::Text, "ping\n", "[ERR] Port ini memakai TLS"),
        (ListenerKind::Web, "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400"),
    ] {
        let mut stream = TcpStream::connect(server.address(format)).unwrap();
        stream.write_all(said.as_bytes()).unwrap();
        let mut heard = String::new();
        let _reset = stream.read_to_string(&mut heard);
        assert!(heard.starts_with(expected) || heard.contains(expected), "{heard}");
    }
}

#[test]
fn handshakes_that_never_end_keep_nobody_out() {
    let (server, _certificate) = server();
    let address = server.address(ListenerKind::Json);
    let silent: Vec<TcpStream> = (0..1_100).map(|_| TcpStream::connect(address).unwrap()).collect();
    let mut messi = TlsClient::connect(address);
    assert!(messi.asks("ping").contains("pong"));
    drop(silent);
}

#[test]
fn a_silent_handshake_is_closed_after_its_deadline() {
    let (server, _certificate) = server();
    let mut silent = TcpStream::connect(server.address(ListenerKind::Json)).unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let begun = Instant::now();
    assert_eq!(silent.read(&mut [0]).unwrap(), 0);
    assert!(begun.elapsed() >= Duration::from_secs(5));
}

#[test]
fn a_stop_does_not_wait_for_handshakes() {
    let (mut server, _certificate) = server();
    let silent = TcpStream::connect(server.address(ListenerKind::Json)).unwrap();
    let mut messi = TlsClient::connect(server.address(ListenerKind::Json));
    messi.asks("ping");
    server.stop();
    assert!(messi.hears_until("\r\n\r\n").contains("shutting_down"));
    drop(silent);
}

/// A client of the listener without TLS.
fn plain(server: &TestServer) -> Client {
    let (address, _) = server.listening().iter().find(|(address, _)| !address.is_tls).unwrap();
    Client::connect(address.socket)
}

/// Starts the binary with a listener for TLS beside the one for JSON.
fn start(data: &TempDir, settings: &[(&str, &str)]) -> (Process, SocketAddr) {
    let address = free_address();
    let process = Process::start_with(data.path(), |command| {
        command.args(["--listen", &format!("tls://{address}")]).envs(settings.iter().copied());
    });
    (process, address)
}

#[test]
fn a_renewed_certificate_is_shown_after_a_hang_up_and_nobody_is_dropped() {
    let (data, certificate) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    install_certificate("server", certificate.path());
    let path = |name: &str| certificate.path().join(name).display().to_string();
    let (chain, key) = (path("certificate.pem"), path("key.pem"));
    let (server, address) = start(&data, &[("KABAR_TLS__CERTIFICATE", &chain), ("KABAR_TLS__KEY", &key)]);
    let expected = CertificateDer::from_pem_file(fixture("server.pem")).unwrap().to_vec();
    let mut before = TlsClient::connect(address);
    assert_eq!(before.certificate(), expected);
    std::fs::write(path("certificate.pem"), "half a certif").unwrap();
    server.signal("HUP");
    server.logs("the certificate is as before");
    assert_eq!(TlsClient::connect(address).certificate(), expected);
    install_certificate("other", certificate.path());
    server.signal("HUP");
    server.logs("new TLS connections get another certificate");
    assert!(TlsClient::connect_with(address, &[]).is_err(), "of no authority that the client knows");
    assert!(before.asks("ping").contains("pong"));
}

#[test]
fn a_server_makes_a_certificate_for_itself_and_logs_its_fingerprint() {
    let data = TempDir::new().unwrap();
    let (server, _address) = start(&data, &[("KABAR_TLS__SELF_SIGNED", "true")]);
    let line = server.logs("the TLS certificate has the SHA-256 fingerprint ");
    let digits = line.split_whitespace().last().unwrap();
    assert_eq!(digits.len(), 64, "{line}");
    assert!(data.path().join("tls.pem").exists());
}
