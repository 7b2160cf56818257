//! Passwords, which never stand on the command line: other users of the machine could read it.

use std::error::Error;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use kabar::limits::PASSWORD_BYTES;
use kabar::password;
use secrecy::{ExposeSecret, SecretString};

/// The first line of the file, if one is given; else the terminal, without echo; else the first line of standard input.
pub(crate) fn read(file: Option<&Path>, prompt: &str) -> Result<SecretString, Box<dyn Error>> {
    if let Some(path) = file {
        let file = File::open(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        return first_line(file);
    }
    if io::stdin().is_terminal() {
        return Ok(password::check(&rpassword::prompt_password(prompt)?)?);
    }
    first_line(io::stdin())
}

/// Asks at the terminal once more: a typing error in a new password would go unseen.
pub(crate) fn confirm(file: Option<&Path>, typed: &SecretString) -> Result<(), Box<dyn Error>> {
    if file.is_some() || !io::stdin().is_terminal() {
        return Ok(());
    }
    let again = rpassword::prompt_password("Once more: ")?;
    if again == typed.expose_secret() { Ok(()) } else { Err("the two passwords differ".into()) }
}

fn first_line(input: impl Read) -> Result<SecretString, Box<dyn Error>> {
    let mut text = String::new();
    input.take(PASSWORD_BYTES as u64 + "\r\n".len() as u64).read_to_string(&mut text)?;
    Ok(password::check(text.lines().next().unwrap_or_default())?)
}
