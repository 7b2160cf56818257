//! How members with an `https` address are authenticated, and this client to them.

use tonic::transport::{Certificate, ClientTlsConfig, Identity};

/// PEM texts. Without a client certificate etcd must be set up to ask for none.
#[derive(Clone)]
pub struct ClientTls {
    /// The authority that signed the certificates of the members. No other one is trusted.
    pub authority: Vec<u8>,
    /// This client's certificate and its key.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl ClientTls {
    pub(super) fn config(&self) -> ClientTlsConfig {
        let config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&self.authority));
        match &self.identity {
            Some((certificate, key)) => config.identity(Identity::from_pem(certificate, key)),
            None => config,
        }
    }
}
