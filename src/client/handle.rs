//! A program's handle of its client.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::client::channel::{Command, Incoming};
use crate::client::connection::check_line;
use crate::client::error::ClientError;
use crate::client::reply::{Receipt, Reply};
use crate::client::settings::Settings;
use crate::client::tags::Tags;
use crate::client::target::Target;
use crate::client::task::Task;
use crate::limits::CLIENT_CHANNEL;

/// A client. Clones share the connection, which ends with the last of them.
#[derive(Clone, Debug)]
pub struct Client {
    commands: mpsc::Sender<Command>,
    tags: Arc<Tags>,
}

/// A request on its way.
#[derive(Debug)]
pub struct Submitted(oneshot::Receiver<Result<Reply, ClientError>>);

impl Client {
    /// Starts a client on the current tokio runtime. Whatever it has to tell comes from the receiver, which may be
    /// dropped.
    #[must_use]
    pub fn start(settings: Settings) -> (Self, mpsc::Receiver<Incoming>) {
        let (commands, taken) = mpsc::channel(CLIENT_CHANNEL);
        let (told, incoming) = mpsc::channel(CLIENT_CHANNEL);
        let tags = Arc::new(Tags::new());
        tokio::spawn(Task::new(settings, tags.clone(), taken, told).run());
        (Self { commands, tags }, incoming)
    }

    /// Sends a message, once, and waits until the server has it: however long it is away.
    ///
    /// # Errors
    /// [`ClientError::Refused`], or that of [`Incoming::Ended`].
    pub async fn send(&self, to: &Target, text: &str) -> Result<Receipt, ClientError> {
        let reply = self.request(&to.send_request(text)).await?;
        reply.receipt().ok_or(ClientError::Refused(Box::new(reply)))
    }

    /// Does a request, once, and waits for its reply.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn request(&self, line: &str) -> Result<Reply, ClientError> {
        self.submit(line).await?.reply().await
    }

    /// Takes a request, to be done in the order of the calls. [`Submitted::reply`] waits for it.
    ///
    /// # Errors
    /// [`ClientError::SeveralLines`], [`ClientError::Stopped`].
    pub async fn submit(&self, line: &str) -> Result<Submitted, ClientError> {
        self.submit_tagged(self.tags.next(), line).await
    }

    /// The same with a tag of the program, which can repeat the request after its own restart.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub async fn submit_tagged(&self, tag: String, line: &str) -> Result<Submitted, ClientError> {
        check_line(line)?;
        let (answer, reply) = oneshot::channel();
        let request = Command::Request { tag, line: line.to_owned(), answer };
        self.commands.send(request).await.map_err(|_| ClientError::Stopped)?;
        Ok(Submitted(reply))
    }

    /// Connects at once, if the client waits before its next try.
    pub async fn retry_now(&self) {
        // A stopped client has no next try.
        let _stopped = self.commands.send(Command::RetryNow).await;
    }
}

impl Submitted {
    /// Waits for the reply.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn reply(self) -> Result<Reply, ClientError> {
        self.0.await.unwrap_or(Err(ClientError::Stopped))
    }
}
