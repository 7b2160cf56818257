//! The one table of commands: everything about a command word stands in its row.

#[cfg(test)]
mod tests;

use crate::chat::{Command, CommandError, Query};
use crate::id::SessionId;
use crate::wire::action::SessionRequest;
use crate::wire::administration::{add_user, ban, bans, invite, set_password, unban, uninvite, users};
use crate::wire::catalog;
use crate::wire::command_spec::{CommandSpec, Theme, command};
use crate::wire::errors::Wording;
use crate::wire::format::Dialect;
use crate::wire::parameters::{
    AFTER_USER, ANY_CODE, ANY_COMMAND, ANY_CONVERSATION, ANY_DAYS, ANY_ID, ANY_N, ANY_NEW_PASSWORD, ANY_PASSWORD,
    ANY_REASON, ANY_USER, AT_HOST, BEFORE_ID, CONVERSATION, FOR_DURATION, FULLNAME, GROUP, ID, LIMIT_N, N, NEW, OLD,
    PASSWORD, PROFILE, REALM, TARGET, TEXT, TOPICS, USER, VERSION,
};
use crate::wire::parsers::{
    add_realm, change, change_group_password, conversations, create_group, help, history, info, join_group, link,
    log_in, parse_conversation, read, register, send, send_group, send_group_realm, send_private_realm, session,
    subscribe,
};
use crate::wire::phrase::{Phrase, ours, phrase};

