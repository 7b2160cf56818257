//! Property tests of the store: after any commands in any batches, with reopening in between, it loads the state of the
//! model, and reads what the log says.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use crate::chat::{
    BounceReason, Command, CommandError, Conversation, Event, IdempotencyKey, Record, SeqRange, State, TimelineQuery,
};
use crate::id::{Epoch, GroupId, Hash64, RealmId, Seq, UserId};
use crate::limits::{EPOCHS_PER_PEER, MAX_MEMBERSHIPS, PUSHED_RANGES, REALM_CURSORS, TAGS_PER_USER};
use crate::name::{Address, Name};
use crate::store::generators::{CommandKind, GeneratedCommand, any_command, name};
use crate::store::interface::Store;
use crate::store::model::{Model, home, stored_log};
use crate::store::reference_model::readable;
use crate::store::reference_unread;
use crate::store::sqlite::SqliteStore;
use crate::store::testing::open_tiny;
use crate::time::Time;

#[derive(Clone, Debug)]
enum Step {
    Run(GeneratedCommand),
    Commit,
    Reopen { close: bool },
    Read { who: u32, limit: usize },
    ReadHistory { who: u32, before: u64, limit: usize },
    ReadConversations { who: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => any_command().prop_map(Step::Run),
        4 => Just(Step::Commit),
        1 => any::<bool>().prop_map(|close| Step::Reopen { close }),
        2 => (0..4_u32, 1..6_usize).prop_map(|(who, limit)| Step::Read { who, limit }),
        2 => (0..4_u32).prop_map(|who| Step::ReadConversations { who }),
        2 => (0..4_u32, 0..400_u64, 1..6_usize)
            .prop_map(|(who, before, limit)| Step::ReadHistory { who, before, limit }),
    ]
}

fn fold(log: &[Record]) -> State {
    let mut state = State::new(home());
    log.iter().for_each(|record| state.apply(record));
    state
}

/// The messages that match a query, by filtering the log.
fn matching(log: &[Record], view: &TimelineQuery) -> Vec<Seq> {
    let in_span = |record: &&Record| {
        let Event::MessageSent(message) = &record.event else { return false };
        message.placements(record.seq).any(|(timeline, entry)| {
            let holds = |span: &SeqRange| span.timeline == timeline && span.after < entry.seq && entry.seq <= span.upto;
            let matches = view.matches_entry(timeline, &entry) && view.matches_body(timeline, &entry, &message.body);
            view.spans.iter().any(holds) && matches
        })
    };
    log.iter().filter(in_span).map(|record| record.seq).collect()
}

/// Reads all pages of a query.
fn read_forward(store: &SqliteStore, mut view: TimelineQuery, limit: usize) -> Vec<Seq> {
    let mut read = Vec::new();
    loop {
        let page = store.page(&view, limit).unwrap();
        assert!(page.messages.len() <= limit);
        read.extend(page.messages.iter().map(|message| message.seq));
        assert!(read.last().is_none_or(|last| *last <= page.upto));
        if !page.more {
            return read;
        }
        view.spans.iter_mut().for_each(|span| span.after = span.after.max(page.upto));
    }
}

fn check_inboxes(store: &SqliteStore, model: &Model, who: UserId, limit: usize) {
    let views = std::iter::once(model.state.inbox(who))
        .chain((0..6).map(|realm| model.state.realm_inbox(who, RealmId(realm))))
        .flatten();
    for view in views {
        assert_eq!(read_forward(store, view.clone(), limit), matching(&model.log, &view), "{view:?}");
    }
}

/// Everything, and each conversation.
fn conversations() -> impl Iterator<Item = Option<Conversation>> {
    let realms = || std::iter::once(None).chain((0..4).map(|realm| Some(name("realm", realm))));
    let addresses = move |kind| {
        (0..4).flat_map(move |number| realms().map(move |realm| Address { name: name(kind, number), realm }))
    };
    let users = addresses("user").map(Conversation::User);
    let groups = addresses("group").map(Conversation::Group);
    let others = [Conversation::Broadcast, Conversation::Server];
    std::iter::once(None).chain(users.chain(groups).chain(others).map(Some))
}

