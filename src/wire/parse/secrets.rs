//! Which parts of a tagged request are secret.

use secrecy::ExposeSecret;

use super::*;

fn request(line: &str) -> Request {
    match parse(line) {
        Parsed::Request(request) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_secrets_of_a_tagged_request_are_apart_from_its_hash() {
    for (line, secret) in [
        ("#k passwd lama baru", Some("lama baru")),
        ("#k joingroup fans rahasia", Some("rahasia")),
        ("#k joingroup fans", None),
        ("#k send messi halo", None),
        ("passwd lama baru", None),
    ] {
        let found = request(line).secret;
        assert_eq!(found.as_ref().map(|secret| secret.expose_secret()), secret, "{line}");
    }
    assert_eq!(request("#k joingroup fans a").hash, request("#k joingroup fans b").hash);
}

#[test]
fn what_is_recorded_of_an_administrator_has_no_password() {
    for (line, recorded) in [
        ("setpass messi rahasia", Some("setpass messi")),
        ("BAN 10.0.0.0/8 for 7d spam", Some("ban 10.0.0.0/8 for 7d spam")),
        ("stats", Some("stats")),
        ("#k1 setpass 571bc617-d08f-4966-924a-d2afb45c1494 messi rahasia", Some("setpass messi")),
        ("passwd lama baru", None),
    ] {
        assert_eq!(audited_words(&request(line), line).as_deref(), recorded, "{line}");
    }
}
