//! There and back again, and what is wrong on the way.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tempfile::tempdir;

use super::*;
use crate::chat::{Destination, Event, Record, State, TimelineQuery};
use crate::id::{RealmId, Seq, UserId};
use crate::limits::IMPORT_LINE_BYTES;
use crate::store::properties::{Live, home, stored_log};
use crate::store::testing::{HASH, direct_view, open_tiny, said};
use crate::store::wishes::wish;
use crate::store::{Durability, Rules, SqliteStore, Store, Sweep, Swept};
use crate::time::Time;

fn exported(directory: &Path) -> String {
    let mut out = Vec::new();
    export(directory, &mut out, &mut |_| {}).unwrap();
    String::from_utf8(out).unwrap()
}

fn imported(text: &str, directory: &Path) -> Result<u64, TransferError> {
    import(&mut text.as_bytes(), "lines", None, directory, &mut |_| {})
}

fn messages(directory: &Path) -> Vec<Record> {
    let is_message = |record: &Record| matches!(record.event, Event::MessageSent(_));
    stored_log(directory).into_iter().filter(is_message).collect()
}

fn swept(store: &SqliteStore, newest: usize) {
    let mut sweep = Sweep::default();
    sweep.begin(Rules { before: None, newest: Some(newest), unread: true });
    while store.sweep(&mut sweep).unwrap() == Swept::Partly {}
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn an_import_of_an_export_is_the_same_store(
        wishes in prop::collection::vec(wish(), 1..300),
        newest in prop::option::of(1..6_usize),
    ) {
        let (here, there) = (tempdir().unwrap(), tempdir().unwrap());
        let store = open_tiny(here.path());
        let mut live = Live::new();
        wishes.iter().for_each(|wish| live.want(wish));
        live.commit(&store);
        if let Some(newest) = newest {
            swept(&store, newest);
        }
        let text = exported(here.path());
        prop_assert_eq!(imported(&text, there.path()).unwrap(), text.lines().count() as u64);
        prop_assert_eq!(exported(there.path()), text);
        prop_assert_eq!(messages(there.path()), messages(here.path()));
        let copy = open_tiny(there.path());
        for user in (0..4).map(UserId) {
            if let Some(view) = live.state.inbox(user) {
                let read = |store: &SqliteStore| store.page(&view, 1_000).unwrap().messages;
                prop_assert_eq!(format!("{:?}", read(&copy)), format!("{:?}", read(&store)));
            }
        }
        prop_assert_eq!(State::restore(home(), copy.load().unwrap()), live.state);
    }
}

#[test]
fn a_file_written_by_hand_needs_users_and_messages_only() {
    let directory = tempdir().unwrap();
    let text = format!(
        r#"{{"kabar_export":1}}

{{"user":{{"name":"messi","full_name":"Lionel Messi","password_hash":"{HASH}"}}}}
{{"user":{{"name":"neko","password_hash":"{HASH}"}}}}
{{"group":{{"name":"fans","owner":"Messi"}}}}
{{"member":{{"group":"fans","user":"messi"}}}}
{{"member":{{"group":"fans","user":"neko"}}}}
{{"message":{{"time":"2020-01-01T00:00:00Z","from":"MESSI","to":"neko","msg":"halo"}}}}
{{"message":{{"time":"2020-01-01T00:00:00Z","from":"messi","to":"fans","group":"fans","msg":"gól"}}}}
{{"message":{{"id":50,"time":"2020-01-01T00:00:01+00:00","from":"messi","to":"*","msg":"all"}}}}
"#
    );
    assert_eq!(imported(&text, directory.path()).unwrap(), 9);
    let store = SqliteStore::open(directory.path(), Durability::Fast).unwrap();
    let state = State::restore(home(), store.load().unwrap());
    assert_eq!((state.head(), state.time()), (Seq(50), Time(1_577_836_801_000)));
    let page = store.page(&state.inbox(UserId(1)).unwrap(), 10).unwrap();
    let objects: Vec<_> = page.messages.iter().map(|it| it.body.object(it.seq, it.time)).collect();
    let expected = [
        r#"{"id":3,"time":"2020-01-01T00:00:00.000Z","from":"messi","to":"neko","msg_from":"Lionel Messi","msg_to":"neko","msg":"halo","kind":"direct"}"#,
        r#"{"id":4,"time":"2020-01-01T00:00:00.000Z","from":"messi","to":"fans","msg_from":"Lionel Messi","msg_to":"fans","msg":"g\u00f3l","kind":"group","group":"fans"}"#,
        r#"{"id":50,"time":"2020-01-01T00:00:01.000Z","from":"messi","to":"*","msg_from":"Lionel Messi","msg_to":"*","msg":"all","kind":"broadcast"}"#,
    ];
    assert_eq!(objects, expected.map(|object| object.as_bytes().to_vec()));
}

