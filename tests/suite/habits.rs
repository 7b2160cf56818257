//! What real clients of the five systems do. Each of these habits has broken a server before.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

use crate::support::server::documented_users;
use crate::support::{Client, TestServer};
use kabar::config::Config;
use kabar::server::Server;
use kabar::wire::ListenerKind;
use tempfile::TempDir;
use tokio::sync::oneshot;

#[test]
fn blanks_before_and_after_the_text_and_before_the_newline_do_not_count() {
    let server = TestServer::with_documented_users();
    let token = server.connect().asks("auth messi surabaya \r").token();
    let mut client = server.connect();
    client.sends(format!("send {token} henderson  halo apa  kabar \r\n"));
    client.hears().expect_ok();
    let mut henderson = server.connect().logged_in("henderson", "surabaya");
    assert_eq!(henderson.asks("inbox  \r").texts(), ["halo apa  kabar"]);
}

#[test]
fn two_blanks_where_a_token_is_empty_mean_no_token() {
    let server = TestServer::with_documented_users();
    assert_eq!(server.connect().asks("inbox  ").code(), "no_session");
    assert_eq!(server.connect().asks("send  henderson halo").code(), "no_session");
    let mut messi = server.connect().logged_in("messi", "surabaya");
    messi.asks("send  henderson halo").expect_ok();
}

#[test]
fn a_command_may_be_written_in_any_case() {
    let server = TestServer::with_documented_users();
    let mut client = server.connect();
    client.asks("AUTH messi surabaya").expect_ok();
    client.asks("Inbox").expect_ok();
    client.asks("ShowUserActive").expect_ok();
}

#[test]
fn a_reader_of_64_bytes_may_decode_each_piece_on_its_own() {
    let server = TestServer::with_documented_users();
    let mut messi = server.connect().logged_in("messi", "surabaya");
    messi.asks("send messi gól 😀 ¡olé!").expect_ok();
    messi.says("inbox");
    messi.half_closes();
    let bytes = messi.hears_the_rest();
    let pieces: Option<String> = bytes.chunks(64).map(|piece| std::str::from_utf8(piece).ok()).collect();
    assert!(pieces.unwrap().contains(r"g\u00f3l \ud83d\ude00 \u00a1ol\u00e9!"));
}

#[test]
fn a_frame_ends_once_and_holds_no_line_break() {
    let server = TestServer::with_documented_users();
    let mut client = server.connect();
    let requests = ["auth messi surabaya", "help", "nonsense", "send henderson halo", "inbox", "info {}", "version"];
    for request in requests {
        client.says(request);
    }
    client.half_closes();
    let bytes = String::from_utf8(client.hears_the_rest()).unwrap();
    let frames: Vec<&str> = bytes.split("\r\n\r\n").collect();
    assert_eq!(frames.len(), requests.len() + 1, "one frame a request, and nothing after the last");
    assert!(frames.iter().all(|frame| !frame.contains(['\r', '\n'])));
}

#[test]
fn every_error_has_a_message_and_every_login_a_tokenid() {
    let server = TestServer::with_documented_users();
    let mut client = server.connect();
    for request in ["nonsense", "auth", "auth nobody x", "auth messi x", "inbox", "send", "joingroup", "\u{1}"] {
        let reply = client.asks(request);
        assert!(!reply.is_ok() && !reply.message().is_empty(), "{request}: {reply:?}");
        assert_eq!(reply.0["data"], reply.0["message"], "{request}");
    }
    for request in ["auth messi surabaya", "login messi surabaya", "register duevano rahasia vano_orang Indonesia"] {
        assert_eq!(client.asks(request).token().len(), 36);
    }
}

#[test]
fn no_error_of_a_login_contains_the_letters_ok() {
    let server = TestServer::with_documented_users();
    let mut client = server.connect();
    let unknown = "5f0c8b3e-52f5-4f0c-9d1c-2b5a7c1e9d10";
    for word in ["auth", "login", "register"] {
        let mut requests =
            vec![format!("{word}"), format!("{word} x"), format!("{word} {unknown}"), format!("{word} ? ?")];
        if word == "register" {
            requests.extend([
                "register messi x".into(),
                "register a b c".into(),
                format!("register a {}", "x".repeat(200)),
            ]);
        } else {
            requests.extend([
                format!("{word} nobody x"),
                format!("{word} messi x"),
                format!("{word} messi {}", "x".repeat(200)),
            ]);
        }
        for request in requests {
            client.says(&request);
            let frame = client.hears_frame();
            assert!(frame.contains("ERROR") && !frame.to_lowercase().contains("ok"), "{request}: {frame}");
        }
    }
}

#[test]
fn a_connection_without_a_subscription_gets_no_unsolicited_frame() {
    let server = TestServer::with_documented_users();
    let mut messi = server.connect().logged_in("messi", "surabaya");
    let mut henderson = server.connect().logged_in("henderson", "surabaya");
    messi.asks("send henderson halo").expect_ok();
    messi.asks("broadcast halo semua").expect_ok();
    henderson.hears_nothing();
}

#[test]
fn a_token_works_from_another_connection() {
    let server = TestServer::with_documented_users();
    let token = server.connect().asks("auth messi surabaya").token();
    let mut other = server.connect();
    other.asks(&format!("send {token} henderson halo")).expect_ok();
    assert_eq!(other.asks("whoami").expect_ok().message(), "messi", "and binds it");
}

