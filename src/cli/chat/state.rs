//! The state of the chat: what is known and what is shown. Pure: it takes what happened and says what is to be done.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use kabar::client::{ClientError, Event, GroupChange, Incoming, Message, Target};

use crate::cli::chat::conversation::{Conversation, EntryState, Older};
use crate::cli::chat::editor::Editor;
use crate::cli::chat::unread::Unread;

/// What the state wants done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Send { number: u64, to: Target, text: String },
    Ask(Question),
    RetryNow,
    Quit,
}

/// A question to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Groups,
    Online,
    Unread,
    /// The newest messages of all conversations.
    Overview,
    History {
        of: Target,
        before: Option<u64>,
    },
    Members {
        group: String,
    },
    Acknowledge(u64),
    /// A command of the person, whose answer is shown.
    Command(String),
}

/// The connection.
#[derive(Debug)]
pub(super) enum Link {
    Connecting,
    Online,
    Waiting { problem: String, until: Instant },
    Ended(String),
}

/// Messages of a paste that waits for a yes.
#[derive(Debug)]
pub(super) struct Paste {
    pub(super) lines: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Chat {
    pub(super) me: String,
    pub(super) server: String,
    pub(super) link: Link,
    pub(super) conversations: Vec<Conversation>,
    pub(super) open: Option<Target>,
    pub(super) unread: Unread,
    pub(super) online: BTreeSet<String>,
    pub(super) editor: Editor,
    pub(super) paste: Option<Paste>,
    /// A sentence on the status line, until the next key.
    pub(super) hint: String,
    pub(super) completions: Vec<String>,
    /// The height of the log, as it was drawn.
    pub(super) page: usize,
    pub(super) has_colour: bool,
    next_number: u64,
    /// The conversations of the past were read.
    pub(super) is_known: bool,
}

impl Chat {
    pub(super) fn new(server: &str, me: &str, has_colour: bool) -> Self {
        Self {
            me: me.to_owned(),
            server: server.to_owned(),
            link: Link::Connecting,
            conversations: Vec::new(),
            open: None,
            unread: Unread::default(),
            online: BTreeSet::new(),
            editor: Editor::default(),
            paste: None,
            hint: String::new(),
            completions: Vec::new(),
            page: 1,
            has_colour,
            next_number: 0,
            is_known: false,
        }
    }

    pub(super) fn take(&mut self, incoming: Incoming) -> Vec<Effect> {
        match incoming {
            Incoming::Connected { user } => return self.connected(user),
            Incoming::Disconnected { error, retry_in } => {
                self.link = Link::Waiting { problem: short(&error), until: Instant::now() + retry_in };
            }
            Incoming::Ended(error) => self.link = Link::Ended(error.to_string()),
            Incoming::Event(event) => return self.event(event),
        }
        Vec::new()
    }

    fn connected(&mut self, user: String) -> Vec<Effect> {
        self.me = user;
        self.link = Link::Online;
        let mut questions = vec![Question::Groups, Question::Online];
        if !self.is_known {
            questions.extend([Question::Overview, Question::Unread]);
        }
        questions.into_iter().map(Effect::Ask).collect()
    }

    fn event(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Message(message) => self.message(&message),
            Event::Presence { user, online: true } => {
                self.online.insert(user);
            }
            Event::Presence { user, online: false } => {
                self.online.remove(&user);
            }
            Event::Group(change) => return self.group_changed(&change),
            Event::Inbox { cursor } => self.unread.read_upto(cursor),
            Event::Truncated { .. } | Event::Lagged | Event::Unknown => {}
        }
        Vec::new()
    }

    fn message(&mut self, message: &Message) {
        let Ok(target) = Target::of(message, &self.me) else { return };
        let is_new = self.conversation(&target).add(message);
        if !is_new || message.is_from(&self.me) || self.open.as_ref() == Some(&target) {
            self.unread.saw(message.id);
        } else {
            self.unread.add(&target, message.id);
        }
    }

