//! The parameters of commands, as help and errors name them.

use crate::wire::phrase::{Phrase, ours};

pub(super) const COMMAND: Phrase = ours("COMMAND", "PERINTAH");
pub(super) const COUNTRY: Phrase = ours("COUNTRY", "NEGARA");
pub(super) const DAYS: Phrase = ours("DAYS", "HARI");
pub(super) const DURATION: Phrase = ours("DURATION", "DURASI");
pub(super) const FULLNAME: Phrase = ours("FULLNAME", "NAMALENGKAP");
pub(super) const GROUP: Phrase = ours("GROUP", "GRUP");
pub(super) const ID: Phrase = ours("ID", "ID");
pub(super) const KEY: Phrase = ours("KEY", "KUNCI");
pub(super) const N: Phrase = ours("N", "N");
pub(super) const NEW: Phrase = ours("NEW", "BARU");
pub(super) const NEW_PASSWORD: Phrase = ours("NEWPASSWORD", "SANDIBARU");
pub(super) const OLD: Phrase = ours("OLD", "LAMA");
pub(super) const OPTION: Phrase = ours("OPTION", "OPSI");
pub(super) const PASSWORD: Phrase = ours("PASSWORD", "SANDI");
pub(super) const PORT: Phrase = ours("PORT", "PORT");
pub(super) const REALM: Phrase = ours("REALM", "REALM");
pub(super) const REASON: Phrase = ours("REASON", "ALASAN");
pub(super) const TARGET: Phrase = ours("TARGET", "TARGET");
pub(super) const TEXT: Phrase = ours("TEXT", "PESAN");
pub(super) const TOPIC: Phrase = ours("TOPIC", "TOPIK");
pub(super) const USER: Phrase = ours("USER", "PENGGUNA");
pub(super) const VERSION: Phrase = ours("VERSION", "VERSI");

/// Not a parameter: what stands behind the last one.
pub(super) const REST: Phrase = ours("a word too many", "kata berlebih");

// Those that may be left out, with the words in front of them. These words are the same in every language.
pub(super) const AFTER_USER: Phrase = ours("[after USER]", "[after PENGGUNA]");
pub(super) const ANY_CODE: Phrase = ours("[CODE]", "[KODE]");
pub(super) const ANY_COMMAND: Phrase = ours("[COMMAND]", "[PERINTAH]");
pub(super) const ANY_CONVERSATION: Phrase = ours("[USER|group:GROUP]", "[PENGGUNA|group:GRUP]");
pub(super) const ANY_DAYS: Phrase = ours("[DAYS]", "[HARI]");
pub(super) const ANY_ID: Phrase = ours("[ID]", "[ID]");
pub(super) const ANY_N: Phrase = ours("[N]", "[N]");
pub(super) const ANY_NEW_PASSWORD: Phrase = ours("[NEWPASSWORD]", "[SANDIBARU]");
pub(super) const ANY_PASSWORD: Phrase = ours("[PASSWORD]", "[SANDI]");
pub(super) const ANY_REASON: Phrase = ours("[REASON]", "[ALASAN]");
pub(super) const ANY_USER: Phrase = ours("[USER]", "[PENGGUNA]");
pub(super) const AT_HOST: Phrase = ours("[HOST PORT]", "[HOST PORT]");
pub(super) const BEFORE_ID: Phrase = ours("[before ID]", "[before ID]");
pub(super) const CONVERSATION: Phrase = ours("USER|group:GROUP", "PENGGUNA|group:GRUP");
pub(super) const FOR_DURATION: Phrase = ours("[for DURATION]", "[for DURASI]");
pub(super) const LIMIT_N: Phrase = ours("[limit N]", "[limit N]");
pub(super) const PROFILE: Phrase = ours("[FULLNAME COUNTRY]", "[NAMALENGKAP NEGARA]");
pub(super) const TOPICS: Phrase = ours("[presence] [group] [inbox] [read]", "[presence] [group] [inbox] [read]");
