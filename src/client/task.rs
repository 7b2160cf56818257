//! The life of a client: connect, resume, serve, wait, again.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::client::backoff::Backoff;
use crate::client::channel::{Command, Incoming};
use crate::client::connection::{Connection, Frame};
use crate::client::error::ClientError;
use crate::client::event::Event;
use crate::client::queue::{Answered, Queue};
use crate::client::reply::Reply;
use crate::client::settings::Settings;
use crate::client::tags::Tags;
use crate::limits::{CLIENT_CHANNEL, CLIENT_DEAD, CLIENT_PING};

pub(super) struct Task {
    settings: Settings,
    tags: Arc<Tags>,
    commands: mpsc::Receiver<Command>,
    told: mpsc::Sender<Incoming>,
    /// Messages that the program has not taken yet. The connection is read all the same: the program may wait for a
    /// reply.
    untold: VecDeque<Incoming>,
    queue: Queue,
    backoff: Backoff,
    /// The newest message that the program knows of.
    last: Option<u64>,
    /// The server's epoch in which `last` was told: ids of another one may be those of other messages.
    epoch: Option<String>,
    /// The tag of a `subscribe` without reply. Until it comes, messages are those of the subscription before.
    subscribing: Option<String>,
    /// Messages were dropped because the program is slow: it is subscribed anew when it has caught up.
    has_lagged: bool,
}

/// Why the connection is served no more.
enum End {
    /// Nobody holds the client any more.
    Stopped,
    Failed(ClientError),
}

impl From<ClientError> for End {
    fn from(error: ClientError) -> Self {
        Self::Failed(error)
    }
}

impl Task {
    pub(super) fn new(
        settings: Settings,
        tags: Arc<Tags>,
        commands: mpsc::Receiver<Command>,
        told: mpsc::Sender<Incoming>,
    ) -> Self {
        let last = settings.subscription.as_ref().and_then(|subscription| subscription.after);
        Self {
            settings,
            tags,
            commands,
            told,
            untold: VecDeque::new(),
            queue: Queue::default(),
            backoff: Backoff::default(),
            last,
            epoch: None,
            subscribing: None,
            has_lagged: false,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            let End::Failed(error) = self.run_connection().await else { return };
            self.queue.disconnected();
            (self.subscribing, self.has_lagged) = (None, false);
            if is_final(&error) {
                return self.end(error).await;
            }
            let retry_in = self.backoff.next();
            self.tell_of_failure(Incoming::Disconnected { error, retry_in });
            if !self.wait(retry_in).await {
                return;
            }
        }
    }

