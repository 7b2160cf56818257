//! A reader of the log that shares no code with kabar's, written from docs/STORE.md: what that page says is enough.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;

use rusqlite::Connection;

/// A message, read from the bytes.
#[derive(Debug, PartialEq, Eq)]
struct Message {
    number: u64,
    time: u64,
    kind: u8,
    from: String,
    to: String,
    shown: (String, String),
    realm: Option<String>,
    text: String,
}

/// The bit by bit definition of CRC32C.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return number;
        }
        shift += 7;
    }
}

fn text(bytes: &mut &[u8]) -> String {
    let length = usize::try_from(varint(bytes)).unwrap();
    let (text, rest) = bytes.split_at(length);
    *bytes = rest;
    String::from_utf8(text.to_vec()).unwrap()
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The records of a segment with their numbers and times, as bytes. Removed ones are left out.
fn records(last: u64, data: &[u8]) -> Vec<(u64, u64, Vec<u8>)> {
    let (covered, checksum) = data.split_at(data.len() - 4);
    assert_eq!(u64::from(crc32c(covered)), number(checksum));
    assert_eq!(covered[0], 1, "the form");
    let (first, base) = (number(&covered[1..9]), number(&covered[9..17]));
    let count = usize::try_from(number(&covered[covered.len() - 2..])).unwrap();
    assert_eq!(first + count as u64 - 1, last);
    let table = covered.len() - 2 - 2 * (count - 1);
    let mut starts = vec![17];
    starts.extend(covered[table..covered.len() - 2].chunks(2).map(|start| 17 + number(start) as usize));
    starts.push(table);
    let record = |(place, range): (usize, &[usize])| {
        let mut bytes = &covered[range[0]..range[1]];
        (!bytes.is_empty()).then(|| (first + place as u64, base + varint(&mut bytes), bytes.to_vec()))
    };
    starts.windows(2).enumerate().filter_map(record).collect()
}

/// Skips a name of another realm: the realm's number and the name.
fn skip_remote(bytes: &mut &[u8]) {
    varint(bytes);
    text(bytes);
}

/// Reads event 4, a message, and its body.
fn message((number, time, bytes): (u64, u64, Vec<u8>)) -> Option<Message> {
    let mut bytes = bytes.as_slice();
    if varint(&mut bytes) != 4 {
        return None;
    }
    match varint(&mut bytes) {
        0 => drop(varint(&mut bytes)),
        1 => skip_remote(&mut bytes),
        _ => {}
    }
    match varint(&mut bytes) {
        0 | 1 => drop(varint(&mut bytes)),
        3 | 4 => skip_remote(&mut bytes),
        _ => {}
    }
    if varint(&mut bytes) == 1 {
        varint(&mut bytes);
    }
    let (flags, mut rest) = (bytes[0], &bytes[1..]);
    let (from, to) = (text(&mut rest), text(&mut rest));
    let msg_from = if flags & 4 == 0 { from.clone() } else { text(&mut rest) };
    let msg_to = if flags & 8 == 0 { to.clone() } else { text(&mut rest) };
    let realm = (flags & 16 != 0).then(|| text(&mut rest));
    let text = String::from_utf8(rest.to_vec()).unwrap();
    Some(Message { number, time, kind: flags & 3, from, to, shown: (msg_from, msg_to), realm, text })
}

fn messages(database: &Connection) -> Vec<Message> {
    let mut statement = database.prepare("SELECT last, data FROM log ORDER BY last").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap();
    let records = rows.map(Result::unwrap).flat_map(|(last, data)| records(last, &data));
    records.filter_map(message).collect()
}

#[test]
fn a_reader_written_from_the_documentation_reads_the_frozen_store() {
    let home = tempfile::tempdir().unwrap();
    let database = Connection::open(home.path().join("kabar.db")).unwrap();
    database.execute_batch(include_str!("fixtures/store-v3/kabar.sql")).unwrap();
    let found = messages(&database);
    let texts: Vec<_> = found.iter().map(|message| message.text.as_str()).collect();
    assert!(texts.contains(&"g\\u00f3l \\ud83d\\ude00") && texts.contains(&"belum berdekatan"), "{texts:?}");
    let crossed = found.iter().find(|message| message.text == "lewat barat").unwrap();
    let expected = Message {
        number: 16,
        time: 1_795_254_900_123,
        kind: 0,
        from: "henderson".into(),
        to: "messi".into(),
        shown: ("Jordan Henderson".into(), "Lionel Messi".into()),
        realm: Some("barat".into()),
        text: "lewat barat".into(),
    };
    assert_eq!(*crossed, expected);
}

#[test]
fn the_documentation_has_the_tables_as_they_are() {
    let page = include_str!("../docs/STORE.md");
    let tables = std::fs::read_to_string(Path::new("src/store/schema.sql")).unwrap();
    for table in tables.lines().filter_map(|line| line.strip_prefix("CREATE TABLE ")) {
        let name = table.split([' ', '(']).next().unwrap();
        assert!(page.contains(&format!("`{name}`")), "docs/STORE.md does not name the table {name}");
    }
}
