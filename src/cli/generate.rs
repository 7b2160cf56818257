//! `kabar man` and `kabar completions`: made from the command line's own description.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_complete::Shell;

/// Writes a manual page for each command to a directory.
pub(super) fn man(command: Command, to: &Path) -> Result<(), Box<dyn Error>> {
    let failed = |error: io::Error| format!("{}: {error}", to.display());
    fs::create_dir_all(to).map_err(failed)?;
    clap_mangen::generate_to(command, to).map_err(failed)?;
    Ok(())
}

/// Prints the completions for a shell.
pub(super) fn completions(mut command: Command, shell: Shell) -> Result<(), Box<dyn Error>> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "kabar", &mut script);
    io::stdout().write_all(&script)?;
    Ok(())
}