#[test]
fn another_users_token_acts_for_its_one_request() {
    let server = TestServer::with_documented_users();
    let token = server.connect().asks("auth henderson surabaya").token();
    let mut messi = server.connect().logged_in("messi", "surabaya");
    assert_eq!(messi.asks(&format!("whoami {token}")).message(), "henderson");
    assert_eq!(messi.asks("whoami").message(), "messi");
}

#[test]
fn logout_needs_no_token_and_ends_the_session_everywhere() {
    let server = TestServer::with_documented_users();
    let mut messi = server.connect();
    let token = messi.asks("auth messi surabaya").token();
    let mut phone = server.connect();
    phone.asks(&format!("whoami {token}")).expect_ok();
    assert_eq!(messi.asks("logout").expect_ok().0["messages"], "Logout berhasil");
    assert_eq!(messi.asks("inbox").message(), "Session tidak ditemukan");
    assert_eq!(phone.asks("inbox").code(), "no_session");
    assert_eq!(phone.asks(&format!("inbox {token}")).code(), "no_session");
}

#[test]
fn info_without_a_user_or_with_braces_lists_who_is_active() {
    let server = TestServer::with_documented_users();
    let mut messi = server.connect().logged_in("messi", "surabaya");
    for request in ["info", "info {}", "info  "] {
        assert_eq!(messi.asks(request).expect_ok().0["data"], serde_json::json!(["messi"]), "{request}");
    }
}

#[test]
fn a_realms_group_may_be_written_with_its_kind() {
    let server = TestServer::with_documented_users();
    let mut messi = server.connect().logged_in("messi", "surabaya");
    messi.asks("addgroup informatika21").expect_ok();
    messi.asks("addrealm barat").expect_ok();
    messi.asks("sendgrouprealm barat group:informatika21 halo").expect_ok();
    messi.asks("sendgrouprealm barat informatika21 halo").expect_ok();
}

#[test]
fn a_first_line_of_three_kilobytes_is_served() {
    let server = TestServer::with_documented_users();
    let token = server.connect().asks("auth messi surabaya").token();
    let text = "x".repeat(3 * 1024);
    server.connect().asks(&format!("send {token} henderson {text}")).expect_ok();
    assert_eq!(server.connect().logged_in("henderson", "surabaya").asks("inbox").texts(), [text]);
}

#[test]
fn a_password_may_have_three_characters() {
    let server = TestServer::start();
    let mut client = server.connect();
    client.asks("register ani abc").expect_ok();
    client.asks("auth ani abc").expect_ok();
}

#[test]
fn a_login_and_what_follows_may_come_in_one_packet() {
    let server = TestServer::with_documented_users();
    let mut client = server.connect();
    client.sends("auth messi surabaya\ninbox\nsend messi x\ninbox\n");
    assert!(client.hears().expect_ok().message().starts_with("username messi logged in"));
    assert_eq!(client.hears().message(), "0 messages");
    assert_eq!(client.hears().message(), "Message sent");
    assert_eq!(client.hears().texts(), ["x"]);
}

#[test]
fn a_half_closed_connection_gets_every_answer_and_then_the_end() {
    let server = TestServer::with_documented_users();
    let mut client = server.connect();
    client.sends("auth messi surabaya\ninbox");
    client.half_closes();
    client.hears().expect_ok();
    assert_eq!(client.hears().message(), "0 messages");
    client.hears_the_end();
}

#[test]
fn a_web_page_gets_no_answer_at_all() {
    let server = TestServer::start();
    for line in [
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:8889\r\n\r\n",
        "POST /x HTTP/1.1\r\n\r\nping\n",
        "Host: localhost\r\nping\n",
    ] {
        let mut client = server.connect();
        client.sends(line);
        client.hears_the_end();
    }
}

#[test]
fn a_client_may_sit_silent_for_hours() {
    let (tell, told) = mpsc::channel();
    let (logged_in, clients_logged_in) = oneshot::channel();
    let (done, clients_done) = oneshot::channel();
    let server = std::thread::spawn(move || serve_on_a_fast_clock(&tell, clients_logged_in, clients_done));
    let (json, text) = told.recv().unwrap();
    let mut messi = Client::connect(json).logged_in("messi", "surabaya");
    let mut paff = Client::connect(text);
    paff.says("login paff cytus");
    assert_eq!(paff.hears_line(), "[OK] login berhasil");
    logged_in.send(()).unwrap();
    let _hours_passed = told.recv().unwrap();
    assert_eq!(messi.asks("whoami").expect_ok().message(), "messi");
    paff.hears_no_line();
    done.send(()).unwrap();
    server.join().unwrap();
}

/// The clock of this runtime is paused and advanced, so that any deadline of a connection would pass at once.
fn serve_on_a_fast_clock(
    tell: &mpsc::Sender<(SocketAddr, SocketAddr)>,
    clients_logged_in: oneshot::Receiver<()>,
    clients_done: oneshot::Receiver<()>,
) {
    let directory = TempDir::new().unwrap();
    let mut config = Config { users: documented_users(), ..Config::default() };
    config.server.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0)).into()];
    config.server.web = Vec::new();
    config.server.listen_text = config.server.listen.clone();
    config.server.data = directory.path().join("data");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let server = Server::start(&config).unwrap();
        let address = |format| server.listening().iter().find(|(_, found)| *found == format).unwrap().0.socket;
        let addresses = (address(ListenerKind::Json), address(ListenerKind::Text));
        tell.send(addresses).unwrap();
        clients_logged_in.await.unwrap();
        tokio::time::advance(Duration::from_secs(3 * 3600)).await;
        tell.send(addresses).unwrap();
        clients_done.await.unwrap();
        // An orderly stop would run out of time at once on this clock.
        drop(server);
    });
}
