//! Round trips, files written by hand, and lines that are refused.

use std::path::Path;
use std::{fs, io};

use proptest::prelude::*;
use secrecy::SecretString;
use tempfile::tempdir;

use super::*;
use crate::chat::{Command, Context, Conversation, Destination, Event, State, TimelineQuery, decide};
use crate::id::{PeerKey, RealmId, Seq, UserId};
use crate::limits::{IMPORT_LINE_BYTES, MAX_MEMBERSHIPS};
use crate::name::{Address, Name};
use crate::password;
use crate::settings::Durability;
use crate::store::error::StoreError;
use crate::store::generators::any_command;
use crate::store::interface::Store;
use crate::store::model::{Model, home};
use crate::store::testing::{HASH, direct_query, open_tiny, sent};
use crate::store::{Rules, SqliteStore, Sweep, Swept};
use crate::time::Time;

const GUIDE: &str = include_str!("../../../docs/EXPORT.md");

fn exported(directory: &Path) -> String {
    let mut out = Vec::new();
    export(directory, &mut out, &mut |_| {}).unwrap();
    String::from_utf8(out).unwrap()
}

fn imported(text: &str, directory: &Path) -> Result<u64, DumpError> {
    import(&mut text.as_bytes(), "lines", None, directory, &mut |_| {})
}

/// A store of lines after the first one.
fn opened(lines: &str, directory: &Path) -> (SqliteStore, State) {
    imported(&format!("{{\"kabar_export\":2}}\n{lines}"), directory).unwrap();
    open(directory)
}

fn open(directory: &Path) -> (SqliteStore, State) {
    let store = SqliteStore::open(directory, Durability::Fast).unwrap();
    let state = State::restore(home(), store.load().unwrap());
    (store, state)
}

fn users(names: &[&str]) -> String {
    names.iter().map(|name| format!("{{\"user\":{{\"name\":\"{name}\",\"password_hash\":\"{HASH}\"}}}}\n")).collect()
}

fn message(fields: &str) -> String {
    format!("{{\"message\":{{\"time\":\"2020-01-01T00:00:00Z\",\"text\":\"halo\",{fields}}}}}\n")
}

fn invite(code_hash: &str, uses: u32) -> String {
    let until = "2030-01-01T00:00:00Z";
    format!("{{\"invite\":{{\"code_hash\":\"{code_hash}\",\"uses\":{uses},\"until\":\"{until}\"}}}}\n")
}

/// Author, receiver and text of each message that a view shows.
fn read(store: &SqliteStore, view: &TimelineQuery) -> Vec<(Time, String)> {
    let messages = store.page(view, 10_000).unwrap().messages;
    let parts = messages.iter().map(|message| {
        let it = message.body.fields().unwrap();
        (message.time, format!("{} ({}) to {}: {}", it.from, it.msg_from, it.to, it.msg))
    });
    parts.collect()
}

fn texts(store: &SqliteStore, view: &TimelineQuery) -> Vec<String> {
    read(store, view).into_iter().map(|(_, words)| words).collect()
}

/// Accounts and groups of an export.
fn entities(state: &State) -> Vec<String> {
    let name_of = |id: UserId| state.user(id).unwrap().name.to_string();
    let users = state.snapshot().users;
    let accounts = users.iter().map(|user| {
        let password = if user.unregistered { "" } else { &*user.password.0 };
        format!("{} {} {} {password} {}", user.name, user.full_name, user.country, user.unregistered)
    });
    let groups = state.snapshot().groups;
    let groups: std::collections::BTreeMap<_, _> = groups.into_iter().collect();
    let groups = groups.values().map(|group| {
        let members: Vec<_> = group.members.iter().copied().map(name_of).collect();
        let password = group.password.as_ref().map(|hash| &*hash.0);
        format!("{} {} {password:?} {members:?} {}", group.name, name_of(group.owner), group.deleted)
    });
    accounts.chain(groups).collect()
}

