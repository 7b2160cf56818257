//! The files of the page, compiled in.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

use crate::web::response::{Reply, part, reply, set};

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const MANIFEST: &str = "application/manifest+json";
const SVG: &str = "image/svg+xml";
const PNG: &str = "image/png";

/// The entry of a file in the folder `page`: its path, its type, its bytes.
macro_rules! page {
    ($($name:literal: $kind:ident),* $(,)?) => {
        &[$((concat!("/", $name), $kind, include_bytes!(concat!("page/", $name)))),*]
    };
}

const FILES: &[(&str, &str, &[u8])] = page! {
    "index.html": HTML,
    "style.css": STYLE,
    "manifest.webmanifest": MANIFEST,
    "icon.svg": SVG,
    "icon-192.png": PNG,
    "icon-512.png": PNG,
    "account.js": SCRIPT,
    "actions.js": SCRIPT,
    "banner.js": SCRIPT,
    "client.js": SCRIPT,
    "completion.js": SCRIPT,
    "composer.js": SCRIPT,
    "connection.js": SCRIPT,
    "conversations.js": SCRIPT,
    "details.js": SCRIPT,
    "dialog.js": SCRIPT,
    "dom.js": SCRIPT,
    "history.js": SCRIPT,
    "log.js": SCRIPT,
    "log_items.js": SCRIPT,
    "login.js": SCRIPT,
    "main.js": SCRIPT,
    "message_text.js": SCRIPT,
    "notifications.js": SCRIPT,
    "outbox.js": SCRIPT,
    "patience.js": SCRIPT,
    "read_marks.js": SCRIPT,
    "servers.js": SCRIPT,
    "settings.js": SCRIPT,
    "shell.js": SCRIPT,
    "sidebar.js": SCRIPT,
    "storage.js": SCRIPT,
    "switcher.js": SCRIPT,
    "words.js": SCRIPT,
};

/// All files, compressed once.
pub(super) struct Files(Vec<File>);

/// A file of the page.
pub(super) struct File {
    path: &'static str,
    kind: &'static str,
    plain: Bytes,
    /// `None` if it would not be smaller.
    compressed: Option<Bytes>,
    version: String,
}

impl Files {
    pub(super) fn new() -> Self {
        Self(FILES.iter().map(|(path, kind, bytes)| File::new(path, kind, bytes)).collect())
    }

    /// The file at a path. The folder itself is the page.
    pub(super) fn find(&self, path: &str) -> Option<&File> {
        let path = if path == "/" { "/index.html" } else { path };
        self.0.iter().find(|file| file.path == path)
    }
}

impl File {
    fn new(path: &'static str, kind: &'static str, plain: &'static [u8]) -> Self {
        let compressed = compress(plain).ok().filter(|compressed| compressed.len() < plain.len()).map(Bytes::from);
        let hash = Sha256::digest(plain);
        let version = format!("W/\"{}\"", data_encoding::HEXLOWER.encode(hash.get(..8).unwrap_or_default()));
        Self { path, kind, plain: Bytes::from_static(plain), compressed, version }
    }

    /// The file, or that the browser has it already.
    pub(super) fn respond(&self, headers: &HeaderMap) -> Reply {
        let is_known = names(headers, header::IF_NONE_MATCH, &self.version);
        let compressed = self.compressed.as_ref().filter(|_| names(headers, header::ACCEPT_ENCODING, "gzip"));
        let respond = if matches!(self.kind, HTML | SVG) { reply } else { part };
        let mut response = match is_known {
            true => respond(StatusCode::NOT_MODIFIED, Bytes::new()),
            false => respond(StatusCode::OK, compressed.unwrap_or(&self.plain).clone()),
        };
        set(&mut response, header::CONTENT_TYPE, self.kind);
        // A new server may have a new page: it is asked for each time, and seldom sent.
        set(&mut response, header::CACHE_CONTROL, "no-cache");
        set(&mut response, header::VARY, "accept-encoding");
        if compressed.is_some() && !is_known {
            set(&mut response, header::CONTENT_ENCODING, "gzip");
        }
        if let Ok(version) = HeaderValue::from_str(&self.version) {
            response.headers_mut().insert(header::ETAG, version);
        }
        response
    }
}

/// Whether a list in the headers has an item, which is not weighted with zero.
fn names(headers: &HeaderMap, list: HeaderName, item: &str) -> bool {
    let values = headers.get_all(list).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|found| {
        let mut parts = found.split(';').map(str::trim);
        parts.next() == Some(item) && !parts.any(|weight| weight == "q=0")
    })
}

fn compress(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    encoder.finish()
}