/// Reads all pages of a conversation, newest first.
fn read_history(
    store: &SqliteStore,
    history: impl Fn(Seq) -> Result<TimelineQuery, CommandError>,
    before: Seq,
    limit: usize,
) -> Option<Vec<Seq>> {
    let (mut read, mut before) = (VecDeque::new(), Some(before));
    while let Some(end) = before {
        let page = store.newest_page(&history(end).ok()?, limit).unwrap();
        assert!(page.messages.len() <= limit);
        page.messages.iter().rev().for_each(|message| read.push_front(message.seq));
        before = page.before;
    }
    Some(read.into())
}

fn check_history(store: &SqliteStore, model: &Model, who: UserId, before: Seq, limit: usize) {
    let everything: Vec<_> = model.log.iter().chain(&model.pending).cloned().collect();
    let durable = model.log.last().map_or(Seq(0), |record| record.seq);
    for conversation in conversations() {
        let read = read_history(store, |before| model.state.history(who, conversation.as_ref(), before), before, limit);
        let mut expected = readable(&everything, who, conversation.as_ref());
        expected.iter_mut().for_each(|seqs| seqs.retain(|seq| *seq <= durable && *seq < before));
        assert_eq!(read, expected, "{conversation:?}");
    }
}

/// Compares the list of a user's conversations with the one counted from a log.
pub(super) fn check_conversations(store: &SqliteStore, state: &State, log: &[Record], who: UserId) {
    let Some(query) = state.conversations(who, 1_000) else { return };
    let page = store.conversations(&query).unwrap();
    assert!(!page.more);
    let places = page.conversations.iter().filter_map(|(status, _)| status.newest);
    assert!(places.is_sorted_by(|newer, older| newer > older));
    let mut counted = BTreeMap::new();
    for (status, newest) in page.conversations {
        assert!(newest.map(|message| message.seq) == status.newest && !status.unread_more, "{status:?}");
        assert_eq!(counted.insert(status.conversation, (status.newest, status.unread)), None);
    }
    assert_eq!(counted, reference_unread::conversations(log, who));
}

fn generated(kind: CommandKind, user: u32, number: u64) -> GeneratedCommand {
    GeneratedCommand { kind, user, other: 0, number }
}

#[test]
fn tagged_requests_over_the_limit_are_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    let mut model = Model::new();
    model.run(&generated(CommandKind::Register, 0, 1));
    for number in 0..TAGS_PER_USER as u64 + 40 {
        let key = IdempotencyKey { user: UserId(0), tag: Hash64(number), request: Hash64(number) };
        model.apply(Time(number), Event::RequestDone { key, first: Seq(number), page: None });
    }
    model.commit(&store);
    assert_eq!(State::restore(home(), store.load().unwrap()), model.state);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_store_loads_the_state_and_reads_the_log_of_the_model(steps in prop::collection::vec(step(), 1..250)) {
        let directory = tempfile::tempdir().unwrap();
        let mut store = open_tiny(directory.path());
        let mut model = Model::new();
        for step in &steps {
            match step {
                Step::Run(command) => model.run(command),
                Step::Commit => model.commit(&store),
                Step::Read { who, limit } => check_inboxes(&store, &model, UserId((*who).into()), *limit),
                Step::ReadHistory { who, before, limit } => {
                    check_history(&store, &model, UserId((*who).into()), Seq(*before), *limit);
                }
                Step::ReadConversations { who } => {
                    model.commit(&store);
                    check_conversations(&store, &model.state, &model.log, UserId((*who).into()));
                }
                Step::Reopen { close } => {
                    model.commit(&store);
                    if *close {
                        store.close().unwrap();
                    }
                    drop(store);
                    store = open_tiny(directory.path());
                    prop_assert_eq!(&State::restore(home(), store.load().unwrap()), &model.state);
                }
            }
        }
        model.commit(&store);
        prop_assert_eq!(&State::restore(home(), store.load().unwrap()), &model.state);
        prop_assert_eq!(&stored_log(directory.path()), &model.log);
        prop_assert_eq!(&fold(&model.log), &model.state);
    }
}

