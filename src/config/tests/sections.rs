//! `[[users]]` and `[[peers]]`.

use super::*;
use crate::name::Name;

#[test]
fn a_configured_user_has_a_name_and_a_password_or_a_hash() {
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAECAwQFBgcICQoLDA0ODw";
    let text = format!(
        "[[users]]\nname = \"messi\"\nfull_name = \"Lionel Messi\"\ncountry = \"Argentina\"\npassword = \"surabaya\"\n
         [[users]]\nname = \"ivy\"\npassword_hash = \"{hash}\""
    );
    let users = read(&text).unwrap().users;
    let [messi, ivy] = users.as_slice() else { panic!("{users:?}") };
    assert_eq!((messi.name.as_str(), &*messi.full_name, &*messi.country), ("messi", "Lionel Messi", "Argentina"));
    assert_eq!((ivy.name.as_str(), &*ivy.full_name, &*ivy.country), ("ivy", "", ""));
    assert!(matches!(messi.password, Password::Plain(_)));
    assert!(matches!(&ivy.password, Password::Hash(PasswordHash(kept)) if **kept == *hash));
}

#[test]
fn a_mistake_in_a_user_is_told_without_the_password() {
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAECAwQFBgcICQoLDA0ODw";
    let both = format!("[[users]]\nname = \"a\"\npassword = \"hush\"\npassword_hash = \"{hash}\"");
    let table = [
        ("[[users]]\nname = \"a\"", "1:1: [[users]] expected one of password and password_hash"),
        (both.as_str(), "1:1: [[users]] expected one of password and password_hash"),
        (
            "[[users]]\nname = \"a\"\npassword = \"hush\"\npassword_hash = \"hush\"",
            "4:17: [[users]] password_hash: expected what `kabar hash-password` prints: \
             $argon2id$v=19$m=…,t=…,p=…$SALT$HASH, with m, t and p at most 131072, 10 and 8",
        ),
        ("[[users]]\npassword = \"hush\"", "1:1: [[users]] expected a name"),
        (
            "[[users]]\nname = \"a\"\npassword = \"hush hush\"",
            "3:12: [[users]] password: expected a password of 1 to 128 bytes without white space",
        ),
        ("[[users]]\nname = \"a\"\npassword = 4874", "3:12: [[users]] password: expected text in quotes"),
        ("[[users]]\nname = \"a\"\npassword = \"hush", "3:17: invalid basic string, expected `\"`"),
        ("[[users]]\nname = \"a\"\npasword = \"hush\"", "3:1: [[users]] pasword: unknown key; did you mean password?"),
        (
            "[[users]]\nname = \"realm\"\npassword = \"hush\"",
            "2:8: [[users]] name: expected 1-32 of A-Z a-z 0-9 _ - . starting with a letter or digit, and not \
             the word realm, found \"realm\"",
        ),
        (
            "[[users]]\nname = \"a\"\npassword = \"hush\"\ncountry = \"a\\nb\"",
            "4:11: [[users]] country: expected at most 128 bytes without control characters, found \"a\\nb\"",
        ),
        (
            "[[users]]\nname = \"a\"\npassword = \"hush\"\n[[users]]\nname = \"A\"\npassword = \"hush\"",
            "4:1: [[users]] A stands here twice",
        ),
        ("[users]\nname = \"a\"", "1:1: expected accounts, each under a line [[users]], found a section"),
        ("[[users]]\nname = \"a\"\npassword = [\"hush\"]", "3:12: [[users]] password: expected text in quotes"),
        ("users = [[\"hush\"]]", "1:10: expected accounts, each under a line [[users]], found a list"),
        ("users = [1]", "1:10: expected accounts, each under a line [[users]], found 1"),
    ];
    for (text, message) in table {
        let told = mistake(text);
        assert_eq!(told, format!("config.toml:{message}"), "{text}");
        assert!(!told.contains("hush") && !told.contains("4874"), "{told}");
    }
}

