//! kabar from outside: real sockets, real processes, a real disk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod any_bytes;
mod crash;
mod durability;
mod habits;
mod keeping;
mod live;
mod overload;
mod people;
mod realms;
mod reliability;
mod sessions;
mod support;
mod tags;
mod transcripts;
