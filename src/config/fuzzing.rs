//! A fuzz target: the configuration (`fuzz/README.md`).

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::config::sources::{Sources, overrides};

/// Any configuration is valid, or has an error of one line. After a NUL come variables of the environment, a line each.
pub fn configuration(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let Ok(file) = std::str::from_utf8(parts.next().unwrap_or_default()) else { return };
    let variables = parts.next().unwrap_or_default().split(|byte| *byte == b'\n').filter_map(variable);
    let error = match overrides(variables, &[]) {
        Err(error) => Some(error),
        Ok(overrides) => Sources::merge("config.toml", file, &overrides).and_then(Sources::into_config).err(),
    };
    let shown = error.map(|error| error.to_string());
    assert!(shown.is_none_or(|shown| !shown.contains(char::is_control)), "an error of one line");
}

fn variable(line: &[u8]) -> Option<(OsString, OsString)> {
    let equals = line.iter().position(|byte| *byte == b'=')?;
    let (name, value) = line.split_at_checked(equals)?;
    Some((OsStr::from_bytes(name).to_owned(), OsStr::from_bytes(value.get(1..)?).to_owned()))
}
