//! The screen.
//!
//! Wide: conversations, the log, members of a group. Narrow: the log alone. Below it the status line and the input.

mod colour;
mod list;
mod log;
mod wrap;

use kabar::client::Target;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::cli::chat::command::WORDS;
use crate::cli::chat::state::{Chat, Link};
use crate::cli::client::shown::safe;

/// Columns from which the list of conversations is shown, and the members.
const WITH_LIST: u16 = 60;
const WITH_MEMBERS: u16 = 96;
const LIST: u16 = 20;
const MEMBERS: u16 = 18;

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, chat: &mut Chat) {
    let [header, body, status, input] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(1), Constraint::Length(1), Constraint::Length(1)])
            .areas(frame.area());
    draw_header(frame, chat, header);
    let width = body.width;
    let list = if width >= WITH_LIST { LIST } else { 0 };
    let has_members = matches!(chat.open, Some(Target::Group(_))) && width >= WITH_MEMBERS;
    let members = if has_members { MEMBERS } else { 0 };
    let [left, middle, right] =
        Layout::horizontal([Constraint::Length(list), Constraint::Min(1), Constraint::Length(members)]).areas(body);
    list::draw_conversations(frame, chat, left);
    match chat.open {
        Some(_) => log::draw(frame, chat, middle),
        None => draw_welcome(frame, chat, middle),
    }
    list::draw_members(frame, chat, right);
    draw_status(frame, chat, status);
    draw_input(frame, chat, input);
}

fn draw_header(frame: &mut Frame<'_>, chat: &Chat, area: Rect) {
    let title = match &chat.open {
        Some(Target::Group(group)) => {
            let count = chat.conversations.iter().find(|one| Some(&one.target) == chat.open.as_ref());
            let count = count.map_or(0, |one| one.members.len());
            if count > 0 { format!("group {group} · {count} members") } else { format!("group {group}") }
        }
        Some(Target::User(user)) => {
            let is_online = chat.online.iter().any(|name| name.eq_ignore_ascii_case(&user.to_string()));
            let presence = if user.realm.is_some() {
                ""
            } else if is_online {
                " · online"
            } else {
                " · away"
            };
            let found = chat.conversations.iter().find(|one| Some(&one.target) == chat.open.as_ref());
            let name = found.map(|one| one.name.as_str()).filter(|name| !name.is_empty() && *name != user.to_string());
            format!("{user}{}{presence}", name.map_or(String::new(), |name| format!(" · {}", safe(name))))
        }
        Some(Target::Everyone) => "everyone on this server".to_owned(),
        Some(Target::Server(name)) => safe(name),
        None => "kabar".to_owned(),
    };
    let bold = Style::new().add_modifier(Modifier::BOLD);
    frame.render_widget(Line::from(Span::styled(format!(" {title}"), bold)), area);
}

fn draw_welcome(frame: &mut Frame<'_>, chat: &Chat, area: Rect) {
    let mut lines = vec![Line::raw(format!(" You are {} at {}.", chat.me, chat.server)), Line::raw("")];
    if !chat.conversations.is_empty() {
        lines.push(Line::raw(" Ctrl-N opens the newest conversation."));
        lines.push(Line::raw(""));
    }
    for (word, what) in WORDS {
        lines.push(Line::from(vec![
            Span::styled(format!(" {word:<23}"), Modifier::BOLD),
            Span::raw(format!(" {what}")),
        ]));
    }
    let height = usize::from(area.height);
    lines.truncate(height);
    frame.render_widget(ratatui::text::Text::from(lines), area);
}

fn draw_status(frame: &mut Frame<'_>, chat: &Chat, area: Rect) {
    if area.is_empty() {
        return;
    }
    let reversed = Style::new().add_modifier(Modifier::REVERSED);
    let (text, is_bad) = match (&chat.paste, &chat.link) {
        (Some(paste), _) => (format!("send {} lines? y yes · n no · j join them into one", paste.lines.len()), true),
        (None, Link::LoggedOut(problem)) => (format!("Ctrl-R logs in again: {}", one_line(problem)), true),
        (None, Link::LoggingIn) => ("logging in …".to_owned(), true),
        (None, Link::Ended(problem)) => (format!("{} · Ctrl-D leaves", one_line(problem)), true),
        (None, Link::Waiting { problem, until }) => {
            let seconds = Chat::countdown(*until);
            let unsent = match chat.unsent.pending().count() {
                0 => String::new(),
                count => format!(" · {count} unsent"),
            };
            (format!("no connection: again in {seconds} s, Ctrl-R now{unsent} · {problem}"), true)
        }
        (None, Link::Connecting) => (format!("connecting to {} …", chat.server), true),
        (None, Link::Online) if !chat.hint.is_empty() => (chat.hint.clone(), false),
        (None, Link::Online) => (ready(chat, area.width), false),
    };
    let style = if is_bad { reversed.add_modifier(Modifier::BOLD) } else { reversed };
    let padded = format!(" {}{}", safe(&text), " ".repeat(usize::from(area.width)));
    frame.buffer_mut().set_stringn(area.x, area.y, padded, usize::from(area.width), style);
}

fn ready(chat: &Chat, width: u16) -> String {
    let scrolled = chat.conversations.iter().any(|one| Some(&one.target) == chat.open.as_ref() && one.scroll > 0);
    let scrolled = if scrolled { " · older messages, Esc to the newest" } else { "" };
    let slowed = chat.slowed_until.map_or(String::new(), |until| {
        format!(" · too fast for the server: sending on in {} s", Chat::countdown(until))
    });
    let unread = match chat.unread() {
        0 => String::new(),
        count => format!(" · {count} new, Alt-A"),
    };
    if width < WITH_LIST {
        return format!("{}{slowed}{unread}{scrolled}", chat.me);
    }
    format!("{} at {} · {} online{slowed}{unread}{scrolled}", chat.me, chat.server, chat.online.len())
}

fn draw_input(frame: &mut Frame<'_>, chat: &Chat, area: Rect) {
    let (prompt, (shown, cursor)) = match &chat.password {
        // Not even its length is shown.
        Some(_) => ("password: ", Default::default()),
        None => ("> ", chat.editor.window(usize::from(area.width).saturating_sub("> ".width() + 1))),
    };
    frame.render_widget(Line::from(vec![Span::styled(prompt, Modifier::DIM), Span::raw(shown)]), area);
    let x = area.x + (prompt.width() + cursor) as u16;
    frame.set_cursor_position(Position::new(x.min(area.right().saturating_sub(1)), area.y));
}

fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}
