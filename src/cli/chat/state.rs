//! The state of the chat: what is known and what is shown. Pure: it takes what happened and says what is to be done.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kabar::client::{ClientError, Event, GroupChange, Incoming, Message, Target};
use kabar::name::Name;

use crate::cli::chat::conversation::{Conversation, Older, is_named};
use crate::cli::chat::editor::Editor;
use crate::cli::chat::effect::{Effect, Question};
use crate::cli::chat::unsent::Unsent;
use crate::cli::client::shown::safe;
use crate::cli::client::unsent_file::UnsentMessage;

/// The connection.
#[derive(Debug)]
pub(super) enum Link {
    Connecting,
    Online,
    Waiting {
        problem: String,
        until: Instant,
    },
    /// The session is over, and a person may log in again.
    LoggedOut(String),
    LoggingIn,
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
    pub(super) online: BTreeSet<String>,
    pub(super) editor: Editor,
    /// A password that is being typed, to log in again.
    pub(super) password: Option<Editor>,
    pub(super) paste: Option<Paste>,
    /// A sentence on the status line, until the next key.
    pub(super) hint: String,
    pub(super) completions: Vec<String>,
    /// The height of the log, as it was drawn.
    pub(super) page: usize,
    pub(super) has_colour: bool,
    /// This user wrote too fast for the server: until then, nothing is sent.
    pub(super) slowed_until: Option<Instant>,
    pub(super) unsent: Unsent,
    /// The server's list of conversations was read, and is not out of date.
    pub(super) is_counted: bool,
    /// There are conversations that are not in the list here.
    pub(super) has_more: bool,
    /// Conversations that were taken off the list, with their newest message then.
    pub(super) closed: BTreeMap<String, u64>,
    /// The inbox cursor that the server was sent last.
    acknowledged: u64,
}

impl Chat {
    pub(super) fn new(server: &str, me: &str, has_colour: bool) -> Self {
        Self {
            me: me.to_owned(),
            server: server.to_owned(),
            link: Link::Connecting,
            conversations: Vec::new(),
            open: None,
            online: BTreeSet::new(),
            editor: Editor::default(),
            password: None,
            paste: None,
            hint: String::new(),
            completions: Vec::new(),
            page: 1,
            has_colour,
            slowed_until: None,
            unsent: Unsent::default(),
            is_counted: false,
            has_more: false,
            closed: BTreeMap::new(),
            acknowledged: 0,
        }
    }

    pub(super) fn take(&mut self, incoming: Incoming) -> Vec<Effect> {
        match incoming {
            Incoming::Connected { user } => return self.connected(user),
            Incoming::Disconnected { error, retry_in } => {
                self.link = Link::Waiting { problem: short(&error), until: Instant::now() + retry_in };
            }
            Incoming::SlowedDown { retry_in } => self.slowed_until = Some(Instant::now() + retry_in),
            Incoming::Ended(error @ ClientError::SessionEnded { .. }) => {
                let reason = error.to_string();
                self.link = Link::LoggedOut(reason.trim_end_matches(": log in again").to_owned());
            }
            Incoming::Ended(error) => self.link = Link::Ended(error.to_string()),
            Incoming::Event(event) => return self.event(event),
        }
        Vec::new()
    }

    fn connected(&mut self, user: String) -> Vec<Effect> {
        self.me = safe(&user);
        self.link = Link::Online;
        self.is_counted = true;
        vec![Effect::Ask(Question::Online), Effect::Ask(Question::Conversations)]
    }

