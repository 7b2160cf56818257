//! The certificates of the tests, and a client that speaks TLS.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kabar::config::{Config, ListenAddress};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::support::client::PATIENCE;

/// A file under `tests/fixtures/tls`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// A listener with TLS at a port that the system picks.
pub(crate) fn tls_address() -> ListenAddress {
    "tls://127.0.0.1:0".parse().unwrap()
}

/// Puts a certificate of the fixtures and its key into a directory, in place of the one before.
pub(crate) fn install_certificate(name: &str, directory: &Path) {
    fs::copy(fixture(&format!("{name}.pem")), directory.join("certificate.pem")).unwrap();
    let key = directory.join("key.pem");
    fs::copy(fixture(&format!("{name}.key")), &key).unwrap();
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Has a server show the certificate of a directory.
pub(crate) fn show_certificate(config: &mut Config, directory: &Path) {
    config.tls.certificate = Some(directory.join("certificate.pem"));
    config.tls.key = Some(directory.join("key.pem"));
}

/// A client that trusts the authority of the fixtures.
pub(crate) struct TlsClient(StreamOwned<ClientConnection, TcpStream>);

impl TlsClient {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::connect_with(address, &[]).unwrap()
    }

    /// Offers these protocols by ALPN.
    pub(crate) fn connect_with(address: SocketAddr, protocols: &[&str]) -> std::io::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(fixture("authority.pem")).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_protocol_versions(&[&TLS12, &TLS13]).unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let connection = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
        let tcp = TcpStream::connect(address)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        let mut stream = StreamOwned::new(connection, tcp);
        stream.flush()?;
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Self(stream))
    }

    pub(crate) fn says(&mut self, line: &str) {
        self.0.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// What comes next, up to an empty line or another end.
    pub(crate) fn hears_until(&mut self, end: &str) -> String {
        let mut heard = Vec::new();
        let mut byte = [0];
        while !heard.ends_with(end.as_bytes()) {
            self.0.read_exact(&mut byte).unwrap();
            heard.extend_from_slice(&byte);
        }
        String::from_utf8(heard).unwrap()
    }

    pub(crate) fn asks(&mut self, line: &str) -> String {
        self.says(line);
        self.hears_until("\r\n\r\n")
    }

    /// Sends what is no whole line.
    pub(crate) fn sends(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
    }

    /// Says in the way of TLS that nothing more comes, and returns everything until the server closes.
    pub(crate) fn closes(mut self) -> String {
        self.0.conn.send_close_notify();
        self.0.flush().unwrap();
        self.hears_the_rest()
    }

    /// Ends as a cut wire does, and returns everything until the server closes.
    pub(crate) fn breaks(mut self) -> String {
        self.0.sock.shutdown(Shutdown::Write).unwrap();
        self.hears_the_rest()
    }

    fn hears_the_rest(&mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).unwrap();
        rest
    }

    /// What the other end showed as its certificate.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        self.0.conn.peer_certificates().unwrap()[0].to_vec()
    }

    pub(crate) fn protocol(&self) -> Option<&[u8]> {
        self.0.conn.alpn_protocol()
    }
}