    fn group_changed(&mut self, change: &GroupChange) -> Vec<Effect> {
        let Ok(target) = Target::parse(&format!("group:{}", change.group)) else { return Vec::new() };
        let user = change.user.clone().unwrap_or_default();
        let is_me = user.eq_ignore_ascii_case(&self.me);
        let text = match change.change.as_str() {
            "joined" => format!("{user} joined"),
            "left" => format!("{user} left"),
            "kicked" => format!("{user} was put out"),
            "owner" => format!("{user} owns the group now"),
            "deleted" => "the group ended".to_owned(),
            "renamed" => format!("{user} has another full name"),
            other => format!("{user} {other}"),
        };
        self.conversation(&target).add_notice(&text);
        let is_gone = change.change == "deleted" || (is_me && ["left", "kicked"].contains(&change.change.as_str()));
        if is_gone || self.open.as_ref() != Some(&target) {
            return Vec::new();
        }
        vec![Effect::Ask(Question::Members { group: change.group.clone() })]
    }

    pub(super) fn send(&mut self, to: &Target, text: &str) -> Effect {
        self.next_number += 1;
        let (number, me) = (self.next_number, self.me.clone());
        let conversation = self.conversation(to);
        conversation.scroll = 0;
        conversation.ruler = None;
        conversation.add_pending(number, &me, text);
        Effect::Send { number, to: to.clone(), text: text.to_owned() }
    }

    /// Whether a message is on its way.
    pub(super) fn has_pending(&self) -> bool {
        let mut entries = self.conversations.iter().flat_map(|conversation| &conversation.entries);
        entries.any(|entry| matches!(entry.state, EntryState::Pending(_)))
    }

    /// The conversation, made if there is none.
    pub(super) fn conversation(&mut self, target: &Target) -> &mut Conversation {
        let place = self.conversations.iter().position(|conversation| conversation.target == *target);
        let place = place.unwrap_or_else(|| {
            self.conversations.push(Conversation::new(target.clone()));
            self.conversations.len() - 1
        });
        &mut self.conversations[place]
    }

    pub(super) fn opened(&mut self) -> Option<&mut Conversation> {
        let target = self.open.clone()?;
        Some(self.conversation(&target))
    }

    /// Shows a conversation, and asks for what is not known of it.
    pub(super) fn open(&mut self, target: Target) -> Vec<Effect> {
        let ruler = self.unread.read(&target);
        let conversation = self.conversation(&target);
        conversation.ruler = ruler;
        conversation.scroll = 0;
        let mut effects = Vec::new();
        let has_history = !matches!(target, Target::Everyone | Target::Server(_));
        if conversation.older == Older::Unknown && has_history && !conversation.is_loading {
            conversation.is_loading = true;
            effects.push(Effect::Ask(Question::History { of: target.clone(), before: None }));
        }
        if let Target::Group(address) = &target
            && address.realm.is_none()
        {
            effects.push(Effect::Ask(Question::Members { group: address.name.to_string() }));
        }
        self.open = Some(target);
        effects
    }

    pub(super) fn close(&mut self, target: &Target) {
        self.unread.read(target);
        self.conversations.retain(|conversation| conversation.target != *target);
        if self.open.as_ref() == Some(target) {
            self.open = None;
        }
    }

    /// The conversations as the list shows them: the newest first.
    pub(super) fn sorted(&self) -> Vec<&Conversation> {
        let mut sorted: Vec<&Conversation> = self.conversations.iter().collect();
        sorted.sort_by(|one, other| {
            other.newest().cmp(&one.newest()).then_with(|| one.target.key().cmp(&other.target.key()))
        });
        sorted
    }

    /// Tells the person something, where the eyes are.
    pub(super) fn notice(&mut self, text: &str) {
        match self.opened() {
            Some(conversation) => conversation.add_notice(text),
            None => self.hint = text.to_owned(),
        }
    }

    /// Once a second: the inbox cursor follows what was read.
    pub(super) fn tick(&mut self) -> Vec<Effect> {
        if !matches!(self.link, Link::Online) || !self.is_known {
            return Vec::new();
        }
        let cursor = self.unread.take_cursor();
        cursor.into_iter().map(|cursor| Effect::Ask(Question::Acknowledge(cursor))).collect()
    }

    /// Seconds until the next try.
    pub(super) fn countdown(until: Instant) -> u64 {
        until.saturating_duration_since(Instant::now()).as_millis().div_ceil(Duration::from_secs(1).as_millis()) as u64
    }
}

/// A problem of the connection that fits a status line.
fn short(error: &ClientError) -> String {
    match error {
        ClientError::Unreachable { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}
