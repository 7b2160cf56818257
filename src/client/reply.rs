//! Replies.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::client::event::Message;

/// The answer to one request. Keys that this client does not know are ignored.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Reply {
    /// `OK` or `ERROR`.
    pub status: String,
    /// A sentence for people.
    #[serde(default)]
    pub message: String,
    /// In an error: what programs use.
    pub code: Option<String>,
    /// In an error: what was expected.
    pub detail: Option<String>,
    /// The tag of the request.
    pub tag: Option<String>,
    /// The data of the command's reply.
    #[serde(default)]
    pub data: Value,
    /// Whether a page is not the last one.
    #[serde(default)]
    pub more: bool,
    /// The parameter of the request for the next page of a history.
    pub before: Option<u64>,
    /// The owner of a group, of `members`.
    pub owner: Option<String>,
    /// In `slow_down` and `throttled`: after how many seconds the request may be sent again.
    pub retry_after: Option<u64>,
}

/// A message that was sent.
#[derive(Clone, Debug, Deserialize)]
pub struct Receipt {
    /// Its number.
    pub id: u64,
    /// The server's time.
    pub time: String,
    /// For another server: whether it has the message.
    pub delivered: Option<bool>,
}

/// A conversation, as `conversations` lists it.
#[derive(Clone, Debug, Deserialize)]
pub struct Summary {
    /// Its name, as [`Target::of_conversation`](super::Target::of_conversation) takes it.
    pub conversation: String,
    /// The full name of a user, or the name of a group.
    pub name: String,
    /// Everything up to this id is read.
    pub mark: u64,
    /// Unread messages.
    pub unread: u64,
    /// There are more of them than the server counts.
    #[serde(default)]
    pub unread_more: bool,
    /// The newest message.
    pub last: Option<Message>,
}

/// Errors that pass: the same request may succeed later.
const TEMPORARY: [&str; 9] = [
    "busy",
    "slow_down",
    "throttled",
    "storage_failed",
    "unknown_outcome",
    "unavailable",
    "shutting_down",
    "connection_limit",
    "realm_queue_full",
];

/// If a server says nothing else.
const SLOW_DOWN: Duration = Duration::from_secs(1);

impl Reply {
    /// Whether the request was done.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.status == "OK"
    }

    /// Whether the request was refused with this code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether the same request, with the same tag, may succeed later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.code.as_deref().is_some_and(|code| TEMPORARY.contains(&code))
    }

    /// How long to wait, if the request came too soon after others.
    pub(super) fn slow_down(&self) -> Option<Duration> {
        let is_too_fast = self.has_code("slow_down");
        is_too_fast.then(|| self.retry_after.map_or(SLOW_DOWN, Duration::from_secs))
    }

    /// The sentence, and what was expected.
    #[must_use]
    pub fn explanation(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{}: {detail}", self.message),
            None => self.message.clone(),
        }
    }

    /// The message that was sent, if that was the request.
    #[must_use]
    pub fn receipt(&self) -> Option<Receipt> {
        Receipt::deserialize(&self.data).ok()
    }

    /// The messages of a page, oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        let messages = self.data.as_array().into_iter().flatten();
        messages.filter_map(|message| Message::deserialize(message).ok()).collect()
    }

    /// The conversations of a list, the newest first.
    #[must_use]
    pub fn conversations(&self) -> Vec<Summary> {
        let summaries = self.data.as_array().into_iter().flatten();
        summaries.filter_map(|summary| Summary::deserialize(summary).ok()).collect()
    }

    /// The names in `data`: of `online`, `groups`, `members`, `blocks`.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let names = self.data.as_array().into_iter().flatten();
        names.filter_map(Value::as_str).map(str::to_owned).collect()
    }
}
