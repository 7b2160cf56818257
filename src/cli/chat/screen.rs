//! The loop of the chat on a whole terminal: keys, the server, signals and a clock change the state, then it is drawn.

use std::error::Error;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use crossterm::event::{self, Event as TerminalEvent};
use jiff::Timestamp;
use kabar::client::{Client, ClientError, Incoming, Login, Settings, Subscription, log_in};
use kabar::limits::CLIENT_CHANNEL;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use crate::cli::chat::draw::draw;
use crate::cli::chat::effect::Effect;
use crate::cli::chat::requests::{self, Answer};
use crate::cli::chat::state::{Chat, Link};
use crate::cli::chat::terminal::Screen;
use crate::cli::client::credentials::{Credentials, SavedSession};
use crate::cli::client::unsent_file::UnsentFile;

/// The countdown moves this often.
const TICK: Duration = Duration::from_secs(1);
/// The bell rings at most this often.
const BELL: Duration = Duration::from_secs(3);

const TOPICS: &[&str] = &["presence", "group", "inbox", "read"];

type LoggedIn = Result<Login, ClientError>;

/// Connects the chat to the server: one client for each session.
struct Line {
    settings: Settings,
    credentials: Credentials,
    unsent: UnsentFile,
    is_quiet: bool,
    rang: Option<Instant>,
    incoming: mpsc::Receiver<Incoming>,
    effects: mpsc::Sender<Effect>,
    answers: mpsc::Receiver<Answer>,
    log_ins: (mpsc::Sender<LoggedIn>, mpsc::Receiver<LoggedIn>),
}

pub(super) async fn run(
    settings: Settings,
    credentials: Credentials,
    session: &SavedSession,
    is_quiet: bool,
) -> Result<(), Box<dyn Error>> {
    let has_colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut chat = Chat::new(&session.server, &session.user, has_colour);
    let mut line = Line::new(settings, credentials, session, is_quiet);
    let mut keys = keys();
    let mut signals = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt()].map(signal);
    let [Ok(terminate), Ok(hangup), Ok(interrupt)] = &mut signals else { return Err("no signals".into()) };
    let mut clock = interval(TICK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut screen = Screen::take()?;
    line.take_over(&mut chat);
    let mut is_leaving = false;
    while !is_leaving || chat.is_sending() {
        screen.terminal.draw(|frame| draw(frame, &mut chat))?;
        let mut wanted = tokio::select! {
            key = keys.recv() => match key {
                Some(key) => chat.terminal(key?),
                None => break,
            },
            Some(next) = line.incoming.recv() => chat.take(next),
            Some(answer) = line.answers.recv() => take_answer(&mut chat, answer),
            Some(log_in) = line.log_ins.1.recv() => line.logged_in(&mut chat, log_in)?,
            _ = clock.tick() => chat.tick(Instant::now()),
            () = any(terminate, hangup, interrupt) => break,
        };
        if wanted.contains(&Effect::Quit) {
            // Said a second time, it leaves what is on its way.
            if is_leaving {
                break;
            }
            is_leaving = true;
            wanted.extend(chat.tick(Instant::now()));
            chat.hint = "not everything is sent: once more to leave at once".to_owned();
        }
        line.keep(&mut chat);
        for effect in wanted {
            line.do_effect(&mut chat, effect);
        }
    }
    drop(screen);
    let unsent = chat.unsent.pending().count();
    if unsent > 0 {
        // The terminal may be gone.
        let _gone = writeln!(io::stderr(), "kabar: unsent messages, which the next kabar chat sends: {unsent}");
    }
    Ok(())
}

impl Line {
    fn new(settings: Settings, credentials: Credentials, session: &SavedSession, is_quiet: bool) -> Self {
        let unsent = UnsentFile::new(&credentials.unsent(), session);
        let settings = Settings { subscription: Some(Subscription { after: None, topics: TOPICS }), ..settings };
        let (incoming, effects, answers) = connect(settings.clone());
        Self {
            settings,
            credentials,
            unsent,
            is_quiet,
            rang: None,
            incoming,
            effects,
            answers,
            log_ins: mpsc::channel(1),
        }
    }

