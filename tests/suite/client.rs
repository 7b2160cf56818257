//! The client core against a server: one connection after another, one conversation.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kabar::client::{Client, ClientError, Event, Incoming, ServerAddress, Settings, Target, Trust, log_in, register};
use kabar::limits::CLIENT_CHANNEL;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

use crate::bot;
use crate::support::TestServer;
use crate::support::client::PATIENCE;

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

fn server() -> TestServer {
    TestServer::at_fixed_address()
}

async fn start(server: &TestServer, user: &str) -> (Client, Receiver<Incoming>) {
    let address: ServerAddress = server.home().to_string().parse().unwrap();
    let login = register(&address, &Trust::system(), user, "rahasia").await.unwrap();
    let (client, mut incoming) = Client::start(Settings::new(address, Trust::system(), login.token));
    until_connected(&mut incoming).await;
    (client, incoming)
}

async fn next(incoming: &mut Receiver<Incoming>) -> Incoming {
    timeout(PATIENCE, incoming.recv()).await.expect("in time").expect("a client that runs")
}

async fn until_connected(incoming: &mut Receiver<Incoming>) {
    while !matches!(next(incoming).await, Incoming::Connected { .. }) {}
}

async fn texts(incoming: &mut Receiver<Incoming>, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        if let Incoming::Event(Event::Message(message)) = next(incoming).await {
            texts.push(message.msg);
        }
    }
    texts
}

/// The server has a runtime of its own.
fn outside(act: impl FnOnce() + Send) {
    std::thread::scope(|scope| scope.spawn(act).join().unwrap());
}

fn to(name: &str) -> Target {
    Target::parse(name).unwrap()
}

#[test]
fn messages_come_once_and_in_order_across_a_restart() {
    let mut server = server();
    run(async {
        let (_neko, mut heard) = start(&server, "neko").await;
        let (messi, mut connections) = start(&server, "messi").await;
        messi.send(&to("neko"), "before").await.unwrap();
        assert_eq!(texts(&mut heard, 1).await, ["before"]);
        outside(|| server.stop());
        let waits = tokio::spawn({
            let messi = messi.clone();
            async move { messi.send(&to("neko"), "while it was away").await }
        });
        tokio::task::yield_now().await;
        outside(|| server.start_again());
        waits.await.unwrap().unwrap();
        until_connected(&mut connections).await;
        messi.send(&to("neko"), "after").await.unwrap();
        assert_eq!(texts(&mut heard, 2).await, ["while it was away", "after"]);
    });
}

/// The files of a stopped server, as a backup has them.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[test]
fn after_a_restored_backup_the_client_is_told_and_hears_what_comes_under_the_old_ids() {
    let mut server = server();
    run(async {
        let (_neko, mut heard) = start(&server, "neko").await;
        let (messi, mut connections) = start(&server, "messi").await;
        messi.send(&to("neko"), "kept").await.unwrap();
        let backup = server.data().with_file_name("backup");
        outside(|| {
            server.stop();
            copy(server.data(), &backup);
            server.start_again();
        });
        until_connected(&mut connections).await;
        messi.send(&to("neko"), "lost").await.unwrap();
        assert_eq!(texts(&mut heard, 2).await, ["kept", "lost"]);
        outside(|| {
            server.stop();
            fs::remove_dir_all(server.data()).unwrap();
            copy(&backup, server.data());
            server.start_again();
        });
        until_connected(&mut connections).await;
        messi.send(&to("neko"), "anew").await.unwrap();
        while !matches!(next(&mut heard).await, Incoming::Event(Event::Reset { .. })) {}
        assert_eq!(texts(&mut heard, 1).await, ["anew"]);
    });
}

#[test]
fn a_program_that_is_slow_misses_nothing() {
    let server = server();
    run(async {
        let (_neko, mut heard) = start(&server, "neko").await;
        let (messi, _) = start(&server, "messi").await;
        let count = 3 * CLIENT_CHANNEL;
        let sent: Vec<String> = (0..count).map(|number| number.to_string()).collect();
        for text in &sent {
            messi.send(&to("neko"), text).await.unwrap();
        }
        assert_eq!(texts(&mut heard, count).await, sent);
    });
}

