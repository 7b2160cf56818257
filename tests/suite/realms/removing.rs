//! `delrealm NAME` (PROTOCOL §7).

use kabar::name::Name;

use super::{Pair, is_down, is_up, realm, wait_for};

#[test]
fn only_the_user_who_added_a_realm_may_remove_it() {
    let pair = Pair::linked();
    let (mut messi, mut henderson) = (pair.messi(), pair.henderson());
    let mut lineker = pair.barat.connect().logged_in("lineker", "surabaya");
    assert_eq!(lineker.asks("delrealm timur").code(), "forbidden");
    assert_eq!(henderson.asks("delrealm barat").code(), "forbidden", "it came by itself");
    assert_eq!(messi.asks("delrealm barat").code(), "forbidden", "the home realm");
    assert_eq!(messi.asks("delrealm selatan").code(), "realm_not_found");
    messi.asks("delrealm timur").expect_ok();
    assert!(realm(&mut messi, "timur").is_none());
    assert_eq!(messi.asks("send henderson@timur halo").code(), "realm_not_found");
}

#[test]
fn an_administrator_may_remove_any_realm() {
    let pair = Pair::apart_with(|config| config.accounts.administrators = vec![Name::parse("lineker").unwrap()]);
    pair.messi().asks(&pair.addrealm("timur")).expect_ok();
    for (server, name) in [(&pair.timur, "barat"), (&pair.barat, "timur")] {
        server.connect().logged_in("lineker", "surabaya").asks(&format!("delrealm {name}")).expect_ok();
    }
}

#[test]
fn the_senders_of_lost_messages_are_notified() {
    let mut pair = Pair::linked();
    let mut messi = pair.messi();
    let mut paff = pair.barat.connect().logged_in("paff", "cytus");
    pair.timur.stop();
    wait_for(&mut messi, "timur", is_down);
    for text in ["satu", "dua"] {
        paff.asks(&format!("send henderson@timur {text}")).expect_ok();
    }
    messi.asks("delrealm timur").expect_ok();
    let told = paff.asks("inbox").expect_ok();
    assert_eq!(told.texts(), ["Realm timur dihapus sebelum semua pesan Anda kepadanya terkirim"]);
    assert_eq!(told.0["data"][0]["from"], "realm@barat");
    assert!(messi.asks("inbox").texts().is_empty());
}

#[test]
fn a_removed_server_cannot_link_itself_again() {
    let pair = Pair::linked();
    let (mut messi, mut henderson) = (pair.messi(), pair.henderson());
    messi.asks("delrealm timur").expect_ok();
    let refused = |realm: &serde_json::Value| {
        realm["problem"].as_str().is_some_and(|problem| problem.contains("accepts only servers that it knows"))
    };
    wait_for(&mut henderson, "barat", |realm| is_down(realm) && refused(realm));
    assert!(realm(&mut messi, "timur").is_none());
    assert_eq!(henderson.asks("send messi@barat halo").expect_ok().0["data"]["delivered"], false);
    // Adding it again restores the link, and its waiting messages arrive.
    messi.asks(&pair.addrealm("timur")).expect_ok();
    wait_for(&mut henderson, "barat", |realm| is_up(realm) && realm["queued"] == 0);
    assert_eq!(messi.asks("inbox").texts(), ["halo"]);
}
