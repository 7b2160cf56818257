//! The carrier of real servers: TCP on their ordinary chat ports.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

use ipnet::IpNet;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::federation::answer::{self, Answer};
use crate::federation::carrier::{Carried, Carrier, DialError, Stream};
use crate::federation::channel::{ChannelError, Endpoint};
use crate::federation::identity::Identity;
use crate::limits::{LINK_DIAL, LINK_VERSION};
use crate::socket;

/// Dials servers in the networks that were allowed, and takes up what they dialled.
pub struct TcpCarrier {
    endpoint: Endpoint,
    networks: Vec<IpNet>,
}

impl TcpCarrier {
    /// A carrier that proves to be this server, and dials nobody outside these networks.
    #[must_use]
    pub fn new(identity: &Identity, networks: Vec<IpNet>) -> Self {
        Self { endpoint: Endpoint::new(identity.pair()), networks }
    }

    /// Makes the channel on a connection on which another server has asked for a link and was answered with OK. `stream`
    /// begins with what came after its line.
    ///
    /// # Errors
    /// Where the other end takes too long, speaks something else, or does not prove who it is.
    pub async fn accept(&self, stream: Box<dyn Stream>, address: SocketAddr) -> Result<Carried, ChannelError> {
        let (stream, key) = self.endpoint.accept(stream).await?;
        Ok(Carried { stream: Box::new(stream), key, address })
    }

    async fn dial_all(&self, host: String, port: u16) -> Result<Carried, DialError> {
        let unresolved = |error| DialError::Unreachable(format!("{host} cannot be resolved: {error}"));
        let name = unbracketed(&host);
        let found = lookup_host((name, port)).await.map_err(unresolved)?;
        let mut failed = DialError::Forbidden;
        // Nothing looks the name up again: the address that was allowed is the one that is dialled.
        for address in found.filter_map(|address| self.allowed(address)) {
            match self.dial_one(address).await {
                Err(DialError::Unreachable(why)) => failed = DialError::Unreachable(why),
                done => return done,
            }
        }
        Err(failed)
    }

    /// The address as it is dialled, where it lies in an allowed network. One of IPv4 is judged as that, however written.
    fn allowed(&self, address: SocketAddr) -> Option<SocketAddr> {
        let ip = address.ip().to_canonical();
        let plain = if ip == address.ip() { address } else { SocketAddr::new(ip, address.port()) };
        self.networks.iter().any(|network| network.contains(&ip)).then_some(plain)
    }

    async fn dial_one(&self, address: SocketAddr) -> Result<Carried, DialError> {
        let unreachable = |error: io::Error| DialError::Unreachable(format!("{address}: {error}"));
        let mut stream = TcpStream::connect(address).await.map_err(unreachable)?;
        socket::prepare(&stream).map_err(unreachable)?;
        stream.write_all(format!("link {LINK_VERSION}\r\n").as_bytes()).await.map_err(unreachable)?;
        match answer::read(&mut stream).await.map_err(unreachable)? {
            Answer::Welcome => {}
            Answer::Refused(why) => return Err(DialError::Refused(why)),
            Answer::Unknown => return Err(DialError::Unreachable(format!("{address} is no kabar server"))),
        }
        let failed = |error: ChannelError| DialError::Unreachable(format!("{address}: {error}"));
        let (stream, key) = self.endpoint.connect(stream).await.map_err(failed)?;
        Ok(Carried { stream: Box::new(stream), key, address })
    }
}

impl Carrier for TcpCarrier {
    fn dial(&self, host: &str, port: u16) -> Pin<Box<dyn Future<Output = Result<Carried, DialError>> + Send + '_>> {
        let host = host.to_owned();
        Box::pin(async move {
            let late = |_| DialError::Unreachable(format!("no answer within {LINK_DIAL:?}"));
            timeout(LINK_DIAL, self.dial_all(host, port)).await.map_err(late)?
        })
    }
}

