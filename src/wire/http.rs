//! Browsers, which a web page may point at any port (PROTOCOL §1).

/// The methods that a browser or a proxy begins a request line with.
const METHODS: [&str; 10] = ["GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PRI"];

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
    is_request_line || FIELDS.iter().any(|field| starts_with_field(line, field))
}

fn starts_with_field(line: &str, field: &str) -> bool {
    line.get(..field.len()).is_some_and(|start| start.eq_ignore_ascii_case(field))
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
}
