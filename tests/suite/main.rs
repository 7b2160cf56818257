//! kabar as its clients and operators see it: sockets, processes, files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod administration;
mod any_bytes;
mod bans;
#[allow(dead_code, reason = "its main")]
#[path = "../../examples/bot.rs"]
mod bot;
mod budgets;
mod client;
mod client_commands;
mod clock;
#[cfg(feature = "etcd")]
mod cluster;
mod crash;
mod data_commands;
mod disk;
mod durability;
mod epochs;
mod examples;
mod full_names;
mod guessing;
mod habits;
mod interrupted;
mod live;
mod log;
mod monitoring;
mod other_protocols;
mod overload;
mod people;
mod places;
mod proxy_protocol;
mod realms;
mod reliability;
mod reload;
mod service_manager;
mod sessions;
mod support;
mod tags;
mod telnet;
mod terminal;
mod tls_client;
mod tls_listener;
mod transcripts;
mod unfinished_lines;
mod web;
