//! `kabar login` and `kabar logout`

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use kabar::client::{BadAddress, Client, ClientError, Fingerprint, Login, ServerAddress, Trust, log_in, register};
use kabar::name::Name;
use secrecy::ExposeSecret;

use crate::cli::client::args::{DEFAULT_SERVER, SessionArgs};
use crate::cli::client::credentials::Credentials;
use crate::cli::client::unsent_file::UnsentFile;
use crate::cli::client::{block_on, exit_code, password, trust};

#[derive(Debug, Args)]
#[command(after_help = exit_code::HELP)]
pub(crate) struct LoginArgs {
    /// HOST:PORT or tls://HOST:PORT [default: 127.0.0.1:8889]
    #[arg(value_name = "SERVER")]
    server: Option<ServerAddress>,
    /// Who you are; asked if not given
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Make the account
    #[arg(long)]
    register: bool,
    /// Read the password from the first line of a file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Trust this certificate: 64 hexadecimal digits
    #[arg(long, value_name = "SHA256")]
    fingerprint: Option<Fingerprint>,
}

pub(crate) fn login(args: &LoginArgs) -> Result<(), Box<dyn Error>> {
    let server = server_or_default(args.server.as_ref())?;
    let credentials = Credentials::find()?;
    let login = block_on(async {
        let trust = trust::establish(&credentials, &server, args.fingerprint).await?;
        open(&server, &trust, args.user.as_deref(), args.register, args.password_file.as_deref()).await
    })?;
    credentials.save(&server, &login)?;
    writeln!(io::stdout(), "OK: {} at {server}", login.user)?;
    Ok(())
}

pub(crate) fn server_or_default(server: Option<&ServerAddress>) -> Result<ServerAddress, BadAddress> {
    server.map_or_else(|| DEFAULT_SERVER.parse(), |server| Ok(server.clone()))
}

/// Asks for what is not known, and opens a session. At a terminal, an unknown user is offered an account.
pub(crate) async fn open(
    server: &ServerAddress,
    trust: &Trust,
    user: Option<&str>,
    is_new: bool,
    password_file: Option<&Path>,
) -> Result<Login, Box<dyn Error>> {
    let user = match user {
        Some(user) => user.to_owned(),
        None => ask("User: ")?,
    };
    Name::parse(&user).map_err(|error| format!("{user:?} is no name: {error}"))?;
    let secret = password::read(password_file, &format!("Password of {user}: "))?;
    if is_new {
        password::confirm(password_file, &secret)?;
        return Ok(register(server, trust, &user, secret.expose_secret()).await?);
    }
    match log_in(server, trust, &user, secret.expose_secret()).await {
        Err(ClientError::Refused(reply)) if reply.has_code("user_not_found") && wants_account(&user)? => {
            password::confirm(password_file, &secret)?;
            Ok(register(server, trust, &user, secret.expose_secret()).await?)
        }
        login => Ok(login?),
    }
}

fn wants_account(user: &str) -> io::Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let answer = ask(&format!("There is no {user} yet. Make the account with this password (yes/no)? "))?;
    Ok(answer.eq_ignore_ascii_case("yes"))
}

/// Asks at the terminal. The question goes to standard error, so that it is seen if the output goes elsewhere.
fn ask(question: &str) -> io::Result<String> {
    if !io::stdin().is_terminal() {
        return Err(io::Error::other("standard input is no terminal: name the user with --user"));
    }
    eprint!("{question}");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

/// Ends the session at the server, and deletes its token and the user's unsent messages.
pub(crate) fn logout(args: &SessionArgs) -> Result<(), Box<dyn Error>> {
    let (settings, session) = args.settings()?;
    block_on(async {
        let (client, _) = Client::start(settings);
        match client.request("logout").await {
            Ok(_) | Err(ClientError::SessionEnded { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    })?;
    let credentials = Credentials::find()?;
    credentials.forget(&session)?;
    UnsentFile::new(&credentials.unsent(), &session).forget_left()?;
    writeln!(io::stdout(), "OK: {} logged out of {}", session.user, session.server)?;
    Ok(())
}
