//! kabar as its clients and operators see it: sockets, processes, files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod any_bytes;
mod crash;
mod data_commands;
mod durability;
mod full_names;
mod habits;
mod live;
mod overload;
mod people;
mod realms;
mod reliability;
mod sessions;
mod support;
mod tags;
mod transcripts;
mod unfinished_lines;
mod web;
