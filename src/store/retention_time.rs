//! The file with the time that retention goes by, which outlasts a restart.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::store::files::create_private;
use crate::time::Time;

const FILE: &str = "retention.time";
const TEMP_FILE: &str = "retention.time.unfinished";

/// Reads the time. Returns `None` if there is none.
#[must_use]
pub fn read(directory: &Path) -> Option<Time> {
    Time::parse(fs::read_to_string(directory.join(FILE)).ok()?.trim())
}

/// Replaces the time. After a power cut it may be an earlier one.
///
/// # Errors
/// If it cannot be written.
pub fn write(directory: &Path, time: Time) -> io::Result<()> {
    let temp = directory.join(TEMP_FILE);
    match fs::remove_file(&temp) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    writeln!(create_private(&temp)?, "{time}")?;
    fs::rename(&temp, directory.join(FILE))
}
