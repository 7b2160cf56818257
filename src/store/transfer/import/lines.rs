//! The lines as they come: bounded, counted, parsed.

use std::io::{BufRead, Read};

use crate::limits::{IMPORT_LINE_BYTES, PROGRESS_STEP};
use crate::store::transfer::import::Problem;
use crate::store::transfer::line::{Header, Line, VERSION};
use crate::store::transfer::{Progress, TransferError};

pub(super) struct Lines<'a> {
    input: &'a mut dyn BufRead,
    name: &'a str,
    bytes: Option<u64>,
    read: u64,
    line: Vec<u8>,
    number: u64,
    count: u64,
}

impl<'a> Lines<'a> {
    pub(super) fn new(input: &'a mut dyn BufRead, name: &'a str, bytes: Option<u64>) -> Self {
        Self { input, name, bytes, read: 0, line: Vec::new(), number: 0, count: 0 }
    }

    pub(super) fn header(&mut self) -> Result<Header, TransferError> {
        let expected = format!("expected the first line {{\"kabar_export\":{VERSION}}}");
        let header: Header = match self.next()? {
            true => serde_json::from_slice(&self.line).map_err(|_| self.wrong(expected))?,
            false => return Err(self.wrong(expected)),
        };
        if header.kabar_export != VERSION {
            let found = header.kabar_export;
            return Err(self.wrong(format!("version {found} of an export is not known here, only {VERSION}")));
        }
        Ok(header)
    }

    /// Goes to the next line that is not blank; whether there is one.
    pub(super) fn next(&mut self) -> Result<bool, TransferError> {
        loop {
            self.line.clear();
            let most = IMPORT_LINE_BYTES as u64 + 1;
            let read = (&mut *self.input).take(most).read_until(b'\n', &mut self.line)?;
            if read == 0 {
                return Ok(false);
            }
            self.read += read as u64;
            self.number += 1;
            if self.line.len() > IMPORT_LINE_BYTES {
                return Err(self.wrong(format!("the line is longer than {IMPORT_LINE_BYTES} bytes")));
            }
            if !self.line.trim_ascii().is_empty() {
                self.count += 1;
                return Ok(true);
            }
        }
    }

    pub(super) fn parse(&self) -> Result<Line<'_>, TransferError> {
        serde_json::from_slice(self.line.trim_ascii_end()).map_err(|error| self.unreadable(&error))
    }

    /// How many lines there were, blank ones left out.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn show(&self, progress: &mut dyn FnMut(Progress)) {
        if self.count.is_multiple_of(PROGRESS_STEP) {
            progress(Progress::new(self.count, self.read, self.bytes));
        }
    }

    pub(super) fn error(&self, problem: Problem) -> TransferError {
        match problem {
            Problem::Line(problem) => self.wrong(problem),
            Problem::Store(error) => error.into(),
        }
    }

    fn wrong(&self, problem: String) -> TransferError {
        TransferError::Line { place: format!("{}:{}", self.name, self.number.max(1)), problem }
    }

    fn unreadable(&self, error: &serde_json::Error) -> TransferError {
        let told = error.to_string();
        // The parser counts lines too, and knows of one only.
        let problem = told.rsplit_once(" at line ").map_or(told.as_str(), |(problem, _)| problem).to_owned();
        TransferError::Line { place: format!("{}:{}:{}", self.name, self.number, error.column()), problem }
    }
}