    async fn run_connection(&mut self) -> End {
        let mut connection = match self.connect().await {
            Ok(connection) => connection,
            Err(ClientError::Refused(reply)) if reply.has_code("no_session") => {
                return End::Failed(ClientError::SessionEnded { reason: None });
            }
            Err(error) => return End::Failed(error),
        };
        self.backoff.reset();
        match self.serve(&mut connection).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    /// Connects, resumes the session and subscribes after the newest message.
    async fn connect(&mut self) -> Result<Connection, ClientError> {
        let Settings { server, trust, token, subscription } = &self.settings;
        let mut connection = Connection::open(server, trust).await?;
        let whoami = connection.ask(&format!("whoami {token}")).await?;
        let user = whoami.data["user"].as_str().unwrap_or_default().to_owned();
        let mut reset = None;
        if let Some(subscription) = subscription {
            let last = match self.last {
                Some(last) => last,
                None => newest(&connection.ask("history limit 1").await?),
            };
            let request = subscribe_request(last, self.epoch.as_deref(), subscription.topics);
            let reply = connection.ask_with_events(&request, |event| reset = reset_after(&event).or(reset)).await?;
            self.last = Some(reply.data["after"].as_u64().or(reset).unwrap_or(last));
            self.epoch = reply.data["epoch"].as_str().map(str::to_owned);
        }
        self.untold.push_back(Incoming::Connected { user });
        self.untold.extend(reset.map(|after| Incoming::Event(Event::Reset { after })));
        Ok(connection)
    }

    async fn serve(&mut self, connection: &mut Connection) -> Result<std::convert::Infallible, End> {
        let mut heard = Instant::now();
        let mut pinged = false;
        let told = self.told.clone();
        loop {
            while let Some(line) = self.queue.next_line() {
                connection.send(&line)?;
            }
            let resumes = self.queue.resumes();
            let alarm = heard + if pinged { CLIENT_DEAD } else { CLIENT_PING };
            tokio::select! {
                frame = connection.receive() => {
                    (heard, pinged) = (Instant::now(), false);
                    self.take_frame(frame?)?;
                }
                command = self.commands.recv() => self.take_command(command.ok_or(End::Stopped)?),
                permit = told.reserve(), if !self.untold.is_empty() => tell(permit, &mut self.untold),
                () = sleep_until(resumes.unwrap_or(alarm)), if resumes.is_some() => {}
                () = sleep_until(alarm) => {
                    if pinged {
                        return Err(self.broken(io::ErrorKind::TimedOut.into()).into());
                    }
                    pinged = true;
                    self.queue.push(self.tags.next(), "ping".to_owned(), None);
                }
            }
            if self.has_lagged && self.untold.is_empty() {
                self.subscribe_again();
            }
        }
    }

    fn take_frame(&mut self, frame: Frame) -> Result<(), ClientError> {
        match frame {
            Frame::Event(Event::SessionEnded { reason }) => {
                return Err(ClientError::SessionEnded { reason: Some(reason) });
            }
            Frame::Event(event) => self.take_event(event),
            Frame::Reply(reply) => return self.take_reply(*reply),
        }
        Ok(())
    }

    fn take_reply(&mut self, reply: Reply) -> Result<(), ClientError> {
        if reply.has_code("no_session") {
            return Err(ClientError::SessionEnded { reason: None });
        }
        // A receipt comes after every event before it: what is resumed after it has no gap.
        if let (Some(id), Some(last)) = (receipt_id(&reply), self.last)
            && !self.has_lagged
            && self.subscribing.is_none()
        {
            self.last = Some(last.max(id));
        }
        let farewell = reply.clone();
        match self.queue.answer(reply) {
            Answered::Nothing if farewell.is_ok() => return Err(ClientError::NotKabar(self.settings.server.clone())),
            Answered::Nothing => return Err(ClientError::Refused(Box::new(farewell))),
            Answered::PutOff(retry_in) => self.tell_of_wait(retry_in),
            Answered::Reply(tag) if self.subscribing.as_ref() == Some(&tag) => {
                (self.subscribing, self.has_lagged) = (None, false);
            }
            Answered::Reply(_) => {}
        }
        Ok(())
    }

    /// Passes an event on. Messages that the program has no room for come again, by a new subscription.
    fn take_event(&mut self, event: Event) {
        if self.untold.len() >= CLIENT_CHANNEL || event == Event::Lagged {
            self.has_lagged = true;
        }
        if let Event::Reset { after } = event {
            self.last = Some(after);
        }
        if let Event::Message(message) = &event {
            if self.has_lagged || self.last.is_some_and(|last| message.id <= last) {
                return;
            }
            self.last = Some(message.id);
        }
        if self.untold.len() < CLIENT_CHANNEL {
            self.untold.push_back(Incoming::Event(event));
        }
    }

    fn subscribe_again(&mut self) {
        let (Some(subscription), Some(last)) = (&self.settings.subscription, self.last) else { return };
        if self.subscribing.is_none() {
            let tag = self.tags.next();
            self.queue.push(tag.clone(), subscribe_request(last, self.epoch.as_deref(), subscription.topics), None);
            self.subscribing = Some(tag);
        }
    }

    fn take_command(&mut self, command: Command) {
        if let Command::Request { tag, line, answer } = command {
            self.queue.push(tag, line, Some(answer));
        }
    }

    /// Of many requests that were too fast, the program is told once.
    fn tell_of_wait(&mut self, retry_in: Duration) {
        let is_told = matches!(self.untold.back(), Some(Incoming::SlowedDown { .. }));
        if !is_told && self.untold.len() < CLIENT_CHANNEL {
            self.untold.push_back(Incoming::SlowedDown { retry_in });
        }
    }

    /// A program that takes nothing for days gets the newest failure, not all of them.
    fn tell_of_failure(&mut self, failure: Incoming) {
        if let Some(Incoming::Disconnected { .. }) = self.untold.back() {
            self.untold.pop_back();
        }
        self.untold.push_back(failure);
    }

    /// Waits before the next try, and takes requests meanwhile. Returns whether there is to be one.
    async fn wait(&mut self, pause: Duration) -> bool {
        let end = Instant::now() + pause;
        let told = self.told.clone();
        loop {
            tokio::select! {
                () = sleep_until(end) => return true,
                command = self.commands.recv() => match command {
                    None => return false,
                    Some(Command::RetryNow) => return true,
                    Some(request) => self.take_command(request),
                },
                permit = told.reserve(), if !self.untold.is_empty() => tell(permit, &mut self.untold),
            }
        }
    }

    /// Fails what waits and what still comes, tells the program, and ends.
    async fn end(mut self, error: ClientError) {
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            self.take_command(command);
        }
        self.queue.fail(|| repeat(&error));
        self.untold.push_back(Incoming::Ended(error));
        while !self.untold.is_empty() {
            tell(self.told.reserve().await, &mut self.untold);
        }
    }

