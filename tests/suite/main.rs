//! kabar as its clients and operators see it: sockets, processes, files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod any_bytes;
mod budgets;
mod crash;
mod data_commands;
mod durability;
mod examples;
mod full_names;
mod guessing;
mod habits;
mod live;
mod log;
mod overload;
mod people;
mod places;
mod realms;
mod reliability;
mod sessions;
mod support;
mod tags;
mod telnet;
mod transcripts;
mod unfinished_lines;
