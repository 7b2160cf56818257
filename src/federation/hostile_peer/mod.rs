//! A peer that violates the protocol harms at most its own link.
//!
//! One server is real except for its disk and its network, and runs in virtual time; the tests drive the other by hand.

mod acknowledgements;
mod flood;
mod handshake;
mod messages;
mod peer;
