//! The state of the chat: what is known and what is shown. Pure: it takes what happened and says what is to be done.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use kabar::client::{ClientError, Event, GroupChange, Incoming, Message, Reply, Target};

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
    is_known: bool,
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

    /// The reply to a question.
    pub(super) fn answer(&mut self, question: Question, answer: Result<Reply, ClientError>) -> Vec<Effect> {
        let reply = match answer {
            Ok(reply) => reply,
            Err(error) => {
                if let Question::History { of, .. } = &question {
                    self.conversation(of).is_loading = false;
                }
                self.notice(&explain(&error));
                return Vec::new();
            }
        };
        match question {
            Question::Groups => {
                let groups = reply.names().into_iter().map(|group| format!("group:{group}"));
                groups.filter_map(|group| Target::parse(&group).ok()).for_each(|target| {
                    self.conversation(&target);
                });
            }
            Question::Online => self.online = reply.names().into_iter().collect(),
            Question::Overview => {
                self.is_known = true;
                reply.messages().iter().for_each(|message| self.known(message));
            }
            Question::Unread => self.unread_messages(&reply.messages()),
            Question::History { of, .. } => self.history(&of, &reply),
            Question::Members { group } => self.members(&group, reply.names()),
            Question::Acknowledge(_) => {}
            Question::Command(line) => return self.command_done(&line, &reply),
        }
        Vec::new()
    }

    /// A message of the past.
    fn known(&mut self, message: &Message) {
        if let Ok(target) = Target::of(message, &self.me) {
            self.conversation(&target).add(message);
            self.unread.saw(message.id);
        }
    }

    fn unread_messages(&mut self, messages: &[Message]) {
        for message in messages {
            self.known(message);
            if let Ok(target) = Target::of(message, &self.me)
                && self.open.as_ref() != Some(&target)
            {
                self.unread.add(&target, message.id);
            }
        }
    }

    fn history(&mut self, of: &Target, reply: &Reply) {
        let conversation = self.conversation(of);
        conversation.is_loading = false;
        for message in reply.messages() {
            // A direct history has what was said in groups, too, under other targets: each has its own.
            conversation.add(&message);
        }
        conversation.older = match reply.before {
            Some(before) if reply.more => Older::Before(before),
            _ => Older::Nothing,
        };
    }

    fn members(&mut self, group: &str, mut names: Vec<String>) {
        names.sort_by_key(|name| name.to_ascii_lowercase());
        if let Ok(target) = Target::parse(&format!("group:{group}")) {
            self.conversation(&target).members = names;
        }
    }

    /// Shows what the server answered to a command.
    fn command_done(&mut self, line: &str, reply: &Reply) -> Vec<Effect> {
        let mut words = line.split(' ');
        let (word, group) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let names = reply.names();
        self.notice(&reply.message);
        if !names.is_empty() && !reply.message.contains(&names[0]) {
            self.notice(&names.join("  "));
        } else if let Some(items) = reply.data.as_array().filter(|items| items.iter().any(serde_json::Value::is_object))
        {
            let lines: Vec<String> = items.iter().map(fields).collect();
            lines.iter().for_each(|line| self.notice(line));
        } else if word == "info" && reply.data.is_object() {
            self.notice(&fields(&reply.data));
        }
        match (word, Target::parse(&format!("group:{group}"))) {
            ("joingroup" | "addgroup" | "creategroup", Ok(target)) => self.open(target),
            ("leavegroup" | "delgroup", Ok(target)) => {
                self.close(&target);
                Vec::new()
            }
            ("logout" | "unregister", _) => vec![Effect::Quit],
            _ => Vec::new(),
        }
    }

    /// The receipt of a message, or why it was refused.
    pub(super) fn sent(&mut self, number: u64, to: &Target, answer: Result<Reply, ClientError>) {
        let me = self.me.clone();
        let conversation = self.conversation(to);
        match answer.map(|reply| reply.receipt()) {
            Ok(Some(receipt)) => {
                let Some(text) = conversation.take_pending(number) else { return };
                conversation.add(&Message {
                    msg_from: String::new(),
                    msg_to: String::new(),
                    msg: text,
                    from: me,
                    to: to.to_string(),
                    kind: String::new(),
                    realm: None,
                    id: receipt.id,
                    time: receipt.time,
                });
                self.unread.saw(receipt.id);
                if receipt.delivered == Some(false) {
                    self.notice("kept until the other server is back");
                }
            }
            Ok(None) => conversation.fail_pending(number, "no receipt"),
            Err(error) => conversation.fail_pending(number, &explain(&error)),
        }
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

fn fields(item: &serde_json::Value) -> String {
    let Some(fields) = item.as_object() else { return item.to_string() };
    let shown = fields.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| match value.as_str() {
        Some(text) => format!("{name} {text}"),
        None => format!("{name} {value}"),
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn explain(error: &ClientError) -> String {
    match error {
        ClientError::Refused(reply) => match &reply.detail {
            Some(detail) => format!("{} ({detail})", reply.message),
            None => reply.message.clone(),
        },
        other => other.to_string(),
    }
}

/// A problem of the connection that fits a status line.
fn short(error: &ClientError) -> String {
    match error {
        ClientError::Unreachable { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}
