use std::collections::HashSet;

use super::*;

#[test]
fn every_command_has_a_summary() {
    for spec in COMMANDS {
        assert!(!spec.summary.documents().is_empty(), "{spec:?}");
    }
}

#[test]
fn every_word_stands_once_and_in_lower_case() {
    let mut words = HashSet::new();
    for spec in COMMANDS {
        assert!(words.insert(spec.word) && spec.word == spec.word.to_lowercase(), "{spec:?}");
    }
}

#[test]
fn a_word_is_found_in_any_case() {
    for word in ["send", "SEND", "sEnD"] {
        assert_eq!(CommandSpec::find(word).map(|spec| spec.word), Some("send"));
    }
    for word in ["", "sen", "sends", "sénd", "resubscribe"] {
        assert_eq!(CommandSpec::find(word), None);
    }
}
