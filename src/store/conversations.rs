//! Reading the list of a user's conversations: from the index, and only the bodies that are shown or that alone tell whose
//! an entry is.

use std::ops::ControlFlow;

use rusqlite::Connection;

use crate::chat::{ConversationId, ConversationPage, ConversationQuery, ConversationTally, TimelineQuery};
use crate::limits::PAGE_BYTES;
use crate::store::error::StoreError;
use crate::store::scan::{Scan, message};

/// Reads the list. `scans` are those of the query's timelines, newest first, made before the transaction of `database`.
pub(super) fn read(
    database: &Connection,
    query: &ConversationQuery,
    scans: Vec<Scan>,
) -> Result<ConversationPage, StoreError> {
    let mut tally = ConversationTally::new(query);
    for (scan, timeline) in scans.into_iter().zip(&query.timelines) {
        tally.begin();
        read_timeline(database, timeline, scan, &mut tally)?;
    }
    let (found, more) = tally.finish();
    let mut page = ConversationPage { conversations: Vec::with_capacity(found.len()), more };
    let mut bytes = 0;
    for status in found {
        if bytes >= PAGE_BYTES {
            page.more = true;
            break;
        }
        let newest = status.newest.map(|seq| message(database, seq)).transpose()?.flatten();
        bytes += newest.as_ref().map_or(0, |message| message.body.0.len());
        page.conversations.push((status, newest));
    }
    Ok(page)
}

fn read_timeline(
    database: &Connection,
    query: &TimelineQuery,
    scan: Scan,
    tally: &mut ConversationTally<'_>,
) -> Result<(), StoreError> {
    scan.walk(database, |timeline, entry| {
        if !query.matches_entry(timeline, &entry) {
            return Ok(ControlFlow::Continue(()));
        }
        let is_body_needed = query.needs_body(timeline, &entry) || ConversationId::is_in_body(timeline, &entry);
        let read = if is_body_needed { message(database, entry.seq)? } else { None };
        let body = read.as_ref().map(|message| &message.body);
        let is_shown = body.is_none_or(|body| query.matches_body(timeline, &entry, body));
        Ok(if is_shown { tally.visit(timeline, &entry, body) } else { ControlFlow::Continue(()) })
    })
}
