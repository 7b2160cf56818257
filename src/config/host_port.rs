//! A host and a port, as `HOST:PORT`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::limits::HOST_BYTES;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// A host name or an IP address, of IPv6 without brackets.
    pub host: Box<str>,
    pub port: u16,
}

impl HostPort {
    /// Whether the host is all addresses of a machine, which is none to connect to.
    #[must_use]
    pub fn is_unspecified(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified())
    }
}

/// The text is no `HOST:PORT`.
#[derive(Debug)]
pub struct NotHostPort;

impl FromStr for HostPort {
    type Err = NotHostPort;

    fn from_str(text: &str) -> Result<Self, NotHostPort> {
        let (host, port) = text.rsplit_once(':').ok_or(NotHostPort)?;
        let port = port.parse().map_err(|_| NotHostPort)?;
        let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let is_valid = match inner {
            Some(literal) => literal.parse::<Ipv6Addr>().is_ok(),
            None => host.parse::<Ipv4Addr>().is_ok() || is_host_name(host),
        };
        if is_valid { Ok(Self { host: inner.unwrap_or(host).into(), port }) } else { Err(NotHostPort) }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Whether it is labels of letters, digits, hyphens and underscores. A last label of digits only makes it a malformed
/// IPv4 address.
fn is_host_name(text: &str) -> bool {
    let is_of_label = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    let is_label = |label: &str| !label.is_empty() && label.chars().all(is_of_label) && !label.starts_with('-');
    let mut labels = text.strip_suffix('.').unwrap_or(text).split('.');
    let ends_in_number = labels.clone().next_back().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() <= HOST_BYTES && labels.all(is_label) && !ends_in_number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(Box<str>, u16)> {
        text.parse().ok().map(|HostPort { host, port }| (host, port))
    }

    #[test]
    fn a_host_and_a_port_are_read() {
        let table = [
            ("chat.example.org:8889", Some(("chat.example.org", 8889))),
            ("chat.example.org.:8889", Some(("chat.example.org.", 8889))),
            ("localhost:1", Some(("localhost", 1))),
            ("kabar_2:65535", Some(("kabar_2", 65535))),
            ("3com.example:1", Some(("3com.example", 1))),
            ("192.0.2.7:8889", Some(("192.0.2.7", 8889))),
            ("[2001:db8::7]:8889", Some(("2001:db8::7", 8889))),
            ("[::1]:8889", Some(("::1", 8889))),
            ("", None),
            ("localhost", None),
            ("localhost:", None),
            ("localhost:0", Some(("localhost", 0))),
            ("localhost:65536", None),
            ("localhost:http", None),
            (":8889", None),
            (".:8889", None),
            ("::1:8889", None),
            ("[::1]", None),
            ("[localhost]:8889", None),
            ("[192.0.2.7]:8889", None),
            ("[::1:8889", None),
            ("192.0.2:8889", None),
            ("192.0.2.256:8889", None),
            ("two words:8889", None),
            ("a..b:8889", None),
            ("-a:8889", None),
            ("é:8889", None),
            ("http://localhost:8889", None),
        ];
        for (text, expected) in table {
            let expected = expected.map(|(host, port)| (Box::from(host), port));
            assert_eq!(read(text), expected, "{text}");
        }
        assert!(read(&format!("{}:1", "a".repeat(HOST_BYTES))).is_some());
        assert!(read(&format!("{}:1", "a".repeat(HOST_BYTES + 1))).is_none());
    }

    #[test]
    fn a_host_and_a_port_are_written_as_they_are_read() {
        for text in ["chat.example.org:8889", "192.0.2.7:8889", "[2001:db8::7]:8889"] {
            assert_eq!(text.parse::<HostPort>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn all_addresses_of_a_machine_are_no_single_host() {
        let is_unspecified = |text: &str| text.parse::<HostPort>().unwrap().is_unspecified();
        assert!(["0.0.0.0:1", "[::]:1", "[0::0]:1"].into_iter().all(is_unspecified));
        assert!(!["127.0.0.1:1", "[::1]:1", "localhost:1"].into_iter().any(is_unspecified));
    }
}