/// A literal of IPv6 may stand in brackets.
fn unbracketed(host: &str) -> &str {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.filter(|inner| inner.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv6())).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::federation::testing::somebody;
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
    use tokio::net::TcpListener;

    fn carrier(networks: &[&str]) -> TcpCarrier {
        TcpCarrier::new(&somebody(), networks.iter().map(|network| network.parse().unwrap()).collect())
    }

    async fn listener() -> (TcpListener, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    }

    /// Answers the line that asks for a link, and keeps the connection.
    async fn answer(listener: &TcpListener, answer: &str) -> BufReader<TcpStream> {
        let mut stream = BufReader::new(listener.accept().await.unwrap().0);
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        assert_eq!(line, "link 1\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
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
            let allowed = carrier(networks).allowed(address.parse().unwrap());
            assert_eq!(allowed, dialled.map(|dialled| dialled.parse().unwrap()), "{address} in {networks:?}");
        }
    }

    #[tokio::test]
    async fn nobody_is_dialled_outside_the_allowed_networks() {
        let (listener, port) = listener().await;
        for host in ["127.0.0.1", "localhost", "::ffff:127.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0", "::"] {
            let forbidden = carrier(&["10.0.0.0/8"]).dial(host, port).await.unwrap_err();
            assert_eq!(forbidden, DialError::Forbidden, "{host}");
        }
        let nobody = tokio::select! {
            biased;
            _ = listener.accept() => false,
            () = tokio::task::yield_now() => true,
        };
        assert!(nobody);
    }

    #[tokio::test]
    async fn two_servers_reach_one_another() {
        let (messi, ivy) = (somebody(), somebody());
        let loopback: IpNet = "127.0.0.0/8".parse().unwrap();
        for said in ["{\"status\":\"OK\",\"message\":\"link\"}\r\n\r\n", "[OK] link\r\n"] {
            let (listener, port) = listener().await;
            let dialling = TcpCarrier::new(&messi, vec![loopback]);
            let dialled = async {
                let stream = answer(&listener, said).await;
                let address = stream.get_ref().peer_addr().unwrap();
                TcpCarrier::new(&ivy, Vec::new()).accept(Box::new(stream), address).await.unwrap()
            };
            let (here, mut there) = tokio::join!(dialling.dial("localhost", port), dialled);
            let mut here = here.unwrap();
            assert_eq!((here.key, there.key), (ivy.key(), messi.key()));
            assert_eq!(here.address, listener.local_addr().unwrap());
            here.stream.write_all(b"halo").await.unwrap();
            let mut heard = [0; 4];
            there.stream.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"halo");
        }
    }

    #[tokio::test]
    async fn an_answer_other_than_ok_is_told() {
        let table = [
            ("[ERR] Tidak boleh\r\n", "the other server refused: Tidak boleh"),
            ("HTTP/1.1 400 Bad Request\r\n", "ADDRESS is no kabar server"),
            ("[OK]", "ADDRESS: unexpected end of file"),
            (
                "[OK] link\r\n220 smtp.example.org\r\n",
                "ADDRESS: the handshake failed: received corrupt message of type",
            ),
        ];
        for (said, told) in table {
            let (listener, port) = listener().await;
            let carrier = carrier(&["127.0.0.0/8"]);
            let other = async {
                let mut stream = answer(&listener, said).await;
                stream.shutdown().await.unwrap();
                let _until_it_goes = stream.read_to_end(&mut Vec::new()).await;
            };
            let (dialled, ()) = tokio::join!(carrier.dial("127.0.0.1", port), other);
            let error = dialled.unwrap_err().to_string();
            let told = told.replace("ADDRESS", &format!("127.0.0.1:{port}"));
            assert!(error.starts_with(&told), "{said}: {error}");
        }
    }

    #[tokio::test]
    async fn a_silent_server_is_given_up() {
        for said in ["", "{\"status\":\"OK\"}", "[OK] link\r\n"] {
            let (listener, port) = listener().await;
            let carrier = carrier(&["127.0.0.0/8"]);
            let silent = async {
                let _kept = answer(&listener, said).await;
                // From here on nobody does anything, and time runs as fast as it can.
                tokio::time::pause();
                std::future::pending().await
            };
            let dialled = tokio::select! {
                dialled = carrier.dial("127.0.0.1", port) => dialled,
                () = silent => unreachable!("it is silent for ever"),
            };
            assert!(matches!(dialled, Err(DialError::Unreachable(_))), "{said}: {dialled:?}");
            tokio::time::resume();
        }
    }

    #[tokio::test]
    async fn where_nobody_listens_is_unreachable() {
        let (listener, port) = listener().await;
        drop(listener);
        let unreachable = carrier(&["127.0.0.0/8"]).dial("127.0.0.1", port).await.unwrap_err();
        assert!(unreachable.to_string().starts_with(&format!("127.0.0.1:{port}: ")), "{unreachable}");
    }

    #[test]
    fn a_literal_of_ipv6_may_stand_in_brackets() {
        for (host, name) in [("[::1]", "::1"), ("::1", "::1"), ("[host]", "[host]"), ("[127.0.0.1]", "[127.0.0.1]")] {
            assert_eq!(unbracketed(host), name);
        }
    }
}
