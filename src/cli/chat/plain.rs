//! `kabar chat --plain`: line in, line out.

use std::error::Error;
use std::io::{self, BufRead, Write};

use kabar::client::{Client, ClientError, Event, Incoming, Reply, Settings, Submitted, Target};
use kabar::limits::CLIENT_CHANNEL;
use tokio::sync::mpsc;

use crate::cli::chat::command::{self, Input, WORDS};
use crate::cli::client::shown::{line, safe, too_fast};

/// Messages go to standard output, everything else to standard error.
pub(super) async fn run(settings: Settings, me: &str, to: Option<Target>) -> Result<(), Box<dyn Error>> {
    let (client, mut incoming) = Client::start(settings);
    let (answered, mut answers) = mpsc::channel(CLIENT_CHANNEL);
    let mut plain = Plain { client, open: to, answered: Some(answered) };
    let mut lines = lines();
    let mut is_input_open = true;
    loop {
        tokio::select! {
            next = lines.recv(), if is_input_open => {
                let next = next.transpose()?;
                is_input_open = match next {
                    Some(text) => plain.act(command::parse(&text)).await?,
                    None => false,
                };
                if !is_input_open {
                    // Lines typed before are still sent, and answered.
                    plain.answered = None;
                }
            }
            answer = answers.recv() => match answer {
                Some(answer) => show_answer(answer)?,
                None => return Ok(()),
            },
            next = incoming.recv() => show_incoming(next, me)?,
        }
    }
}

struct Plain {
    client: Client,
    open: Option<Target>,
    answered: Option<mpsc::Sender<Shown>>,
}

/// An answer, and whether it is told if it is good.
struct Shown {
    reply: Result<Reply, ClientError>,
    is_message: bool,
}

impl Plain {
    /// Returns whether more input is wanted.
    async fn act(&mut self, input: Input) -> Result<bool, Box<dyn Error>> {
        match input {
            Input::Quit => return Ok(false),
            Input::Text(text) => match self.open.clone() {
                Some(to) => self.submit(&to.send_request(&text), true).await?,
                None => eprintln!("to whom? /to NAME"),
            },
            Input::Message { to, text } => self.submit(&to.send_request(&text), true).await?,
            Input::Open(target) => self.open = Some(target),
            Input::Join { group, password } => {
                self.submit(format!("joingroup {group} {password}").trim_end(), false).await?
            }
            Input::Leave(Some(group)) => self.submit(&format!("leavegroup {group}"), false).await?,
            Input::Who => match &self.open {
                Some(Target::Group(group)) => self.submit(&format!("members {group}"), false).await?,
                _ => self.submit("showuseractive", false).await?,
            },
            Input::Realms => self.submit("realms", false).await?,
            Input::OlderMessages => match self.open.clone() {
                Some(to) => self.submit(&format!("history {to}"), false).await?,
                None => self.submit("history", false).await?,
            },
            Input::NextUnread => self.submit("inbox", false).await?,
            Input::Request(line) => self.submit(line.trim_end(), false).await?,
            Input::Help => WORDS.iter().for_each(|(word, what)| eprintln!("{word:<23} {what}")),
            Input::Close => self.open = None,
            Input::Wrong(problem) => eprintln!("{problem}"),
            Input::Leave(None) => eprintln!("/part GROUP"),
            Input::Nothing => {}
        }
        Ok(true)
    }

    async fn submit(&self, request: &str, is_message: bool) -> Result<(), ClientError> {
        let submitted: Submitted = self.client.submit(request).await?;
        let answered = self.answered.clone();
        tokio::spawn(async move {
            let shown = Shown { reply: submitted.reply().await, is_message };
            if let Some(answered) = answered {
                // The chat may be over.
                let _over = answered.send(shown).await;
            }
        });
        Ok(())
    }
}

fn show_answer(Shown { reply, is_message }: Shown) -> Result<(), Box<dyn Error>> {
    let reply = match reply {
        Ok(_) if is_message => return Ok(()),
        Ok(reply) => reply,
        Err(error) => {
            eprintln!("not done: {}", safe(&error.to_string()));
            return Ok(());
        }
    };
    let messages = reply.messages();
    for message in &messages {
        writeln!(io::stdout(), "{}", line(message))?;
    }
    if messages.is_empty() {
        eprintln!("{} {}", safe(&reply.message), safe(&reply.names().join("  ")));
    }
    Ok(())
}

fn show_incoming(next: Option<Incoming>, me: &str) -> Result<(), Box<dyn Error>> {
    match next {
        Some(Incoming::Event(Event::Message(message))) if !message.is_from(me) => {
            writeln!(io::stdout(), "{}", line(&message))?;
        }
        Some(Incoming::Disconnected { error, retry_in }) => {
            eprintln!("{error}; again in {:.1} s", retry_in.as_secs_f32());
        }
        Some(Incoming::Connected { user }) => eprintln!("connected as {user}"),
        Some(Incoming::SlowedDown { retry_in }) => eprintln!("{}", too_fast(retry_in)),
        Some(Incoming::Ended(error)) => return Err(error.into()),
        Some(Incoming::Event(_)) => {}
        None => return Err(ClientError::Stopped.into()),
    }
    Ok(())
}

fn lines() -> mpsc::Receiver<io::Result<String>> {
    let (sender, lines) = mpsc::channel(CLIENT_CHANNEL);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}
