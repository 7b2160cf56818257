//! Commands on a data directory: backup, export, import, and the realm's key.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;

use kabar::identity::Identity;
use kabar::limits::TRANSFER_BUFFER_BYTES;
use kabar::store::{self, Damage, DumpError, StoreError};

use crate::cli::args::Location;
use crate::cli::new_file::NewFile;
use crate::cli::progress::{ProgressLine, grouped};

/// As a file name: standard input or output.
const STANDARD: &str = "-";

pub(super) fn backup(location: &Location, to: &Path) -> Result<(), Box<dyn Error>> {
    let data = location.find()?;
    let mut line = ProgressLine::new("backing up");
    let (bytes, damage) = store::backup(&data, to, &mut |progress| line.show(progress))?;
    drop(line);
    refuse_damage(&damage)?;
    writeln!(io::stdout(), "OK: {} bytes in {}", grouped(bytes), to.display())?;
    Ok(())
}

pub(super) fn export(location: &Location, to: &Path) -> Result<(), Box<dyn Error>> {
    let data = location.find()?;
    let mut line = ProgressLine::new("exporting");
    if to == Path::new(STANDARD) {
        let (_, damage) = write_export((io::stdout().lock(), "standard output"), &data, &mut line)?;
        drop(line);
        return refuse_damage(&damage);
    }
    let file = NewFile::create(to).map_err(|error| format!("{} cannot be made: {error}", to.display()))?;
    let written = write_export((file.writer(), &to.display().to_string()), &data, &mut line);
    drop(line);
    let (lines, damage) = written?;
    file.keep().map_err(|error| format!("{} cannot be made: {error}", to.display()))?;
    refuse_damage(&damage)?;
    writeln!(io::stdout(), "OK: {} lines in {}", grouped(lines), to.display())?;
    Ok(())
}

/// A command that has done what it could fails all the same if something was damaged, so that a script notices.
pub(super) fn refuse_damage(damage: &[Damage]) -> Result<(), Box<dyn Error>> {
    if damage.is_empty() {
        return Ok(());
    }
    let places = damage.iter().map(|place| format!("\n  {place}")).collect::<String>();
    Err(format!("damaged on disk, all else was read:{places}").into())
}

fn write_export(
    (out, name): (impl Write, &str),
    data: &Path,
    line: &mut ProgressLine,
) -> Result<(u64, Vec<Damage>), Box<dyn Error>> {
    let mut out = BufWriter::with_capacity(TRANSFER_BUFFER_BYTES, out);
    store::export(data, &mut out, &mut |progress| line.show(progress)).map_err(|error| match error {
        DumpError::Io(error) => format!("{name} cannot be written: {error}").into(),
        other => other.into(),
    })
}

pub(super) fn import(location: &Location, from: &Path) -> Result<(), Box<dyn Error>> {
    let data = location.find()?;
    let mut line = ProgressLine::new("importing");
    let mut show = |progress| line.show(progress);
    let lines = if from == Path::new(STANDARD) {
        let mut input = BufReader::with_capacity(TRANSFER_BUFFER_BYTES, io::stdin().lock());
        store::import(&mut input, "standard input", None, &data, &mut show)?
    } else {
        let name = from.display().to_string();
        let file = File::open(from).map_err(|error| format!("{name} cannot be read: {error}"))?;
        let bytes = file.metadata()?.len();
        let mut input = BufReader::with_capacity(TRANSFER_BUFFER_BYTES, file);
        store::import(&mut input, &name, Some(bytes), &data, &mut show)?
    };
    drop(line);
    writeln!(io::stdout(), "OK: {} lines in {}", grouped(lines), data.display())?;
    Ok(())
}

/// Reads all of a store and prints what it has, or what of it is damaged.
pub(super) fn verify(data: &Path) -> Result<(), Box<dyn Error>> {
    let mut line = ProgressLine::new("checking");
    let found = store::verify(data, &mut |progress| line.show(progress));
    drop(line);
    if matches!(found, Err(StoreError::Missing(_) | StoreError::Empty(_))) {
        writeln!(io::stdout(), "OK: no store in {} yet", data.display())?;
        return Ok(());
    }
    let found = found?;
    refuse_damage(&found.damage)?;
    let (entries, messages) = (grouped(found.entries), grouped(found.messages));
    writeln!(io::stdout(), "OK: {entries} log entries, {messages} of them messages, nothing is damaged")?;
    Ok(())
}

pub(super) fn realm_key(location: &Location) -> Result<(), Box<dyn Error>> {
    let identity = Identity::find(&location.find()?)?;
    writeln!(io::stdout(), "{}", identity.key())?;
    Ok(())
}
