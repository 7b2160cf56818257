//! The filter for fail2ban, as fail2ban reads it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The addresses that the filter for fail2ban finds in lines of the log.
pub(crate) fn found_by_fail2ban(lines: &str) -> String {
    const FIND: &str = r#"
import configparser, re, sys
filter = configparser.ConfigParser(interpolation=configparser.BasicInterpolation())
filter.read(sys.argv[1])
found = filter["Definition"]["failregex"].replace("<ADDR>", r"(?P<address>[0-9A-Fa-f.:]+)").split("\n")
for line in sys.stdin:
    for regex in found:
        match = re.search(regex, line.rstrip("\n"))
        if match: print(match["address"])
"#;
    let filter = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/fail2ban/filter.d/kabar.conf");
    // Fail2ban has the date's percent signs doubled, and so has Python.
    let mut python = Command::new("python3")
        .args(["-c", FIND])
        .arg(filter)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let found = python.wait_with_output().unwrap();
    assert!(found.status.success());
    String::from_utf8(found.stdout).unwrap()
}
