//! The protocol over WebSocket: that of the json listener, an object a message.

use tungstenite::protocol::Message;
use tungstenite::protocol::frame::coding::CloseCode;

use crate::support::{TestServer, WebClient, number};

#[test]
fn a_request_is_answered_as_on_the_json_listener() {
    let server = TestServer::with_documented_users();
    let (mut web, mut json) = (server.connect_web(), server.connect());
    for line in ["ping", "version", "help send", "inbox", "helo", "send", "auth messi salah", "#t-1 ping", "list {}"] {
        assert_eq!(web.asks(line), json.asks(line), "{line}");
    }
}

#[test]
fn messages_are_pushed_to_a_subscriber_of_either_listener() {
    let server = TestServer::start();
    let mut alice = server.connect_web().registered("alice");
    let mut bob = server.connect().registered("bob");
    alice.asks("subscribe presence").expect_ok();
    bob.asks("subscribe").expect_ok();
    bob.asks("send alice halo").expect_ok();
    assert_eq!(alice.hears().0["data"]["msg"], "halo");
    alice.asks("send bob hai").expect_ok();
    assert_eq!(bob.hears().0["data"]["msg"], "hai");
    let _cici = server.connect().registered("cici");
    assert_eq!(alice.hears().0["event"], "presence");
}

#[test]
fn a_long_reply_is_one_message() {
    let server = TestServer::start();
    let mut alice = server.connect_web().registered("alice");
    let text = "x".repeat(4_000);
    for _ in 0..40 {
        alice.says(&format!("send alice {text}"));
    }
    for _ in 0..40 {
        alice.hears().expect_ok();
    }
    assert_eq!(alice.asks("history").expect_ok().texts(), vec![text; 40]);
}

#[test]
fn requests_are_pipelined_and_answered_in_order() {
    let server = TestServer::start();
    let mut alice = server.connect_web().registered("alice");
    for number in 0..3_000 {
        alice.0.write(Message::text(format!("#{number} ping"))).unwrap();
    }
    alice.0.flush().unwrap();
    for number in 0..3_000 {
        assert_eq!(alice.hears().0["tag"], number.to_string());
    }
}

#[test]
fn a_ping_is_answered_and_a_line_end_is_not_needed() {
    let server = TestServer::start();
    let mut web = server.connect_web();
    web.0.send(Message::Ping("halo".into())).unwrap();
    assert_eq!(web.0.read().unwrap(), Message::Pong("halo".into()));
    assert_eq!(web.asks("ping\r\n").message(), "pong");
    assert_eq!(web.asks("ping\nping").code(), "control_character");
}

#[test]
fn either_side_may_close() {
    let server = TestServer::start();
    server.connect_web().leaves();
    let mut quitting = server.connect_web();
    assert_eq!(quitting.asks("quit").message(), "bye");
    assert_eq!(quitting.hears_the_end(), number(CloseCode::Normal));
}

#[test]
fn a_stop_is_told_and_a_session_goes_on_after_it() {
    let mut server = TestServer::start();
    let mut alice = server.connect_web();
    let token = alice.asks("register alice rahasia").expect_ok().token();
    let reader = std::thread::spawn(move || {
        let code = alice.hears().code().to_owned();
        (code, alice.hears_the_end())
    });
    server.stop();
    assert_eq!(reader.join().unwrap(), ("shutting_down".to_owned(), number(CloseCode::Restart)));
    server.start_again();
    let mut again: WebClient = server.connect_web();
    assert_eq!(again.asks(&format!("whoami {token}")).message(), "alice");
}
