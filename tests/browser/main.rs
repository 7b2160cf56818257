//! The page in a real browser, against the real program: Debian's chromium and chromium-driver.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod chat;
mod server;
mod webdriver;
