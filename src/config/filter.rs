//! What the log shows.

use tracing_subscriber::filter::{LevelFilter, Targets};

/// Reads a filter: a level, or `TARGET=LEVEL` for a part of the program, or several of them between commas.
///
/// A target without a level is refused: it would mean *everything*, and is a misspelt level more often.
pub(super) fn parse(text: &str) -> Result<Targets, InvalidFilter> {
    let ends_in_level = |part: &str| {
        let level = part.rsplit('=').next().unwrap_or_default();
        !level.is_empty() && level.parse::<LevelFilter>().is_ok()
    };
    if !text.split(',').all(ends_in_level) {
        return Err(InvalidFilter);
    }
    text.parse().map_err(|_| InvalidFilter)
}

/// Why a text is no filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected off, error, warn, info, debug, trace or TARGET=LEVEL, or several between commas")]
pub(super) struct InvalidFilter;

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn a_filter_is_levels_of_targets() {
        let filter = parse("warn,kabar::net=debug").unwrap();
        assert!(filter.would_enable("kabar::net", &Level::DEBUG));
        assert!(!filter.would_enable("kabar::hub", &Level::INFO));
        for bad in ["", "inof", "kabar::net", "info,", "kabar=loud", "info;debug"] {
            assert_eq!(parse(bad), Err(InvalidFilter), "{bad:?}");
        }
    }
}
