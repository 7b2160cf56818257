//! Lines of other protocols (PROTOCOL §1): a browser can be pointed at any port by a web page, a mail server by an address.
//! What such a client sends next may be chosen by somebody else, so that none of it may be served.

/// The methods that a browser or a proxy begins a request line with.
const METHODS: [&str; 10] = ["GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PRI"];

/// How a client of SMTP, LMTP, SSH or XMPP begins.
const OPENINGS: [&str; 5] = ["EHLO ", "HELO ", "LHLO ", "SSH-", "<?xml "];

/// Header fields that stand in every browser's request.
const FIELDS: [&str; 9] = [
    "Host:",
    "User-Agent:",
    "Accept:",
    "Accept-Encoding:",
    "Accept-Language:",
    "Connection:",
    "Content-Type:",
    "Content-Length:",
    "Origin:",
];

/// Whether a line is of an HTTP request. No command word looks like one.
pub(super) fn is_http(line: &str) -> bool {
    let line = line.trim_start();
    let first = line.split([' ', '\t']).next().unwrap_or_default();
    let is_request_line = METHODS.contains(&first) && line.contains(" HTTP/");
    is_request_line || FIELDS.iter().any(|field| starts_with(line, field))
}

/// Whether a line is the first one of another protocol that has lines, HTTP/0.9 included. No command word looks like one.
pub(super) fn is_opening(line: &str) -> bool {
    OPENINGS.iter().any(|opening| starts_with(line, opening)) || line.starts_with("GET /")
}

fn starts_with(line: &str, start: &str) -> bool {
    line.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_browsers_are_known() {
        for line in [
            "GET / HTTP/1.1",
            "POST /send%20messi HTTP/1.0",
            "CONNECT example.org:443 HTTP/1.1",
            "PRI * HTTP/2.0",
            "Host: 127.0.0.1:8889",
            "host:chat",
            "User-Agent: Mozilla/5.0",
            "Content-Length: 12",
        ] {
            assert!(is_http(line), "{line}");
        }
    }

    #[test]
    fn other_lines_are_not() {
        for line in ["get / HTTP/1.1", "GET /", "send messi GET / HTTP/1.1", "hostile takeover", "Host", "", "Hosté:"]
        {
            assert!(!is_http(line), "{line}");
        }
    }
    #[test]
    fn openings_of_other_protocols_are_known() {
        for line in
            ["EHLO mail.example.org", "helo me", "SSH-2.0-OpenSSH_9.2", "<?xml version='1.0'?>", "GET /", "GET /x"]
        {
            assert!(is_opening(line), "{line}");
        }
        for line in ["hello", "helo", "send messi EHLO me", "ssh me", "get /", "<xml>", ""] {
            assert!(!is_opening(line), "{line}");
        }
    }
}