#[test]
fn a_peer_has_a_name_and_an_address_or_a_key() {
    let key = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
    let text = format!(
        "[[peers]]\nname = \"timur\"\naddress = \"timur.example.org:8889\"\n
         [[peers]]\nname = \"barat\"\nkey = \"{key}\"\n
         [[peers]]\nname = \"utara\"\naddress = \"[::1]:1\"\nkey = \"{}\"",
        "0".repeat(64)
    );
    let name = |text| Name::parse(text).unwrap();
    let timur = Peer { name: name("timur"), address: Some(("timur.example.org".into(), 8889)), key: None };
    let barat = Peer { name: name("barat"), address: None, key: PeerKey::parse(key) };
    let utara = Peer { name: name("utara"), address: Some(("::1".into(), 1)), key: Some(PeerKey([0; 32])) };
    assert_eq!(read(&text).unwrap().peers, [timur, barat, utara]);
}

#[test]
fn a_mistake_in_a_peer_is_told() {
    let of_barat = format!("[[peers]]\nname = \"barat\"\nkey = \"{}\"\n", "0".repeat(64));
    let same_key = of_barat.clone() + &of_barat.replace("barat", "timur");
    let table = [
        ("[[peers]]\naddress = \"[::1]:1\"", "1:1: [[peers]] expected a name"),
        ("[[peers]]\nname = \"barat\"", "1:1: [[peers]] expected an address or a key, or both"),
        (
            "[[peers]]\nname = \"barat\"\naddress = \"barat\"",
            "3:11: [[peers]] address: expected a host and a port, such as chat.example.org:8889, 192.0.2.7:8889 or \
             [2001:db8::7]:8889, found \"barat\"",
        ),
        (
            "[[peers]]\nname = \"barat\"\nkey = \"00\"",
            "3:7: [[peers]] key: expected the 64 hexadecimal digits that `kabar realm key` prints there, found \"00\"",
        ),
        (
            "[[peers]]\nname = \"barat\"\nport = 1",
            "3:1: [[peers]] port: unknown key; expected one of name, address, key",
        ),
        (
            "[[peers]]\nname = \"Realm\"\naddress = \"[::1]:1\"",
            "2:8: [[peers]] name: expected 1-32 of A-Z a-z 0-9 _ - . starting with a letter or digit, and not the word \
             realm, found \"Realm\"",
        ),
        (
            "[[peers]]\nname = \"a\"\naddress = \"[::1]:1\"\n[[peers]]\nname = \"A\"\naddress = \"[::1]:2\"",
            "4:1: [[peers]] A stands here twice",
        ),
        (
            "[[peers]]\nname = \"Local\"\naddress = \"[::1]:1\"",
            "1:1: [[peers]] Local is the name of this server's own realm",
        ),
        (
            "[[peers]]\nname = \"Broadcast\"\naddress = \"[::1]:1\"",
            "1:1: [[peers]] Broadcast is reserved; expected another name",
        ),
        (same_key.as_str(), "4:1: [[peers]] timur has the key of barat; expected different ones"),
        ("[peers]", "1:1: expected servers, each under a line [[peers]], found a section"),
    ];
    for (text, message) in table {
        assert_eq!(mistake(text), format!("config.toml:{message}"), "{text}");
    }
}

#[test]
fn a_peer_may_not_have_the_name_that_a_flag_gives_this_server() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "[[peers]]\nname = \"barat\"\naddress = \"[::1]:1\"").unwrap();
    let flags = [flag("--realm", "realm", "Barat")];
    let told = Config::load(Some(file.path()), [], &flags).unwrap_err().to_string();
    assert!(told.ends_with(":1:1: [[peers]] barat is the name of this server's own realm"), "{told}");
}

#[test]
fn a_password_does_not_show_in_debug_output() {
    let config = read("[[users]]\nname = \"a\"\npassword = \"hush\"").unwrap();
    assert!(!format!("{config:?}").contains("hush"));
}
