//! Reads an import line by line: bounded, counted, parsed.

use std::io::{self, BufRead, Read};

use serde::Deserialize;

use crate::limits::{IMPORT_LINE_BYTES, PROGRESS_STEP};
use crate::store::dump::error::DumpError;
use crate::store::dump::line::{Header, Line, VERSION};
use crate::store::progress::Progress;

pub(super) struct LineReader<'a> {
    input: &'a mut dyn BufRead,
    name: &'a str,
    /// The length of the input, if it is known.
    bytes: Option<u64>,
    read: u64,
    line: Vec<u8>,
    number: u64,
    count: u64,
}

impl<'a> LineReader<'a> {
    pub(super) fn new(input: &'a mut dyn BufRead, name: &'a str, bytes: Option<u64>) -> Self {
        Self { input, name, bytes, read: 0, line: Vec::new(), number: 0, count: 0 }
    }

    pub(super) fn header(&mut self) -> Result<Header, DumpError> {
        #[derive(Deserialize)]
        struct Version {
            kabar_export: u32,
        }
        let expected = || format!("expected the first line {{\"kabar_export\":{VERSION}}}");
        if !self.advance()? {
            return Err(self.error(expected()));
        }
        let Ok(Version { kabar_export: version }) = serde_json::from_slice(&self.line) else {
            return Err(self.error(expected()));
        };
        if version != VERSION {
            return Err(self.error(format!("this is an export of version {version}; only version {VERSION} is read")));
        }
        serde_json::from_slice(self.line.trim_ascii_end()).map_err(|error| self.syntax_error(&error))
    }

    /// Goes to the next line that is not blank. `false` at the end of the input.
    pub(super) fn advance(&mut self) -> Result<bool, DumpError> {
        loop {
            self.line.clear();
            let most = IMPORT_LINE_BYTES as u64 + 1;
            let read = (&mut *self.input).take(most).read_until(b'\n', &mut self.line);
            let read =
                read.map_err(|error| io::Error::new(error.kind(), format!("{} cannot be read: {error}", self.name)))?;
            if read == 0 {
                return Ok(false);
            }
            self.read += read as u64;
            self.number += 1;
            if self.line.len() > IMPORT_LINE_BYTES {
                return Err(self.error(format!("the line is longer than {IMPORT_LINE_BYTES} bytes")));
            }
            if !self.line.trim_ascii().is_empty() {
                self.count += 1;
                return Ok(true);
            }
        }
    }

    pub(super) fn parse(&self) -> Result<Line<'_>, DumpError> {
        serde_json::from_slice(self.line.trim_ascii_end()).map_err(|error| self.syntax_error(&error))
    }

    /// Lines so far, blank ones left out.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn show(&self, progress: &mut dyn FnMut(Progress)) {
        if self.count.is_multiple_of(PROGRESS_STEP) {
            progress(Progress::new(self.count, "lines", self.read, self.bytes));
        }
    }

    /// The error of the present line.
    pub(super) fn error(&self, problem: String) -> DumpError {
        Self::error_at(format!("{}:{}", self.name, self.number.max(1)), &problem)
    }

    /// A problem may quote the line, which may be written to paint the operator's terminal.
    fn error_at(place: String, problem: &str) -> DumpError {
        let shown = |character: char| match character.is_control() {
            true => character.escape_unicode().to_string(),
            false => character.to_string(),
        };
        DumpError::Line { place, problem: problem.chars().map(shown).collect() }
    }

    fn syntax_error(&self, error: &serde_json::Error) -> DumpError {
        let message = error.to_string();
        // The parser sees one line only: its line number is of no use.
        let problem = message.rsplit_once(" at line ").map_or(message.as_str(), |(problem, _)| problem);
        Self::error_at(format!("{}:{}:{}", self.name, self.number, error.column()), problem)
    }
}
