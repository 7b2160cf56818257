//! Guesses at passwords: refused where they come from, and nowhere else.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::TestServer;

#[test]
fn guesses_at_a_name_lock_nobody_out_at_another_address() {
    let server = TestServer::with_documented_users();
    let mut guesser = server.connect_from([127, 0, 0, 2]);
    let codes: Vec<String> = (0..11).map(|_| guesser.asks("auth messi wrong").code().to_owned()).collect();
    assert_eq!(codes.last().unwrap(), "throttled", "{codes:?}");
    server.connect().logged_in("messi", "surabaya");
}

#[test]
fn guesses_at_names_that_do_not_exist_lock_nobody_out_at_the_same_address() {
    let server = TestServer::with_documented_users();
    let mut guesser = server.connect();
    for number in 0..40 {
        assert_eq!(guesser.asks(&format!("auth nobody{number} wrong")).code(), "user_not_found");
    }
    server.connect().logged_in("messi", "surabaya");
}

#[test]
fn guesses_in_parallel_are_bounded_like_guesses_in_a_row() {
    let server = TestServer::with_documented_users();
    let checked = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                let reply = server.connect().asks("auth messi wrong");
                assert!(["wrong_password", "throttled"].contains(&reply.code()), "{reply:?}");
                checked.fetch_add(usize::from(reply.code() == "wrong_password"), Ordering::Relaxed);
            });
        }
    });
    assert_eq!(checked.into_inner(), 10);
}

#[test]
fn a_throttled_reply_tells_when_to_try_again() {
    let server = TestServer::with_documented_users();
    let mut guesser = server.connect();
    let replies: Vec<_> = (0..11).map(|_| guesser.asks("auth messi wrong")).collect();
    let seconds = replies.last().unwrap().0["retry_after"].as_u64().unwrap();
    assert!((1..=6).contains(&seconds), "{seconds}");
}

#[test]
fn guesses_of_others_do_not_keep_a_user_from_changing_the_password() {
    let server = TestServer::with_documented_users();
    let mut messi = server.connect().logged_in("messi", "surabaya");
    let mut guesser = server.connect();
    (0..11).for_each(|_| drop(guesser.asks("auth messi wrong")));
    messi.asks("passwd surabaya kopi_tubruk").expect_ok();
}

#[test]
fn many_who_log_in_at_once_are_all_let_in() {
    let server = TestServer::with_documented_users();
    std::thread::scope(|scope| {
        for number in 0..120 {
            let server = &server;
            let name = ["messi", "henderson", "lineker"][number % 3];
            scope.spawn(move || server.connect().logged_in(name, "surabaya"));
        }
    });
}