/// Every command, in the order of help. Neighbours with the same parameters and summary are synonyms and share a line.
pub static COMMANDS: &[CommandSpec] = &[
    command("auth", &[USER, PASSWORD], ours("log in", "masuk"), Theme::ComeAndGo, log_in)
        .password_after(1)
        .for_anyone()
        .success_of(catalog::logged_in)
        .errors(&[Wording::same(CommandError::UserNotFound, "User Tidak Ada")]),
    command("login", &[USER, PASSWORD], ours("log in", "masuk"), Theme::ComeAndGo, log_in)
        .dialect(Dialect::Layanan)
        .password_after(1)
        .for_anyone()
        .success_of(catalog::logged_in)
        .errors(&[
            Wording::new(CommandError::UserNotFound, "User Tidak Ada", "Username belum tersedia"),
            Wording::new(CommandError::WrongPassword, "Password Salah", "Password yang dimasukkan salah"),
        ]),
    command("register", &[USER, PASSWORD, PROFILE, ANY_CODE], MAKE_ACCOUNT, Theme::ComeAndGo, register)
        .password_after(1)
        .for_anyone()
        .success_of(catalog::registered),
    command("send", &[USER, TEXT], ours("tell a user", "kirim pesan ke pengguna"), Theme::Talk, send)
        .success_in("Message sent", SENT)
        .errors(RECIPIENT_UNAVAILABLE),
    command("chat", &[USER, TEXT], ours("tell a user", "kirim pesan ke pengguna"), Theme::Talk, send)
        .dialect(Dialect::Layanan)
        .success_of(catalog::sent_to)
        .errors(RECIPIENT_UNAVAILABLE),
    command("inbox", &[], READ_NEW, Theme::Read, |_| session(SessionRequest::Inbox)).success_of(catalog::messages),
    command("kotakmasuk", &[], READ_NEW, Theme::Read, |_| session(SessionRequest::Inbox))
        .dialect(Dialect::Layanan)
        .success_of(catalog::messages),
    command("peek", &[], PEEK, Theme::Read, |_| session(SessionRequest::Peek)).success_of(catalog::messages),
    command("ack", &[ID], ours("what is new begins after ID", "yang baru dimulai setelah ID"), Theme::Read, |args| {
        change(Command::Acknowledge { upto: args.position()? })
    })
    .success(phrase("Acknowledged", "acknowledged", "sudah dicatat")),
    command("subscribe", &[ANY_ID, TOPICS], ours("be told at once", "langsung diberi tahu"), Theme::KeepUp, subscribe)
        .success(phrase("Subscribed", "subscribed", "Anda akan diberi tahu")),
    command("unsubscribe", &[], ours("be told no more", "tidak lagi diberi tahu"), Theme::KeepUp, |_| {
        session(SessionRequest::Unsubscribe)
    })
    .success(phrase("Unsubscribed", "unsubscribed", "Anda tidak lagi diberi tahu")),
    command("history", &[ANY_CONVERSATION, BEFORE_ID, LIMIT_N], READ_AGAIN, Theme::Read, history)
        .success_of(catalog::messages),
    command("conversations", &[LIMIT_N], ours("whom you talk to", "lawan bicara Anda"), Theme::KeepUp, conversations)
        .success_of(catalog::conversations),
    command("markread", &[CONVERSATION, ID], ours("all read up to ID", "terbaca sampai ID"), Theme::KeepUp, |args| {
        session(SessionRequest::MarkRead { conversation: parse_conversation(args.next())?, upto: args.position()? })
    })
    .success(phrase("Marked", "marked as read", "ditandai terbaca")),
    command("broadcast", &[TEXT], ours("tell everyone", "kirim pesan ke semua orang"), Theme::Talk, |args| {
        change(Command::Broadcast { text: args.text()? })
    })
    .dialect(Dialect::Draft)
    .success_in("Message sent", SENT)
    .last_in_overview(),
    command("addgroup", &[GROUP, ANY_PASSWORD], ours("make a group", "buat grup"), Theme::Groups, create_group)
        .password_after(1)
        .success(phrase("Add group successful", "group made", "grup dibuat")),
    command(
        "creategroup",
        &[GROUP, PASSWORD],
        ours("make a closed group", "buat grup tertutup"),
        Theme::Groups,
        |args| {
            session(SessionRequest::CreateGroup {
                group: args.new_name(GROUP)?,
                password: args.new_password(PASSWORD)?,
            })
        },
    )
    .dialect(Dialect::Draft)
    .password_after(1)
    .success(phrase("Grup berhasil dibuat", "group made", "grup dibuat")),
    command("joingroup", &[GROUP, ANY_PASSWORD], ours("join a group", "bergabung ke grup"), Theme::Groups, join_group)
        .password_after(1)
        .success_by_dialect(
            "Join grup berhasil",
            phrase("Join group successful", "you have joined the group", "Anda bergabung ke grup"),
        )
        .errors(&[
            Wording::same(CommandError::WrongPassword, "Password grup salah"),
            Wording::in_draft(CommandError::GroupNotFound, "Grup tidak tersedia"),
        ]),
    command("sendgroup", &[GROUP, TEXT], ours("tell a group", "kirim pesan ke grup"), Theme::Talk, send_group)
        .success(phrase("Message sent to group", "message sent to the group", "pesan terkirim ke grup")),
    command("chatgroup", &[GROUP, TEXT], ours("tell a group", "kirim pesan ke grup"), Theme::Talk, send_group)
        .dialect(Dialect::Draft)
        .success(phrase("Pesan terkirim", "message sent to the group", "pesan terkirim ke grup")),
    command("groups", &[], ours("your groups", "grup Anda"), Theme::Groups, |_| read(Query::Groups))
        .success_of(catalog::groups)
        .last_in_overview(),
    command("members", &[GROUP], ours("who is in a group", "anggota grup"), Theme::Groups, |args| {
        read(Query::Members { group: args.name(GROUP)? })
    })
    .success_of(catalog::members)
    .last_in_overview(),
    command("leavegroup", &[GROUP], ours("leave a group", "keluar dari grup"), Theme::Groups, |args| {
        change(Command::LeaveGroup { group: args.name(GROUP)? })
    })
    .success(phrase("Berhasil keluar dari grup", "you have left the group", "Anda keluar dari grup")),
    command("kick", &[GROUP, USER], KICK, Theme::OwnAGroup, |args| {
        change(Command::Kick { group: args.name(GROUP)?, user: args.name(USER)? })
    })
    .success(phrase("User dikeluarkan dari grup", "user put out of the group", "pengguna dikeluarkan dari grup")),
    command("grouppasswd", &[GROUP, ANY_NEW_PASSWORD], CHANGE_OR_DROP, Theme::OwnAGroup, change_group_password)
        .password_after(1)
        .success_of(catalog::group_password),
    command("delgroup", &[GROUP], ours("end a group (owner)", "bubarkan grup (pemilik)"), Theme::OwnAGroup, |args| {
        change(Command::DeleteGroup { group: args.name(GROUP)? })
    })
    .success(phrase("Grup berhasil dihapus", "group ended", "grup dibubarkan")),
    command("showuseractive", &[], WHO_IS_ONLINE, Theme::People, |_| read(Query::Online))
        .dialect(Dialect::Service)
        .success_of(catalog::online),
    command("list", &[], WHO_IS_ONLINE, Theme::People, |_| read(Query::Online))
        .dialect(Dialect::Cli)
        .success_of(catalog::online),
    command("user_on", &[], WHO_IS_ONLINE, Theme::People, |_| read(Query::Online))
        .dialect(Dialect::Layanan)
        .success_of(catalog::online),
    command("online", &[], WHO_IS_ONLINE, Theme::People, |_| read(Query::Online))
        .dialect(Dialect::Draft)
        .success_of(catalog::online),
    command("info", &[ANY_USER], INFO, Theme::People, info).success_of(catalog::info),
    command("whoami", &[], ours("who you are", "siapa Anda"), Theme::ComeAndGo, |_| read(Query::Whoami))
        .dialect(Dialect::Draft)
        .success_of(catalog::info),
    command("block", &[USER], ours("hear no more from a user", "tolak pesan dari pengguna"), Theme::People, |args| {
        change(Command::Block { whom: args.address(USER)? })
    })
    .success(phrase("User diblokir", "user blocked", "pengguna diblokir")),
    command("unblock", &[USER], ours("hear from a user again", "terima lagi pesannya"), Theme::People, |args| {
        change(Command::Unblock { whom: args.address(USER)? })
    })
    .success(phrase("User tidak lagi diblokir", "user not blocked any more", "pengguna tidak lagi diblokir")),
    command("blocks", &[], ours("whom you block", "siapa yang Anda blokir"), Theme::People, |_| read(Query::Blocks))
        .success_of(catalog::blocks),
    command("addrealm", &[REALM, AT_HOST], ADD_REALM, Theme::Realms, add_realm).success(phrase(
        "Realm added successfully",
        "realm added",
        "realm ditambahkan",
    )),
    command("delrealm", &[REALM], ours("forget a realm", "lupakan sebuah realm"), Theme::Realms, |args| {
        let name = args.name(REALM)?;
        let lost = catalog::lost(&name).into();
        change(Command::RemoveRealm { name, lost })
    })
    .success(phrase("Realm berhasil dihapus", "realm removed", "realm dihapus")),
    command("sendprivaterealm", &[REALM, USER, TEXT], TELL_REALM_USER, Theme::TalkToRealms, send_private_realm)
        .tells_delivery()
        .success(phrase(
            "Message sent to user in realm",
            "message sent to the user in the realm",
            "pesan terkirim ke pengguna di realm",
        )),
    command("sendgrouprealm", &[REALM, GROUP, TEXT], TELL_REALM_GROUP, Theme::TalkToRealms, send_group_realm)
        .tells_delivery()
        .success(phrase(
            "Message sent to group in realm",
            "message sent to the group in the realm",
            "pesan terkirim ke grup di realm",
        )),
    command("getrealminbox", &[REALM], READ_REALM, Theme::TalkToRealms, |args| {
        session(SessionRequest::RealmInbox { realm: args.name(REALM)? })
    })
    .success_of(catalog::messages),
    command("realms", &[], ours("the realms known here", "realm yang dikenal di sini"), Theme::Realms, |_| {
        read(Query::Realms)
    })
    .success_of(catalog::realms),
    command("passwd", &[OLD, NEW], ours("change your password", "ganti kata sandi Anda"), Theme::Other, |args| {
        session(SessionRequest::ChangePassword { old: args.password(OLD)?, new: args.new_password(NEW)? })
    })
    .password_after(0)
    .success(PASSWORD_CHANGED),
    command("setname", &[FULLNAME], ours("change your full name", "ganti nama lengkap Anda"), Theme::Other, |args| {
        change(Command::SetName { full_name: args.profile(FULLNAME)? })
    })
    .success(phrase("Nama berhasil diubah", "full name changed", "nama lengkap diganti")),
    command("sessions", &[], ours("where you are logged in", "di mana saja Anda masuk"), Theme::Other, |_| {
        read(Query::Sessions)
    })
    .success_of(catalog::sessions),
    command("revoke", &[N], ours("end a session of the list", "akhiri satu sesi dari daftar"), Theme::Other, |args| {
        let expected = ours("expected a number that sessions lists", "harus nomor yang ditampilkan sessions");
        change(Command::RevokeSession { session: SessionId(args.number(N, expected)?) })
    })
    .success(phrase("Session berhasil diakhiri", "session ended", "sesi diakhiri")),
    command("unregister", &[PASSWORD], ours("give up your account", "hapus akun Anda"), Theme::Other, |args| {
        session(SessionRequest::Unregister { password: args.password(PASSWORD)? })
    })
    .password_after(0)
    .success(phrase("Akun berhasil dihapus", "account given up", "akun dihapus")),
    command("logout", &[], ours("end the session", "akhiri sesi"), Theme::ComeAndGo, |_| change(Command::LogOut))
        .success_in("Logout successful", phrase(catalog::LOGGED_OUT, "logged out", "Anda sudah keluar")),
    command("exit", &[], END_CONNECTION, Theme::ComeAndGo, |_| session(SessionRequest::Exit)).for_anyone().success(BYE),
    command("quit", &[], END_CONNECTION, Theme::ComeAndGo, |_| session(SessionRequest::Exit)).for_anyone().success(BYE),
    // Another server waits for that word.
    command("link", &[VERSION], ours("how another server links", "cara server lain menyambung"), Theme::Realms, link)
        .for_anyone()
        .success(ours("link", "link")),
    command("kickuser", &[USER], KICK_USER, Theme::KeepOut, |args| {
        change(Command::KickUser { user: args.name(USER)? })
    })
    .for_administrators()
    .success(phrase("User dikeluarkan", "user logged out", "pengguna dikeluarkan")),
    command("ban", &[TARGET, FOR_DURATION, ANY_REASON], ours("keep out TARGET", "cekal TARGET"), Theme::KeepOut, ban)
        .for_administrators()
        .success(phrase("Dicekal", "banned", "dicekal")),
    command("unban", &[TARGET], ours("let TARGET in again", "izinkan TARGET lagi"), Theme::KeepOut, unban)
        .for_administrators()
        .success(phrase("Cekal dicabut", "ban lifted", "cekal dicabut")),
    command("bans", &[BEFORE_ID, LIMIT_N], ours("who is kept out", "siapa yang dicekal"), Theme::KeepOut, bans)
        .for_administrators()
        .success_of(catalog::bans),
    command("lock", &[USER], ours("let nobody log in as USER", "kunci akun PENGGUNA"), Theme::KeepOut, |args| {
        change(Command::LockUser { user: args.name(USER)? })
    })
    .for_administrators()
    .success(phrase("Akun dikunci", "account locked", "akun dikunci")),
    command("unlock", &[USER], ours("undo lock", "buka lagi akun PENGGUNA"), Theme::KeepOut, |args| {
        change(Command::UnlockUser { user: args.name(USER)? })
    })
    .for_administrators()
    .success(phrase("Kunci akun dibuka", "account unlocked", "kunci akun dibuka")),
    command("adduser", &[USER, PASSWORD, PROFILE], ours("make an account", "buat akun"), Theme::Administer, add_user)
        .for_administrators()
        .password_after(1)
        .success(phrase("Akun dibuat", "account made", "akun dibuat")),
    command("setpass", &[USER, PASSWORD], SET_PASSWORD, Theme::Administer, set_password)
        .for_administrators()
        .password_after(1)
        .success(PASSWORD_CHANGED),
    command(
        "wall",
        &[TEXT],
        ours("tell everyone, as the server", "umumkan atas nama server"),
        Theme::Administer,
        |args| change(Command::Wall { text: args.text()? }),
    )
    .for_administrators()
    .success_in("Message sent", phrase("Message sent", "message sent", "pesan terkirim")),
    command("stats", &[], ours("the server in numbers", "server dalam angka"), Theme::Administer, |_| {
        read(Query::Stats)
    })
    .for_administrators()
    .success_of(catalog::stats),
    command("users", &[AFTER_USER, LIMIT_N], ours("all accounts", "semua akun"), Theme::Administer, users)
        .for_administrators()
        .success_of(catalog::users),
    command("invite", &[ANY_N, ANY_DAYS], INVITE, Theme::Administer, invite)
        .for_administrators()
        .success_of(catalog::invited),
    command("invites", &[], ours("the codes that are good", "kode yang masih berlaku"), Theme::Administer, |_| {
        read(Query::Invites)
    })
    .for_administrators()
    .success_of(catalog::invites),
    command("uninvite", &[ID], ours("revoke a code", "cabut sebuah kode"), Theme::Administer, uninvite)
        .for_administrators()
        .success(phrase("Undangan dicabut", "invite revoked", "undangan dicabut")),
    // Its sentence is the usage of a command, and stands in `help`.
    command("help", &[ANY_COMMAND], HELP, Theme::Other, help).for_anyone(),
    command("ping", &[], ours("still there?", "masih di sana?"), Theme::Other, |_| session(SessionRequest::Ping))
        .for_anyone()
        .success(ours("pong", "pong")),
    command("version", &[], ours("which server this is", "server apa ini"), Theme::Other, |_| {
        session(SessionRequest::Version)
    })
    .for_anyone()
    .success_of(catalog::version),
];

