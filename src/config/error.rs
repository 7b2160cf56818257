//! Errors of a configuration.

/// A mistake in the configuration, its place, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ConfigError {
    /// `FILE:LINE:COLUMN`, the variable or the flag.
    place: String,
    /// One line. Never contains a password.
    problem: String,
}

impl ConfigError {
    /// A mistake at a place.
    pub fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}

/// The least Jaro-Winkler similarity of a suggestion (1 is equal): one or two typing errors.
const SIMILAR: f64 = 0.85;

/// The known word nearest to an unknown one, or all of them if none is near.
pub(super) fn suggestion<S: AsRef<str>>(word: &str, known: impl IntoIterator<Item = S>) -> String {
    let known: Vec<S> = known.into_iter().collect();
    let likeness = |candidate: &S| strsim::jaro_winkler(word, candidate.as_ref());
    let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match nearest.filter(|candidate| likeness(candidate) >= SIMILAR) {
        Some(candidate) => format!("did you mean {}?", candidate.as_ref()),
        None => format!("expected one of {}", known.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")),
    }
}

/// Translates what serde expected into the words of this configuration; `None` if it expected nothing.
///
/// serde's errors are texts: this depends on their form, which the tests of every kind of error check.
pub(super) fn expected(message: &str) -> Option<String> {
    if let Some((field, _)) = message.strip_prefix("missing field `").and_then(|rest| rest.split_once('`')) {
        return Some(format!("expected a {field}"));
    }
    if message == "integer number overflowed" {
        return Some("expected a smaller number".to_owned());
    }
    // The last one: what serde found comes before, and may contain anything.
    let (_, expected) = message.rsplit_once("expected ")?;
    Some(match expected {
        "a boolean" => "expected true or false".to_owned(),
        "a string" => "expected text in quotes".to_owned(),
        _ if message.starts_with("unknown variant") => format!("expected {}", alternatives(&listed(message))),
        _ => format!("expected {expected}"),
    })
}

/// The names in backticks that a message of serde expected.
pub(super) fn listed(message: &str) -> Vec<&str> {
    message.rsplit("expected ").next().unwrap_or_default().split('`').skip(1).step_by(2).collect()
}

/// `"a", "b" or "c"`
fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("{word:?}")).collect();
    match quoted.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => quoted.concat(),
    }
}
