//! The flags that say which configuration a command uses.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};
use kabar::config::{Config, ConfigError, Override};

/// A path on the command line. A `~` that no shell has replaced was in quotes, and would name a file in this directory.
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        let has_tilde = path.as_os_str().as_encoded_bytes().starts_with(b"~");
        if has_tilde {
            Err("expected a path without ~, which only a shell understands: write it out")
        } else {
            Ok(path)
        }
    })
}

/// The data directory, by the configuration that the server would use.
#[derive(Debug, Args)]
pub(super) struct Location {
    /// Read settings from a TOML file
    #[arg(long, value_name = "FILE", value_parser = path())]
    config: Option<PathBuf>,
    /// Directory of the data [default: ./kabar-data]
    #[arg(long, value_name = "DIR")]
    data: Vec<String>,
}

/// Each flag is the text of a setting: the configuration checks it, so that an error reads the same from every source.
#[derive(Debug, Args)]
pub(super) struct Settings {
    #[command(flatten)]
    location: Location,
    /// Listener for JSON [default: 127.0.0.1:8889]
    #[arg(long, value_name = "ADDR")]
    listen: Vec<String>,
    /// Listener for text, or none [127.0.0.1:8890]
    #[arg(long, value_name = "ADDR")]
    listen_text: Vec<String>,
    /// Web page, or none [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    web: Vec<String>,
    /// Health and metrics, or none [default: none]
    #[arg(long, value_name = "ADDR")]
    metrics: Vec<String>,
    /// Name of the home realm [default: local]
    #[arg(long, value_name = "NAME")]
    realm: Vec<String>,
    /// Whether OK waits for the disk [default: sync]
    #[arg(long, value_name = "sync|fast")]
    durability: Vec<String>,
    /// For people or for programs [default: pretty]
    #[arg(long, value_name = "pretty|json")]
    log_format: Vec<String>,
    /// LEVEL or TARGET=LEVEL,... [default: info]
    #[arg(long, value_name = "FILTER")]
    log_filter: Vec<String>,
}

impl Location {
    /// The data directory.
    pub(super) fn find(&self) -> Result<PathBuf, ConfigError> {
        Ok(self.load([])?.server.data)
    }

    /// All of the configuration.
    pub(super) fn load_all(&self) -> Result<Config, ConfigError> {
        self.load([])
    }

    fn load<const N: usize>(&self, flags: [(&str, &str, &str, &[String]); N]) -> Result<Config, ConfigError> {
        let data = ("--data", "server", "data", &self.data[..]);
        let given = flags.into_iter().chain([data]).filter(|(.., values)| !values.is_empty());
        let overrides: Vec<_> = given
            .map(|(flag, section, key, values)| Override {
                place: flag.to_owned(),
                section: section.to_owned(),
                key: key.to_owned(),
                text: values.join(","),
            })
            .collect();
        Config::load(self.config.as_deref(), std::env::vars_os(), &overrides)
    }
}

impl Settings {
    /// Whether the command line names the data directory.
    pub(super) fn names_data(&self) -> bool {
        !self.location.data.is_empty()
    }

    pub(super) fn load(&self) -> Result<Config, ConfigError> {
        self.location.load([
            ("--listen", "server", "listen", &self.listen),
            ("--listen-text", "server", "listen_text", &self.listen_text),
            ("--web", "server", "web", &self.web),
            ("--metrics", "metrics", "listen", &self.metrics),
            ("--realm", "server", "realm", &self.realm),
            ("--durability", "server", "durability", &self.durability),
            ("--log-format", "log", "format", &self.log_format),
            ("--log-filter", "log", "filter", &self.log_filter),
        ])
    }
}
