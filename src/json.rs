//! JSON in ASCII only: real clients decode every `recv(64)` on its own and die on a split character (PROTOCOL §1).

mod ascii;
mod object;

pub use ascii::{append, append_text, is_plain};
pub use object::Object;
