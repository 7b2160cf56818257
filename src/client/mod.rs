//! A client of a kabar server: what a bot, a cron job and `kabar chat` have in common.
//!
//! [`Client::start`] keeps one connection to the server, for as long as it takes. It resumes the session by its token,
//! subscribes after the newest message it has seen, and sends again what was not answered: each request has a tag, so
//! that it is done once (`docs/PROTOCOL.md`, Tags).
//!
//! ```no_run
//! use kabar::client::{Client, Event, Incoming, Settings, Target, Trust, log_in};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let server = "127.0.0.1:8889".parse()?;
//! let login = log_in(&server, &Trust::system(), "messi", "surabaya").await?;
//! let (client, mut incoming) = Client::start(Settings::new(server, Trust::system(), login.token));
//! client.send(&Target::parse("henderson")?, "haloo").await?;
//! while let Some(next) = incoming.recv().await {
//!     if let Incoming::Event(Event::Message(message)) = next {
//!         println!("{}: {}", message.from, message.msg);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The files, from the bottom: `address` and `target` are what a person types; `dial` and `tls` make a byte stream;
//! `connection` has lines out and frames (`reply`, `event`) in; `queue` matches replies to requests and knows what to
//! repeat; `task` reconnects (`backoff`); `channel` is between it and `handle`, which the program holds.

mod address;
mod backoff;
mod channel;
mod connection;
mod dial;
mod error;
mod event;
mod handle;
pub mod private_file;
mod queue;
mod reply;
mod settings;
mod tags;
mod target;
mod task;
mod tls;
mod trust;

pub use address::{BadAddress, ServerAddress};
pub use channel::Incoming;
pub use connection::{Connection, Frame, Login, log_in, register};
pub use error::ClientError;
pub use event::{Event, GroupChange, Message};
pub use handle::{Client, Submitted};
pub use reply::{Receipt, Reply, Summary};
pub use settings::{Settings, Subscription};
pub use target::Target;
pub use trust::{Fingerprint, KnownServers, Trust};
