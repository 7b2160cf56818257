//! What the server's answers change.

use kabar::client::{ClientError, Message, Reply, Target};

use crate::cli::chat::conversation::Older;
use crate::cli::chat::state::{Chat, Effect, Question};

impl Chat {
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
