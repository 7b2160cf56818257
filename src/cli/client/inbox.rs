//! `kabar inbox`: what is new, for pipes.

use std::error::Error;
use std::io::{self, Write};

use clap::Args;
use kabar::client::{Client, ClientError, Event, Incoming, Message, Settings, Subscription};
use tokio::sync::mpsc;

use crate::cli::client::args::SessionArgs;
use crate::cli::client::{block_on, exit_code, shown};

#[derive(Debug, Args)]
#[command(after_help = exit_code::HELP)]
pub(crate) struct InboxArgs {
    /// One JSON object a line, as in docs/PROTOCOL.md
    #[arg(long)]
    json: bool,
    /// Go on with what comes, until interrupted
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    session: SessionArgs,
}

pub(crate) fn run(args: &InboxArgs) -> Result<(), Box<dyn Error>> {
    let (settings, session) = args.session.settings()?;
    block_on(async {
        match args.follow {
            true => follow(settings, &session.user, args.json).await,
            false => read(settings, args.json).await,
        }
    })
}

/// Page by page: what was printed is acknowledged, so that nothing is lost, whatever happens.
async fn read(settings: Settings, json: bool) -> Result<(), Box<dyn Error>> {
    let (client, mut incoming) = Client::start(settings);
    loop {
        let page = tokio::select! {
            page = client.request("peek") => page?,
            failed = first_failure(&mut incoming) => return Err(failed.into()),
        };
        let messages = page.messages();
        for message in &messages {
            print(message, json)?;
        }
        io::stdout().flush()?;
        if let Some(last) = messages.last() {
            client.request(&format!("ack {}", last.id)).await?;
        }
        if !page.more {
            return Ok(());
        }
    }
}

/// A script wants to know at once that the server is away.
async fn first_failure(incoming: &mut mpsc::Receiver<Incoming>) -> ClientError {
    loop {
        match incoming.recv().await {
            Some(Incoming::Disconnected { error, .. } | Incoming::Ended(error)) => return error,
            Some(_) => {}
            None => return std::future::pending().await,
        }
    }
}

/// Begins at the inbox cursor, and moves it over what was printed.
async fn follow(settings: Settings, me: &str, json: bool) -> Result<(), Box<dyn Error>> {
    let after = cursor(settings.clone()).await?;
    let subscription = Some(Subscription { after: Some(after), topics: &[] });
    let (client, mut incoming) = Client::start(Settings { subscription, ..settings });
    loop {
        match incoming.recv().await {
            Some(Incoming::Event(Event::Message(message))) => {
                if !message.is_from(me) || message.to.eq_ignore_ascii_case(me) {
                    print(&message, json)?;
                    io::stdout().flush()?;
                    client.submit(&format!("ack {}", message.id)).await?;
                }
            }
            Some(Incoming::Disconnected { error, retry_in }) => {
                eprintln!("kabar: {error}; again in {:.1} s", retry_in.as_secs_f32());
            }
            Some(Incoming::Ended(error)) => return Err(error.into()),
            Some(_) => {}
            None => return Err(ClientError::Stopped.into()),
        }
    }
}

/// An `ack` of nothing moves nothing, and tells the cursor.
async fn cursor(settings: Settings) -> Result<u64, Box<dyn Error>> {
    let (client, _) = Client::start(settings);
    let reply = client.request("ack 0").await?;
    Ok(reply.data["id"].as_u64().ok_or("the server does not tell its cursor")?)
}

fn print(message: &Message, json: bool) -> Result<(), Box<dyn Error>> {
    let line = if json { serde_json::to_string(message)? } else { shown::line(message) };
    writeln!(io::stdout(), "{line}")?;
    Ok(())
}
