//! etcd as the engine of the shared log. The messages are kept by hand, so that building needs no `protoc`.

mod client;
mod keys;
mod log;
mod messages;
mod requests;
mod tls;
mod values;

#[cfg(test)]
mod tests;

pub use client::ConnectError;
pub use log::EtcdLog;
pub use tls::ClientTls;
