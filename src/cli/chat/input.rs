//! Keys, pastes, and what a line of input does.

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use kabar::client::Target;

use crate::cli::chat::command::{self, Input, WORDS};
use crate::cli::chat::completion::complete;
use crate::cli::chat::conversation::Older;
use crate::cli::chat::editor::Editor;
use crate::cli::chat::effect::{Effect, Question};
use crate::cli::chat::state::{Chat, Link, Paste};
use crate::cli::client::shown::safe;

/// Lines of a paste that may be sent at a time.
const PASTED: usize = 500;
/// Why nothing more is taken.
const FULL: &str = "too much waits for the server already: first that has to go";

impl Chat {
    /// An event of the terminal.
    pub(super) fn terminal(&mut self, event: TerminalEvent) -> Vec<Effect> {
        match event {
            TerminalEvent::Key(key) if key.kind != KeyEventKind::Release => self.key(key),
            TerminalEvent::Paste(text) => {
                match &mut self.password {
                    Some(password) => password.insert(text.trim_end()),
                    None => self.pasted(&text),
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn key(&mut self, key: KeyEvent) -> Vec<Effect> {
        self.hint.clear();
        if self.password.is_some() {
            return self.password_key(key);
        }
        if let Some(paste) = self.paste.take() {
            return self.answer_paste(paste, key);
        }
        if key.code != KeyCode::Tab {
            self.completions.clear();
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return self.control_key(key.code);
        }
        if key.modifiers.contains(KeyModifiers::ALT) {
            return self.alt_key(key.code);
        }
        match key.code {
            KeyCode::Enter => return self.enter(),
            KeyCode::Tab => self.complete(),
            KeyCode::Char(character) => self.editor.insert(character.encode_utf8(&mut [0; 4])),
            KeyCode::Backspace => self.editor.backspace(),
            KeyCode::Delete => self.editor.delete(),
            KeyCode::Left => self.editor.left(),
            KeyCode::Right => self.editor.right(),
            KeyCode::Home => self.editor.home(),
            KeyCode::End => self.editor.end(),
            KeyCode::Up => self.editor.recall_older(),
            KeyCode::Down => self.editor.recall_newer(),
            KeyCode::PageUp => return self.page_up(),
            KeyCode::PageDown => self.page_down(),
            KeyCode::Esc => self.scroll_to_end(),
            _ => {}
        }
        Vec::new()
    }

    fn control_key(&mut self, code: KeyCode) -> Vec<Effect> {
        match code {
            KeyCode::Char('a') => self.editor.home(),
            KeyCode::Char('e') => self.editor.end(),
            KeyCode::Char('b') => self.editor.left(),
            KeyCode::Char('f') => self.editor.right(),
            KeyCode::Char('h') => self.editor.backspace(),
            KeyCode::Char('k') => self.editor.kill_to_end(),
            KeyCode::Char('u') => self.editor.kill_to_start(),
            KeyCode::Char('w') => self.editor.kill_word(),
            KeyCode::Char('y') => self.editor.yank(),
            KeyCode::Char('n') => return self.move_open(1),
            KeyCode::Char('p') => return self.move_open(-1),
            KeyCode::Char('r') => return self.try_again(),
            KeyCode::Char('c') if !self.editor.text().is_empty() => drop(self.editor.take()),
            KeyCode::Char('c') => self.hint = "Ctrl-D or /quit leaves".to_owned(),
            KeyCode::Char('d') if self.editor.text().is_empty() => return vec![Effect::Quit],
            KeyCode::Char('d') => self.editor.delete(),
            KeyCode::Left => self.editor.word_left(),
            KeyCode::Right => self.editor.word_right(),
            _ => {}
        }
        Vec::new()
    }

    fn alt_key(&mut self, code: KeyCode) -> Vec<Effect> {
        match code {
            KeyCode::Char('b') => self.editor.word_left(),
            KeyCode::Char('f') => self.editor.word_right(),
            KeyCode::Backspace => self.editor.kill_word(),
            KeyCode::Down => return self.move_open(1),
            KeyCode::Up => return self.move_open(-1),
            KeyCode::Char('a') => return self.next_unread(),
            _ => {}
        }
        Vec::new()
    }

    /// Tries again what failed: to connect, to log in, or to send.
    fn try_again(&mut self) -> Vec<Effect> {
        match self.link {
            Link::LoggedOut(_) => self.password = Some(Editor::default()),
            Link::Online => return self.send_failed_again(),
            _ => return vec![Effect::RetryNow],
        }
        Vec::new()
    }

    fn password_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let Some(password) = &mut self.password else { return Vec::new() };
        match (key.code, key.modifiers.contains(KeyModifiers::CONTROL)) {
            (KeyCode::Enter, _) => return vec![Effect::LogIn],
            (KeyCode::Esc, _) | (KeyCode::Char('c' | 'd'), true) => self.password = None,
            (KeyCode::Char('u'), true) => drop(password.take()),
            (KeyCode::Backspace, _) => password.backspace(),
            (KeyCode::Char(character), false) => password.insert(character.encode_utf8(&mut [0; 4])),
            _ => {}
        }
        Vec::new()
    }

    fn enter(&mut self) -> Vec<Effect> {
        let line = self.editor.take();
        let input = command::parse(&line);
        if let Input::Text(text) | Input::Message { text, .. } = &input
            && !self.unsent.has_room(1, text.len())
        {
            FULL.clone_into(&mut self.hint);
            self.editor.set(line);
            return Vec::new();
        }
        // A password does not stay in the history.
        if !matches!(&input, Input::Nothing | Input::Join { .. }) && !line.contains("passw") {
            self.editor.remember(&line);
        }
        self.act(input)
    }

    /// Does what a line of input means.
    pub(super) fn act(&mut self, input: Input) -> Vec<Effect> {
        match input {
            Input::Nothing => Vec::new(),
            Input::Text(text) => self.say(&text),
            Input::Message { to, text } => {
                let effect = self.send(&to, &text);
                let mut effects = self.open(to);
                effects.push(effect);
                effects
            }
            Input::Open(target) => self.open(target),
            Input::Join { group, password } => ask(format!("joingroup {group} {password}").trim_end()),
            Input::Leave(group) => self.leave(group),
            Input::Who => self.who(),
            Input::Realms => ask("realms"),
            Input::OlderMessages => self.page_up(),
            Input::NextUnread => self.next_unread(),
            Input::Close => {
                if let Some(open) = self.open.clone() {
                    self.close(&open);
                }
                Vec::new()
            }
            Input::Help => {
                self.help();
                Vec::new()
            }
            Input::Quit => vec![Effect::Quit],
            Input::Request(line) => ask(line.trim_end()),
            Input::Wrong(problem) => {
                self.notice(&problem);
                Vec::new()
            }
        }
    }

    fn say(&mut self, text: &str) -> Vec<Effect> {
        match self.open.clone() {
            Some(target) => vec![self.send(&target, text)],
            None => {
                self.hint = "nobody is listening yet: /to NAME, or Ctrl-N for the next conversation".to_owned();
                self.editor.set(text.to_owned());
                Vec::new()
            }
        }
    }

    fn leave(&mut self, group: Option<String>) -> Vec<Effect> {
        match (group, &self.open) {
            (Some(group), _) => ask(&format!("leavegroup {group}")),
            (None, Some(Target::Group(address))) => ask(&format!("leavegroup {address}")),
            (None, _) => {
                self.notice("/part GROUP: this is no group");
                Vec::new()
            }
        }
    }

    fn who(&mut self) -> Vec<Effect> {
        match &self.open {
            Some(Target::Group(address)) if address.realm.is_none() => ask(&format!("members {address}")),
            _ => ask("showuseractive"),
        }
    }

    fn help(&mut self) {
        for (word, what) in WORDS {
            self.notice(&format!("{word:<23} {what}"));
        }
        self.notice("Ctrl-N Ctrl-P conversations · PgUp PgDn messages · Tab completes · Esc to the end");
        if self.open.is_none() {
            self.hint = "/to NAME talks to somebody; the commands are on the page".to_owned();
        }
    }

    pub(super) fn move_open(&mut self, step: isize) -> Vec<Effect> {
        let sorted: Vec<Target> = self.sorted().into_iter().map(|conversation| conversation.target.clone()).collect();
        let count = sorted.len() as isize;
        let at = self.open.as_ref().and_then(|open| sorted.iter().position(|target| target == open));
        let next = at.map_or(0, |at| (at as isize + step).rem_euclid(count.max(1)));
        sorted.into_iter().nth(next as usize).map_or_else(Vec::new, |target| self.open(target))
    }

    fn next_unread(&mut self) -> Vec<Effect> {
        let mut sorted = self.sorted().into_iter();
        match sorted.rfind(|conversation| conversation.read.unread() > 0) {
            Some(conversation) => self.open(conversation.target.clone()),
            None => {
                self.hint = "nothing new".to_owned();
                Vec::new()
            }
        }
    }

    fn page_up(&mut self) -> Vec<Effect> {
        let page = self.page.saturating_sub(1).max(1);
        let Some(conversation) = self.opened() else { return Vec::new() };
        conversation.scroll += page;
        let Older::Before(before) = conversation.older else { return Vec::new() };
        if !conversation.is_at_top || conversation.is_loading {
            return Vec::new();
        }
        conversation.is_loading = true;
        vec![Effect::Ask(Question::History { of: conversation.target.clone(), before: Some(before) })]
    }

    fn page_down(&mut self) {
        let page = self.page.saturating_sub(1).max(1);
        if let Some(conversation) = self.opened() {
            conversation.scroll = conversation.scroll.saturating_sub(page);
        }
        self.see();
    }

    fn scroll_to_end(&mut self) {
        if let Some(conversation) = self.opened() {
            conversation.scroll = 0;
        }
        self.see();
    }

    /// Completes, or goes on to the next completion.
    fn complete(&mut self) {
        if self.completions.is_empty() {
            let names = self.names();
            self.completions = complete(self.editor.before_cursor(), command::words(), &names);
        } else {
            self.completions.rotate_left(1);
        }
        if let Some(first) = self.completions.first() {
            self.editor.replace_before(first);
        }
        let several = self.completions.len() > 1;
        self.hint = if several {
            self.completions.iter().map(|text| text.trim()).collect::<Vec<_>>().join("  ")
        } else {
            String::new()
        };
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.online.iter().cloned().collect();
        names.extend(
            self.conversations
                .iter()
                .flat_map(|conversation| conversation.members.iter().cloned().chain([conversation.target.to_string()])),
        );
        names.retain(|name| !name.eq_ignore_ascii_case(&self.me));
        names
    }

    /// One line is typed; several are sent only after a question, because a paste is soon made in the wrong window.
    fn pasted(&mut self, text: &str) {
        let lines = text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
        let lines: Vec<String> = lines.map(safe).collect();
        match &lines[..] {
            [] => {}
            [line] => self.editor.insert(line),
            _ if self.open.is_none() => self.hint = "open a conversation first: /to NAME".to_owned(),
            lines if lines.len() > PASTED => self.hint = format!("{} lines are too many: send a link", lines.len()),
            lines if !self.unsent.has_room(lines.len(), lines.iter().map(String::len).sum()) => {
                FULL.clone_into(&mut self.hint);
            }
            _ => self.paste = Some(Paste { lines }),
        }
    }

    fn answer_paste(&mut self, paste: Paste, key: KeyEvent) -> Vec<Effect> {
        match (key.code, self.open.clone()) {
            (KeyCode::Char('y'), Some(target)) => paste.lines.iter().map(|line| self.send(&target, line)).collect(),
            (KeyCode::Char('j'), _) => {
                self.editor.insert(&paste.lines.join(" "));
                Vec::new()
            }
            (KeyCode::Char('n') | KeyCode::Esc, _) => {
                self.hint = "nothing was sent".to_owned();
                Vec::new()
            }
            _ => {
                self.paste = Some(paste);
                Vec::new()
            }
        }
    }
}

fn ask(line: &str) -> Vec<Effect> {
    vec![Effect::Ask(Question::Command(line.to_owned()))]
}
