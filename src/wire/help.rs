//! Help for the person at netcat: made from the table of command words.

use crate::wire::verbs::{VERBS, Verb};

/// The columns of the usage, before the summary.
const USAGE_COLUMNS: usize = 49;

/// One line for each command, synonyms sharing one, or the line of one command.
pub(super) fn lines(command: Option<&str>) -> Vec<String> {
    match command.and_then(Verb::find) {
        Some(verb) => vec![line(std::slice::from_ref(verb))],
        None => VERBS.chunk_by(are_synonyms).map(line).collect(),
    }
}

/// What a command is for, with its usage in front; without one, how to go about all of them.
pub(super) fn sentence(command: Option<&str>) -> String {
    match command.and_then(Verb::find) {
        Some(verb) => format!("{}: {}", verb.usage(), verb.summary),
        None => "a TOKEN may stand before the parameters; those in [] may be left out".to_owned(),
    }
}

fn are_synonyms(one: &Verb, other: &Verb) -> bool {
    (one.parameters, one.summary) == (other.parameters, other.summary)
}

fn line(synonyms: &[Verb]) -> String {
    let words: Vec<_> = synonyms.iter().map(|verb| verb.word).collect();
    let (parameters, summary) = synonyms.first().map_or(("", ""), |verb| (verb.parameters, verb.summary));
    let usage = format!("{} {parameters}", words.join(" | "));
    format!("{usage:<USAGE_COLUMNS$}{summary}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_fits_a_terminal() {
        for line in lines(None).into_iter().chain([format!("[OK] {}", sentence(None))]) {
            assert!(line.len() <= 78, "{line}");
        }
    }

    #[test]
    fn every_word_is_in_the_help() {
        let help = lines(None);
        for verb in VERBS {
            assert!(help.iter().any(|line| line.split(' ').any(|word| word == verb.word)), "{verb:?}");
        }
    }

    #[test]
    fn usages_and_summaries_stand_in_columns() {
        for line in lines(None) {
            assert!(line.as_bytes()[USAGE_COLUMNS - 1] == b' ' && line.as_bytes()[USAGE_COLUMNS] != b' ', "{line}");
        }
    }

    #[test]
    fn one_word_has_a_line_and_a_sentence() {
        assert_eq!(lines(Some("chat")), [format!("{:<USAGE_COLUMNS$}tell a user", "chat USER TEXT")]);
        assert_eq!(sentence(Some("chat")), "chat USER TEXT: tell a user");
    }
}