fn sweep(store: &SqliteStore, newest: usize) {
    let mut sweep = Sweep::default();
    sweep.begin(Rules { before: None, newest: Some(newest), unread: true });
    while store.sweep(&mut sweep).unwrap() == Swept::Partly {}
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_import_of_an_export_has_the_same_people_and_messages(
        commands in prop::collection::vec(any_command(), 1..300),
        newest in prop::option::of(1..6_usize),
    ) {
        let (here, there) = (tempdir().unwrap(), tempdir().unwrap());
        let store = open_tiny(here.path());
        let mut model = Model::new();
        commands.iter().for_each(|command| model.run(command));
        model.commit(&store);
        if let Some(newest) = newest {
            sweep(&store, newest);
        }
        let text = exported(here.path());
        prop_assert_eq!(imported(&text, there.path()).unwrap(), text.lines().count() as u64);
        prop_assert_eq!(exported(there.path()), text);
        let (copy, state) = open(there.path());
        prop_assert_eq!(entities(&state), entities(&model.state));
        for id in (0..4).map(UserId).filter(|id| newest.is_none() && model.state.user(*id).is_some_and(|it| !it.unregistered)) {
            let everything = |state: &State| TimelineQuery { hidden: Vec::new(), ..state.conversation_since(id, Seq(0)).unwrap() };
            prop_assert_eq!(read(&copy, &everything(&state)), read(&store, &everything(&model.state)));
            if model.state.user(id).unwrap().read_ranges.is_empty() {
                let unread = |state: &State| TimelineQuery { hidden: Vec::new(), ..state.inbox(id).unwrap() };
                prop_assert_eq!(read(&copy, &unread(&state)), read(&store, &unread(&model.state)));
            }
        }
    }
}

/// The code of the guide that is in one language.
fn example(language: &str) -> &'static str {
    let (_, code) = GUIDE.split_once(&format!("```{language}\n")).unwrap();
    code.split_once("```").unwrap().0
}

#[test]
fn the_example_of_the_guide_is_imported_and_exported_as_it_is() {
    let directory = tempdir().unwrap();
    imported(example("json"), directory.path()).unwrap();
    assert_eq!(exported(directory.path()), example("json"));
}

