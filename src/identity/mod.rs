//! The key pair that identifies this server, and TLS 1.3 in which both ends show such keys and prove that they have them.
//!
//! - `key_pair`: generated once, stored in the data directory
//! - `tls`, `raw_key_verifier`: handshakes with raw public keys (RFC 7250)
//!
//! Never here: which keys are accepted, and what is sent over the encrypted stream.

mod key_pair;
mod raw_key_verifier;
#[cfg(test)]
pub(crate) mod testing;
mod tls;

pub use key_pair::{Identity, IdentityError};
pub use tls::TlsError;
pub(crate) use tls::{GuestAcceptor, ShownKey, TlsEndpoint, TlsProtocol, connect_as_guest};
