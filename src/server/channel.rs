//! Binds the listener at which the other nodes of a cluster reach this one.

use std::io;
use std::net as std_net;

use tokio::net::TcpListener;

use crate::config::{Cluster, HostPort};
use crate::server::error::ServerError;

/// Binds `[cluster] listen`. Returns the listener, and the address by which other nodes reach it.
pub(super) fn bind_channel(cluster: &Cluster) -> Result<(TcpListener, HostPort), ServerError> {
    // Set if there is a log, which reading the configuration has checked.
    let address = cluster.listen.as_ref().ok_or(ServerError::NoCluster)?;
    let failed = |source| ServerError::ListenForNodes { address: address.clone(), source };
    let listener = bind(address).map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    let reached_at = cluster.channel_address(port).ok_or(ServerError::NoCluster)?;
    Ok((listener, reached_at))
}

fn bind(HostPort { host, port }: &HostPort) -> io::Result<TcpListener> {
    let listener = std_net::TcpListener::bind((&**host, *port))?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn cluster(listen: &str, advertise: &str) -> Cluster {
        let listen = Some(listen.parse().unwrap());
        Cluster { listen, advertise: advertise.to_owned(), ..Config::default().cluster }
    }

    #[tokio::test]
    async fn a_port_that_the_system_chose_is_part_of_the_address() {
        let (listener, reached_at) = bind_channel(&cluster("127.0.0.1:0", "10.0.0.1:8889")).unwrap();
        assert_eq!(reached_at.to_string(), listener.local_addr().unwrap().to_string());
    }

    #[tokio::test]
    async fn a_listener_of_all_addresses_is_reached_at_the_advertised_host() {
        for (advertise, host) in [("10.0.0.1:8889", "10.0.0.1"), ("a.example.org:8889", "a.example.org")] {
            let (listener, reached_at) = bind_channel(&cluster("0.0.0.0:0", advertise)).unwrap();
            assert_eq!(reached_at.to_string(), format!("{host}:{}", listener.local_addr().unwrap().port()));
        }
    }

    #[tokio::test]
    async fn a_host_name_is_listened_at() {
        let (_listener, reached_at) = bind_channel(&cluster("localhost:0", "")).unwrap();
        assert_eq!(&*reached_at.host, "localhost");
    }

    #[tokio::test]
    async fn an_address_in_use_is_named_with_its_setting() {
        let (_listener, taken) = bind_channel(&cluster("127.0.0.1:0", "")).unwrap();
        let refused = bind_channel(&cluster(&taken.to_string(), "")).unwrap_err().to_string();
        assert!(refused.starts_with(&format!("[cluster] listen: cannot listen on {taken}: Address already in use")));
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_refused() {
        let refused = bind_channel(&cluster("192.0.2.7:0", "")).unwrap_err().to_string();
        assert!(refused.starts_with("[cluster] listen: cannot listen on 192.0.2.7:0: "), "{refused}");
    }
}
