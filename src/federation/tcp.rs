//! Links over TCP, on the ordinary chat ports of both servers.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use arc_swap::ArcSwap;
use ipnet::IpNet;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::federation::lookup::{Lookup, are_loopback, without_lookup};
use crate::federation::transport::{ByteStream, DialError, DialPurpose, PeerStream, Transport};
use crate::federation::upgrade_response::{self, UpgradeResponse};
use crate::identity::{Identity, TlsEndpoint, TlsError, TlsProtocol};
use crate::limits::{LINK_DIAL, LINK_DIAL_FOR_USER, LINK_HANDSHAKE, LINK_VERSION};
use crate::socket;

/// The protocol and its version, and how long the handshake may take.
const PROTOCOL: TlsProtocol = TlsProtocol { alpn: b"kabar-link/1", handshake: LINK_HANDSHAKE };

/// TCP and TLS between kabar servers.
pub struct TcpTransport {
    endpoint: TlsEndpoint,
    networks: ArcSwap<Vec<IpNet>>,
    /// Apart from each other, so that no user can hold up the links.
    lookups_for_users: Lookup,
    lookups: Lookup,
}

impl TcpTransport {
    /// Authenticates with the key pair of `identity`, and dials only addresses in `networks`.
    #[must_use]
    pub fn new(identity: &Identity, networks: Vec<IpNet>) -> Self {
        let endpoint = TlsEndpoint::new(identity, PROTOCOL);
        let networks = ArcSwap::from_pointee(networks);
        Self { endpoint, networks, lookups_for_users: Lookup::default(), lookups: Lookup::default() }
    }

    /// Changes which addresses are dialled from now on.
    pub(crate) fn set_networks(&self, networks: Vec<IpNet>) {
        self.networks.store(Arc::new(networks));
    }

    /// Authenticates and encrypts an inbound connection. `stream` begins after the line `link 1`, which was answered.
    pub(crate) async fn accept(
        &self,
        stream: Box<dyn ByteStream>,
        address: SocketAddr,
    ) -> Result<PeerStream, TlsError> {
        let (stream, key) = self.endpoint.accept(stream).await?;
        Ok(PeerStream { stream: Box::new(stream), key, address })
    }

    async fn dial_all(&self, host: &str, port: u16, lookup: &Lookup) -> Result<PeerStream, DialError> {
        let unresolved = |error| DialError::Unreachable(format!("{host} cannot be resolved: {error}"));
        let found = match without_lookup(host, port) {
            Some(known) => known,
            None => lookup.addresses(host, port).await.map_err(unresolved)?,
        };
        let mut failed = DialError::Forbidden;
        // The name is resolved once, so that the dialled address is the one that was checked.
        for address in found.into_iter().filter_map(|address| self.allowed(address)) {
            match self.dial_one(address).await {
                Err(DialError::Unreachable(why)) => failed = DialError::Unreachable(why),
                done => return done,
            }
        }
        Err(failed)
    }

    /// Whether no address of the host can lie in an allowed network, which is known without a look-up.
    fn is_forbidden(&self, host: &str) -> bool {
        match without_lookup(host, 0) {
            Some(known) => known.into_iter().all(|address| self.allowed(address).is_none()),
            None => are_loopback(&self.networks.load()),
        }
    }

    /// The address to dial, if it lies in an allowed network. An IPv4-mapped IPv6 address counts as IPv4.
    fn allowed(&self, address: SocketAddr) -> Option<SocketAddr> {
        let ip = address.ip().to_canonical();
        let plain = if ip == address.ip() { address } else { SocketAddr::new(ip, address.port()) };
        self.networks.load().iter().any(|network| network.contains(&ip)).then_some(plain)
    }

    async fn dial_one(&self, address: SocketAddr) -> Result<PeerStream, DialError> {
        let unreachable = |error: io::Error| DialError::Unreachable(format!("{address}: {error}"));
        let mut stream = TcpStream::connect(address).await.map_err(unreachable)?;
        socket::prepare(&stream).map_err(unreachable)?;
        stream.write_all(format!("link {LINK_VERSION}\r\n").as_bytes()).await.map_err(unreachable)?;
        match upgrade_response::read(&mut stream).await.map_err(unreachable)? {
            UpgradeResponse::Accepted => {}
            UpgradeResponse::Refused(why) => return Err(DialError::Refused(why)),
            UpgradeResponse::Unknown => return Err(DialError::Unreachable(format!("{address} is no kabar server"))),
        }
        let failed = |error: TlsError| DialError::Unreachable(format!("{address}: {error}"));
        let (stream, key) = self.endpoint.connect(stream).await.map_err(failed)?;
        Ok(PeerStream { stream: Box::new(stream), key, address })
    }
}

