//! `kabar serve` and `kabar check`

use std::error::Error;
use std::io::{self, Write};

use kabar::config::{Config, ListenAddress};
use kabar::{logging, server};

use crate::cli::args::Settings;
use crate::cli::data;

pub(super) fn serve(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let config = settings.load()?;
    let log = logging::start(&config.log)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let clients = config.server.listeners().filter(|address| !address.is_tls).map(|address| address.socket);
    for address in clients.chain(config.metrics.listen.iter().copied()) {
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "other machines can reach this listener, and its traffic is not encrypted");
        }
    }
    server::run(&config, &log, || settings.load())?;
    Ok(())
}

pub(super) fn check(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let config = settings.load()?;
    server::check(&config)?;
    let Config { server, users, warnings, accounts, .. } = config;
    for warning in &warnings {
        eprintln!("kabar: warning: {warning}");
    }
    for name in accounts.administrators.iter().filter(|name| !users.iter().any(|user| user.name == **name)) {
        eprintln!(
            "kabar: note: [accounts] administrators: {name} is none of [[users]]: if the store has no account of that name, \
             nobody can register it; kabar admin adduser {name} makes it"
        );
    }
    let all = |addresses: &[ListenAddress]| match addresses {
        [] => "nothing".to_owned(),
        some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "),
    };
    writeln!(
        io::stdout(),
        "OK: realm {}, json on {}, text on {}, web on {}, data in {}, {} configured users",
        server.realm,
        all(&server.listen),
        all(&server.listen_text),
        all(&server.web),
        server.data.display(),
        users.len()
    )?;
    if settings.names_data() { data::verify(&server.data) } else { Ok(()) }
}