#[test]
fn a_wrong_line_is_told_with_its_place_and_leaves_nothing_behind() {
    let user = format!("{{\"user\":{{\"name\":\"a\",\"password_hash\":\"{HASH}\"}}}}\n");
    let message =
        |fields: &str| format!("{user}{{\"message\":{{\"from\":\"a\",\"to\":\"a\",\"msg\":\"x\",{fields}}}}}");
    let at = "\"time\":\"2020-01-01T00:00:00Z\"";
    let table = [
        ("{}".to_owned(), "lines:2:2: expected value"),
        ("{\"usr\":{}}".to_owned(), "lines:2:6: unknown variant `usr`, expected one of `user`, `realm`"),
        ("{\"user\":{\"name\":\"a\"}}".to_owned(), "lines:2:20: missing field `password_hash`"),
        ("{\"user\":{\"name\":\"_\",\"password_hash\":\"\"}}".to_owned(), "lines:2:19: expected 1-32 of"),
        ("{\"user\":{\"name\":\"a\",\"password_hash\":\"x\"}}".to_owned(), "lines:2: password_hash: expected what"),
        ("{\"user\":{\"nam\":\"a\"}}".to_owned(), "lines:2:14: unknown field `nam`, expected one of `name`"),
        (format!("{user}{user}"), "lines:3: the user a has an earlier line"),
        (message("\"time\":\"now\""), "lines:3:55: expected a time since 1970"),
        (message(at).replace("\"to\":\"a\"", "\"to\":\"b\""), "lines:3: no line before this one is of the user \"b\""),
        (
            format!("{}\n{}", message(&format!("\"id\":5,{at}")), &message(&format!("\"id\":5,{at}"))[user.len()..]),
            "lines:4: id: 5 does not come after 5",
        ),
        (
            format!("{}\n{}", message(at), &message("\"time\":\"2019-01-01T00:00:00Z\"")[user.len()..]),
            "lines:4: time: it must not go back",
        ),
        (
            message(&format!("\"id\":9223372036854775808,{at}")),
            "lines:3: id: 9223372036854775808 is too large a number",
        ),
        (message(&format!("\"realm\":\"x\",\"realm_number\":1,{at}")), "lines:3: realm_number: no realm"),
        ("x".repeat(IMPORT_LINE_BYTES + 1), "lines:2: the line is longer than 1048576 bytes"),
    ];
    for (lines, expected) in table {
        assert_wrong(&lines, expected);
    }
}

fn assert_wrong(lines: &str, expected: &str) {
    let directory = tempdir().unwrap();
    let told = imported(&format!("{{\"kabar_export\":1}}\n{lines}\n"), directory.path()).unwrap_err().to_string();
    assert!(told.starts_with(expected), "{told}");
    assert!(!directory.path().join("kabar.db.unfinished").exists());
    assert!(open_tiny(directory.path()).load().unwrap().users.is_empty());
}

