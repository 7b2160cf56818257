//! Applies the server's answers to the state.

use kabar::client::{ClientError, Message, Reply, Summary, Target};
use kabar::name::Name;

use crate::cli::chat::conversation::Older;
use crate::cli::chat::effect::{Effect, Question};
use crate::cli::chat::read_mark::Count;
use crate::cli::chat::state::Chat;

impl Chat {
    /// The reply to a question.
    pub(super) fn answer(&mut self, question: Question, answer: Result<Reply, ClientError>) -> Vec<Effect> {
        let reply = match answer {
            Ok(reply) => reply,
            Err(error) => {
                self.unanswered(&question, &error);
                return Vec::new();
            }
        };
        match question {
            Question::Online => {
                self.online = reply.names().into_iter().filter(|name| Name::parse(name).is_ok()).collect();
            }
            Question::Conversations => self.conversations(&reply),
            Question::History { of, .. } => self.history(&of, &reply),
            Question::Members { group } => self.members(&group, reply.names()),
            Question::MarkRead { of, upto } => self.conversation(&of).read.answered(upto),
            Question::Acknowledge(_) => {}
            Question::Command(line) => return self.command_done(&line, &reply),
        }
        Vec::new()
    }

    fn unanswered(&mut self, question: &Question, error: &ClientError) {
        match question {
            // Requests left open by the session's end are sent anew.
            _ if !is_refused(error) => {}
            Question::History { of, .. } => {
                self.conversation(of).is_loading = false;
                self.notice(&explain(error));
            }
            Question::MarkRead { of, upto } => self.conversation(of).read.answered(*upto),
            Question::Acknowledge(_) => {}
            _ => self.notice(&explain(error)),
        }
    }

    /// The server's list, with its counts.
    fn conversations(&mut self, reply: &Reply) {
        self.has_more = reply.more;
        for summary in reply.conversations() {
            let Ok(target) = Target::of_conversation(&summary.conversation) else { continue };
            let newest = summary.last.as_ref().map_or(0, |last| last.id);
            if self.closed.get(&target.key()).is_some_and(|closed| newest <= *closed) {
                continue;
            }
            let me = self.me.clone();
            let conversation = self.conversation(&target);
            if matches!(target, Target::User(_)) {
                conversation.name = summary.name;
            }
            if let Some(last) = &summary.last {
                conversation.add(last);
            }
            let Summary { mark, unread, unread_more: is_more, .. } = summary;
            let known: Vec<u64> = conversation.ids_of_others(&me).collect();
            conversation.read.count(&Count { mark, unread, is_more, newest }, known.into_iter());
        }
        self.see();
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
        match answer.map(|reply| reply.receipt()) {
            Ok(Some(receipt)) => {
                self.unsent.confirmed(number);
                let conversation = self.conversation(to);
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
                self.see();
                if receipt.delivered == Some(false) {
                    self.notice("kept until the other server is back");
                }
            }
            Ok(None) => self.refused(number, to, "no receipt"),
            Err(error) if is_refused(&error) => self.refused(number, to, &explain(&error)),
            // It is sent again, under its number, by the next session.
            Err(_) => {}
        }
    }
}

/// Whether the error is about the request, and not about the session or the connection.
fn is_refused(error: &ClientError) -> bool {
    matches!(error, ClientError::Refused(_) | ClientError::UnknownOutcome | ClientError::SeveralLines)
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
