use super::*;
use crate::chat::Destination;
use crate::id::UserId;
use crate::store::interface::Store;
use crate::store::sqlite::SqliteStore;
use crate::store::testing::{TINY, direct_query, open_tiny, sent};
use crate::time::Time;

/// A store with these messages from user 1 to user 2.
fn store_with(texts: impl IntoIterator<Item = String>) -> (tempfile::TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    let to = || Destination::User(UserId(2));
    let records: Vec<_> = texts.into_iter().zip(1..).map(|(text, seq)| sent(seq, 1, to(), &text)).collect();
    records.chunks(3).for_each(|batch| store.commit(batch).unwrap());
    (directory, store)
}

fn short(messages: u64) -> impl Iterator<Item = String> {
    (0..messages).map(|_| "halo".to_owned())
}

fn page_after(store: &SqliteStore, user: u64, after: u64) -> (Vec<u64>, u64, bool) {
    let page = store.page(&direct_query(user, after), 10).unwrap();
    (page.messages.iter().map(|message| message.seq.0).collect(), page.upto.0, page.more)
}

fn newest_page_upto(store: &SqliteStore, user: u64, upto: u64, limit: usize) -> (Vec<u64>, Option<u64>) {
    let mut query = direct_query(user, 0);
    query.spans[0].upto = Seq(upto);
    let page = store.newest_page(&query, limit).unwrap();
    (page.messages.iter().map(|message| message.seq.0).collect(), page.before.map(|before| before.0))
}

#[test]
fn a_page_ends_when_its_bodies_fill_it() {
    let (_directory, store) = store_with((0..3).map(|_| "x".repeat(PAGE_BYTES)));
    assert_eq!(page_after(&store, 2, 0), (vec![1], 1, true));
    assert_eq!(page_after(&store, 2, 2), (vec![3], 3, false));
    assert_eq!(newest_page_upto(&store, 2, u64::MAX, 10), (vec![3], Some(3)));
    assert_eq!(newest_page_upto(&store, 2, 1, 10), (vec![1], None));
}

#[test]
fn a_page_without_matches_ends_after_so_many_entries() {
    let entries = TINY.page_entries as u64;
    // User 1 has sent them, so has not received them.
    let (_directory, store) = store_with(short(entries + 1));
    assert_eq!(page_after(&store, 1, 0), (vec![], entries, true));
    assert_eq!(page_after(&store, 1, entries), (vec![], entries + 1, false));
    assert_eq!(newest_page_upto(&store, 1, u64::MAX, 10), (vec![], Some(2)));
    assert_eq!(newest_page_upto(&store, 1, 1, 10), (vec![], None));
}

#[test]
fn a_page_stays_within_the_spans() {
    let (_directory, store) = store_with(short(9));
    let mut query = direct_query(2, 1);
    query.spans[0].upto = Seq(4);
    let page = store.page(&query, 10).unwrap();
    let seqs = |messages: &[StoredMessage]| messages.iter().map(|message| message.seq.0).collect::<Vec<_>>();
    assert_eq!((seqs(&page.messages), page.upto, page.more), (vec![2, 3, 4], Seq(9), false));
    let page = store.newest_page(&query, 10).unwrap();
    assert_eq!((seqs(&page.messages), page.before), (vec![2, 3, 4], None));
    query.spans[0].after = Seq(u64::MAX);
    let page = store.page(&query, 10).unwrap();
    assert_eq!((seqs(&page.messages), page.upto, page.more), (vec![], Seq(9), false));
}

#[test]
fn pages_of_any_size_go_through_all_parts_of_the_index() {
    let messages = 10 * TINY.window;
    let (_directory, store) = store_with(short(messages));
    for limit in 1..=messages {
        let first = messages - limit + 1;
        let expected = ((first..=messages).collect::<Vec<_>>(), (first > 1).then_some(first));
        assert_eq!(newest_page_upto(&store, 2, u64::MAX, limit as usize), expected);
        assert_eq!(newest_page_upto(&store, 2, limit, usize::MAX), ((1..=limit).collect(), None));
        let page = store.page(&direct_query(2, 0), limit as usize).unwrap();
        assert!(page.messages.iter().map(|message| message.seq.0).eq(1..=limit), "{limit}");
        assert_eq!((page.upto, page.more), (Seq(limit), limit < messages));
    }
}

#[test]
fn overlapping_spans_return_an_entry_once() {
    let messages = 3 * TINY.window;
    let (_directory, store) = store_with(short(messages));
    let mut query = direct_query(2, 0);
    let span = query.spans[0];
    query.spans = vec![SeqRange { upto: Seq(15), ..span }, span, SeqRange { after: Seq(7), ..span }];
    let seqs = |messages: Vec<StoredMessage>| messages.into_iter().map(|message| message.seq.0).collect::<Vec<_>>();
    let all: Vec<_> = (1..=messages).collect();
    assert_eq!(seqs(store.page(&query, 100).unwrap().messages), all);
    assert_eq!(seqs(store.newest_page(&query, 100).unwrap().messages), all);
}

#[test]
fn a_message_is_read_as_it_was_committed() {
    let (_directory, store) = store_with(["gól!".to_owned()]);
    let page = store.page(&direct_query(2, 0), 1).unwrap();
    let object = page.messages[0].body.object(Seq(1), page.messages[0].time);
    assert!(String::from_utf8(object).unwrap().contains("\"msg\":\"g\\u00f3l!\""));
    assert_eq!(page.messages[0].time, Time(1_000));
}