#[test]
fn a_wrong_line_about_another_server_is_told_too() {
    let (user, key) = (format!("{{\"user\":{{\"name\":\"a\",\"password_hash\":\"{HASH}\"}}}}\n"), "07".repeat(32));
    let server = format!("{{\"realm\":{{\"name\":\"timur\",\"kind\":\"server\",\"key\":\"{key}\"}}}}\n");
    let own = "{\"realm\":{\"name\":\"barat\"}}\n";
    let said = |from: &str, to: &str, realm: &str| {
        let ends = format!("\"from\":\"{from}\",\"to\":\"{to}\",\"realm\":\"{realm}\"");
        format!("{{\"message\":{{{ends},\"msg\":\"x\",\"time\":\"2020-01-01T00:00:00Z\"}}}}")
    };
    let known = format!("{user}{server}{own}");
    let other = "expected somebody of another server, which `realm` names";
    let table = [
        (server.replace("07", "0x"), "lines:2:114: expected 64 hexadecimal digits"),
        (server.repeat(2), "lines:3: the realm timur has an earlier line"),
        (server.clone() + &server.replace("timur", "utara"), "lines:3: key: an earlier line has the same"),
        (server.replace("server", "called"), "lines:2: key: expected only of a server or a removed realm"),
        (server.replace("\"key\"", "\"port\":7,\"key\""), "lines:2: host, port: expected both or none"),
        (own.replace("}}", ",\"cursor\":7}}"), "lines:2: host, port, self_named, cursor: expected only of a server"),
        (own.replace("}}", ",\"by\":\"b\"}}"), "lines:2: no line before this one is of the user \"b\""),
        (known.clone() + &said("a", "b@timur", "barat"), &format!("lines:5: to: {other}")),
        (known.clone() + &said("a", "b@barat", "barat"), &format!("lines:5: to: {other}")),
        (known.clone() + &said("b@timur", "a", "barat"), &format!("lines:5: from: {other}")),
        (known.clone() + &said("_@timur", "a", "timur"), "lines:5: from: expected 1-32 of"),
        (known.clone() + &said("b@timur", "c@timur", "timur"), "lines:5: to: expected a user of this server"),
        (known.clone() + &said("b@timur", "*", "timur"), "lines:5: to: expected a user of this server"),
        (
            known.clone() + "{\"block\":{\"user\":\"a\",\"blocked\":\"b@barat\"}}",
            "lines:5: barat is a name of this server",
        ),
        (
            known
                + &format!(
                    "{{\"refused\":{{\"realm\":\"timur\",\"incarnation\":\"{key:.16}\",\"number\":1,\"why\":\"blocked\",\"noted\":1}}}}"
                ),
            "lines:5: number: no line before this one says that so much was received",
        ),
    ];
    for (lines, expected) in table {
        assert_wrong(&lines, expected);
    }
}

#[test]
fn what_waits_for_another_server_is_sent_on_and_what_it_has_is_not() {
    let directory = tempdir().unwrap();
    let text = format!(
        r#"{{"kabar_export":1}}
{{"user":{{"name":"messi","password_hash":"{HASH}"}}}}
{{"realm":{{"name":"timur","kind":"server","host":"timur.example","port":8889,"cursor":7}}}}
{{"message":{{"id":7,"time":"2020-01-01T00:00:00Z","from":"messi","to":"jauh@timur","realm":"timur","msg":"has it"}}}}
{{"message":{{"id":8,"time":"2020-01-01T00:00:00Z","from":"messi","to":"jauh@Timur","realm":"Timur","msg":"waits"}}}}
{{"message":{{"id":9,"time":"2020-01-01T00:00:00Z","from":"jauh@timur","to":"messi","realm":"timur","msg":"halo"}}}}
"#
    );
    imported(&text, directory.path()).unwrap();
    let store = open_tiny(directory.path());
    let state = State::restore(home(), store.load().unwrap());
    let link = state.peer(RealmId(1)).unwrap();
    assert_eq!(link.queue.iter().map(|queued| queued.seq).collect::<Vec<_>>(), [Seq(8)]);
    let page = store.page(&TimelineQuery::outbox(RealmId(1), link.cursor), 10).unwrap();
    assert_eq!(page.messages.iter().map(|message| message.seq).collect::<Vec<_>>(), [Seq(8)]);
    let page = store.page(&state.inbox(UserId(0)).unwrap(), 10).unwrap();
    assert!(page.messages[0].body.read(|parts| parts.from == "jauh@timur" && parts.msg_from == "jauh").unwrap());
}

