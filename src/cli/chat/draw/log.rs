//! The log of the open conversation: the newest at the bottom, the place kept while it is scrolled.

use kabar::client::Target;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span, Text};
use unicode_width::UnicodeWidthStr;

use super::colour;
use super::wrap::{shorten, wrap};
use crate::cli::chat::conversation::{Conversation, Entry, EntryState, Older, is_named};
use crate::cli::chat::state::Chat;
use crate::cli::client::shown::{local_time, safe};

/// Columns of a name, and the width below which it takes only what it needs.
const NAME: usize = 12;
const WITH_COLUMN: usize = 56;
const TIME: usize = 6;

pub(super) fn draw(frame: &mut Frame<'_>, chat: &mut Chat, area: Rect) {
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area };
    let width = usize::from(area.width).saturating_sub(1);
    let height = usize::from(area.height);
    chat.page = height;
    let (has_colour, me) = (chat.has_colour, chat.me.clone());
    let Some(conversation) = chat.opened() else { return };
    let lines = visible(conversation, &me, width, height, has_colour);
    let top = area.y + (height - lines.len().min(height)) as u16;
    let place = Rect { y: top, height: area.bottom() - top, ..area };
    frame.render_widget(Text::from(lines), place);
}

/// The lines on the screen. Those below it are counted from the bottom, so that older messages move nothing.
fn visible(
    conversation: &mut Conversation,
    me: &str,
    width: usize,
    height: usize,
    has_colour: bool,
) -> Vec<Line<'static>> {
    let mut from_bottom: Vec<Line<'static>> = Vec::new();
    let added = std::mem::take(&mut conversation.added);
    let count = conversation.entries.len();
    let is_scrolled = conversation.scroll > 0;
    let first_new = conversation.first_new(me);
    for (place, entry) in conversation.entries.iter().enumerate().rev() {
        if from_bottom.len() > conversation.scroll + height {
            break;
        }
        let before = place.checked_sub(1).and_then(|place| conversation.entries.get(place));
        let mut lines = entry_lines(entry, before, me, width, has_colour);
        if first_new == Some(place) {
            lines.insert(0, ruled("new", width));
        }
        if is_scrolled && place + added >= count {
            conversation.scroll += lines.len();
        }
        from_bottom.extend(lines.into_iter().rev());
    }
    let is_all = from_bottom.len() <= conversation.scroll + height;
    if is_all {
        from_bottom.push(centred(beginning(conversation), width));
        conversation.scroll = conversation.scroll.min(from_bottom.len().saturating_sub(height));
    }
    conversation.is_at_top = is_all;
    let mut lines: Vec<_> = from_bottom.into_iter().skip(conversation.scroll).take(height).collect();
    lines.reverse();
    lines
}

fn beginning(conversation: &Conversation) -> &'static str {
    match (conversation.older, &conversation.target) {
        _ if conversation.is_loading => "reading …",
        (Older::Before(_), _) => "PgUp: older messages",
        (Older::Nothing, _) if conversation.entries.is_empty() => "nothing was said here yet",
        (Older::Nothing, _) => "the beginning",
        (Older::Unknown, Target::Everyone) => "what is said here is heard by everyone on this server",
        (Older::Unknown, _) => "",
    }
}

fn entry_lines(entry: &Entry, before: Option<&Entry>, me: &str, width: usize, has_colour: bool) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let (date, time) = if entry.time.is_empty() { Default::default() } else { local_time(&entry.time) };
    let last_date = before.filter(|before| !before.time.is_empty()).map(|before| local_time(&before.time).0);
    if !date.is_empty() && (before.is_none() || last_date.is_some_and(|last| last != date)) {
        lines.push(ruled(&date, width));
    }
    if entry.state == EntryState::Notice {
        let dim = Style::new().add_modifier(Modifier::DIM);
        let wrapped = wrap(&safe(&entry.text), width.saturating_sub(TIME), width.saturating_sub(TIME));
        lines.extend(wrapped.into_iter().map(|line| Line::from(Span::styled(format!("{:TIME$}{line}", ""), dim))));
        return lines;
    }
    lines.extend(message_lines(entry, &time, me, width, has_colour));
    lines
}

fn message_lines(entry: &Entry, time: &str, me: &str, width: usize, has_colour: bool) -> Vec<Line<'static>> {
    let dim = Style::new().add_modifier(Modifier::DIM);
    let (mark, style, text) = match &entry.state {
        EntryState::Pending(_) => ("  …", dim, safe(&entry.text)),
        EntryState::Failed(_, reason) => {
            ("!", Style::new(), format!("{} — not sent, Ctrl-R again: {}", safe(&entry.text), safe(reason)))
        }
        _ => (time, Style::new(), safe(&entry.text)),
    };
    let name = shorten(&safe(&entry.from), NAME);
    let pad = if width >= WITH_COLUMN { NAME.saturating_sub(name.width()) } else { 0 };
    let begin = TIME + pad + name.width() + 1;
    let indent = if width >= WITH_COLUMN { begin } else { TIME };
    let mut rows = wrap(&text, width.saturating_sub(begin), width.saturating_sub(indent)).into_iter();
    let mut of_name = colour::of(&entry.from, has_colour);
    if !entry.from.eq_ignore_ascii_case(me) && is_named(me, &entry.text) {
        of_name = of_name.add_modifier(Modifier::REVERSED);
    }
    let head = vec![
        Span::styled(format!("{mark:<TIME$}{}", " ".repeat(pad)), dim),
        Span::styled(name, of_name),
        Span::styled(format!(" {}", rows.next().unwrap_or_default()), style),
    ];
    let rest = rows.map(|row| Line::from(Span::styled(format!("{:indent$}{row}", ""), style)));
    std::iter::once(Line::from(head)).chain(rest).collect()
}

fn ruled(text: &str, width: usize) -> Line<'static> {
    let side = "─".repeat(width.saturating_sub(text.width() + 2) / 2);
    Line::from(Span::styled(format!("{side} {text} {side}"), Modifier::DIM))
}

fn centred(text: &str, width: usize) -> Line<'static> {
    let side = " ".repeat(width.saturating_sub(text.width()) / 2);
    Line::from(Span::styled(format!("{side}{text}"), Modifier::DIM))
}
