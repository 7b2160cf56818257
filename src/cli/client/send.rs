//! `kabar send`: a message from a script, once.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, BufRead};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use kabar::client::{Client, ClientError, Incoming, Reply, Submitted, Target};
use kabar::limits::{CLIENT_IN_FLIGHT, CLIENT_RETRY_MAX, TAGS_PER_USER};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

use crate::cli::client::args::SessionArgs;
use crate::cli::client::exit_code::NotInTime;
use crate::cli::client::{block_on, exit_code, shown};

/// As a text: standard input.
const STANDARD: &str = "-";

#[derive(Debug, Args)]
#[command(after_help = exit_code::HELP)]
pub(crate) struct SendArgs {
    /// USER, USER@REALM, group:GROUP, or * for everyone
    #[arg(value_name = "TO")]
    to: Target,
    /// The text; - or none: lines of standard input
    #[arg(value_name = "TEXT", trailing_var_arg = true)]
    text: Vec<String>,
    /// Name it: with its tag it is sent once
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// Give up after so long
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
    #[command(flatten)]
    session: SessionArgs,
}

/// A message that the server has not confirmed.
struct Unconfirmed {
    line: usize,
    tag: String,
    request: String,
    reply: Submitted,
}

struct Sender {
    client: Client,
    patience: Duration,
    tag: String,
    /// Why the connection was last lost.
    problem: Arc<Mutex<String>>,
    unconfirmed: VecDeque<Unconfirmed>,
    /// The first refusal: what comes after it is sent all the same.
    refused: Option<ClientError>,
}

pub(crate) fn run(args: &SendArgs) -> Result<(), Box<dyn Error>> {
    let (settings, _) = args.session.settings()?;
    let tag = args.tag.clone().unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string());
    block_on(async {
        let (client, incoming) = Client::start(settings);
        let problem = Arc::new(Mutex::new("no answer".to_owned()));
        tokio::spawn(note_problems(incoming, problem.clone()));
        let patience = Duration::from_secs(args.timeout);
        let mut sender = Sender { client, patience, tag, problem, unconfirmed: VecDeque::new(), refused: None };
        if matches!(&args.text[..], [] | [_]) && args.text.first().is_none_or(|text| text == STANDARD) {
            sender.send_lines(&args.to, args.tag.is_some()).await?;
        } else {
            let text = args.text.join(" ");
            sender.send(0, sender.tag.clone(), args.to.send_request(&text)).await?;
        }
        sender.finish().await
    })
}

async fn note_problems(mut incoming: mpsc::Receiver<Incoming>, problem: Arc<Mutex<String>>) {
    while let Some(next) = incoming.recv().await {
        let noted = match next {
            Incoming::Disconnected { error, .. } => error.to_string(),
            Incoming::SlowedDown { retry_in } => {
                let noted = shown::too_fast(retry_in);
                eprintln!("kabar: {noted}");
                noted
            }
            _ => continue,
        };
        *problem.lock().unwrap_or_else(PoisonError::into_inner) = noted;
    }
}

impl Sender {
    /// Each line gets a tag of its own. Lines of a named message have to be so few that the server knows all tags.
    async fn send_lines(&mut self, to: &Target, is_named: bool) -> Result<(), Box<dyn Error>> {
        for (index, line) in io::stdin().lock().lines().enumerate() {
            let text = line?;
            if text.trim().is_empty() {
                continue;
            }
            if is_named && index >= TAGS_PER_USER {
                return Err(
                    format!("with --tag, at most {TAGS_PER_USER} lines: the server remembers no more tags").into()
                );
            }
            self.send(index + 1, format!("{}-{}", self.tag, index + 1), to.send_request(&text)).await?;
        }
        Ok(())
    }

    async fn send(&mut self, line: usize, tag: String, request: String) -> Result<(), Box<dyn Error>> {
        if self.unconfirmed.len() >= CLIENT_IN_FLIGHT {
            self.confirm_oldest().await?;
        }
        let reply = self.client.submit_tagged(tag.clone(), &request).await?;
        self.unconfirmed.push_back(Unconfirmed { line, tag, request, reply });
        Ok(())
    }

    async fn finish(mut self) -> Result<(), Box<dyn Error>> {
        while !self.unconfirmed.is_empty() {
            self.confirm_oldest().await?;
        }
        self.refused.map_or(Ok(()), |error| Err(error.into()))
    }

    async fn confirm_oldest(&mut self) -> Result<(), Box<dyn Error>> {
        let Some(oldest) = self.unconfirmed.pop_front() else { return Ok(()) };
        let line = oldest.line;
        match self.confirm(oldest).await {
            Err(error) if matches!(error.downcast_ref(), Some(ClientError::Refused(_))) => {
                if line > 0 {
                    eprintln!("kabar: line {line}: {error}");
                }
                let error = error.downcast::<ClientError>().map_or(ClientError::Stopped, |error| *error);
                self.refused.get_or_insert(error);
                Ok(())
            }
            confirmed => confirmed,
        }
    }

    /// Waits for the reply. Retries what may pass (a full disk, a busy server), with the same tag.
    async fn confirm(&self, message: Unconfirmed) -> Result<(), Box<dyn Error>> {
        let Unconfirmed { tag, request, mut reply, .. } = message;
        let end = Instant::now() + self.patience;
        let mut pause = Duration::from_millis(100);
        loop {
            let problem = match timeout_at(end, reply.reply()).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(ClientError::Refused(reply))) if reply.is_temporary() => Reply::explanation(&reply),
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            };
            if Instant::now() + pause >= end {
                return Err(NotInTime { reason: problem, tag: self.tag.clone() }.into());
            }
            sleep(pause).await;
            pause = (pause * 2).min(CLIENT_RETRY_MAX);
            reply = self.client.submit_tagged(tag.clone(), &request).await?;
        }
    }
}
