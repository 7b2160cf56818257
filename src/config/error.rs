//! What is wrong with a configuration.

/// A mistake in the configuration, where it stands, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ConfigError {
    /// `FILE:LINE:COLUMN`, the variable or the flag.
    place: String,
    /// One line. Never holds a password.
    problem: String,
}

impl ConfigError {
    pub(super) fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }

    /// Puts the setting's name in front, where the place alone does not tell it.
    pub(super) fn about(self, setting: &str) -> Self {
        Self { problem: format!("{setting}: {}", self.problem), ..self }
    }
}

/// How alike two words must be for one to be suggested for the other; 1 is equal. Lets a slip or two of the finger pass.
const SIMILAR: f64 = 0.85;

/// What an unknown word may have meant: the nearest of the known ones, or else all of them.
pub(super) fn suggestion<S: AsRef<str>>(word: &str, known: impl IntoIterator<Item = S>) -> String {
    let known: Vec<S> = known.into_iter().collect();
    let likeness = |candidate: &S| strsim::jaro_winkler(word, candidate.as_ref());
    let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match nearest.filter(|candidate| likeness(candidate) >= SIMILAR) {
        Some(candidate) => format!("did you mean {}?", candidate.as_ref()),
        None => format!("expected one of {}", known.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")),
    }
}
