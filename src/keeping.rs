//! The commands for a data directory: backup, export, import, and the key in it.

use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use kabar::config::{Config, ConfigError};
use kabar::federation::Identity;
use kabar::limits::TRANSFER_BUFFER_BYTES;
use kabar::store;

use crate::cli::Place;
use crate::progress::{Line, grouped};

const STANDARD: &str = "-";

pub(crate) fn backup(place: &Place, to: &Path) -> Result<(), Box<dyn Error>> {
    let data = data(place)?;
    let mut line = Line::new("backing up", "pages");
    let bytes = store::backup(&data, to, &mut |progress| line.show(progress))?;
    drop(line);
    writeln!(io::stdout(), "OK: {} bytes in {}", grouped(bytes), to.display())?;
    Ok(())
}

pub(crate) fn export(place: &Place, to: &Path) -> Result<(), Box<dyn Error>> {
    let data = data(place)?;
    let mut line = Line::new("exporting", "lines");
    if to == Path::new(STANDARD) {
        let mut out = BufWriter::with_capacity(TRANSFER_BUFFER_BYTES, io::stdout().lock());
        store::export(&data, &mut out, &mut |progress| line.show(progress))?;
        return Ok(());
    }
    // It holds password hashes and messages: readable for nobody else, and nothing is overwritten.
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let file = created.map_err(|error| format!("{} cannot be made: {error}", to.display()))?;
    let written = export_to(&file, &data, &mut line);
    drop(line);
    match written {
        Ok(lines) => writeln!(io::stdout(), "OK: {} lines in {}", grouped(lines), to.display())?,
        Err(error) => {
            fs::remove_file(to)?;
            return Err(error);
        }
    }
    Ok(())
}

fn export_to(file: &File, data: &Path, line: &mut Line) -> Result<u64, Box<dyn Error>> {
    let mut out = BufWriter::with_capacity(TRANSFER_BUFFER_BYTES, file);
    let lines = store::export(data, &mut out, &mut |progress| line.show(progress))?;
    file.sync_all()?;
    Ok(lines)
}

pub(crate) fn import(place: &Place, from: &Path) -> Result<(), Box<dyn Error>> {
    let data = data(place)?;
    let mut line = Line::new("importing", "lines");
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

pub(crate) fn realm_key(place: &Place) -> Result<(), Box<dyn Error>> {
    let identity = Identity::find(&data(place)?)?;
    writeln!(io::stdout(), "{}", identity.key())?;
    Ok(())
}

/// The directory of the store, by the configuration that the server would use.
fn data(place: &Place) -> Result<PathBuf, ConfigError> {
    Ok(Config::load(place.config.as_deref(), std::env::vars_os(), &place.flags())?.server.data)
}
