//! The conversations of `tests/transcripts/` and the examples of `docs/PROTOCOL.md`, played against a server.

use std::fs;
use std::path::Path;

use crate::support::{TestServer, Transcript};

#[test]
fn the_written_conversations_go_as_written() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 8, "the conversations are gone");
    for path in paths {
        let mut server = TestServer::with_documented_users();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        Transcript::play(&mut server, &name, &fs::read_to_string(&path).unwrap());
    }
}

#[test]
fn the_examples_of_the_reference_go_as_printed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/PROTOCOL.md");
    let reference = fs::read_to_string(path).unwrap();
    let mut server = TestServer::with_documented_users();
    let mut conversation = String::new();
    let mut inside = false;
    for line in reference.lines() {
        if line.starts_with("```") {
            inside = line == "```transcript";
        }
        // Other lines become empty ones, so that a failure names the line of the document.
        let part = if inside && !line.starts_with("```") { line } else { "" };
        conversation.push_str(part);
        conversation.push('\n');
    }
    assert!(conversation.lines().filter(|line| !line.is_empty()).count() > 50, "the examples are gone");
    Transcript::play(&mut server, "docs/PROTOCOL.md", &conversation);
}
