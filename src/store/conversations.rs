//! Reading the list of a user's conversations: from the index, and only the bodies that are shown or that alone tell whose
//! an entry is.

use std::ops::ControlFlow;

use crate::chat::{ConversationId, ConversationPage, ConversationQuery, ConversationTally, TimelineQuery};
use crate::limits::PAGE_BYTES;
use crate::store::error::StoreError;
use crate::store::log::reader::LogReader;
use crate::store::scan::Scan;

/// Reads the list. `scans` are those of the query's timelines, newest first, made before the transaction of `log`.
pub(super) fn read(
    log: &mut LogReader<'_>,
    query: &ConversationQuery,
    scans: Vec<Scan>,
) -> Result<ConversationPage, StoreError> {
    let mut tally = ConversationTally::new(query);
    for (scan, timeline) in scans.into_iter().zip(&query.timelines) {
        tally.begin();
        read_timeline(log, timeline, scan, &mut tally)?;
    }
    let (found, more) = tally.finish();
    let mut page = ConversationPage { conversations: Vec::with_capacity(found.len()), more };
    let mut bytes = 0;
    for status in found {
        if bytes >= PAGE_BYTES {
            page.more = true;
            break;
        }
        let is_read =
            |timeline| query.timelines.iter().flat_map(|query| &query.spans).any(|it| it.timeline == timeline);
        let newest = status.newest.map(|seq| log.message_of(seq, is_read)).transpose()?.flatten();
        bytes += newest.as_ref().map_or(0, |message| message.body.size());
        page.conversations.push((status, newest));
    }
    Ok(page)
}

fn read_timeline(
    log: &mut LogReader<'_>,
    query: &TimelineQuery,
    scan: Scan,
    tally: &mut ConversationTally<'_>,
) -> Result<(), StoreError> {
    scan.walk(log.database(), |timeline, entry| {
        if !query.matches_entry(timeline, &entry) {
            return Ok(ControlFlow::Continue(()));
        }
        let is_body_needed = query.needs_body(timeline, &entry) || ConversationId::is_in_body(timeline, &entry);
        let read = if is_body_needed { log.message(timeline, &entry)? } else { None };
        let body = read.as_ref().map(|message| &message.body);
        let is_shown = body.is_none_or(|body| body.is_damaged() || query.matches_body(timeline, &entry, body));
        Ok(if is_shown { tally.visit(timeline, &entry, body) } else { ControlFlow::Continue(()) })
    })
}
