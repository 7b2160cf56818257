//! The log: on standard error, one line an event, as text or as JSON.

mod escape;
mod writer;

use std::io::{self, IsTerminal};

use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::config::{Log, LogFormat};
use crate::logging::escape::LineForm;
use crate::logging::writer::{Lines, WriterGuard};

pub use writer::{LogStatus, status};

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("the log cannot be written: {0}")]
    Thread(#[from] io::Error),
    /// The process has one already.
    #[error("{0}")]
    Twice(#[from] TryInitError),
}

/// Changes what is logged.
type FilterHandle = reload::Handle<Targets, Registry>;

/// The log of this process. Writes the lines that wait when it is dropped, if somebody takes them soon.
#[must_use = "the log ends with it"]
pub struct LogGuard {
    filter: FilterHandle,
    _writer: WriterGuard,
}

impl LogGuard {
    /// Changes what is logged from now on.
    ///
    /// # Errors
    /// If a thread panicked while it changed that.
    pub(crate) fn set_filter(&self, filter: &Targets) -> Result<(), reload::Error> {
        self.filter.reload(filter.clone())
    }
}

/// Starts the log of this process. Call it once, and keep what it returns until the end.
///
/// # Errors
/// If the process has a log already, or no thread for it.
pub fn start(log: &Log) -> Result<LogGuard, LogError> {
    let colours = colours();
    let form = match log.format {
        LogFormat::Json => LineForm::Json,
        LogFormat::Pretty if colours => LineForm::Coloured,
        LogFormat::Pretty => LineForm::Plain,
    };
    let (writer, guard) = Lines::start(io::stderr(), form)?;
    writer.announce();
    let (lines, filter) = lines(log, writer, colours);
    tracing_subscriber::registry().with(lines).try_init()?;
    Ok(LogGuard { filter, _writer: guard })
}

/// The layer, and the handle that changes its filter.
fn lines<W>(log: &Log, writer: W, colours: bool) -> (impl Layer<Registry> + use<W>, FilterHandle)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_writer(writer);
    let lines = match log.format {
        LogFormat::Pretty => lines.with_target(false).with_ansi(colours).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let (filter, handle) = reload::Layer::new(log.filter.clone());
    (lines.with_filter(filter), handle)
}

/// Whether to write colours: only to a terminal, and not if NO_COLOR is set (no-color.org).
fn colours() -> bool {
    let declined = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !declined
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};
    use std::sync::Arc;

    use super::*;

    /// The log of an event inside a connection's span, and of one that the filter rejects.
    fn logged(format: LogFormat) -> String {
        let mut file = tempfile::tempfile().unwrap();
        let log = Log { format, filter: "info".parse().unwrap() };
        let (lines, _) = lines(&log, Arc::new(file.try_clone().unwrap()), false);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            let _connection = tracing::info_span!("connection", id = 7).entered();
            tracing::info!(users = 8, "accounts read");
            tracing::debug!("left out");
        });
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn for_programs_an_event_is_one_object_on_one_line() {
        let text = logged(LogFormat::Json);
        let event: serde_json::Value = serde_json::from_str(text.strip_suffix('\n').unwrap()).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert_eq!((&event["level"], &event["message"]), (&"INFO".into(), &"accounts read".into()));
        assert_eq!((&event["users"], &event["span"]["id"]), (&8.into(), &7.into()));
    }

    #[test]
    fn for_people_an_event_is_one_line_of_time_level_span_and_message() {
        let text = logged(LogFormat::Pretty);
        assert_eq!(text.lines().count(), 1);
        let after_time = text.split_once("Z ").unwrap().1.trim_start();
        assert_eq!(after_time, "INFO connection{id=7}: accounts read users=8\n");
    }
}
