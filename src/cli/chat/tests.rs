//! The screen of a state, without a terminal.

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};
use kabar::client::{Event, Incoming, Message, Reply, Target};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::cli::chat::draw::draw;
use crate::cli::chat::state::{Chat, Effect, Question};

fn chat() -> Chat {
    let mut chat = Chat::new("127.0.0.1:8889", "messi", true);
    chat.take(Incoming::Connected { user: "messi".into() });
    let ok = Reply { status: "OK".into(), ..Reply::default() };
    chat.answer(Question::Overview, Ok(ok));
    chat
}

fn screen(chat: &mut Chat, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, chat)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    let row = |y| (0..width).map(|x| buffer[(x, y)].symbol().to_owned()).collect::<String>();
    (0..height).map(row).collect()
}

fn message(id: u64, text: &str) -> Message {
    Message {
        msg_from: "Neko".into(),
        msg_to: "Messi".into(),
        msg: text.into(),
        from: "neko".into(),
        to: "messi".into(),
        kind: "direct".into(),
        realm: None,
        id,
        time: "2026-11-21T14:10:10.103Z".into(),
    }
}

fn hears(chat: &mut Chat, id: u64, text: &str) {
    chat.take(Incoming::Event(Event::Message(message(id, text))));
}

fn press(chat: &mut Chat, code: KeyCode) -> Vec<Effect> {
    chat.terminal(TerminalEvent::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

fn neko() -> Target {
    Target::parse("neko").unwrap()
}

#[test]
fn every_size_can_be_drawn() {
    let mut chat = chat();
    for open in [None, Some(neko()), Some(Target::parse("group:fans").unwrap())] {
        if let Some(target) = open {
            chat.open(target);
        }
        hears(&mut chat, 7, "日本語 👩‍🚀 a rather long text that has to be broken somewhere, whatever the width is");
        for width in 1..130 {
            for height in [1, 2, 3, 4, 10, 24] {
                screen(&mut chat, width, height);
            }
        }
    }
}

#[test]
fn a_message_that_comes_moves_nothing_under_the_eyes_of_a_reader() {
    let mut chat = chat();
    chat.open(neko());
    (1..100).for_each(|id| hears(&mut chat, id, &format!("text {id}.")));
    screen(&mut chat, 80, 24);
    press(&mut chat, KeyCode::PageUp);
    let before = screen(&mut chat, 80, 24);
    hears(&mut chat, 100, "new");
    assert_eq!(screen(&mut chat, 80, 24)[1..22], before[1..22]);
    press(&mut chat, KeyCode::Esc);
    assert!(screen(&mut chat, 80, 24).iter().any(|row| row.contains("new")));
}

#[test]
fn the_cursor_of_the_inbox_follows_what_is_on_the_screen() {
    let mut chat = chat();
    hears(&mut chat, 5, "unread");
    assert_eq!((chat.unread.total(), chat.tick()), (1, vec![Effect::Ask(Question::Acknowledge(4))]));
    chat.open(neko());
    assert_eq!((chat.unread.total(), chat.tick()), (0, vec![Effect::Ask(Question::Acknowledge(5))]));
}

#[test]
fn a_message_is_pending_until_its_receipt_and_shown_once() {
    let mut chat = chat();
    chat.open(neko());
    let Effect::Send { number, to, .. } = chat.send(&neko(), "halo") else { panic!("not sent") };
    assert!(chat.has_pending());
    // The connection broke: the message comes as an event first.
    let own = Message { from: "messi".into(), to: "neko".into(), ..message(9, "halo") };
    chat.take(Incoming::Event(Event::Message(own)));
    let data = serde_json::json!({"id": 9, "time": "2026-11-21T14:10:10.103Z"});
    chat.sent(number, &to, Ok(Reply { status: "OK".into(), data, ..Reply::default() }));
    assert!(!chat.has_pending());
    let rows = screen(&mut chat, 80, 24);
    assert_eq!(rows.iter().filter(|row| row.contains("messi halo")).count(), 1, "{rows:#?}");
}
