//! A client behind TLS, against a proxy that ends it in front of the server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::client_commands::{Shell, finish};
use crate::support::TestServer;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

fn acceptor(name: &str) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(fixture(&format!("{name}.pem"))).unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture(&format!("{name}.key"))).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    TlsAcceptor::from(Arc::new(config.with_single_cert(vec![certificate], key).unwrap()))
}

/// Listens at an address until the runtime ends.
fn start_proxy(runtime: &Runtime, at: SocketAddr, certificate: &str, server: SocketAddr) -> SocketAddr {
    let listener = runtime.block_on(TcpListener::bind(at)).unwrap();
    let (address, acceptor) = (listener.local_addr().unwrap(), acceptor(certificate));
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not trust the certificate closes.
                let Ok(mut outside) = acceptor.accept(stream).await else { return };
                let mut inside = TcpStream::connect(server).await.unwrap();
                let _either_end = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });
    address
}

fn proxied(certificate: &str) -> (TestServer, Runtime, SocketAddr) {
    let server = TestServer::at_fixed_address();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let address = start_proxy(&runtime, SocketAddr::from(([127, 0, 0, 1], 0)), certificate, server.home());
    (server, runtime, address)
}

const FINGERPRINT: &str = "Its SHA-256 fingerprint is\n";

#[test]
fn a_certificate_of_an_authority_of_the_system_is_trusted() {
    let (_server, _runtime, address) = proxied("server");
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
    let (_server, _runtime, address) = proxied("server");
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
    let (server, runtime, address) = proxied("server");
    let shell = Shell::new();
    let url = format!("tls://{address}");
    let refused = shell.run(&["login", &url, "--user", "messi", "--register"], "rahasia\n").err;
    let fingerprint = refused.trim().lines().last().unwrap().to_owned();
    let run = shell.run(&["login", &url, "--user", "messi", "--register", "--fingerprint", &fingerprint], "rahasia\n");
    assert_eq!(run.code, 0, "{}", run.err);
    drop(runtime);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    start_proxy(&runtime, address, "other", server.home());
    let changed = shell.run(&["send", "messi", "halo"], "");
    assert_eq!(changed.code, 76);
    assert!(changed.err.contains("changed") && changed.err.contains(&fingerprint), "{}", changed.err);
}
