//! The files of the page.

use crate::support::{HttpClient, TestServer};

#[test]
fn the_page_comes_with_headers_that_forbid_everything_else() {
    let server = TestServer::start();
    let page = server.connect_http().gets("/");
    assert_eq!((page.status(), page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").unwrap();
    for rule in ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(rule), "{rule} in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
}

#[test]
fn a_file_that_the_browser_has_is_not_sent_again() {
    let server = TestServer::start();
    let mut browser = server.connect_http();
    let version = browser.gets("/").header("etag").unwrap().to_owned();
    let again = browser.asks("GET /", &["Host: x", &format!("If-None-Match: \"other\", {version}")]);
    assert_eq!((again.status(), again.body.len()), (304, 0));
    assert_eq!(browser.asks("GET /", &["Host: x", "If-None-Match: \"other\""]).status(), 200);
}

#[test]
fn a_file_is_compressed_for_whoever_can_read_that() {
    let server = TestServer::start();
    let mut browser = server.connect_http();
    let plain = browser.gets("/");
    let compressed = browser.asks("GET /", &["Host: x", "Accept-Encoding: br, gzip"]);
    assert_eq!((plain.header("content-encoding"), compressed.header("content-encoding")), (None, Some("gzip")));
    assert!(compressed.body.len() < plain.body.len());
    let refusing = browser.asks("GET /", &["Host: x", "Accept-Encoding: gzip;q=0"]);
    assert_eq!(refusing.header("content-encoding"), None);
}

/// The bytes that a browser without a cache transfers for the page: every file, with its head.
#[test]
fn the_page_is_small() {
    let server = TestServer::start();
    let mut browser = server.connect_http();
    let mut fetch = |path: &str| {
        let response = browser.asks(&format!("GET {path}"), &["Host: x", "Accept-Encoding: gzip"]);
        assert_eq!(response.status(), 200, "{path}");
        response.head.len() + response.body.len()
    };
    let page = String::from_utf8(server.connect_http().gets("/").body).unwrap();
    let links = page.split([' ', '\n', '>']).filter_map(|part| {
        let target = part.strip_prefix("href=\"").or_else(|| part.strip_prefix("src=\""))?;
        target.strip_suffix('"')
    });
    let files: std::collections::BTreeSet<_> = links.collect();
    assert!(files.iter().all(|file| !file.starts_with('/') && !file.contains(':')), "not relative: {files:?}");
    let transferred = fetch("/") + files.iter().map(|file| fetch(&format!("/{file}"))).sum::<usize>();
    assert!(transferred < 60_000, "{transferred} bytes for {} files", files.len() + 1);
}

#[test]
fn other_paths_and_methods_are_refused() {
    let server = TestServer::start();
    for (request, status) in [
        ("GET /../config.toml", 404),
        ("GET /page", 404),
        ("GET //", 404),
        ("GET /index.html?token=1", 200),
        ("GET /ws", 426),
        ("POST /", 405),
        ("POST /ws", 426),
        ("DELETE /index.html", 405),
    ] {
        let response = server.connect_http().asks(request, &["Host: x"]);
        assert_eq!(response.status(), status, "{request}");
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{request}");
    }
    let head = {
        let mut browser = server.connect_http();
        browser.sends("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        browser.hears_the_end()
    };
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn a_head_that_is_too_long_or_no_head_is_refused() {
    let server = TestServer::start();
    let mut long = server.connect_http();
    // The server may close before it has read all of it.
    let _may_break = std::io::Write::write_all(
        &mut long.0,
        format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(40_000)).as_bytes(),
    );
    assert!(!long.hears_the_end().contains("200 OK"));
    let mut garbage = server.connect_http();
    garbage.sends("auth messi surabaya\n\n");
    let answer = garbage.hears_the_end();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(server.connect_http().gets("/").status(), 200);
}

#[test]
fn a_head_that_does_not_come_ends_the_connection() {
    let server = TestServer::start();
    let mut slow = server.connect_http();
    let mut silent = HttpClient::connect(server.web_address());
    slow.sends("GET / HTTP/1.1\r\nHost:");
    let late = slow.hears_the_end();
    assert!(
        late.starts_with("HTTP/1.1 408 ") && late.ends_with("\r\n\r\nthe head of the request took too long\n"),
        "{late}"
    );
    assert_eq!(silent.hears_the_end(), "", "nobody waits for an answer");
}
