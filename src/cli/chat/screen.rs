//! The loop of the chat on a whole terminal: keys, the server, signals and a clock change the state, then it is drawn.

use std::error::Error;
use std::io;
use std::time::Duration;

use crossterm::event::{self, Event as TerminalEvent};
use kabar::client::{Client, Settings, Subscription};
use kabar::limits::CLIENT_CHANNEL;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use crate::cli::chat::draw::draw;
use crate::cli::chat::requests::{self, Answer};
use crate::cli::chat::state::{Chat, Effect};
use crate::cli::chat::terminal::Screen;

/// The countdown moves this often.
const TICK: Duration = Duration::from_secs(1);

pub(super) async fn run(settings: Settings, me: &str) -> Result<(), Box<dyn Error>> {
    let has_colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut chat = Chat::new(&settings.server.to_string(), me, has_colour);
    let subscription = Some(Subscription { after: None, topics: &["presence", "group", "inbox"] });
    let (client, mut incoming) = Client::start(Settings { subscription, ..settings });
    let (effects, mut answers) = requests::start(client);
    let mut keys = keys();
    let mut signals = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt()].map(signal);
    let [Ok(terminate), Ok(hangup), Ok(interrupt)] = &mut signals else { return Err("no signals".into()) };
    let mut clock = interval(TICK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut screen = Screen::take()?;
    let mut is_leaving = false;
    while !is_leaving || chat.has_pending() {
        screen.terminal.draw(|frame| draw(frame, &mut chat))?;
        let wanted = tokio::select! {
            key = keys.recv() => match key {
                Some(key) => chat.terminal(key?),
                None => return Ok(()),
            },
            Some(next) = incoming.recv() => chat.take(next),
            Some(answer) = answers.recv() => take_answer(&mut chat, answer),
            _ = clock.tick() => chat.tick(),
            () = any(terminate, hangup, interrupt) => return Ok(()),
        };
        for effect in wanted {
            if effect == Effect::Quit {
                // Said a second time, it leaves what is on its way.
                if is_leaving {
                    return Ok(());
                }
                is_leaving = true;
                chat.hint = "not everything is sent: once more to leave at once".to_owned();
                continue;
            }
            effects.send(effect).await?;
        }
    }
    Ok(())
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
