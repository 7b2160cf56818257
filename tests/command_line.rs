//! The program from outside: arguments, environment and standard input in, output and exit code out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use kabar::password;
use secrecy::SecretString;
use tempfile::NamedTempFile;

const BAD_CONFIGURATION: i32 = 78;

/// The result of a run of the program.
struct Run {
    code: i32,
    out: String,
    err: String,
}

fn kabar(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kabar"));
    command.args(arguments).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(command: &mut Command, input: &str) -> Run {
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[test]
fn check_prints_ok_in_one_line() {
    let hash = run(&mut kabar(&["hash-password"]), "surabaya\n").out;
    let file = file(&format!(
        "[server]\nrealm = \"barat\"\n[[users]]\nname = \"messi\"\npassword = \"surabaya\"\n\
         [[users]]\nname = \"ivy\"\npassword_hash = \"{}\"",
        hash.trim_end()
    ));
    let run = run(&mut kabar(&["check", "--config", file.path().to_str().unwrap()]), "");
    assert_eq!((run.code, run.err.as_str(), run.out.lines().count()), (0, "", 1));
    assert!(run.out.starts_with("OK: realm barat") && run.out.contains("2 configured users"), "{}", run.out);
}

#[test]
fn check_prints_an_error_in_one_line_with_its_place() {
    let table = [
        ("unknown key", "[server]\nrelm = \"barat\"", "2:1: "),
        ("unknown section", "[sever]", "1:2: "),
        ("no TOML", "[server", "1:8: "),
        ("wrong type", "[server]\nrealm = 5", "2:9: "),
        ("out of range", "[connections]\nmax = 0", "2:7: "),
        ("bad name", "[server]\nrealm = \"_\"", "2:9: "),
        ("bad address", "[server]\nlisten = [\"8889\"]", "2:11: "),
        ("an address twice", "[server]\nlisten = [\"[::1]:1\"]\nlisten_text = [\"[::1]:1\"]", "3:15: "),
        ("a user twice", "[[users]]\nname=\"a\"\npassword=\"b\"\n[[users]]\nname=\"A\"\npassword=\"b\"", "4:1: "),
        ("bad hash", "[[users]]\nname=\"a\"\npassword_hash=\"b\"", "3:15: "),
        ("no password", "[[users]]\nname=\"a\"", "1:1: "),
    ];
    for (mistake, text, place) in table {
        let file = file(text);
        let path = file.path().to_str().unwrap();
        let run = run(&mut kabar(&["check", "--config", path]), "");
        assert_eq!((run.code, run.out.as_str(), run.err.lines().count()), (BAD_CONFIGURATION, "", 1), "{mistake}");
        assert!(run.err.starts_with(&format!("kabar: {path}:{place}")), "{mistake}: {}", run.err);
    }
}

#[test]
fn a_flag_overrides_the_environment_and_the_environment_the_file() {
    let file = file("[server]\nrealm = \"file\"\n");
    let path = file.path().to_str().unwrap();
    let realm = |command: &mut Command| run(command, "").out.split([' ', ',']).nth(2).unwrap().to_owned();
    assert_eq!(realm(&mut kabar(&["check"])), "local");
    assert_eq!(realm(&mut kabar(&["check", "--config", path])), "file");
    let mut both = kabar(&["check", "--config", path]);
    assert_eq!(realm(both.env("KABAR_SERVER__REALM", "environment")), "environment");
    let mut all = kabar(&["check", "--config", path, "--realm", "flag"]);
    assert_eq!(realm(all.env("KABAR_SERVER__REALM", "environment")), "flag");
}

#[test]
fn an_error_in_a_flag_names_the_flag() {
    let table = [
        ("--listen", "!", "expected an IP address"),
        ("--listen-text", "!", "expected an IP address"),
        ("--data", "", "expected a path"),
        ("--realm", "!", "expected 1-32 of"),
        ("--durability", "!", "expected \"sync\" or \"fast\""),
        ("--log-format", "!", "expected \"pretty\" or \"json\""),
        ("--log-filter", "!", "expected off, error"),
    ];
    for (flag, value, expected) in table {
        let run = run(&mut kabar(&["check", flag, value]), "");
        assert_eq!(run.code, BAD_CONFIGURATION, "{flag}");
        assert!(run.err.starts_with(&format!("kabar: {flag}: {expected}")), "{}", run.err);
    }
}

#[test]
fn a_misspelt_variable_is_an_error_in_every_form() {
    for variable in ["KABAR_SERVER__RELM", "KABAR_SERVER_REALM", "KABAR_SERVER__realm", "KABAR__SERVER__REALM"] {
        let run = run(kabar(&["check"]).env(variable, "barat"), "");
        assert_eq!(run.code, BAD_CONFIGURATION, "{variable}");
        assert!(run.err.starts_with(&format!("kabar: {variable}: unknown setting; did you mean")), "{}", run.err);
    }
    let lower_case = run(kabar(&["check"]).env("kabar_server__realm", "x"), "").err;
    assert!(lower_case.ends_with("did you mean KABAR_SERVER__REALM?\n"), "{lower_case}");
    for variable in ["KABAR_REALM", "KABAR_FOO", "kabar_server__realm", "KABAR_PORT__X", "KABAR_"] {
        assert_eq!(run(kabar(&["check"]).env(variable, "x"), "").code, BAD_CONFIGURATION, "{variable}");
    }
}

#[test]
fn a_path_with_a_tilde_is_an_error_as_only_a_shell_understands_it() {
    let run = run(&mut kabar(&["check", "--data", "~/kabar"]), "");
    assert_eq!(run.code, BAD_CONFIGURATION);
    assert!(run.err.starts_with("kabar: --data: expected a path without ~"), "{}", run.err);
    for arguments in [["backup", "~/copy"], ["export", "~/lines"], ["import", "~/lines"], ["--config", "~/kabar.toml"]]
    {
        let refused = self::run(&mut kabar(&arguments), "");
        assert_eq!(refused.code, 2, "{arguments:?}");
        assert!(refused.err.contains("expected a path without ~"), "{}", refused.err);
    }
}

#[test]
fn check_warns_of_what_is_valid_and_hardly_meant() {
    let table = [
        (
            "[[peers]]\nname = \"timur\"\naddress = \"192.0.2.7:8889\"",
            "1:1: [[peers]] timur: 192.0.2.7 lies in no network",
        ),
        (
            "[[peers]]\nname = \"timur\"\naddress = \"chat.example:8889\"",
            "1:1: [[peers]] timur: chat.example is a name",
        ),
        (
            "[realms]\ndial = []\n[[peers]]\nname = \"timur\"\naddress = \"localhost:8889\"",
            "3:1: [[peers]] timur: localhost lies in no network",
        ),
        ("[accounts]\nregistration = \"closed\"", "2:16: [accounts] registration: closed, and there are no [[users]]"),
    ];
    for (text, warning) in table {
        let file = file(text);
        let path = file.path().to_str().unwrap();
        let run = run(&mut kabar(&["check", "--config", path]), "");
        assert_eq!((run.code, run.out.lines().count()), (0, 1), "{text}");
        assert!(run.err.starts_with(&format!("kabar: warning: {path}:{warning}")), "{}", run.err);
    }
    let file = file("[realms]\ndial = [\"192.0.2.0/24\"]\n[[peers]]\nname = \"timur\"\naddress = \"192.0.2.7:8889\"");
    assert_eq!(run(&mut kabar(&["check", "--config", file.path().to_str().unwrap()]), "").err, "");
}

#[test]
fn serve_with_a_bad_configuration_exits_before_it_writes_anything() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in [&["--realm", "!"][..], &["serve", "--realm", "!"]] {
        let run = run(kabar(arguments).current_dir(directory.path()), "");
        assert_eq!((run.code, run.err.lines().count()), (BAD_CONFIGURATION, 1));
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    }
}

#[test]
fn a_server_that_could_admit_nobody_does_not_start() {
    let directory = tempfile::tempdir().unwrap();
    let script = format!("ulimit -n 64; exec {} --listen 127.0.0.1:0 --data data", env!("CARGO_BIN_EXE_kabar"));
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(directory.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = run(&mut command, "");
    assert_eq!(run.code, BAD_CONFIGURATION, "{}", run.err);
    assert!(run.err.contains("the system allows 64 open files, too few"), "{}", run.err);
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_printed_hash_verifies_the_password() {
    for (typed, password) in [("surabaya\n", "surabaya"), ("surabaya\r\n", "surabaya"), ("x", "x")] {
        let run = run(&mut kabar(&["hash-password"]), typed);
        let hash = password::check_hash(run.out.trim_end()).unwrap();
        assert!(password::verify(&SecretString::from(password), &hash), "{typed:?}");
    }
}

#[test]
fn invalid_passwords_are_not_hashed() {
    for typed in ["", "\n", "two words\n", "two\nlines\n", &"x".repeat(129)] {
        let run = run(&mut kabar(&["hash-password"]), typed);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{typed:?}");
        assert_eq!(run.err, "kabar: expected a password of 1 to 128 bytes without white space\n");
    }
}

#[test]
fn the_key_of_a_realm_is_made_once_and_printed_alone() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let key = || run(&mut kabar(&["realm", "key", "--data", data.to_str().unwrap()]), "");
    let made = key();
    assert_eq!((made.code, made.err.as_str()), (0, ""));
    let digits = made.out.strip_suffix('\n').unwrap();
    assert!(digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digits}");
    assert_eq!(key().out, made.out);
    let mode = std::fs::metadata(data.join("realm.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn no_key_is_made_in_a_directory_with_other_files() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("thesis.txt"), "…").unwrap();
    let run = run(&mut kabar(&["realm", "key", "--data", home.path().to_str().unwrap()]), "");
    assert_eq!((run.code, run.out.as_str(), run.err.lines().count()), (1, "", 1));
    assert!(run.err.contains("is not empty and holds no store of kabar"), "{}", run.err);
    assert_eq!(home.path().read_dir().unwrap().count(), 1);
}

#[test]
fn the_version_names_the_commit() {
    let run = run(&mut kabar(&["--version"]), "");
    let version = format!("kabar {} (", env!("CARGO_PKG_VERSION"));
    let commit = run.out.strip_prefix(&version).unwrap().strip_suffix(")\n").unwrap();
    let hexadecimal = commit.len() == 12 && commit.bytes().all(|b| b.is_ascii_hexdigit());
    assert!(hexadecimal || commit == "unknown", "{commit}");
}

#[test]
fn every_command_has_a_manual_page_and_is_completed() {
    let home = tempfile::tempdir().unwrap();
    let pages = home.path().join("man");
    let made = run(&mut kabar(&["man", pages.to_str().unwrap()]), "");
    assert_eq!((made.code, made.err.as_str()), (0, ""));
    let overview = std::fs::read_to_string(pages.join("kabar.1")).unwrap();
    for command in ["serve", "check", "health", "backup", "export", "import", "realm"] {
        assert!(overview.contains(&format!("kabar\\-{command}(1)")), "{command}: {overview}");
        assert!(pages.join(format!("kabar-{command}.1")).is_file(), "{command}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&mut kabar(&["completions", shell]), "");
        assert!(script.code == 0 && script.out.contains("hash-password"), "{shell}");
    }
}

#[test]
fn help_fits_a_terminal() {
    let commands = [
        "serve",
        "check",
        "health",
        "backup",
        "export",
        "import",
        "messages",
        "log",
        "realm",
        "realm key",
        "hash-password",
        "completions",
        "man",
        "login",
        "logout",
        "send",
        "inbox",
        "chat",
    ];
    let helped = commands.map(|command| command.split(' ').chain(["--help"]).collect::<Vec<_>>());
    for arguments in helped.iter().chain([&vec!["--help"]]) {
        let run = run(&mut kabar(arguments), "");
        assert!(run.out.contains("Usage: kabar"), "{}", run.out);
        let widest = run.out.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= 80, "{widest} columns: {}", run.out);
    }
}
