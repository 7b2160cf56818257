//! The screen of a state, without a terminal.

use std::time::Instant;

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};
use kabar::client::{ClientError, Event, Incoming, Message, Reply, Target};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::{Color, Modifier};

use crate::cli::chat::draw::draw;
use crate::cli::chat::effect::{Effect, Question};
use crate::cli::chat::state::Chat;

fn chat() -> Chat {
    let mut chat = Chat::new("127.0.0.1:8889", "messi", true);
    chat.take(Incoming::Connected { user: "messi".into() });
    let ok = Reply { status: "OK".into(), ..Reply::default() };
    chat.answer(Question::Conversations, Ok(ok));
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
    let log = |chat: &mut Chat| -> Vec<String> {
        screen(chat, 80, 24)[1..22].iter().map(|row| row.chars().skip(20).collect()).collect()
    };
    let before = log(&mut chat);
    hears(&mut chat, 100, "new");
    assert_eq!(log(&mut chat), before);
    press(&mut chat, KeyCode::Esc);
    assert!(screen(&mut chat, 80, 24).iter().any(|row| row.contains("new")));
}

/// Requests of the chat at the next second.
fn asked(chat: &mut Chat, now: Instant) -> Vec<Question> {
    let questions = chat.tick(now).into_iter().map(|effect| match effect {
        Effect::Ask(question) => question,
        other => panic!("{other:?}"),
    });
    questions.collect()
}

#[test]
fn what_is_on_the_screen_is_marked_as_read_and_all_of_it_acknowledged() {
    let (mut chat, now) = (chat(), Instant::now());
    hears(&mut chat, 5, "unread");
    assert_eq!((chat.unread(), asked(&mut chat, now)), (1, vec![]));
    chat.open(neko());
    let marked = Question::MarkRead { of: neko(), upto: 5 };
    assert_eq!((chat.unread(), asked(&mut chat, now)), (0, vec![marked.clone()]));
    chat.answer(marked, Ok(Reply::default()));
    assert_eq!(asked(&mut chat, now), [Question::Acknowledge(5)]);
    assert_eq!(asked(&mut chat, now), []);
}

#[test]
fn a_reader_of_older_messages_has_not_read_what_comes() {
    let mut chat = chat();
    chat.open(neko());
    (1..100).for_each(|id| hears(&mut chat, id, "text"));
    screen(&mut chat, 80, 24);
    press(&mut chat, KeyCode::PageUp);
    hears(&mut chat, 100, "new");
    assert_eq!(chat.unread(), 1);
    press(&mut chat, KeyCode::Esc);
    assert_eq!(chat.unread(), 0);
}

#[test]
fn the_servers_list_has_the_counts_and_another_device_changes_them() {
    let mut chat = chat();
    let last = serde_json::to_value(message(9, "satu")).unwrap();
    let summary = serde_json::json!({"conversation": "neko", "name": "Neko", "mark": 5, "unread": 3, "last": last});
    let list = Reply { status: "OK".into(), data: serde_json::json!([summary]), ..Reply::default() };
    chat.answer(Question::Conversations, Ok(list));
    assert_eq!(chat.unread(), 3);
    let read = |mark| Incoming::Event(Event::Read { conversation: "neko".into(), mark });
    chat.take(read(7));
    assert_eq!(asked(&mut chat, Instant::now()), [Question::Conversations], "the server knows how many are left");
    chat.take(read(9));
    assert_eq!(chat.unread(), 0);
}

#[test]
fn what_was_refused_is_sent_again_under_its_number() {
    let mut chat = chat();
    chat.open(neko());
    let first = chat.send(&neko(), "halo");
    let Effect::Send { number, .. } = first else { panic!("not sent") };
    let code = Some("storage_failed".to_owned());
    let refusal = Reply { status: "ERROR".into(), message: "Gagal disimpan".into(), code, ..Reply::default() };
    chat.sent(number, &neko(), Err(ClientError::Refused(Box::new(refusal))));
    assert!(screen(&mut chat, 120, 24).iter().any(|row| row.contains("Ctrl-R again: Gagal disimpan")));
    let ctrl_r = TerminalEvent::Key(KeyEvent::new(KeyCode::Char('r'), KeyModifiers::CONTROL));
    assert_eq!(chat.terminal(ctrl_r), [first]);
    assert!(chat.is_sending());
}