#[test]
fn the_script_of_the_guide_converts_a_log_of_irc() {
    let mut python = std::process::Command::new("python3");
    python.args(["-c", example("python")]).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    // It is an example, and not every machine has the language.
    let Ok(mut child) = python.spawn() else { return };
    let log =
        "2019-05-01T20:15:00Z <messi> gol!\n2019-05-01T20:15:09Z <neko> sí \"gol\"\n2019-05-01T20:16:00Z <Messi> :)\n";
    io::Write::write_all(&mut child.stdin.take().unwrap(), log.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let directory = tempdir().unwrap();
    imported(std::str::from_utf8(&output.stdout).unwrap(), directory.path()).unwrap();
    let (store, state) = open(directory.path());
    let history = state.history(UserId(1), None, Seq(u64::MAX)).unwrap();
    let expected = ["Messi (Messi) to fans: gol!", "neko (neko) to fans: sí \"gol\"", "Messi (Messi) to fans: :)"];
    assert_eq!(texts(&store, &history), expected);
    assert!(texts(&store, &state.inbox(UserId(1)).unwrap()).is_empty());
}

#[test]
fn a_file_written_by_hand_needs_users_and_messages_only() {
    let directory = tempdir().unwrap();
    let messages = [
        message("\"from\":\"MESSI\",\"to\":\"neko\""),
        message("\"from\":\"paff\",\"group\":\"Fans\""),
        message("\"from\":\"paff\",\"to\":\"*\",\"msg_from\":\"P\""),
    ];
    let group = "\n{\"group\":{\"name\":\"fans\",\"owner\":\"neko\"}}\n";
    let (store, state) = opened(&(users(&["messi", "neko", "paff"]) + group + &messages.concat()), directory.path());
    let expected = ["messi (messi) to neko: halo", "paff (paff) to fans: halo", "paff (P) to *: halo"];
    assert_eq!(texts(&store, &state.inbox(UserId(1)).unwrap()), expected);
    assert_eq!(state.time(), Time(1_577_836_800_000));
}

#[test]
fn the_place_of_a_line_is_what_is_seen_and_read() {
    let directory = tempdir().unwrap();
    let say = |text: &str| message("\"from\":\"a\",\"group\":\"g\"").replace("halo", text);
    let member = "{\"member\":{\"group\":\"g\",\"user\":\"b\"}}\n";
    let lines = [
        users(&["a", "b"]),
        "{\"group\":{\"name\":\"g\",\"owner\":\"a\"}}\n".into(),
        say("before"),
        member.into(),
        say("read"),
        "{\"read\":{\"user\":\"b\"}}\n".into(),
        say("unread"),
        member.replace("}}", ",\"left\":true}}"),
        say("after"),
    ];
    let (store, state) = opened(&lines.concat(), directory.path());
    let history = state.history(UserId(1), None, Seq(u64::MAX)).unwrap();
    assert_eq!(texts(&store, &history), ["a (a) to g: read", "a (a) to g: unread"]);
    assert_eq!(texts(&store, &state.inbox(UserId(1)).unwrap()), ["a (a) to g: unread"]);
}

#[test]
fn an_account_without_a_password_hash_is_nobodys_to_log_in_to() {
    let directory = tempdir().unwrap();
    let (_, state) = opened("{\"user\":{\"name\":\"a\"}}\n", directory.path());
    let password = &state.user(UserId(0)).unwrap().password;
    assert!(["", "a"].iter().all(|guess| !password::verify(&SecretString::from(*guess), password)));
}

#[test]
fn another_server_is_a_name_that_nothing_is_sent_to_again() {
    let directory = tempdir().unwrap();
    let lines = [
        users(&["a"]),
        message("\"from\":\"a\",\"to\":\"b@timur\""),
        message("\"from\":\"B@Timur\",\"to\":\"a\",\"msg_from\":\"Far Away\""),
        message("\"from\":\"realm@local\",\"to\":\"a\""),
        message("\"from\":\"a\",\"group\":\"g@timur\""),
        "{\"block\":{\"user\":\"a\",\"blocked\":\"c@timur\"}}\n".into(),
    ];
    let (store, state) = opened(&lines.concat(), directory.path());
    let link = state.peer(RealmId(1)).unwrap();
    assert!(link.queue.is_empty() && link.info.key.is_none());
    assert!(texts(&store, &TimelineQuery::outbox(RealmId(1), link.cursor)).is_empty());
    let address = Address::parse("b@timur").unwrap();
    let history = state.history(UserId(0), Some(&Conversation::User(address)), Seq(u64::MAX)).unwrap();
    assert_eq!(texts(&store, &history), ["a (a) to b@timur: halo", "B@Timur (Far Away) to a: halo"]);
    let configured =
        Command::ConfigurePeer { name: Name::parse("timur").unwrap(), key: Some(PeerKey([7; 32])), address: None };
    let events = decide(&state, &Context::server(Time(0)), &configured).unwrap();
    assert!(matches!(events[..], [Event::PeerChanged { realm: RealmId(1), .. }]), "{events:?}");
}

#[test]
fn a_wrong_line_is_reported_with_its_place_and_leaves_nothing_behind() {
    let user = users(&["a"]);
    let group = "{\"group\":{\"name\":\"g\",\"owner\":\"a\"}}\n";
    let member = "{\"member\":{\"group\":\"g\",\"user\":\"a\"}}\n";
    let to_a = message("\"from\":\"a\",\"to\":\"a\"");
    let after = |before: &str, line: &str| format!("{user}{before}{line}");
    let table = [
        ("{}".to_owned(), "lines:2:2: expected value"),
        ("{\"usr\":{}}".to_owned(), "lines:2:6: unknown variant `usr`, expected one of `user`, `group`"),
        ("{\"user\":{\"\\u001b[2J\":1}}".to_owned(), "lines:2:20: unknown field `\\u{1b}[2J`"),
        ("{\"user\":{}}".to_owned(), "lines:2:10: missing field `name`"),
        ("{\"user\":{\"name\":\"_\"}}".to_owned(), "lines:2:20: expected 1-32 of"),
        ("{\"user\":{\"name\":\"a\",\"password_hash\":\"x\"}}".to_owned(), "lines:2: password_hash: expected what"),
        ("{\"user\":{\"name\":\"a\",\"country\":\"\\n\"}}".to_owned(), "lines:2: country: expected at most 128 bytes"),
        ("{\"user\":{\"nam\":\"a\"}}".to_owned(), "lines:2:14: unknown field `nam`, expected one of `name`"),
        (after("", &users(&["A"])), "lines:3: name: an earlier line makes this user"),
        (after("", &group.replace("\"a\"", "\"b\"")), "lines:3: owner: no earlier line makes the user b"),
        (after("", &group.replace(",\"owner\":\"a\"", "")), "lines:3: expected an owner, or \"deleted\":true"),
        (after(group, group), "lines:4: name: an earlier line makes this group"),
        (after(group, member), "lines:4: user: a member already"),
        (after("", member), "lines:3: expected a group that an earlier line makes"),
        (after("", &member.replace("}}", ",\"left\":true}}")), "lines:3: expected a group that an earlier line makes"),
        (after("", &to_a.replace("2020-01-01", "now")), "lines:3:34: expected a time since 1970"),
        (after("", &to_a.replace("2020-01-01", "1960-01-01")), "lines:3:41: expected a time since 1970"),
        (after(&to_a, &to_a.replace("2020", "2019")), "lines:4: time: it must not go back"),
        (after("", &to_a.replace("halo", " ")), "lines:3: text: expected 1-65536 bytes"),
        (after("", &to_a.replace("halo", "a\\r\\n[OK] b")), "lines:3: text: expected 1-65536 bytes"),
        (after("", &message("\"from\":\"a\",\"to\":\"b\"")), "lines:3: to: no earlier line makes the user b"),
        (after("", &message("\"from\":\"a\",\"group\":\"g\"")), "lines:3: group: no earlier line makes the group g"),
        (after("", &message("\"from\":\"a\"")), "lines:3: expected either to or group"),
        (after("", &message("\"from\":\"a\",\"to\":\"a@b@c\"")), "lines:3: to: expected 1-32 of"),
        (after("", &message("\"from\":\"a@b\",\"to\":\"c@d\"")), "lines:3: expected a user of this server"),
        (after("", &message("\"from\":\"a@b\",\"to\":\"*\"")), "lines:3: expected a user of this server"),
        (after("", "{\"block\":{\"user\":\"a\",\"blocked\":\"A\"}}"), "lines:3: blocked: expected somebody else"),
        (invite("x", 1), "lines:2: code_hash: expected a SHA-256"),
        (invite(&"0".repeat(64), 0), "lines:2: uses: expected 1-10000"),
        (after("", "{\"read\":{\"user\":\"b\"}}"), "lines:3: user: no earlier line makes the user b"),
        (
            after("", "{\"end\":{\"users\":2,\"groups\":0,\"messages\":0}}"),
            "lines:3: the file was changed: it has 1 users, 0 groups and 0 messages",
        ),
        (
            after("{\"end\":{\"users\":1,\"groups\":0,\"messages\":0}}\n", &to_a),
            "lines:4: expected nothing after the end line",
        ),
        ("x".repeat(IMPORT_LINE_BYTES + 1), "lines:2: the line is longer than 1048576 bytes"),
    ];
    for (lines, expected) in table {
        let directory = tempdir().unwrap();
        let error = imported(&format!("{{\"kabar_export\":2}}\n{lines}\n"), directory.path()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}, instead of {expected}");
        assert!(!directory.path().join("kabar.db.unfinished").exists());
        assert!(open_tiny(directory.path()).load().unwrap().users.is_empty());
    }
}

#[test]
fn a_file_that_was_cut_anywhere_is_refused() {
    let lines: Vec<_> = example("json").lines().collect();
    for kept in 1..lines.len() {
        let error = imported(&lines[..kept].join("\n"), tempdir().unwrap().path()).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("lines:{kept}: the file was cut: expected an end line, which the first line announces")
        );
    }
}

