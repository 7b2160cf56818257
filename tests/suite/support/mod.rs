//! What the tests share: a server in this process, and clients that read as sentences.

pub(crate) mod client;
pub(crate) mod load;
pub(crate) mod port;
pub(crate) mod process;
pub(crate) mod server;
pub(crate) mod transcript;

pub(crate) use client::Client;
pub(crate) use server::TestServer;
pub(crate) use transcript::Transcript;