#[test]
fn a_name_means_the_newest_group_unless_a_number_tells_another() {
    let directory = tempdir().unwrap();
    let text = format!(
        r#"{{"kabar_export":1}}
{{"user":{{"name":"a","password_hash":"{HASH}"}}}}
{{"group":{{"name":"fans","owner":"a","deleted":true}}}}
{{"group":{{"name":"Fans","owner":"a"}}}}
{{"member":{{"group":"fans","group_number":1,"user":"a"}}}}
{{"member":{{"group":"fans","user":"a"}}}}
"#
    );
    imported(&text, directory.path()).unwrap();
    let loaded = open_tiny(directory.path()).load().unwrap();
    let groups: Vec<_> = loaded.users[0].memberships.iter().map(|membership| membership.group.0).collect();
    assert_eq!(groups, [0, 1]);
    let other = text.replace("\"group_number\":1", "\"group_number\":3");
    let told = imported(&other, tempdir().unwrap().path()).unwrap_err().to_string();
    assert_eq!(told, "lines:5: group_number: the group line 3 is not of \"fans\"");
}

#[test]
fn the_first_line_says_what_it_is() {
    for (text, expected) in [
        ("", "lines:1: expected the first line {\"kabar_export\":1}"),
        ("{\"user\":{}}\n", "lines:1: expected the first line {\"kabar_export\":1}"),
        ("\n{\"kabar_export\":2}\n", "lines:2: version 2 of an export is not known here, only 1"),
    ] {
        assert_eq!(imported(text, tempdir().unwrap().path()).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_store_in_which_something_happened_is_not_imported_into() {
    let directory = tempdir().unwrap();
    let store = open_tiny(directory.path());
    assert!(matches!(imported("", directory.path()), Err(TransferError::Store(StoreError::InUse(_)))));
    store.commit(&[said(1, 1, Destination::User(UserId(2)), "here")]).unwrap();
    drop(store);
    let refused = imported("{\"kabar_export\":1}\n", directory.path()).unwrap_err();
    assert!(matches!(refused, TransferError::Store(StoreError::Used(_))), "{refused}");
    assert_eq!(open_tiny(directory.path()).page(&direct_view(2, 0), 10).unwrap().messages.len(), 1);
}

#[test]
fn an_import_that_was_killed_is_in_nobodys_way() {
    let directory = tempdir().unwrap();
    drop(open_tiny(directory.path()));
    fs::write(directory.path().join("kabar.db.unfinished"), "half").unwrap();
    assert_eq!(imported("{\"kabar_export\":1,\"head\":7}\n", directory.path()).unwrap(), 1);
    assert_eq!(open_tiny(directory.path()).load().unwrap().head, Seq(7));
}

#[test]
fn what_is_no_store_is_not_exported() {
    let directory = tempdir().unwrap();
    let refused = export(directory.path(), &mut Vec::new(), &mut |_| {}).unwrap_err();
    assert!(matches!(refused, TransferError::Store(StoreError::Missing(_))), "{refused}");
}

#[test]
fn a_store_that_no_server_has_begun_is_said_to_be_empty() {
    let directory = tempdir().unwrap();
    drop(crate::store::Directory::open(directory.path()).unwrap());
    let refused = export(directory.path(), &mut Vec::new(), &mut |_| {}).unwrap_err();
    assert!(refused.to_string().ends_with("the first start of a server begins it"), "{refused}");
}
