//! Performs the state's requests in order, and returns the answers.

use kabar::client::{Client, ClientError, Reply, Submitted, Target};
use kabar::limits::{CLIENT_CHANNEL, CLIENT_UNSENT};
use tokio::sync::mpsc;

use crate::cli::chat::effect::{Effect, Question};

/// An answer of the server.
pub(super) enum Answer {
    Sent { number: u64, to: Target, reply: Result<Reply, ClientError> },
    To(Question, Result<Reply, ClientError>),
}

/// Takes effects until the sender is dropped. A message has the same tag however often it is sent: the server does it once.
pub(super) fn start(client: Client) -> (mpsc::Sender<Effect>, mpsc::Receiver<Answer>) {
    let (effects, wanted) = mpsc::channel(CLIENT_UNSENT + CLIENT_CHANNEL);
    let (answered, answers) = mpsc::channel(CLIENT_CHANNEL);
    tokio::spawn(run(client, wanted, answered));
    (effects, answers)
}

async fn run(client: Client, mut wanted: mpsc::Receiver<Effect>, answered: mpsc::Sender<Answer>) {
    while let Some(effect) = wanted.recv().await {
        let line = match &effect {
            Effect::Send { to, text, .. } => to.send_request(text),
            Effect::Ask(question) => question.line(),
            Effect::RetryNow => {
                client.retry_now().await;
                continue;
            }
            Effect::LogIn | Effect::Ring => continue,
            Effect::Quit => return,
        };
        // Taken in order; the replies are waited for side by side.
        let submitted = match &effect {
            Effect::Send { tag, .. } => client.submit_tagged(tag.clone(), &line).await,
            _ => client.submit(&line).await,
        };
        let answered = answered.clone();
        tokio::spawn(async move {
            let reply = wait(submitted).await;
            let answer = match effect {
                Effect::Send { number, to, .. } => Answer::Sent { number, to, reply },
                Effect::Ask(question) => Answer::To(question, reply),
                Effect::RetryNow | Effect::LogIn | Effect::Ring | Effect::Quit => return,
            };
            // The chat may be over.
            let _over = answered.send(answer).await;
        });
    }
}

async fn wait(submitted: Result<Submitted, ClientError>) -> Result<Reply, ClientError> {
    submitted?.reply().await
}

impl Question {
    fn line(&self) -> String {
        match self {
            Self::Online => "showuseractive".to_owned(),
            Self::Conversations => "conversations limit 200".to_owned(),
            Self::History { of, before: None } => format!("history {of} limit 100"),
            Self::History { of, before: Some(before) } => format!("history {of} before {before} limit 100"),
            Self::Members { group } => format!("members {group}"),
            Self::MarkRead { of, upto } => format!("markread {of} {upto}"),
            Self::Acknowledge(cursor) => format!("ack {cursor}"),
            Self::Command(line) => line.clone(),
        }
    }
}
