//! Administrators, invites, and the operator at the server's machine (PROTOCOL §8).

use serde_json::json;

use crate::support::{Client, TestServer};

fn server_of_messi() -> TestServer {
    TestServer::start_with(|config| {
        config.accounts.registration = kabar::config::Registration::Invite;
        config.accounts.administrators = vec![kabar::name::Name::parse("messi").unwrap()];
        config.users = vec![kabar::config::ConfiguredUser {
            name: kabar::name::Name::parse("messi").unwrap(),
            full_name: "".into(),
            country: "".into(),
            password: kabar::config::Password::Plain("surabaya".into()),
        }];
    })
}

fn invite(messi: &mut Client, request: &str) -> (String, u64) {
    let reply = messi.asks(request).expect_ok();
    let data = &reply.0["data"];
    (data["code"].as_str().unwrap().to_owned(), data["id"].as_u64().unwrap())
}

#[test]
fn an_invite_lets_so_many_register_and_is_used_by_who_succeeds_only() {
    let server = server_of_messi();
    let mut messi = server.connect().logged_in("messi", "surabaya");
    let (code, id) = invite(&mut messi, "invite 2");
    let mut guest = server.connect();
    assert_eq!(guest.asks(&format!("register messi rahasia #{code}")).code(), "user_exists");
    guest.asks(&format!("register rita rahasia #{}", code.to_uppercase())).expect_ok();
    assert_eq!(messi.asks("invites").expect_ok().0["data"][0]["uses"], 1);
    guest.asks(&format!("register sari rahasia Sari Indonesia {code}")).expect_ok();
    assert_eq!(guest.asks(&format!("register tito rahasia #{code}")).code(), "invite_not_found");
    assert_eq!(messi.asks("invites").expect_ok().0["data"], json!([]));
    let (code, other) = invite(&mut messi, "invite 5 30");
    assert_ne!(id, other);
    messi.asks(&format!("uninvite {other}")).expect_ok();
    assert_eq!(guest.asks(&format!("register tito rahasia #{code}")).code(), "invite_not_found");
}

#[test]
fn an_invite_is_good_after_a_restart_and_used_up_by_as_many_as_come_at_once() {
    let mut server = server_of_messi();
    let mut messi = server.connect().logged_in("messi", "surabaya");
    let (code, _) = invite(&mut messi, "invite 3");
    server.restart_with(&["KABAR_ACCOUNTS__REGISTRATION=invite"]);
    let registering: Vec<_> = (0..8)
        .map(|number| {
            let mut client = server.connect();
            client.says(&format!("register user{number} rahasia #{code}"));
            client
        })
        .collect();
    let registered = registering.into_iter().filter_map(|mut client| client.hears().is_ok().then_some(())).count();
    assert_eq!(registered, 3);
}

#[test]
fn a_fifth_word_that_is_no_code_is_an_error_where_registration_is_open_too() {
    let server = TestServer::start();
    assert_eq!(server.connect().asks("register messi x Lionel Messi Argentina").code(), "invite_not_found");
    server.connect().asks("register messi x Lionel_Messi Argentina").expect_ok();
}
