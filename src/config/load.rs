//! Loading the configuration from all its sources.

use std::ffi::OsString;
use std::path::Path;

use crate::config::error::ConfigError;
use crate::config::sections::Config;
use crate::config::sources::{self, Override, Sources};

impl Config {
    /// Merges all sources and reads the result. `environment` is the process's; only `KABAR_SECTION__KEY` is used.
    ///
    /// # Errors
    /// The first mistake found. A value that a later source replaces is not looked at.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        flags: &[Override],
    ) -> Result<Self, ConfigError> {
        let (name, text) = match file {
            Some(path) => (path.to_string_lossy().into_owned(), sources::read_file(path)?),
            None => Default::default(),
        };
        let overrides = sources::overrides(environment, flags)?;
        Sources::merge(&name, &text, &overrides)?.into_config()
    }
}

/// The configuration of an empty file.
impl Default for Config {
    fn default() -> Self {
        #[expect(
            clippy::expect_used,
            reason = "config.example.toml is a constant, and every test of a default parses it"
        )]
        Self::load(None, [], &[]).expect("the example is valid")
    }
}
