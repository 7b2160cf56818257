//! Pages: parts of a query's result.

use crate::chat::StoredMessage;
use crate::id::Seq;

/// The oldest messages of a query, in ascending order.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// At most as many as asked for.
    pub messages: Vec<StoredMessage>,
    /// The page contains all matches up to and including this entry: the last message if a limit cut the page, else the
    /// newest durable entry. Entries after the query was made are not in its spans, so a reader must not move its cursor
    /// past the head of that moment.
    pub upto: Seq,
    /// A limit cut the page. Such a page may be empty if none of very many entries match; continue after `upto`.
    pub more: bool,
}

/// The newest messages of a query, in ascending order.
#[derive(Clone, Debug, Default)]
pub struct NewestPage {
    /// At most as many as asked for.
    pub messages: Vec<StoredMessage>,
    /// If a limit cut the page: older matches are before this entry. Such a page may be empty if none of very many
    /// entries match. `None` if the page starts with the oldest match.
    pub before: Option<Seq>,
}
