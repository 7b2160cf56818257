//! Binds every listener before any is served, or takes it over from a service manager.

use std::io;
use std::net::{self as std_net, IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::info;

use crate::certificates::Certificates;
use crate::config::{Config, ListenAddress};
use crate::net::{self, Listener, ServerContext};
use crate::server::activation::{Inherited, InheritedListener};
use crate::server::error::ServerError;
use crate::server::tls;
use crate::web::{self, Monitor, Web};
use crate::wire::ListenerKind;

/// Binds the listeners of the protocol.
pub(super) fn bind_all(
    config: &Config,
    inherited: Inherited,
    certificates: Option<&Arc<Certificates>>,
) -> Result<Vec<Listener>, ServerError> {
    let configured = [
        (ListenerKind::Json, &config.server.listen),
        (ListenerKind::Text, &config.server.listen_text),
        (ListenerKind::Web, &config.server.web),
    ];
    let missing = configured.into_iter().filter(|(kind, _)| !inherited.has(*kind));
    let addresses = missing.flat_map(|(kind, addresses)| addresses.iter().map(move |address| (*address, kind)));
    let bind = |(address, kind): (ListenAddress, _)| {
        let tls = tls::server_config(certificates.filter(|_| address.is_tls), kind)?;
        net::bind(address, kind, tls).map_err(|source| ServerError::Listen { address: address.socket, source })
    };
    let mut listeners = addresses.map(bind).collect::<Result<Vec<_>, _>>()?;
    for InheritedListener { socket, kind, is_tls } in inherited.chat() {
        let tls = tls::server_config(certificates.filter(|_| is_tls), kind)?;
        listeners.push(net::take_over(socket, kind, tls).map_err(inherited_failed)?);
    }
    Ok(listeners)
}

fn inherited_failed(source: io::Error) -> ServerError {
    ServerError::System { what: "a socket that was handed over", source }
}

/// Serves health and metrics from before the store is opened.
pub(super) fn serve_monitoring(
    addresses: &[SocketAddr],
    inherited: &mut Inherited,
    monitor: &Arc<Monitor>,
) -> Result<(Vec<SocketAddr>, DropGuard), ServerError> {
    let mut listeners = inherited.take_monitoring();
    if listeners.is_empty() {
        let bind = |address: &SocketAddr| {
            bind_monitoring(*address).map_err(|source| ServerError::Listen { address: *address, source })
        };
        listeners = addresses.iter().map(bind).collect::<Result<_, _>>()?;
    }
    let stop = CancellationToken::new();
    let mut bound = Vec::new();
    for listener in listeners {
        let listener = TcpListener::from_std(listener).map_err(inherited_failed)?;
        bound.extend(listener.local_addr());
        tokio::spawn(web::serve_monitoring(listener, monitor.clone(), stop.clone()));
    }
    Ok((bound, stop.drop_guard()))
}

fn bind_monitoring(address: SocketAddr) -> io::Result<std_net::TcpListener> {
    let listener = std_net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves the listeners of the protocol. Returns their addresses.
pub(super) fn serve_all(listeners: Vec<Listener>, services: &Arc<ServerContext>) -> Vec<(ListenAddress, ListenerKind)> {
    let web = Arc::new(Web::new());
    let mut listening = Vec::new();
    for listener in listeners {
        listening.push((listener.address(), listener.kind()));
        match listener.kind() {
            ListenerKind::Web => services.tasks.spawn(web::serve(listener, web.clone(), services.clone())),
            ListenerKind::Json | ListenerKind::Text => services.tasks.spawn(net::serve(listener, services.clone())),
        };
    }
    listening
}

/// The port that other servers may dial for a link: that is encrypted by itself, and comes from no proxy.
pub(super) fn link_port(bindings: &[Listener]) -> Option<u16> {
    let mut addresses = bindings.iter().map(Listener::address);
    addresses.find(|address| !address.is_tls && !address.is_proxied).map(|address| address.socket.port())
}

/// The addresses that are listened on, for people.
pub(super) fn announce(listening: &[(ListenAddress, ListenerKind)], certificates: Option<&Arc<Certificates>>) {
    for (address, kind) in listening {
        info!("listening on {address} ({})", kind.name());
    }
    if let Some(certificates) = certificates {
        info!("the TLS certificate has the SHA-256 fingerprint {}", certificates.fingerprint());
    }
    let direct = || listening.iter().filter(|(address, _)| !address.is_proxied);
    // Lines are for people, frames for programs.
    let of = |wanted| direct().find(move |(_, kind)| *kind == wanted);
    match of(ListenerKind::Text).or_else(|| of(ListenerKind::Json)) {
        Some((ListenAddress { socket, is_tls: false, .. }, _)) => {
            let socket = reachable(*socket);
            info!("try:  nc {} {}  and type  help", socket.ip(), socket.port());
        }
        Some((ListenAddress { socket, .. }, _)) => info!("try:  kabar chat tls://{}", reachable(*socket)),
        None => {}
    }
    if let Some((ListenAddress { socket, is_tls, .. }, _)) = of(ListenerKind::Web) {
        let (scheme, socket) = (if *is_tls { "https" } else { "http" }, reachable(*socket));
        info!("or open  {scheme}://{socket}  in a browser");
    }
}

/// The address at which this machine reaches a listener: that of all addresses is none to connect to.
#[must_use]
pub fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_of_all_addresses_is_reached_at_the_loopback_one() {
        let reached = |listener: &str| reachable(listener.parse().unwrap()).to_string();
        assert_eq!(reached("0.0.0.0:8890"), "127.0.0.1:8890");
        assert_eq!(reached("[::]:8890"), "[::1]:8890");
        assert_eq!(reached("192.0.2.7:8890"), "192.0.2.7:8890");
    }
}