    /// Sends the messages that earlier chats left.
    fn take_over(&mut self, chat: &mut Chat) {
        match self.unsent.take_over(|count, bytes| chat.unsent.has_room(count, bytes)) {
            Ok(left) => {
                let effects = chat.take_over(left, Timestamp::now());
                effects.into_iter().for_each(|effect| self.do_effect(chat, effect));
            }
            Err(error) => chat.hint = format!("unsent messages of the last time cannot be read: {error}"),
        }
    }

    /// Writes unsent messages to the disk, before they are sent.
    fn keep(&mut self, chat: &mut Chat) {
        if chat.is_online() {
            chat.unsent.tried(Timestamp::now());
        }
        if !chat.unsent.take_change() {
            return;
        }
        let pending: Vec<_> = chat.unsent.pending().collect();
        if let Err(error) = self.unsent.keep(&pending) {
            chat.notice(&format!("unsent messages are not kept: {error}"));
        }
    }

    fn do_effect(&mut self, chat: &mut Chat, effect: Effect) {
        match effect {
            Effect::Quit => {}
            Effect::LogIn => self.log_in(chat),
            Effect::Ring => self.ring(),
            // Without a session it waits for the next one.
            Effect::Send { .. } if matches!(chat.link, Link::LoggedOut(_) | Link::LoggingIn) => {}
            effect => {
                // There is room for all messages. Only questions to a server that does not answer can be too many.
                if self.effects.try_send(effect).is_err() {
                    "too many questions wait for the server".clone_into(&mut chat.hint);
                }
            }
        }
    }

    /// Not for every message of a flood.
    fn ring(&mut self) {
        if self.is_quiet || self.rang.is_some_and(|rang| rang.elapsed() < BELL) {
            return;
        }
        self.rang = Some(Instant::now());
        let _gone = io::stdout().write_all(b"\x07").and_then(|()| io::stdout().flush());
    }

    /// Logs in on a connection of its own, while the chat goes on.
    fn log_in(&self, chat: &mut Chat) {
        let Some(password) = chat.password.take().map(|mut typed| typed.take()) else { return };
        chat.link = Link::LoggingIn;
        let (server, trust, user) = (self.settings.server.clone(), self.settings.trust.clone(), chat.me.clone());
        let logged_in = self.log_ins.0.clone();
        tokio::spawn(async move {
            let login = log_in(&server, &trust, &user, &password).await;
            // The chat may be over.
            let _over = logged_in.send(login).await;
        });
    }

    /// Goes on with the new session, after the newest message that is known.
    fn logged_in(&mut self, chat: &mut Chat, login: LoggedIn) -> Result<Vec<Effect>, Box<dyn Error>> {
        let login = match login {
            Ok(login) => login,
            Err(error) => {
                chat.link = Link::LoggedOut(error.to_string());
                return Ok(Vec::new());
            }
        };
        self.credentials.save(&self.settings.server, &login)?;
        self.settings.token = login.token;
        self.settings.subscription = Some(Subscription { after: chat.newest(), topics: TOPICS });
        (self.incoming, self.effects, self.answers) = connect(self.settings.clone());
        chat.link = Link::Connecting;
        Ok(chat.unsent.send_all())
    }
}

type Connected = (mpsc::Receiver<Incoming>, mpsc::Sender<Effect>, mpsc::Receiver<Answer>);

fn connect(settings: Settings) -> Connected {
    let (client, incoming) = Client::start(settings);
    let (effects, answers) = requests::start(client);
    (incoming, effects, answers)
}

fn take_answer(chat: &mut Chat, answer: Answer) -> Vec<Effect> {
    match answer {
        Answer::Sent { number, to, reply } => {
            chat.sent(number, &to, reply);
            Vec::new()
        }
        Answer::To(question, reply) => chat.answer(question, reply),
    }
}

async fn any(terminate: &mut Signal, hangup: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Reads the terminal on a thread of its own, which ends with the process.
fn keys() -> mpsc::Receiver<io::Result<TerminalEvent>> {
    let (sender, keys) = mpsc::channel(CLIENT_CHANNEL);
    std::thread::spawn(move || {
        loop {
            let event = event::read();
            let is_last = event.is_err();
            if sender.blocking_send(event).is_err() || is_last {
                return;
            }
        }
    });
    keys
}
