//! Settings that the configuration reads and a module below it uses.

use std::fmt;
use std::net::{AddrParseError, SocketAddr};
use std::str::FromStr;

use serde::Deserialize;

/// When a change is acknowledged (PROTOCOL §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Stable storage: an acknowledged change survives a power cut.
    #[default]
    Sync,
    /// The operating system: a power cut may lose the newest changes, and never damages older ones.
    Fast,
}

/// The policy of registration (PROTOCOL §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Anybody.
    Open,
    /// Users with the code of an invite.
    Invite,
    /// Nobody: accounts come from the configuration and from the operator.
    Closed,
}

/// The language of text listeners (PROTOCOL §1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Language {
    /// The five documents' own words, with hints in English behind them: what those documents' clients look for.
    #[default]
    #[serde(rename = "documents")]
    Documents,
    #[serde(rename = "en")]
    English,
    #[serde(rename = "id")]
    Indonesian,
}

/// Which servers may link to this one by dialling it (PROTOCOL §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accept {
    /// Those whose key is known.
    Known,
    /// Those whose key is known, and any other on this machine.
    Loopback,
    /// All servers.
    Any,
}

/// An address to listen on, as `[tls://|proxy://|proxy+tls://]IP:PORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    pub socket: SocketAddr,
    /// Whether clients speak TLS.
    pub is_tls: bool,
    /// Whether each connection begins with a header of the PROXY protocol, which names the client.
    pub is_proxied: bool,
}

impl ListenAddress {
    const SCHEMES: [(&str, bool, bool); 3] =
        [("tls://", true, false), ("proxy://", false, true), ("proxy+tls://", true, true)];
}

impl From<SocketAddr> for ListenAddress {
    fn from(socket: SocketAddr) -> Self {
        Self { socket, is_tls: false, is_proxied: false }
    }
}

impl FromStr for ListenAddress {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        for (scheme, is_tls, is_proxied) in Self::SCHEMES {
            if let Some(rest) = text.strip_prefix(scheme) {
                return Ok(Self { socket: rest.parse()?, is_tls, is_proxied });
            }
        }
        text.parse::<SocketAddr>().map(Self::from)
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = Self::SCHEMES.iter().find(|(_, tls, proxied)| (*tls, *proxied) == (self.is_tls, self.is_proxied));
        write!(f, "{}{}", own.map_or("", |(scheme, ..)| scheme), self.socket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listen_address_is_read_as_it_is_written() {
        for text in ["127.0.0.1:8889", "tls://[::1]:6697", "proxy://0.0.0.0:1", "proxy+tls://127.0.0.1:2"] {
            assert_eq!(text.parse::<ListenAddress>().map(|address| address.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "tls://", "tls://localhost:1", "ssl://127.0.0.1:1", "tls+proxy://127.0.0.1:1", "127.0.0.1"] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text}");
        }
    }
}

/// Where the log is that the nodes of a cluster share, as `etcd://HOST:PORT,HOST:PORT,…`, or `etcds://` for TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedLogAddress {
    /// Each as `HOST:PORT`.
    pub members: Vec<String>,
    pub is_tls: bool,
}

impl FromStr for SharedLogAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected the members of an etcd cluster, such as etcd://10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379, or etcds:// for TLS";
        let plain = text.strip_prefix("etcd://");
        let listed = plain.or_else(|| text.strip_prefix("etcds://")).ok_or(EXPECTED)?;
        let members: Vec<String> = listed.split(',').map(str::to_owned).collect();
        let is_member = |member: &String| {
            let port = member.rsplit_once(':').filter(|(host, _)| !host.is_empty() && !host.contains(['/', ' ', '@']));
            port.is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|port| port != 0))
        };
        if members.iter().all(is_member) { Ok(Self { members, is_tls: plain.is_none() }) } else { Err(EXPECTED) }
    }
}
