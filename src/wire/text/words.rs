//! The words of lines that are no replies' sentences: what stands in front of pushes, notices, and the labels of lists.

use crate::wire::phrase::{Phrase, ours, phrase};

// In front of a push. In brackets no name has a blank, and `broadcast` and `siaran` are not allowed as names.
pub(super) const GROUP: Phrase = ours("[group ", "[grup ");
pub(super) const BROADCAST: Phrase = ours("[broadcast] ", "[siaran] ");
pub(super) const GROUP_EVENT: Phrase = ours("[group] ", "[grup] ");
pub(super) const PRESENCE: Phrase = ours("[presence] ", "[kehadiran] ");
pub(super) const READ: Phrase = ours("[read] ", "[dibaca] ");
pub(super) const INBOX: Phrase = ours("[inbox] ", "[kotak masuk] ");
pub(super) const SESSION_ENDED: Phrase = ours("[session] ended: ", "[sesi] berakhir: ");
pub(super) const ACCOUNT: Phrase = ours("[account] ", "[akun] ");

/// For a new connection. The documents' clients expect nothing before their first request.
pub(super) const GREETING: Phrase = phrase(
    "",
    "[kabar] welcome: help lists the commands, quit leaves",
    "[kabar] selamat datang: help menampilkan semua perintah, quit keluar",
);

/// For a person who reads more slowly than others write.
pub(super) const LAGGED: Phrase = phrase(
    "Terlalu lambat: ada pesan yang terlewat, lihat dengan inbox",
    "too slow: messages were left out, inbox shows them",
    "terlalu lambat: ada pesan yang terlewat, inbox menampilkannya",
);

/// For a person who asks for more than was kept.
pub(super) const TRUNCATED: Phrase = phrase(
    "Ada pesan lama yang sudah dihapus",
    "older messages were already removed",
    "ada pesan lama yang sudah dihapus",
);

/// For a person who asks for what comes after a message that a restored server has lost.
pub(super) const RESET: Phrase = phrase(
    "Server dipulihkan dari cadangan: pesan setelah cadangan itu hilang",
    "the server was restored from a backup: messages after that backup are lost",
    "server dipulihkan dari cadangan: pesan setelah cadangan itu hilang",
);

/// For a person who reads while the disk takes nothing.
pub(super) const UNREAD: Phrase = ours(
    "the disk failed, so that these messages stay new",
    "penyimpanan bermasalah, sehingga pesan-pesan ini tetap baru",
);

/// For a person who stops in the middle of a line, or a client that sends none.
pub(super) const UNFINISHED_LINE: Phrase = phrase(
    "Format message tidak sesuai: baris diakhiri dengan Enter (a line ends with Enter)",
    "the line is not finished: a line ends with Enter",
    "baris ini belum selesai: akhiri dengan Enter",
);

/// For a person who registered with four words, and may have meant a password with blanks.
pub(super) const REGISTERED_WITH_PROFILE: Phrase = ours(
    "the password is the second word, the last two are full name and country: passwd and setname change them",
    "kata sandi adalah kata kedua, dua kata terakhir adalah nama lengkap dan negara: passwd dan setname mengubahnya",
);

/// After the number of messages.
pub(super) const NEW: Phrase = ours(
    " new: inbox shows what came while you were away, quit leaves",
    " baru: inbox menampilkan yang datang selagi Anda pergi, quit keluar",
);

/// A message that the store has lost.
pub(super) const DAMAGED: Phrase = phrase(
    "pesan ini rusak di penyimpanan server",
    "this message is damaged in the server's store",
    "pesan ini rusak di penyimpanan server",
);

pub(super) const ONLINE: Phrase = ours("online", "daring");
pub(super) const OFFLINE: Phrase = ours("offline", "luring");
pub(super) const OWNER: Phrase = phrase("", " (owner)", " (pemilik)");
pub(super) const THIS_SESSION: Phrase = ours(" (this one)", " (yang ini)");
pub(super) const NEVER: Phrase = ours("never", "belum pernah");
pub(super) const YES: Phrase = ours("yes", "ya");
pub(super) const NO: Phrase = ours("no", "tidak");

// The profile of a user.
pub(super) const FULL_NAME: Phrase = ours("full name: ", "nama lengkap: ");
pub(super) const COUNTRY: Phrase = ours("country: ", "negara: ");
pub(super) const REALM: Phrase = ours("realm: ", "realm: ");
pub(super) const IS_ONLINE: Phrase = ours("online: ", "daring: ");
pub(super) const LAST_SEEN: Phrase = ours("last seen: ", "terakhir terlihat: ");

// Labels for administrators.
pub(super) const THE_OPERATOR: Phrase = ours("the operator", "operator");
pub(super) const IS_ADMINISTRATOR: Phrase = ours(" administrator", " administrator");
pub(super) const IS_LOCKED: Phrase = ours(" locked", " dikunci");
pub(super) const IS_BANNED: Phrase = ours(" banned", " dicekal");
pub(super) const MARKED_ONLINE: Phrase = ours(" online", " daring");
pub(super) const CONNECTIONS: Phrase = ours("connections", "koneksi");
pub(super) const SESSIONS: Phrase = ours("sessions", "sesi");
pub(super) const GROUPS: Phrase = ours("groups", "grup");
pub(super) const PEERS: Phrase = ours("other servers", "server lain");
pub(super) const LINKS_UP: Phrase = ours("links up", "sambungan aktif");
pub(super) const BANS: Phrase = ours("bans", "cekal");
pub(super) const LOCKED: Phrase = ours("locked", "akun dikunci");
pub(super) const INVITES: Phrase = ours("invites", "undangan");
pub(super) const NEWEST_ID: Phrase = ours("newest id: ", "ID terbaru: ");
pub(super) const UP_FOR: Phrase = ours("up for: ", "menyala selama: ");
pub(super) const SECONDS: Phrase = phrase(" s", " seconds", " detik");
