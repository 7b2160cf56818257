//! A bot that rolls dice: `/roll 2d6` in a message to it is answered, in groups too; everything else said to it directly
//! is repeated.
//!
//! ```sh
//! BOT_PASSWORD=rahasia cargo run --example bot -- 127.0.0.1:8889 dice
//! ```
//!
//! It reconnects by itself, answers what came meanwhile, and never answers twice.

use std::env;
use std::error::Error;

use kabar::client::{Client, ClientError, Event, Incoming, Message, Settings, Target, Trust, log_in, register};

const ECHO: &str = "you said: ";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let server = arguments.next().unwrap_or("127.0.0.1:8889".into());
    let name = arguments.next().unwrap_or("dice".into());
    run(&server, &name, &env::var("BOT_PASSWORD")?).await
}

/// Answers until the session ends.
pub async fn run(server: &str, name: &str, password: &str) -> Result<(), Box<dyn Error>> {
    let server = server.parse()?;
    let login = match log_in(&server, &Trust::system(), name, password).await {
        Err(ClientError::Refused(reply)) if reply.has_code("user_not_found") => {
            register(&server, &Trust::system(), name, password).await?
        }
        login => login?,
    };
    let (client, mut incoming) = Client::start(Settings::new(server, Trust::system(), login.token));
    while let Some(next) = incoming.recv().await {
        match next {
            Incoming::Connected { user } => println!("{user} is ready"),
            Incoming::Disconnected { error, retry_in } => println!("{error}; again in {retry_in:?}"),
            Incoming::SlowedDown { retry_in } => println!("too fast for the server: answering on in {retry_in:?}"),
            Incoming::Event(Event::Message(message)) => respond(&client, name, &message).await?,
            Incoming::Event(_) => {}
            Incoming::Ended(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn respond(client: &Client, me: &str, message: &Message) -> Result<(), ClientError> {
    let Ok(conversation) = Target::of(message, me) else { return Ok(()) };
    let text = match (roll(&message.msg), message.kind.as_str()) {
        // Two bots that repeat each other would never end.
        _ if message.is_from(me) || message.msg.starts_with(ECHO) => return Ok(()),
        (Some(text), _) => text,
        (None, "direct") => format!("{ECHO}{}", message.msg),
        (None, _) => return Ok(()),
    };
    match client.send(&conversation, &text).await {
        Err(ClientError::Refused(reply)) => println!("{conversation}: {}", reply.explanation()),
        sent => println!("{conversation}: {}", sent.map(|receipt| receipt.id)?),
    }
    Ok(())
}

/// The answer to `/roll NdM`.
fn roll(text: &str) -> Option<String> {
    let (count, sides) = text.strip_prefix("/roll ")?.split_once('d')?;
    let (count, sides) = (count.parse().ok()?, sides.parse().ok()?);
    if !(1..=20).contains(&count) || !(2..=100).contains(&sides) {
        return Some("1 to 20 dice of 2 to 100 sides".into());
    }
    let dice: Vec<u32> = (0..count).map(|_| fastrand::u32(1..=sides)).collect();
    Some(format!("{dice:?}: {}", dice.iter().sum::<u32>()))
}
