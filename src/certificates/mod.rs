//! The certificate of the TLS listeners: the operator's files, or one that this server made for itself. It can be read
//! again while the server runs.
//!
//! Never here: connections. Links between servers have raw keys of their own (`federation/tls`).

mod error;
mod files;
mod self_signed;
mod server_config;
#[cfg(test)]
mod tests;

pub use error::CertificateError;
pub use files::CertificateFiles;
pub use self_signed::self_signed;
pub use server_config::Certificates;
