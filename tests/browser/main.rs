//! The page in a real browser, against the real program: Debian's chromium and chromium-driver.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accessibility;
mod account;
mod chat;
mod connection;
mod devices;
mod keyboard;
mod limits;
mod person;
mod proxy;
mod realms;
mod server;
mod storage;
mod webdriver;
