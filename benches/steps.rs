//! What the steps of one request cost, each alone: `cargo bench --bench steps [-- NAME]`. With the allocations of each.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use kabar::chat::{
    Author, BodyFields, Command, Context, Destination, EscapedText, Event, Kind, Message, MessageBody, NewSession,
    PasswordHash, Response,
};
use kabar::chat::{Filter, Receipt, Record, SeqRange, State, StoredMessage, Timeline, TimelineQuery, decide};
use kabar::config::Language;
use kabar::id::{Seq, Token, UserId};
use kabar::name::{Address, Name};
use kabar::store::{Durability, SqliteStore, Store};
use kabar::time::Time;
use kabar::wire::{Parsed, ReplyFormat, parse};
use tempfile::TempDir;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const SEND: &str = "send henderson the quick brown fox jumps over the lazy dog, and then once more";
const TEXT: &str = "the quick brown fox jumps over the lazy dog, and then once more";
const NOW: Time = Time(1_795_244_400_123);
const USERS: u64 = 1_000;

fn main() {
    divan::main();
}

fn name(user: u64) -> Name {
    Name::parse(&format!("user{user}")).unwrap()
}

fn body() -> MessageBody {
    compose(&TEXT.into())
}

fn compose(msg: &EscapedText) -> MessageBody {
    MessageBody::compose(&BodyFields {
        msg_from: "Lionel Messi",
        msg_to: "Jordan Henderson",
        msg,
        from: "messi",
        to: "henderson",
        kind: Kind::Direct,
        realm: None,
    })
}

/// A message from each user to the next, round and round.
fn record(seq: u64) -> Record {
    let (from, to) = (seq % USERS, (seq + 1) % USERS);
    let (from, to) = (Author::Local(UserId(from)), Destination::User(UserId(to)));
    let message = Message { from, to, realm: None, body: body() };
    Record { seq: Seq(seq), time: Time(NOW.0 + seq), event: Event::MessageSent(message) }
}

/// A state in which all users have registered.
fn state() -> State {
    let mut state = State::new(Name::parse("local").unwrap());
    for user in 0..USERS {
        let command = Command::Register {
            name: name(user),
            full_name: "".into(),
            country: "".into(),
            password: PasswordHash("$hash".into()),
            session: Some(NewSession {
                token: Token::random().hash(),
                ephemeral: false,
                origin: [127, 0, 0, 1].into(),
            }),
            invite: None,
        };
        apply(&mut state, &Context::server(NOW), &command);
    }
    state
}

fn apply(state: &mut State, context: &Context<'_>, command: &Command) {
    for event in decide(state, context, command).unwrap() {
        let record = Record { seq: state.head().next(), time: NOW, event };
        state.apply(&record);
    }
}

#[divan::bench]
fn parse_a_send() -> Parsed {
    parse(black_box(SEND))
}

#[divan::bench]
fn compose_a_body(bencher: Bencher<'_, '_>) {
    let text = EscapedText::new(TEXT);
    bencher.bench(|| compose(black_box(&text)));
}

#[divan::bench]
fn decide_and_apply_a_send(bencher: Bencher<'_, '_>) {
    let mut state = state();
    let to = Address { name: name(7), realm: None };
    let command = Command::SendDirect { to, text: SEND.into() };
    let context = Context::on_behalf_of(UserId(3), NOW);
    bencher.bench_local(|| apply(&mut state, &context, black_box(&command)));
}

#[divan::bench]
fn write_a_reply(bencher: Bencher<'_, '_>) {
    let Parsed::Request(request) = parse(SEND) else { return };
    let context = request.context();
    let response = Response::Sent { receipt: Receipt { seq: Seq(1_000_000), time: NOW }, to: None, delivered: None };
    let mut out = Vec::with_capacity(1_024);
    bencher.bench_local(|| {
        out.clear();
        ReplyFormat::Json.reply(&mut out, black_box(&context), Ok(&response));
    });
}

#[divan::bench(args = [ReplyFormat::Json, ReplyFormat::Text(Language::Documents)])]
fn write_an_event(bencher: Bencher<'_, '_>, format: ReplyFormat) {
    let message = StoredMessage { seq: Seq(1_000_000), time: NOW, body: body() };
    let mut out = Vec::with_capacity(1_024);
    bencher.bench_local(|| {
        out.clear();
        format.push(&mut out, black_box(&message));
    });
}

fn store(directory: &TempDir) -> SqliteStore {
    SqliteStore::open(&directory.path().join("data"), Durability::Fast).unwrap()
}

/// A batch, not synced: what the processor does.
#[divan::bench(args = [1, 64, 1_000], sample_count = 200, sample_size = 1)]
fn commit(bencher: Bencher<'_, '_>, records: u64) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let store = store(&directory);
    let mut head = 0;
    let batch = || {
        let batch: Vec<_> = (head + 1..=head + records).map(record).collect();
        head += records;
        batch
    };
    bencher.counter(ItemsCount::new(records)).with_inputs(batch).bench_local_values(|batch| store.commit(&batch));
}

/// An inbox page of so many messages, half from memory and half from chunks.
#[divan::bench(args = [1, 10, 1_000])]
fn read_a_page(bencher: Bencher<'_, '_>, messages: usize) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let store = store(&directory);
    let log: Vec<_> = (1..=USERS * 500).map(record).collect();
    log.chunks(1_000).for_each(|batch| store.commit(batch).unwrap());
    let span = SeqRange { timeline: Timeline::User(UserId(5)), after: Seq(0), upto: Seq(u64::MAX) };
    let view = TimelineQuery {
        reader: UserId(5),
        spans: vec![span],
        filter: Filter::Received,
        only: None,
        hidden: Vec::new(),
    };
    bencher.counter(ItemsCount::new(messages)).bench(|| store.page(black_box(&view), messages).unwrap());
}