#[test]
fn a_session_that_ends_between_two_requests_of_the_connecting_client_has_ended() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: ServerAddress = listener.local_addr().unwrap().to_string().parse().unwrap();
    let answers = std::thread::spawn(move || {
        let (mut writer, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(writer.try_clone().unwrap()).lines();
        let known = r#"{"status":"OK","message":"","data":{"user":"messi"}}"#;
        let unknown = r#"{"status":"ERROR","message":"","code":"no_session","data":""}"#;
        for answer in [known, unknown] {
            lines.next().unwrap().unwrap();
            write!(writer, "{answer}\r\n\r\n").unwrap();
        }
    });
    run(async {
        let (_client, mut incoming) = Client::start(Settings::new(address, Trust::system(), "token".to_owned()));
        let ended = next(&mut incoming).await;
        assert!(matches!(ended, Incoming::Ended(ClientError::SessionEnded { .. })), "{ended:?}");
    });
    answers.join().unwrap();
}

#[test]
fn a_client_whose_session_is_revoked_ends_and_fails_its_requests() {
    let server = server();
    run(async {
        let (messi, mut incoming) = start(&server, "messi").await;
        server.connect().asks("auth messi rahasia").expect_ok();
        let mut other = server.connect().logged_in("messi", "rahasia");
        let first = other.asks("sessions").0["data"][0]["id"].as_u64().unwrap();
        other.asks(&format!("revoke {first}")).expect_ok();
        let failed = messi.send(&to("messi"), "halo?").await;
        assert!(matches!(failed, Err(ClientError::SessionEnded { .. })), "{failed:?}");
        while !matches!(next(&mut incoming).await, Incoming::Ended(ClientError::SessionEnded { .. })) {}
        assert!(matches!(messi.send(&to("messi"), "halo?").await, Err(ClientError::Stopped)));
    });
}

#[test]
fn a_refusal_says_why() {
    let server = server();
    run(async {
        let (messi, _incoming) = start(&server, "messi").await;
        let refused = messi.send(&to("pele"), "halo").await;
        assert!(
            matches!(&refused, Err(ClientError::Refused(reply)) if reply.has_code("user_not_found")),
            "{refused:?}"
        );
        assert!(matches!(messi.send(&to("messi"), "a\nquit").await, Err(ClientError::SeveralLines)));
        let address = server.home().to_string().parse().unwrap();
        let wrong = log_in(&address, &Trust::system(), "messi", "salah").await;
        assert!(matches!(&wrong, Err(ClientError::Refused(reply)) if reply.has_code("wrong_password")), "{wrong:?}");
    });
}

#[test]
fn a_text_listener_is_not_taken_for_a_json_listener() {
    let server = server();
    run(async {
        let text = server.address(kabar::wire::ListenerKind::Text).to_string().parse().unwrap();
        let failed = log_in(&text, &Trust::system(), "messi", "rahasia").await;
        assert!(matches!(failed, Err(ClientError::NotKabar(_))), "{failed:?}");
    });
}

#[test]
fn the_example_bot_answers() {
    let server = server();
    run(async {
        let address = server.home().to_string();
        tokio::select! {
            ended = bot::run(&address, "dice", "rahasia") => panic!("the bot ended: {ended:?}"),
            () = async {
                let (messi, mut heard) = start(&server, "messi").await;
                // The bot hears what is said from its first connection on.
                while heard.is_empty() {
                    let _there_is_no_bot_yet = messi.send(&to("dice"), "halo").await;
                }
                assert_eq!(texts(&mut heard, 1).await, ["you said: halo"]);
                messi.send(&to("dice"), "/roll 3d6").await.unwrap();
                while !texts(&mut heard, 1).await[0].starts_with('[') {}
            } => {}
        }
    });
}
