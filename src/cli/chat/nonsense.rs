//! A server that sends whatever it likes: nothing panics, nothing grows without end, and nothing is obeyed.

use std::time::Instant;

use kabar::client::{Event, GroupChange, Incoming, Message, Reply, Target};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::json;

use crate::cli::chat::draw::draw;
use crate::cli::chat::effect::Question;
use crate::cli::chat::state::Chat;

/// Messages of a conversation that are kept, and some that are not sent yet.
const MANY: usize = 2_100;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{0,3}",
        Just("messi".to_owned()),
        Just("group:fans".to_owned()),
        Just("realm@\u{202e}x\u{1b}".to_owned()),
        Just("a\u{1b}[2J\u{202e}b\0\r\n".to_owned()),
        Just("日本👩‍🚀e\u{301}".repeat(40)),
        any::<String>(),
    ]
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..4_u64, Just(u64::MAX - 1), Just(u64::MAX), any::<u64>()]
}

fn message() -> impl Strategy<Value = Message> {
    let kind = prop_oneof![Just("direct"), Just("group"), Just("broadcast"), Just("?")];
    (text(), text(), text(), text(), kind, number()).prop_map(|(from, to, msg, time, kind, id)| Message {
        msg_from: msg.clone(),
        msg_to: String::new(),
        msg,
        from,
        to,
        kind: kind.to_owned(),
        realm: None,
        id,
        time,
    })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => message().prop_map(Event::Message),
        1 => (text(), any::<bool>()).prop_map(|(user, online)| Event::Presence { user, online }),
        1 => (text(), text(), text()).prop_map(|(group, change, user)| {
            let change = json!({ "group": group, "change": change, "user": user });
            serde_json::from_value::<GroupChange>(change).map_or(Event::Unknown, Event::Group)
        }),
        1 => (text(), number()).prop_map(|(conversation, mark)| Event::Read { conversation, mark }),
        1 => number().prop_map(|cursor| Event::Inbox { cursor }),
        1 => number().prop_map(|after| Event::Reset { after }),
    ]
}

/// The answer to `conversations`.
fn list() -> impl Strategy<Value = Reply> {
    let summary = (text(), text(), number(), number(), any::<bool>(), proptest::option::of(message()));
    proptest::collection::vec(summary, 0..5).prop_map(|summaries| {
        let summaries = summaries.into_iter().map(|(conversation, name, mark, unread, more, last)| {
            json!({"conversation": conversation, "name": name, "mark": mark, "unread": unread, "unread_more": more,
                "last": last.map(|last| serde_json::to_value(last).unwrap())})
        });
        Reply { status: "OK".into(), data: summaries.collect(), ..Reply::default() }
    })
}

fn screen(chat: &mut Chat) -> String {
    let mut terminal = Terminal::new(TestBackend::new(120, 24)).unwrap();
    terminal.draw(|frame| draw(frame, chat)).unwrap();
    terminal.backend().buffer().content().iter().map(|cell| cell.symbol().to_owned()).collect()
}

proptest! {
    #[test]
    fn nothing_that_a_server_sends_panics_or_reaches_the_terminal_as_it_is(
        user in text(),
        events in proptest::collection::vec((event(), list()), 0..30),
    ) {
        let mut chat = Chat::new("127.0.0.1:8889", "messi", true);
        chat.take(Incoming::Connected { user });
        for (place, (event, list)) in events.into_iter().enumerate() {
            chat.take(Incoming::Event(event));
            chat.answer(Question::Conversations, Ok(list));
            chat.move_open(place as isize);
            chat.tick(Instant::now());
            let shown = screen(&mut chat);
            prop_assert!(!shown.contains(|c: char| c.is_control() || c == '\u{202e}'), "{shown:?}");
        }
    }
}

#[test]
fn the_log_of_a_group_that_changes_all_the_time_has_an_end() {
    let mut chat = Chat::new("127.0.0.1:8889", "messi", true);
    let change = json!({"group": "fans", "change": "joined", "user": "neko"});
    let change: GroupChange = serde_json::from_value(change).unwrap();
    (0..MANY).for_each(|_| drop(chat.take(Incoming::Event(Event::Group(change.clone())))));
    let fans = Target::parse("group:fans").unwrap();
    assert!(chat.conversation(&fans).entries.len() < MANY);
}
