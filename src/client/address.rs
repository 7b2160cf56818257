//! Where a server is: `HOST:PORT`, or `tls://HOST:PORT`.

use std::fmt;
use std::str::FromStr;

const TLS: &str = "tls://";

/// The address of a json listener.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerAddress {
    /// A host name or an IP address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

impl FromStr for ServerAddress {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress(text.to_owned());
        let (tls, rest) = match text.strip_prefix(TLS) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (host, port) = rest.rsplit_once(':').ok_or_else(bad)?;
        let is_bracketed = host.starts_with('[') && host.ends_with(']');
        let host = if is_bracketed { host.trim_matches(['[', ']']) } else { host };
        let is_host = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c == '/');
        if !is_host || (host.contains(':') && !is_bracketed) {
            return Err(bad());
        }
        Ok(Self { host: host.to_owned(), port: port.parse().map_err(|_| bad())?, tls })
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { TLS } else { "" };
        match self.host.contains(':') {
            true => write!(f, "{scheme}[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}{}:{}", self.host, self.port),
        }
    }
}

/// The text is no address of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address: expected HOST:PORT or tls://HOST:PORT")]
pub struct BadAddress(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_as_it_is_read() {
        for text in ["127.0.0.1:8889", "[::1]:8889", "tls://chat.example.org:8443", "tls://[::1]:1"] {
            assert_eq!(text.parse::<ServerAddress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "localhost", ":8889", "a:b", "a:70000", "::1:8889", "http://a:1", "a b:1", "tls://"] {
            assert!(text.parse::<ServerAddress>().is_err(), "{text}");
        }
    }
}