// Summaries and sentences that synonyms share, or that are too long for their row.
const MAKE_ACCOUNT: Phrase = ours("make an account, log in", "buat akun dan masuk");
const READ_NEW: Phrase = ours("read what is new", "baca yang baru");
const PEEK: Phrase = ours("read it and leave it new", "baca yang baru, dan biarkan tetap baru");
const READ_AGAIN: Phrase = ours("read again, newest first", "baca lagi");
const KICK: Phrase = ours("put a member out (owner)", "keluarkan anggota (pemilik)");
const CHANGE_OR_DROP: Phrase = ours("change or drop it (owner)", "ganti atau hapus kata sandi grup (pemilik)");
const WHO_IS_ONLINE: Phrase = ours("who is online", "siapa yang daring");
const INFO: Phrase = ours("a user, or who is online", "tentang pengguna, atau siapa yang daring");
const ADD_REALM: Phrase = ours("link a server, or add a name", "sambungkan server, atau tambah nama");
const TELL_REALM_USER: Phrase = ours("tell a user of a realm", "kirim pesan ke pengguna di realm");
const TELL_REALM_GROUP: Phrase = ours("tell a group of a realm", "kirim pesan ke grup di realm");
const READ_REALM: Phrase = ours("read what came from there", "baca yang datang dari sana");
const END_CONNECTION: Phrase = ours("end the connection", "akhiri koneksi");
const KICK_USER: Phrase = ours("log a user out everywhere", "keluarkan pengguna dari semua sesinya");
const SET_PASSWORD: Phrase = ours("another password for USER", "ganti kata sandi PENGGUNA");
const INVITE: Phrase = ours("a code for N new users", "kode untuk N pengguna baru");
const HELP: Phrase = ours("this list, or one line of it", "daftar ini, atau satu perintah");
const SENT: Phrase = phrase("pesan terkirim", "message sent", "pesan terkirim");
const PASSWORD_CHANGED: Phrase = phrase("Password berhasil diubah", "password changed", "kata sandi diganti");
const BYE: Phrase = ours("bye", "sampai jumpa");

const RECIPIENT_UNAVAILABLE: &[Wording] = &[
    Wording::in_text(CommandError::UserNotFound, "penerima tidak tersedia"),
    Wording::in_text(CommandError::UserOffline, "penerima tidak tersedia"),
];

impl CommandSpec {
    /// The row of a word, in any case.
    #[must_use]
    pub fn find(word: &str) -> Option<&'static Self> {
        COMMANDS.iter().find(|spec| spec.word.eq_ignore_ascii_case(word))
    }
}