#[test]
fn what_the_end_of_a_session_left_unsent_goes_with_the_next_one_in_order() {
    let mut chat = chat();
    let fans = Target::parse("group:fans").unwrap();
    let sent = [chat.send(&neko(), "satu"), chat.send(&fans, "dua"), chat.send(&neko(), "tiga")];
    let ended = || ClientError::SessionEnded { reason: Some("revoked".into()) };
    chat.sent(1, &neko(), Err(ended()));
    chat.take(Incoming::Ended(ended()));
    assert!(screen(&mut chat, 80, 24)[22].starts_with(" Ctrl-R logs in again: the session has ended (revoked"));
    assert_eq!(chat.unsent.send_all(), sent);
}

#[test]
fn whoever_names_the_reader_stands_out() {
    let mut chat = chat();
    chat.open(neko());
    hears(&mut chat, 5, "halo messina");
    hears(&mut chat, 6, "kapan, Messi?");
    let mut terminal = Terminal::new(TestBackend::new(80, 10)).unwrap();
    terminal.draw(|frame| draw(frame, &mut chat)).unwrap();
    let buffer = terminal.backend().buffer();
    let is_reversed = |row: u16| (20..80).any(|x| buffer[(x, row)].modifier.contains(Modifier::REVERSED));
    assert_eq!((is_reversed(6), is_reversed(7)), (false, true));
}

#[test]
fn the_bell_rings_for_whoever_is_meant() {
    let mut chat = chat();
    let mut rings = |from: &str, kind: &str, text: &str, id| {
        let to = if kind == "group" { "fans" } else { "messi" };
        let message = Message { from: from.into(), to: to.into(), kind: kind.into(), ..message(id, text) };
        chat.take(Incoming::Event(Event::Message(message))) == [Effect::Ring]
    };
    assert!(rings("neko", "direct", "halo", 1) && rings("neko", "group", "kapan, Messi?", 2));
    assert!(!rings("neko", "group", "halo semua", 3) && !rings("messi", "group", "aku messi", 4));
}

#[test]
fn without_colours_nothing_has_one() {
    let mut chat = Chat::new("127.0.0.1:8889", "messi", false);
    chat.take(Incoming::Connected { user: "messi".into() });
    hears(&mut chat, 5, "halo");
    chat.open(neko());
    chat.send(&neko(), "halo juga");
    let mut terminal = Terminal::new(TestBackend::new(120, 24)).unwrap();
    terminal.draw(|frame| draw(frame, &mut chat)).unwrap();
    let cells = terminal.backend().buffer().content();
    assert!(cells.iter().all(|cell| (cell.fg, cell.bg) == (Color::Reset, Color::Reset)));
}

#[test]
fn a_message_is_pending_until_its_receipt_and_shown_once() {
    let mut chat = chat();
    chat.open(neko());
    let Effect::Send { number, to, .. } = chat.send(&neko(), "halo") else { panic!("not sent") };
    assert!(chat.is_sending());
    // The connection broke: the message comes as an event first.
    let own = Message { from: "messi".into(), to: "neko".into(), ..message(9, "halo") };
    chat.take(Incoming::Event(Event::Message(own)));
    let data = serde_json::json!({"id": 9, "time": "2026-11-21T14:10:10.103Z"});
    chat.sent(number, &to, Ok(Reply { status: "OK".into(), data, ..Reply::default() }));
    assert!(!chat.is_sending());
    let rows = screen(&mut chat, 80, 24);
    assert_eq!(rows.iter().filter(|row| row.contains("messi halo")).count(), 1, "{rows:#?}");
}
