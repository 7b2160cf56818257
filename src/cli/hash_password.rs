//! `kabar hash-password`

use std::error::Error;
use std::io::{self, IsTerminal, Read, Write};

use kabar::limits::PASSWORD_BYTES;
use kabar::password;
use secrecy::SecretString;

pub(super) fn run() -> Result<(), Box<dyn Error>> {
    let hash = password::hash(&read()?)?;
    writeln!(io::stdout(), "{}", hash.0)?;
    Ok(())
}

/// Reads a terminal twice, without echo, because a typing error would go unseen; otherwise all of standard input.
fn read() -> Result<SecretString, Box<dyn Error>> {
    if io::stdin().is_terminal() {
        let typed = rpassword::prompt_password("Password: ")?;
        if rpassword::prompt_password("Once more: ")? != typed {
            return Err("the two passwords differ".into());
        }
        return Ok(password::check(&typed)?);
    }
    let mut given = String::new();
    let longest = PASSWORD_BYTES as u64 + "\r\n".len() as u64;
    io::stdin().take(longest).read_to_string(&mut given)?;
    Ok(password::check(given.trim_end_matches(['\r', '\n']))?)
}