    fn broken(&self, source: io::Error) -> ClientError {
        ClientError::Unreachable { server: self.settings.server.clone(), source }
    }
}

type Permit<'a> = Result<mpsc::Permit<'a, Incoming>, mpsc::error::SendError<()>>;

/// Tells one thing, or forgets all if nobody listens.
fn tell(permit: Permit<'_>, untold: &mut VecDeque<Incoming>) {
    let Ok(permit) = permit else { return untold.clear() };
    if let Some(next) = untold.pop_front() {
        permit.send(next);
    }
}

/// Errors that another try does not mend.
fn is_final(error: &ClientError) -> bool {
    match error {
        ClientError::Refused(reply) => !reply.is_temporary(),
        ClientError::Unreachable { .. } => false,
        _ => true,
    }
}

/// The same error once more, for each request that it fails.
fn repeat(error: &ClientError) -> ClientError {
    match error {
        ClientError::SessionEnded { reason } => ClientError::SessionEnded { reason: reason.clone() },
        ClientError::NotKabar(server) => ClientError::NotKabar(server.clone()),
        ClientError::Refused(reply) => ClientError::Refused(reply.clone()),
        ClientError::Untrusted { server, shown, pinned } => {
            ClientError::Untrusted { server: server.clone(), shown: *shown, pinned: *pinned }
        }
        _ => ClientError::Stopped,
    }
}

fn newest(history: &Reply) -> u64 {
    history.messages().last().map_or(0, |message| message.id)
}

fn receipt_id(reply: &Reply) -> Option<u64> {
    // `ack` answers with an id too, and with nothing else.
    reply.data.get("time").and(reply.data.get("id")).and_then(Value::as_u64)
}

fn reset_after(event: &Event) -> Option<u64> {
    if let Event::Reset { after } = event { Some(*after) } else { None }
}

fn subscribe_request(after: u64, epoch: Option<&str>, topics: &[&str]) -> String {
    let epoch = epoch.map_or(String::new(), |epoch| format!("@{epoch}"));
    let topics: String = topics.iter().map(|topic| format!(" {topic}")).collect();
    format!("subscribe {after}{epoch}{topics}")
}
