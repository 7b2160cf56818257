//! The log: all records in one order, in rows of one segment each.

pub(super) mod head;
pub(super) mod reader;
mod record;
pub(super) mod rows;
pub(super) mod segment;
pub(super) mod segments;
pub(super) mod time_search;
