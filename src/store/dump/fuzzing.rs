//! A fuzz target: the lines of an import (`fuzz/README.md`).

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::store::damage::DamageLog;
use crate::store::dump::appender::Appender;
use crate::store::dump::error::DumpError;
use crate::store::dump::import::Import;
use crate::store::dump::reader::LineReader;
use crate::store::schema;

/// Any lines are imported, or the place and the problem of one are reported, in one line.
pub fn import_lines(bytes: &[u8]) {
    let mut database = Connection::open_in_memory().unwrap();
    schema::prepare(&mut database, Path::new("memory")).unwrap();
    let import = Import::new(Appender::new(database, &DamageLog::new(PathBuf::new())).unwrap()).unwrap();
    let mut input = bytes;
    let mut reader = LineReader::new(&mut input, "lines", None);
    match import.perform_all(&mut reader, &mut |_| {}) {
        Ok(()) => {}
        Err(DumpError::Line { place, problem }) => {
            assert!(place.starts_with("lines:") && !problem.contains(char::is_control), "{place}: {problem}");
        }
        Err(error) => panic!("{error}"),
    }
}
