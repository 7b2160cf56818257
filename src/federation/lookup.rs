//! Looking up host names: few at a time, each on a thread of its own, so that a slow resolver holds up nobody who reads from
//! the store.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::thread;

use ipnet::IpNet;
use tokio::sync::{Semaphore, oneshot};

use crate::limits::LOOKUPS;

/// Looks up host names.
pub(super) struct Lookup(Arc<Semaphore>);

impl Default for Lookup {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LOOKUPS)))
    }
}

impl Lookup {
    /// Takes the place of a look-up.
    #[cfg(test)]
    pub(super) fn take_place(&self) -> tokio::sync::OwnedSemaphorePermit {
        self.0.clone().try_acquire_owned().unwrap()
    }

    /// The addresses of a name. A look-up that nobody waits for any more counts until the resolver gives up.
    pub(super) async fn addresses(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let permit = self.0.clone().acquire_owned().await.map_err(io::Error::other)?;
        let (tell, told) = oneshot::channel();
        let name = name.to_owned();
        thread::Builder::new().name("lookup".into()).spawn(move || {
            let found = (name.as_str(), port).to_socket_addrs().map(Vec::from_iter);
            let _nobody_waits = tell.send(found);
            drop(permit);
        })?;
        told.await.map_err(io::Error::other)?
    }
}

/// The addresses of a host that are known without a look-up: of a literal, and of `localhost`.
pub(super) fn without_lookup(host: &str, port: u16) -> Option<Vec<SocketAddr>> {
    let host = unbracketed(host);
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some(vec![SocketAddr::new(address, port)]);
    }
    let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    host.eq_ignore_ascii_case("localhost").then(|| loopback.map(|address| SocketAddr::new(address, port)).into())
}

/// Whether all addresses of the networks are this machine's own: then no name needs a look-up.
pub(super) fn are_loopback(networks: &[IpNet]) -> bool {
    networks.iter().all(|network| network.network().is_loopback() && network.broadcast().is_loopback())
}

/// Strips the brackets of an IPv6 literal.
fn unbracketed(host: &str) -> &str {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.filter(|inner| inner.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv6())).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_literal_may_have_brackets() {
        for (host, name) in [("[::1]", "::1"), ("::1", "::1"), ("[host]", "[host]"), ("[127.0.0.1]", "[127.0.0.1]")] {
            assert_eq!(unbracketed(host), name);
        }
    }

    #[test]
    fn literals_and_localhost_are_known_without_a_lookup() {
        for (host, known) in [("127.0.0.1", 1), ("[::1]", 1), ("LocalHost", 2), ("localhost.example", 0), ("1.2.3", 0)]
        {
            assert_eq!(without_lookup(host, 1).map_or(0, |found| found.len()), known, "{host}");
        }
    }

    #[test]
    fn networks_of_this_machine_are_told_from_others() {
        let all = |networks: &[&str]| {
            are_loopback(&networks.iter().map(|network| network.parse().unwrap()).collect::<Vec<IpNet>>())
        };
        assert!(all(&["127.0.0.0/8", "::1/128"]) && all(&["127.0.0.7/32"]) && all(&[]));
        assert!(!all(&["127.0.0.0/8", "10.0.0.0/8"]) && !all(&["::/0"]) && !all(&["126.0.0.0/7"]));
    }

    #[tokio::test]
    async fn lookups_that_hang_hold_up_no_more_than_there_are_places() {
        let lookup = Lookup::default();
        let hanging: Vec<_> = (0..LOOKUPS).map(|_| lookup.take_place()).collect();
        let waiting = lookup.addresses("localhost", 1);
        tokio::pin!(waiting);
        let is_waiting = tokio::select! {
            biased;
            _ = &mut waiting => false,
            () = tokio::task::yield_now() => true,
        };
        assert!(is_waiting);
        drop(hanging);
        assert!(!waiting.await.unwrap().is_empty());
    }
}
