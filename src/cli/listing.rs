//! `kabar messages` and `kabar log`: what a store holds, for people and for scripts.

use std::error::Error;
use std::io::{self, BufWriter, Write};

use kabar::limits::TRANSFER_BUFFER_BYTES;
use kabar::store::{self, DumpError, MessageFilter, MessageFormat};

use crate::cli::args::Location;
use crate::cli::data::refuse_damage;

/// The flags of `kabar messages`.
#[derive(Debug, clap::Args)]
pub(super) struct MessageArgs {
    /// Only what this user sent, or was sent alone
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Only what was sent to this group
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Only from then on: 2026-11-21, or 2026-11-21T14:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// The message objects of the protocol, one a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    location: Location,
}

/// The flags of `kabar log`.
#[derive(Debug, clap::Args)]
pub(super) struct LogArgs {
    /// The number of the first entry
    #[arg(value_name = "FIRST", default_value_t = 1)]
    first: u64,
    /// The number of the last entry [default: the newest]
    #[arg(value_name = "LAST")]
    last: Option<u64>,
    #[command(flatten)]
    location: Location,
}

pub(super) fn messages(args: &MessageArgs) -> Result<(), Box<dyn Error>> {
    let filter = MessageFilter::parse(args.user.as_deref(), args.group.as_deref(), args.since.as_deref())?;
    let format = if args.json { MessageFormat::Json } else { MessageFormat::Text };
    let data = args.location.find()?;
    stream(|out| store::list_messages(&data, &filter, format, out))
}

pub(super) fn log(args: &LogArgs) -> Result<(), Box<dyn Error>> {
    let data = args.location.find()?;
    let range = (args.first, args.last.unwrap_or(u64::MAX));
    stream(|out| store::list_records(&data, range, out))
}

/// Writes to standard output. Its reader may leave early, as `head` does.
fn stream(list: impl FnOnce(&mut dyn Write) -> Result<Vec<store::Damage>, DumpError>) -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::with_capacity(TRANSFER_BUFFER_BYTES, io::stdout().lock());
    let listed = list(&mut out).and_then(|damage| Ok(out.flush().map(|()| damage)?));
    match listed {
        Err(DumpError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        listed => refuse_damage(&listed?),
    }
}