#[test]
fn the_oldest_read_range_over_the_limit_is_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    let mut model = Model::new();
    model.run(&generated(CommandKind::Register, 0, 1));
    (0..200).for_each(|number| model.run(&generated(CommandKind::Broadcast, 0, number)));
    (1..=PUSHED_RANGES as u64 + 3).for_each(|n| model.run(&generated(CommandKind::ReadPushed, 0, 5 * n)));
    model.commit(&store);
    let loaded = store.load().unwrap();
    assert_eq!(loaded.users[0].read_ranges.len(), PUSHED_RANGES);
    assert_eq!(State::restore(home(), loaded), model.state);
}

#[test]
fn each_membership_of_a_group_has_its_own_end() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    let mut model = Model::new();
    let (register, create) = (CommandKind::Register, CommandKind::CreateGroup);
    let (join, leave) = (CommandKind::JoinGroup, CommandKind::LeaveGroup);
    for (user, kind) in [(0, register), (1, register), (0, create), (1, join), (1, leave), (1, join), (1, leave)] {
        model.run(&generated(kind, user, 1));
    }
    model.commit(&store);
    let loaded = store.load().unwrap();
    assert_eq!(loaded.users[1].memberships.len(), 2);
    assert_eq!(State::restore(home(), loaded), model.state);
}

#[test]
fn epochs_over_the_limit_are_deleted_with_their_refusals() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    let mut model = Model::new();
    model.run(&generated(CommandKind::Register, 0, 1));
    model.run(&generated(CommandKind::AddPeer, 0, 1));
    let epochs = EPOCHS_PER_PEER as u64 + 2;
    for epoch in (0..epochs).chain([0, epochs - 1]) {
        let messages = vec![(Seq(7), Err(BounceReason::Malformed))];
        model.execute_as_server(&Command::Receive { realm: RealmId(1), epoch: Epoch(epoch), messages });
        model.commit(&store);
    }
    let loaded = State::restore(home(), store.load().unwrap());
    assert_eq!(loaded.peer(RealmId(1)).unwrap().refused.len(), EPOCHS_PER_PEER);
    assert_eq!(loaded, model.state);
}

#[test]
fn groups_and_realms_that_were_forgotten_are_deleted_and_their_numbers_are_not_given_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    let mut model = Model::new();
    let name = |text: &str| Name::parse(text).unwrap();
    model.run(&generated(CommandKind::Register, 0, 1));
    for number in 0..MAX_MEMBERSHIPS + 20 {
        let group = name(&format!("g{number}"));
        model.execute(UserId(0), &Command::CreateGroup { name: group.clone(), password: None });
        let to = Address { name: group.clone(), realm: None };
        model.execute(UserId(0), &Command::SendGroup { to, text: "halo".into() });
        model.execute(UserId(0), &Command::DeleteGroup { group });
        model.execute(UserId(0), &Command::AddRealm { name: name("x") });
        model.execute(UserId(0), &Command::RemoveRealm { name: name("x"), lost: "lost".into() });
        model.commit(&store);
    }
    drop(store);
    let store = open_tiny(directory.path());
    let loaded = store.load().unwrap();
    assert_eq!((loaded.groups.len(), loaded.realms.len()), (MAX_MEMBERSHIPS, 1));
    assert_eq!(State::restore(home(), loaded), model.state);
    model.execute(UserId(0), &Command::CreateGroup { name: name("last"), password: None });
    assert_eq!(model.state.group_named(&name("last")).unwrap().0, GroupId(MAX_MEMBERSHIPS as u64 + 20));
}

#[test]
fn views_of_realms_over_the_limit_are_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let store = open_tiny(directory.path());
    let mut model = Model::new();
    model.run(&generated(CommandKind::Register, 0, 1));
    for realm in 0..REALM_CURSORS as u64 + 5 {
        let upto = model.state.head();
        model.apply(Time(0), Event::RealmInboxRead { user: UserId(0), realm: RealmId(realm), upto });
    }
    model.commit(&store);
    let loaded = store.load().unwrap();
    assert_eq!(loaded.users[0].realm_cursors.len(), REALM_CURSORS);
    assert_eq!(State::restore(home(), loaded), model.state);
}
