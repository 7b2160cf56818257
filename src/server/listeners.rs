//! Binds every listener before any is served, or takes it over from a service manager.

use std::io;
use std::net::{self as std_net, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::config::Config;
use crate::net::{self, Listener, ServerContext};
use crate::server::activation::Inherited;
use crate::server::error::ServerError;
use crate::web::{self, Monitor, Web};
use crate::wire::ReplyFormat;

/// Binds the listeners of the protocol.
pub(super) fn bind_all(config: &Config, inherited: Inherited) -> Result<Vec<Listener>, ServerError> {
    let configured = [
        (ReplyFormat::Json, &config.server.listen),
        (ReplyFormat::Text, &config.server.listen_text),
        (ReplyFormat::WebSocket, &config.server.web),
    ];
    let missing = configured.into_iter().filter(|(format, _)| !inherited.has(*format));
    let addresses = missing.flat_map(|(format, addresses)| addresses.iter().map(move |address| (*address, format)));
    let bind = |(address, format)| net::bind(address, format).map_err(|source| ServerError::Listen { address, source });
    let mut listeners = addresses.map(bind).collect::<Result<Vec<_>, _>>()?;
    for (format, listener) in inherited.chat() {
        listeners.push(net::take_over(listener, format).map_err(inherited_failed)?);
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
pub(super) fn serve_all(
    listeners: Vec<Listener>,
    web: &Arc<Web>,
    services: &Arc<ServerContext>,
) -> Vec<(SocketAddr, ReplyFormat)> {
    let mut listening = Vec::new();
    for listener in listeners {
        listening.extend(listener.address().map(|address| (address, listener.format())));
        match listener.format() {
            ReplyFormat::WebSocket => services.tasks.spawn(web::serve(listener, web.clone(), services.clone())),
            ReplyFormat::Json | ReplyFormat::Text => services.tasks.spawn(net::serve(listener, services.clone())),
        };
    }
    listening
}
