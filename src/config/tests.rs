#[cfg(feature = "etcd")]
mod cluster;
mod sections;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;

use super::*;
use crate::chat::PasswordHash;
use crate::config::sources::Sources;
use crate::id::PeerKey;
use crate::name::Name;
use std::time::Duration;

fn read(text: &str) -> Result<Config, ConfigError> {
    Sources::merge("config.toml", text, &[])?.into_config()
}

fn mistake(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

fn environment(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    variables.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn flag(flag: &str, key: &str, text: &str) -> Override {
    Override { place: flag.into(), section: "server".into(), key: key.into(), text: text.into() }
}

fn mistake_in_environment(variable: &str, value: &str) -> String {
    Config::load(None, environment(&[(variable, value)]), &[]).unwrap_err().to_string()
}

#[test]
fn a_default_is_safe_for_a_first_try() {
    let config = Config::default();
    assert!(
        config.server.listen.iter().chain(&config.server.listen_text).all(|address| address.socket.ip().is_loopback())
    );
    assert_eq!((config.server.durability, config.realms.accept), (Durability::Sync, Accept::Known));
    assert_eq!(config.realms.dial, ["127.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap()));
    assert_eq!((config.users.len(), config.peers.len(), config.retention), (0, 0, Retention::default()));
}

#[test]
fn a_filter_is_levels_of_targets() {
    let read = |filter: &str| Config::load(None, environment(&[("KABAR_LOG__FILTER", filter)]), &[]);
    let filter = read("warn,kabar::net=debug").unwrap().log.filter;
    assert!(filter.would_enable("kabar::net", &tracing::Level::DEBUG));
    assert!(!filter.would_enable("kabar::hub", &tracing::Level::INFO));
    for bad in ["", "inof", "kabar::net", "info,", "kabar=loud", "info;debug"] {
        assert!(read(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn every_setting_of_the_file_arrives() {
    let config = read(
        r#"
        [server]
        listen = ["[::1]:1", "0.0.0.0:2"]
        listen_text = []
        data = "d"
        realm = "barat"
        durability = "fast"
        language = "id"
        shutdown_seconds = 1
        disk_reserve_megabytes = 2
        [connections]
        max = 2
        per_address = 3
        per_user = 4
        outbox_megabytes = 17
        line_bytes = 0x1000
        [accounts]
        registration = "closed"
        password_min_bytes = 8
        session_days = 2
        administrators = ["messi", "Ivy"]
        [messages]
        inbox_page = 10
        broadcast = "administrators"
        [retention]
        max_age_days = 3
        max_messages_per_timeline = 5
        delete_unread = true
        [realms]
        add = "administrators"
        accept = "any"
        dial = ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"]
        [limits]
        registrations_per_address = 9
        groups_per_user = 1
        groups_per_day = 2
        realms_per_user = 3
        realms_per_day = 0
        messages_per_second = 4
        messages_per_day = 5
        megabytes_per_second = 6
        megabytes_per_day = 0
        unread_messages_per_sender = 7
        unread_megabytes_per_sender = 0
        [log]
        format = "json"
        filter = "warn,kabar::net=debug"
        "#,
    )
    .unwrap();
    let name = |text| Name::parse(text).unwrap();
    assert_eq!(
        config.server,
        Server {
            listen: vec!["[::1]:1".parse().unwrap(), "0.0.0.0:2".parse().unwrap()],
            listen_text: vec![],
            web: vec!["127.0.0.1:8080".parse().unwrap()],
            trusted_proxies: vec![],
            data: "d".into(),
            realm: name("barat"),
            durability: Durability::Fast,
            language: Language::Indonesian,
            shutdown: Duration::from_secs(1),
            disk_reserve: 2 * 1024 * 1024,
        }
    );
    assert_eq!(
        config.connections,
        Connections { max: 2, per_address: 3, per_user: 4, outbox_bytes: 17 * 1024 * 1024, line_bytes: 4096 }
    );
    assert_eq!(
        config.accounts,
        Accounts {
            registration: Registration::Closed,
            password_min_bytes: 8,
            session_idle: Duration::from_secs(2 * 24 * 3600),
            administrators: vec![name("messi"), name("Ivy")],
        }
    );
    assert_eq!(config.messages, Messages { inbox_page: 10, broadcast: Allowed::Administrators });
    let max_age = Some(Duration::from_secs(3 * 24 * 3600));
    assert_eq!(config.retention, Retention { max_age, max_messages: Some(5), delete_unread: true, confirm: None });
    let dial = ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7/32"].map(|network| network.parse().unwrap()).to_vec();
    assert_eq!(config.realms, Realms { add: Allowed::Administrators, accept: Accept::Any, dial });
    let limits = Limits {
        registrations_per_address: Some(9),
        groups_per_user: Some(1),
        groups_per_day: Some(2),
        realms_per_user: Some(3),
        realms_per_day: None,
        messages_per_second: Some(4),
        messages_per_day: Some(5),
        bytes_per_second: Some(6 * 1024 * 1024),
        bytes_per_day: None,
        unread_messages_per_sender: Some(7),
        unread_bytes_per_sender: None,
    };
    assert_eq!(config.limits, limits);
    assert_eq!(config.log, Log { format: LogFormat::Json, filter: "warn,kabar::net=debug".parse().unwrap() });
}

#[test]
fn a_mistake_is_told_with_its_place_and_what_would_be_right() {
    let table = [
        (
            "[accounts]\nsession_days = \"x\"",
            "2:16: [accounts] session_days: expected a whole number of days from 1 to 3650, found \"x\"",
        ),
        (
            "[accounts]\nsession_days = 0",
            "2:16: [accounts] session_days: expected a whole number of days from 1 to 3650, found 0",
        ),
        (
            "[server]\nshutdown_seconds = -1",
            "2:20: [server] shutdown_seconds: expected a whole number of seconds from 1 to 3600, found -1",
        ),
        (
            "[connections]\nmax = 1.5",
            "2:7: [connections] max: expected a whole number of connections from 1 to 1000000, found a fraction",
        ),
        (
            "[connections]\nline_bytes = 99999999999999999999",
            "2:14: [connections] line_bytes: expected a whole number of bytes from 4096 to 65536, found a \
             larger number",
        ),
        ("[server]\ndurability = \"Sync\"", "2:14: [server] durability: expected \"sync\" or \"fast\", found \"Sync\""),
        (
            "[server]\nlanguage = \"de\"",
            "2:12: [server] language: expected \"documents\", \"en\" or \"id\", found \"de\"",
        ),
        ("[server]\ndata = \"\"", "2:8: [server] data: expected a path, found \"\""),
        ("[server]\nrealm = true", "2:9: [server] realm: expected text in quotes, found true"),
        (
            "server.realm = \"a b\"",
            "1:16: [server] realm: expected 1-32 of A-Z a-z 0-9 _ - . starting with a letter or digit, and not \
             the word realm, found \"a b\"",
        ),
        (
            "[server]\nlisten = \"127.0.0.1:1\"",
            "2:10: [server] listen: expected a list of addresses in brackets, found \"127.0.0.1:1\"",
        ),
        (
            "[server]\nlisten = [\n  \"127.0.0.1:1\",\n  \"localhost\"]",
            "4:3: [server] listen: expected an IP address and a port, such as 127.0.0.1:8889 or [::1]:8889, \
             after tls://, proxy://, proxy+tls:// or nothing, found \"localhost\"",
        ),
        ("[server]\nlisten = [\"[::1]:1\", \"[::1]:1\"]", "2:22: [server] listen: [::1]:1 stands here twice"),
        (
            "[server]\nlisten = [\"127.0.0.1:8890\"]",
            "2:10: 127.0.0.1:8890 stands in listen and in listen_text; expected different ones",
        ),
        ("[server]\nlisten = []\nlisten_text = []", "3:15: expected an address in listen or in listen_text"),
        (
            "[accounts]\nadministrators = [\"é!\", 5]",
            "2:19: [accounts] administrators: expected 1-32 of A-Z a-z 0-9 _ - . starting with a letter or \
             digit, and not the word realm, found \"é!\"",
        ),
        (
            "[retention]\ndelete_unread = \"no\"",
            "2:17: [retention] delete_unread: expected true or false, found \"no\"",
        ),
        ("[messages]\nbroadcast = []", "2:13: [messages] broadcast: expected text in quotes, found a list"),
        (
            "[log]\nfilter = \"inof\"",
            "2:10: [log] filter: expected off, error, warn, info, debug, trace or TARGET=LEVEL, or several \
             between commas, found \"inof\"",
        ),
        ("[server]\nrelm = \"barat\"", "2:1: [server] relm: unknown key; did you mean realm?"),
        ("[realms]\nfrobnicate = 1", "2:1: [realms] frobnicate: unknown key; expected one of add, accept, dial"),
        (
            "[realms]\naccept = \"all\"",
            "2:10: [realms] accept: expected \"known\", \"loopback\" or \"any\", found \"all\"",
        ),
        (
            "[realms]\ndial = [\"::1\", \"10.0.0.0/33\"]",
            "2:16: [realms] dial: expected a network or an address, such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7, \
             found \"10.0.0.0/33\"",
        ),
        (
            "[realms]\ndial = \"10.0.0.0/8\"",
            "2:8: [realms] dial: expected a list of networks in brackets, found \"10.0.0.0/8\"",
        ),
        ("[sever]", "1:2: unknown section [sever]; did you mean [server]?"),
        (
            "x = 1",
            "1:1: unknown section [x]; expected one of [server], [tls], [connections], [accounts], [messages], \
             [retention], [realms], [limits], [metrics], [cluster], [log], [[users]], [[peers]]",
        ),
        ("server = []", "1:10: expected the section [server], found a list"),
        ("[[server]]", "1:1: expected the section [server], found a list"),
        ("[server]\ndurability = { sync = {} }", "2:14: [server] durability: expected text in quotes, found a section"),
        (
            "[connections]\nmax = 9999999999999999999999999999999999999999",
            "2:7: [connections] max: expected a smaller number, found a larger number",
        ),
        ("server.realm.x = 1", "1:8: [server] realm: expected text in quotes, found a section"),
        ("[server]\ndurability = 5", "2:14: [server] durability: expected text in quotes, found 5"),
        ("[messages]\nbroadcast = 2020-01-01", "2:13: [messages] broadcast: expected text in quotes, found a date"),
        ("session_days = 1", "1:1: session_days belongs under [accounts]"),
        ("server = 1", "1:10: expected the section [server], found 1"),
        ("[server\n", "1:8: unclosed table, expected `]`"),
        ("é = \"", "1:1: invalid unquoted key, expected letters, numbers, `-`, `_`"),
        ("[log]\n[log]", "2:2: duplicate key"),
        (
            "log = { filter = \"é=info\", format = \"x\" }",
            "1:37: [log] format: expected \"pretty\" or \"json\", found \"x\"",
        ),
    ];
    for (text, message) in table {
        assert_eq!(mistake(text), format!("config.toml:{message}"), "{text}");
    }
}

#[test]
fn the_first_mistake_of_the_file_is_told() {
    assert!(mistake("[server]\nrealm = 1\nlisten = 2\n[accounts]\nx = 1").starts_with("config.toml:2:9:"));
}

#[test]
fn the_environment_names_each_setting() {
    let config = Config::load(
        None,
        environment(&[
            ("KABAR_SERVER__LISTEN", "127.0.0.1:1, [::1]:2"),
            ("KABAR_SERVER__LISTEN_TEXT", ""),
            ("KABAR_ACCOUNTS__ADMINISTRATORS", "none,messi"),
            ("KABAR_CONNECTIONS__MAX", "7"),
            ("KABAR_SERVER__REALM", "7"),
            ("KABAR_RETENTION__DELETE_UNREAD", "true"),
            ("KABAR_REALMS__DIAL", "10.0.0.0/8, ::1"),
        ]),
        &[],
    )
    .unwrap();
    assert_eq!(config.server.listen, ["127.0.0.1:1".parse().unwrap(), "[::1]:2".parse().unwrap()]);
    assert!(config.server.listen_text.is_empty());
    assert_eq!(config.accounts.administrators, [Name::parse("none").unwrap(), Name::parse("messi").unwrap()]);
    assert_eq!((config.connections.max, config.server.realm.as_str(), config.retention.delete_unread), (7, "7", true));
    assert_eq!(config.realms.dial, ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
}

#[test]
fn a_mistake_in_the_environment_names_the_variable() {
    let table = [
        ("KABAR_SERVER__RELM", "x", "unknown setting; did you mean KABAR_SERVER__REALM?"),
        ("KABAR_CONNECTIONS__MAX", "0", "expected a whole number of connections from 1 to 1000000, found \"0\""),
        ("KABAR_CONNECTIONS__MAX", "many", "expected a whole number of connections from 1 to 1000000, found \"many\""),
        ("KABAR_RETENTION__DELETE_UNREAD", "no", "expected true or false, found \"no\""),
        (
            "KABAR_REALMS__DIAL",
            "::1, x",
            "expected a network or an address, such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7, found \"x\"",
        ),
        ("KABAR_SERVER__DURABILITY", "", "expected \"sync\" or \"fast\", found \"\""),
        (
            "KABAR_SERVER__LISTEN_TEXT",
            "127.0.0.1:8889",
            "127.0.0.1:8889 stands in listen and in listen_text; expected different ones",
        ),
    ];
    for (variable, value, message) in table {
        assert_eq!(mistake_in_environment(variable, value), format!("{variable}: {message}"));
    }
}

#[test]
fn variables_of_others_are_left_alone() {
    let others = environment(&[
        ("KABAR_PORT", "tcp://10.0.0.1:8889"),
        ("KABAR_PORT_8889_TCP_ADDR", "10.0.0.1"),
        ("KABAR_SERVICE_HOST", "10.0.0.1"),
        ("KABAR_SERVICE_PORT_JSON", "8889"),
        ("KABARX_SERVER__REALM", "x"),
        ("PATH", "/bin"),
    ]);
    assert_eq!(Config::load(None, others, &[]).unwrap().server, Config::default().server);
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "[server]\nrealm = \"file\"\ndata = \"file\"\ndurability = \"fast\"").unwrap();
    let variables = environment(&[("KABAR_SERVER__REALM", "environment"), ("KABAR_SERVER__DATA", "environment")]);
    let flags = [flag("--realm", "realm", "flag")];
    let server = Config::load(Some(file.path()), variables, &flags).unwrap().server;
    assert_eq!((server.realm.as_str(), server.data.to_str()), ("flag", Some("environment")));
    assert_eq!((server.durability, server.shutdown), (Durability::Fast, Duration::from_secs(10)));
}

#[test]
fn commas_make_a_list() {
    let flags = [flag("--listen", "listen", "127.0.0.1:1,127.0.0.1:2"), flag("--listen-text", "listen_text", "none")];
    let server = Config::load(None, [], &flags).unwrap().server;
    assert_eq!(server.listen, ["127.0.0.1:1", "127.0.0.1:2"].map(|address| address.parse().unwrap()));
    assert!(server.listen_text.is_empty());
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let told = Config::load(Some(Path::new("no/such.toml")), [], &[]).unwrap_err().to_string();
    assert!(told.starts_with("no/such.toml: the configuration file cannot be read: "), "{told}");
}
