//! The lists at the sides: conversations and members.

use kabar::client::Target;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Borders};
use unicode_width::UnicodeWidthStr;

use super::colour;
use super::wrap::shorten;
use crate::cli::chat::conversation::Conversation;
use crate::cli::chat::state::Chat;
use crate::cli::client::shown::safe;

/// The conversations, around the open one if they are too many.
pub(super) fn draw_conversations(frame: &mut Frame<'_>, chat: &Chat, area: Rect) {
    let block = Block::new().borders(Borders::RIGHT).border_style(Modifier::DIM);
    let inner = block.inner(area);
    if inner.width == 0 {
        return;
    }
    frame.render_widget(block, area);
    let sorted = chat.sorted();
    let height = usize::from(inner.height);
    let open = sorted.iter().position(|conversation| Some(&conversation.target) == chat.open.as_ref());
    let first = open.map_or(0, |open| (open + 1).saturating_sub(height));
    let rows = sorted.into_iter().skip(first).take(height);
    let lines: Vec<Line<'_>> = rows.map(|conversation| row(chat, conversation, usize::from(inner.width))).collect();
    frame.render_widget(Text::from(lines), inner);
}

fn row(chat: &Chat, conversation: &Conversation, width: usize) -> Line<'static> {
    let unread = conversation.read.unread();
    let count = if unread > 0 { format!(" {}", conversation.read.shown()) } else { String::new() };
    let mark = mark(chat, &conversation.target);
    let name = name(&conversation.target);
    let name = shorten(&name, width.saturating_sub(count.width() + 3));
    let gap = width.saturating_sub(mark.width() + name.width() + count.width() + 1);
    let mut style = Style::new();
    if unread > 0 {
        style = style.add_modifier(Modifier::BOLD);
    }
    if Some(&conversation.target) == chat.open.as_ref() {
        style = style.add_modifier(Modifier::REVERSED);
    }
    Line::from(Span::styled(format!("{mark}{name}{}{count} ", " ".repeat(gap)), style))
}

/// A dot for who is online, a hash for a group.
fn mark(chat: &Chat, target: &Target) -> &'static str {
    match target {
        Target::Group(_) => "# ",
        Target::User(user) if chat.online.iter().any(|name| name.eq_ignore_ascii_case(&user.to_string())) => "• ",
        _ => "  ",
    }
}

fn name(target: &Target) -> String {
    match target {
        Target::Group(group) => group.to_string(),
        Target::Everyone => "everyone".to_owned(),
        other => safe(&other.to_string()),
    }
}

/// The members of the open group: who is online first.
pub(super) fn draw_members(frame: &mut Frame<'_>, chat: &Chat, area: Rect) {
    let block = Block::new().borders(Borders::LEFT).border_style(Modifier::DIM);
    let inner = block.inner(area);
    let open = chat.conversations.iter().find(|conversation| Some(&conversation.target) == chat.open.as_ref());
    let Some(conversation) = open.filter(|_| inner.width > 0) else { return };
    frame.render_widget(block, area);
    let is_online = |name: &String| chat.online.contains(name);
    let mut members: Vec<&String> = conversation.members.iter().collect();
    members.sort_by_key(|name| !is_online(name));
    let lines: Vec<Line<'_>> = members
        .into_iter()
        .map(|name| {
            let (mark, style) = if is_online(name) {
                ("•", colour::of(name, chat.has_colour))
            } else {
                (" ", Style::new().add_modifier(Modifier::DIM))
            };
            Line::from(vec![
                Span::raw(format!(" {mark} ")),
                Span::styled(shorten(name, usize::from(inner.width) - 3), style),
            ])
        })
        .collect();
    frame.render_widget(Text::from(lines), inner);
}