impl Transport for TcpTransport {
    fn dial(
        &self,
        host: &str,
        port: u16,
        purpose: DialPurpose,
    ) -> Pin<Box<dyn Future<Output = Result<PeerStream, DialError>> + Send + '_>> {
        let host = host.to_owned();
        Box::pin(async move {
            if self.is_forbidden(&host) {
                return Err(DialError::Forbidden);
            }
            let (patience, lookup) = match purpose {
                DialPurpose::ForUser => (LINK_DIAL_FOR_USER, &self.lookups_for_users),
                DialPurpose::Reconnect => (LINK_DIAL, &self.lookups),
            };
            let deadline = Instant::now() + patience;
            let late = |_| Err(DialError::Unreachable(format!("no answer within {patience:?}")));
            let dialled = timeout_at(deadline, self.dial_all(&host, port, lookup)).await.unwrap_or_else(late);
            if dialled.is_err() && purpose == DialPurpose::ForUser {
                // Open, closed and silent ports look the same.
                sleep_until(deadline).await;
            }
            dialled
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::testing::test_identity;
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
    use tokio::net::TcpListener;

    use crate::limits::LOOKUPS;

    fn transport(networks: &[&str]) -> TcpTransport {
        TcpTransport::new(&test_identity(), networks.iter().map(|network| network.parse().unwrap()).collect())
    }

    async fn listener() -> (TcpListener, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    }

    /// Accepts a connection, expects `link 1` on it, and writes a response.
    async fn respond(listener: &TcpListener, response: &str) -> BufReader<TcpStream> {
        let mut stream = BufReader::new(listener.accept().await.unwrap().0);
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        assert_eq!(line, "link 1\r\n");
        stream.write_all(response.as_bytes()).await.unwrap();
        stream
    }

    #[test]
    fn only_addresses_in_allowed_networks_are_dialled() {
        let loopback = ["127.0.0.0/8", "::1/128"].as_slice();
        let table = [
            (loopback, "127.0.0.1:1", Some("127.0.0.1:1")),
            (loopback, "127.255.0.1:1", Some("127.255.0.1:1")),
            (loopback, "[::1]:1", Some("[::1]:1")),
            (loopback, "[::ffff:127.0.0.1]:1", Some("127.0.0.1:1")),
            (loopback, "[::ffff:10.0.0.1]:1", None),
            (loopback, "0.0.0.0:1", None),
            (loopback, "[::]:1", None),
            (loopback, "[::127.0.0.1]:1", None),
            (loopback, "128.0.0.1:1", None),
            (loopback, "169.254.169.254:80", None),
            (loopback, "[::2]:1", None),
            (&["10.1.0.0/16"], "10.1.2.3:1", Some("10.1.2.3:1")),
            (&["10.1.0.0/16"], "10.2.2.3:1", None),
            (&["10.1.0.0/16"], "127.0.0.1:1", None),
            (&["10.1.2.3/32"], "10.1.2.3:1", Some("10.1.2.3:1")),
            (&["0.0.0.0/0"], "192.0.2.1:1", Some("192.0.2.1:1")),
            (&["0.0.0.0/0"], "[2001:db8::1]:1", None),
            (&["::/0"], "[2001:db8::1]:1", Some("[2001:db8::1]:1")),
            (&["::/0"], "[::ffff:10.0.0.1]:1", None),
            (&[], "127.0.0.1:1", None),
        ];
        for (networks, address, dialled) in table {
            let allowed = transport(networks).allowed(address.parse().unwrap());
            assert_eq!(allowed, dialled.map(|dialled| dialled.parse().unwrap()), "{address} in {networks:?}");
        }
    }

    #[tokio::test]
    async fn no_connection_is_made_outside_the_allowed_networks() {
        let (listener, port) = listener().await;
        for host in ["127.0.0.1", "localhost", "::ffff:127.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0", "::"] {
            let forbidden = transport(&["10.0.0.0/8"]).dial(host, port, DialPurpose::Reconnect).await.unwrap_err();
            assert_eq!(forbidden, DialError::Forbidden, "{host}");
        }
        let no_connection = tokio::select! {
            biased;
            _ = listener.accept() => false,
            () = tokio::task::yield_now() => true,
        };
        assert!(no_connection);
    }

    #[tokio::test]
    async fn two_servers_reach_one_another() {
        let (messi, ivy) = (test_identity(), test_identity());
        let loopback: IpNet = "127.0.0.0/8".parse().unwrap();
        for response in ["{\"status\":\"OK\",\"message\":\"link\"}\r\n\r\n", "[OK] link\r\n"] {
            let (listener, port) = listener().await;
            let dialling = TcpTransport::new(&messi, vec![loopback]);
            let dialled = async {
                let stream = respond(&listener, response).await;
                let address = stream.get_ref().peer_addr().unwrap();
                TcpTransport::new(&ivy, Vec::new()).accept(Box::new(stream), address).await.unwrap()
            };
            let (here, mut there) = tokio::join!(dialling.dial("localhost", port, DialPurpose::Reconnect), dialled);
            let mut here = here.unwrap();
            assert_eq!((here.key, there.key), (ivy.key(), messi.key()));
            assert_eq!(here.address, listener.local_addr().unwrap());
            here.stream.write_all(b"halo").await.unwrap();
            let mut read = [0; 4];
            there.stream.read_exact(&mut read).await.unwrap();
            assert_eq!(&read, b"halo");
        }
    }

    #[tokio::test]
    async fn a_response_other_than_ok_is_reported() {
        let table = [
            ("[ERR] Tidak boleh\r\n", "the other server refused: Tidak boleh"),
            ("HTTP/1.1 400 Bad Request\r\n", "ADDRESS is no kabar server"),
            ("[OK]", "ADDRESS: unexpected end of file"),
            (
                "[OK] link\r\n220 smtp.example.org\r\n",
                "ADDRESS: the handshake failed: received corrupt message of type",
            ),
        ];
        for (response, expected) in table {
            let (listener, port) = listener().await;
            let transport = transport(&["127.0.0.0/8"]);
            let other = async {
                let mut stream = respond(&listener, response).await;
                stream.shutdown().await.unwrap();
                let _closed = stream.read_to_end(&mut Vec::new()).await;
            };
            let (dialled, ()) = tokio::join!(transport.dial("127.0.0.1", port, DialPurpose::Reconnect), other);
            let error = dialled.unwrap_err().to_string();
            let expected = expected.replace("ADDRESS", &format!("127.0.0.1:{port}"));
            assert!(error.starts_with(&expected), "{response}: {error}");
        }
    }

    #[tokio::test]
    async fn dialling_a_silent_server_times_out() {
        for response in ["", "{\"status\":\"OK\"}", "[OK] link\r\n"] {
            let (listener, port) = listener().await;
            let transport = transport(&["127.0.0.0/8"]);
            let silent = async {
                let _kept = respond(&listener, response).await;
                // Virtual time from here on: it advances while all tasks wait.
                tokio::time::pause();
                std::future::pending().await
            };
            let dialled = tokio::select! {
                dialled = transport.dial("127.0.0.1", port, DialPurpose::Reconnect) => dialled,
                () = silent => unreachable!("it is silent for ever"),
            };
            assert!(matches!(dialled, Err(DialError::Unreachable(_))), "{response}: {dialled:?}");
            tokio::time::resume();
        }
    }

    #[tokio::test]
    async fn a_closed_port_is_unreachable() {
        let (listener, port) = listener().await;
        drop(listener);
        let unreachable =
            transport(&["127.0.0.0/8"]).dial("127.0.0.1", port, DialPurpose::Reconnect).await.unwrap_err();
        assert!(unreachable.to_string().starts_with(&format!("127.0.0.1:{port}: ")), "{unreachable}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_learns_of_open_closed_and_silent_ports_after_the_same_time() {
        let ((closed, closed_port), (_silent, silent_port)) = (listener().await, listener().await);
        drop(closed);
        let transport = transport(&["127.0.0.0/8"]);
        for port in [closed_port, silent_port] {
            let begun = Instant::now();
            transport.dial("127.0.0.1", port, DialPurpose::ForUser).await.unwrap_err();
            let passed = begun.elapsed();
            assert!((LINK_DIAL_FOR_USER..LINK_DIAL_FOR_USER * 2).contains(&passed), "{passed:?}");
        }
    }

    #[tokio::test]
    async fn a_name_is_not_looked_up_where_only_this_machine_may_be_dialled() {
        let transport = transport(&["127.0.0.0/8", "::1/128"]);
        let places: Vec<_> = (0..LOOKUPS).map(|_| transport.lookups_for_users.take_place()).collect();
        let forbidden = transport.dial("chat.example.org", 1, DialPurpose::ForUser).await.unwrap_err();
        assert_eq!(forbidden, DialError::Forbidden);
        drop(places);
    }
}