#[test]
fn the_first_line_is_the_version() {
    for (text, expected) in [
        ("", "lines:1: expected the first line {\"kabar_export\":2}"),
        ("{\"user\":{}}\n", "lines:1: expected the first line {\"kabar_export\":2}"),
        ("\n{\"kabar_export\":1,\"head\":42}\n", "lines:2: this is an export of version 1; only version 2 is read"),
        ("{\"kabar_export\":2,\"end\":true}\n", "lines:1:23: unknown field `end`, expected `kabar_export` or `ends`"),
    ] {
        assert_eq!(imported(text, tempdir().unwrap().path()).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_store_in_which_something_happened_is_not_imported_into() {
    let directory = tempdir().unwrap();
    let store = open_tiny(directory.path());
    assert!(matches!(imported("", directory.path()), Err(DumpError::Store(StoreError::InUse(_)))));
    store.commit(&[sent(1, 1, Destination::User(UserId(2)), "here")]).unwrap();
    drop(store);
    let refused = imported("{\"kabar_export\":2}\n", directory.path()).unwrap_err();
    assert!(matches!(refused, DumpError::Store(StoreError::Used(_))), "{refused}");
    assert_eq!(open_tiny(directory.path()).page(&direct_query(2, 0), 10).unwrap().messages.len(), 1);
}

#[test]
fn an_import_that_was_killed_does_not_hinder_the_next() {
    let directory = tempdir().unwrap();
    drop(open_tiny(directory.path()));
    fs::write(directory.path().join("kabar.db.unfinished"), "half").unwrap();
    let (_, state) = opened(&users(&["a"]), directory.path());
    assert_eq!(state.user_count(), 1);
}

#[test]
fn what_is_no_store_is_not_exported() {
    let directory = tempdir().unwrap();
    let refused = export(directory.path(), &mut Vec::new(), &mut |_| {}).unwrap_err();
    assert!(matches!(refused, DumpError::Store(StoreError::Missing(_))), "{refused}");
}

#[test]
fn a_store_that_no_server_has_begun_is_reported_as_empty() {
    let directory = tempdir().unwrap();
    drop(crate::store::Directory::open(directory.path()).unwrap());
    let refused = export(directory.path(), &mut Vec::new(), &mut |_| {}).unwrap_err();
    assert!(refused.to_string().ends_with("the first start of a server begins it"), "{refused}");
}

#[test]
fn what_was_said_in_a_group_that_was_forgotten_is_left_out() {
    let (from, to) = (tempdir().unwrap(), tempdir().unwrap());
    let store = open_tiny(from.path());
    let mut model = Model::new();
    let name = |text: &str| Name::parse(text).unwrap();
    for user in ["messi", "paff"] {
        model.execute_as_server(&Command::Register {
            name: name(user),
            full_name: "".into(),
            country: "".into(),
            password: crate::chat::PasswordHash(HASH.into()),
            session: None,
            invite: None,
        });
    }
    let say = |model: &mut Model, user, group: &str, text: &str| {
        let to = Address { name: name(group), realm: None };
        model.execute(UserId(user), &Command::SendGroup { to, text: text.into() });
    };
    model.execute(UserId(0), &Command::CreateGroup { name: name("lasting"), password: None });
    say(&mut model, 0, "lasting", "forgotten with the one who made it");
    model.execute(UserId(1), &Command::JoinGroup { group: name("lasting"), verified: None });
    model.execute(UserId(0), &Command::LeaveGroup { group: name("lasting") });
    say(&mut model, 1, "lasting", "kept");
    for number in 0..=MAX_MEMBERSHIPS {
        let group = format!("g{number}");
        model.execute(UserId(0), &Command::CreateGroup { name: name(&group), password: None });
        say(&mut model, 0, &group, &group);
        model.execute(UserId(0), &Command::DeleteGroup { group: name(&group) });
    }
    model.commit(&store);
    drop(store);
    let export = exported(from.path());
    assert!(!export.contains("forgotten") && export.contains("kept"));
    imported(&export, to.path()).unwrap();
    assert_eq!(exported(to.path()), export);
}
