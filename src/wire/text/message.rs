//! A message, in a push or in a list.

use crate::chat::{Kind, MessageFields, StoredMessage};
use crate::name::Name;
use crate::settings::Language;
use crate::wire::catalog;
use crate::wire::text::line::append_line;
use crate::wire::text::words;

/// A message after `start`, in a history with both names.
pub(super) fn append_message(
    out: &mut Vec<u8>,
    message: &StoredMessage,
    start: &str,
    is_history: bool,
    language: Language,
) {
    // A body that cannot be read was not written by this server; it is not shown.
    let Some(MessageFields { from, to, msg_to, msg, kind, .. }) = message.body.fields() else { return };
    let translated = if kind == Kind::Direct { own_words(&from, &msg, language) } else { None };
    let msg = translated.as_deref().unwrap_or(&msg);
    match kind {
        Kind::Direct if is_history => append_line(out, &[start, "[", &from, " -> ", &to, "] ", msg]),
        Kind::Direct => append_line(out, &[start, "[", &from, "] ", msg]),
        Kind::Damaged => append_line(out, &[start, "[", &from, "] ", words::DAMAGED.text(language)]),
        Kind::Group => append_line(out, &[start, words::GROUP.text(language), &msg_to, "] ", &from, ": ", msg]),
        Kind::Broadcast => append_line(out, &[start, words::BROADCAST.text(language), &from, ": ", msg]),
    }
}

/// A message of the server itself in another language than it is stored in.
fn own_words(from: &str, msg: &str, language: Language) -> Option<String> {
    let is_own = language != Language::Documents && from.split('@').next() == Some(Name::SERVER);
    if is_own { catalog::translated(msg, language) } else { None }
}