    fn event(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Message(message) => return self.message(&message),
            // A name that is none could not be completed or written to.
            Event::Presence { user, online: true } if Name::parse(&user).is_ok() => {
                self.online.insert(user);
            }
            Event::Presence { online: true, .. } => {}
            Event::Presence { user, online: false } => {
                self.online.remove(&user);
            }
            Event::Group(change) => return self.group_changed(&change),
            Event::Read { conversation, mark } => self.read_elsewhere(&conversation, mark),
            // What it leaves unread in each conversation is for the server to count.
            Event::Inbox { cursor } => {
                self.acknowledged = self.acknowledged.max(cursor);
                self.is_counted = false;
            }
            Event::Reset { after } => self.reset(after),
            Event::Truncated { .. } | Event::Lagged | Event::SessionEnded { .. } | Event::Unknown => {}
        }
        Vec::new()
    }

    fn message(&mut self, message: &Message) -> Vec<Effect> {
        let Ok(target) = Target::of(message, &self.me) else { return Vec::new() };
        let is_own = message.is_from(&self.me) && !message.to.eq_ignore_ascii_case(&self.me);
        let conversation = self.conversation(&target);
        conversation.add(message);
        conversation.read.arrived(message.id, is_own);
        if !is_own && conversation.name.is_empty() && message.kind == "direct" {
            message.msg_from.clone_into(&mut conversation.name);
        }
        self.see();
        let is_meant = message.kind == "direct" || is_named(&self.me, &message.msg);
        if is_meant && !is_own { vec![Effect::Ring] } else { Vec::new() }
    }

    fn read_elsewhere(&mut self, conversation: &str, mark: u64) {
        let Ok(target) = Target::of_conversation(conversation) else { return };
        let conversation = self.conversation(&target);
        let newest = conversation.newest();
        self.is_counted &= conversation.read.moved(mark, newest);
    }

    /// The server was restored from a backup.
    fn reset(&mut self, after: u64) {
        self.conversations.iter_mut().for_each(|conversation| conversation.reset(after));
        (self.acknowledged, self.is_counted) = (self.acknowledged.min(after), false);
        self.notice("the server was restored from a backup: what was said after it is gone");
    }

    /// Marks the open conversation read if its end is on the screen.
    pub(super) fn see(&mut self) {
        if let Some(conversation) = self.opened().filter(|conversation| conversation.scroll == 0) {
            let newest = conversation.newest();
            conversation.read.read(newest);
        }
    }

    /// The newest message of all, once the server's list is known.
    pub(super) fn newest(&self) -> Option<u64> {
        self.conversations.iter().map(Conversation::newest).max().filter(|newest| *newest > 0)
    }

    pub(super) fn unread(&self) -> u64 {
        self.conversations.iter().map(|conversation| conversation.read.unread()).fold(0, u64::saturating_add)
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
        let ((number, effect), me) = (self.unsent.add(to, text), self.me.clone());
        let conversation = self.conversation(to);
        conversation.scroll = 0;
        conversation.ruler = None;
        conversation.add_pending(number, &me, text);
        effect
    }

    /// Sends the messages that earlier chats could not send.
    pub(super) fn take_over(&mut self, left: Vec<UnsentMessage>, now: Timestamp) -> Vec<Effect> {
        let me = self.me.clone();
        for message in left {
            let text = message.text.clone();
            let Some((number, to)) = self.unsent.adopt(message) else { continue };
            self.conversation(&to).add_pending(number, &me, &text);
            if self.unsent.is_unknown(number, now) {
                self.refused(number, &to, &ClientError::UnknownOutcome.to_string());
            }
        }
        let effects = self.unsent.send_all();
        if !effects.is_empty() {
            self.hint = format!("unsent messages of the last time: {}", effects.len());
        }
        effects
    }

    /// The message was not sent, for this reason.
    pub(super) fn refused(&mut self, number: u64, to: &Target, reason: &str) {
        self.unsent.set_refused(number, true);
        self.conversation(to).fail_pending(number, reason);
    }

    pub(super) fn is_online(&self) -> bool {
        matches!(self.link, Link::Online)
    }

    /// Whether something is on its way that the server soon has. Without a connection the next chat sends it.
    pub(super) fn is_sending(&self) -> bool {
        let is_ahead = |conversation: &Conversation| conversation.read.is_ahead();
        self.is_online() && (self.unsent.pending().next().is_some() || self.conversations.iter().any(is_ahead))
    }

    /// Sends refused messages of the open conversation again.
    pub(super) fn send_failed_again(&mut self) -> Vec<Effect> {
        let Some(conversation) = self.opened() else { return Vec::new() };
        let numbers = conversation.send_failed_again();
        numbers.iter().for_each(|number| self.unsent.set_refused(*number, false));
        numbers.into_iter().filter_map(|number| self.unsent.send(number)).collect()
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
        let conversation = self.conversation(&target);
        conversation.ruler = (conversation.read.unread() > 0).then(|| conversation.read.mark());
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
        self.see();
        effects
    }

    pub(super) fn close(&mut self, target: &Target) {
        let newest = self.conversation(target).newest();
        self.closed.insert(target.key(), newest);
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

    /// Once a second: the server is told what was read. If that is everything, the inbox cursor follows.
    pub(super) fn tick(&mut self, now: Instant) -> Vec<Effect> {
        self.slowed_until = self.slowed_until.filter(|until| *until > now);
        if !self.is_online() {
            return Vec::new();
        }
        if !self.is_counted {
            self.is_counted = true;
            return vec![Effect::Ask(Question::Conversations)];
        }
        let due = self.conversations.iter_mut().filter_map(|conversation| {
            Some(Question::MarkRead { upto: conversation.read.due(now)?, of: conversation.target.clone() })
        });
        let mut questions: Vec<Question> = due.collect();
        let newest = self.newest().unwrap_or(0);
        if questions.is_empty() && self.unread() == 0 && !self.has_more && newest > self.acknowledged {
            self.acknowledged = newest;
            questions.push(Question::Acknowledge(newest));
        }
        questions.into_iter().map(Effect::Ask).collect()
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
