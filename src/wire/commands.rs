//! The one table of commands: everything about a command word stands in its row.

use crate::chat::{Command, CommandError, Query};
use crate::id::SessionId;
use crate::wire::action::{Action, SessionRequest};
use crate::wire::administration;
use crate::wire::args::{Args, BadParameter};
use crate::wire::catalog;
use crate::wire::command_spec::{CommandSpec, Theme, command};
use crate::wire::errors::Wording;
use crate::wire::format::Dialect;
use crate::wire::parsers::{
    add_realm, change, change_group_password, conversations, create_group, history, info, join_group, log_in,
    parse_conversation, read, register, send, send_group, send_group_realm, session, subscribe,
};

/// Every command, in the order of help. Neighbours with the same parameters and summary are synonyms and share a line.
pub static COMMANDS: &[CommandSpec] = &[
    command("auth", "USER PASSWORD", "log in", Theme::ComeAndGo, log_in)
        .password_after(1)
        .for_anyone()
        .success_of(catalog::logged_in)
        .errors(&[Wording::same(CommandError::UserNotFound, "User Tidak Ada")]),
    command("login", "USER PASSWORD", "log in", Theme::ComeAndGo, log_in)
        .dialect(Dialect::Layanan)
        .password_after(1)
        .for_anyone()
        .success_of(catalog::logged_in)
        .errors(&[
            Wording::new(CommandError::UserNotFound, "User Tidak Ada", "Username belum tersedia"),
            Wording::new(CommandError::WrongPassword, "Password Salah", "Password yang dimasukkan salah"),
        ]),
    command(
        "register",
        "USER PASSWORD [FULLNAME COUNTRY] [CODE]",
        "make an account, log in",
        Theme::ComeAndGo,
        register,
    )
    .password_after(1)
    .for_anyone()
    .success_of(catalog::registered),
    command("send", "USER TEXT", "tell a user", Theme::Talk, send)
        .success_in("Message sent", "pesan terkirim")
        .errors(RECIPIENT_UNAVAILABLE),
    command("chat", "USER TEXT", "tell a user", Theme::Talk, send)
        .dialect(Dialect::Layanan)
        .success_of(catalog::sent_to)
        .errors(RECIPIENT_UNAVAILABLE),
    command("inbox", "", "read what is new", Theme::Read, |_| session(SessionRequest::Inbox))
        .success_of(catalog::messages),
    command("kotakmasuk", "", "read what is new", Theme::Read, |_| session(SessionRequest::Inbox))
        .dialect(Dialect::Layanan)
        .success_of(catalog::messages),
    command("peek", "", "read it and leave it new", Theme::Read, |_| session(SessionRequest::Peek))
        .success_of(catalog::messages),
    command("ack", "ID", "what is new begins after ID", Theme::Read, |args| {
        change(Command::Acknowledge { upto: args.position()? })
    })
    .success("Acknowledged"),
    command("subscribe", "[ID] [presence] [group] [inbox] [read]", "be told at once", Theme::KeepUp, subscribe)
        .success("Subscribed"),
    command("unsubscribe", "", "be told no more", Theme::KeepUp, |_| session(SessionRequest::Unsubscribe))
        .success("Unsubscribed"),
    command("history", "[USER|group:GROUP] [before ID] [limit N]", "read again, newest first", Theme::Read, history)
        .success_of(catalog::messages),
    command("conversations", "[limit N]", "whom you talk to", Theme::KeepUp, conversations)
        .success_of(catalog::conversations),
    command("markread", "USER|group:GROUP ID", "all read up to ID", Theme::KeepUp, |args| {
        session(SessionRequest::MarkRead { conversation: parse_conversation(args.next())?, upto: args.position()? })
    })
    .success("Marked"),
    command("broadcast", "TEXT", "tell everyone", Theme::Talk, |args| {
        change(Command::Broadcast { text: args.text()? })
    })
    .dialect(Dialect::Draft)
    .success_in("Message sent", "pesan terkirim")
    .last_in_overview(),
    command("addgroup", "GROUP [PASSWORD]", "make a group", Theme::Groups, create_group)
        .password_after(1)
        .success("Add group successful"),
    command("creategroup", "GROUP PASSWORD", "make a closed group", Theme::Groups, |args| {
        session(SessionRequest::CreateGroup {
            group: args.new_name("GROUP")?,
            password: args.new_password("PASSWORD")?,
        })
    })
    .dialect(Dialect::Draft)
    .password_after(1)
    .success("Grup berhasil dibuat"),
    command("joingroup", "GROUP [PASSWORD]", "join a group", Theme::Groups, join_group)
        .password_after(1)
        .success_by_dialect("Join grup berhasil", "Join group successful")
        .errors(&[
            Wording::same(CommandError::WrongPassword, "Password grup salah"),
            Wording::in_draft(CommandError::GroupNotFound, "Grup tidak tersedia"),
        ]),
    command("sendgroup", "GROUP TEXT", "tell a group", Theme::Talk, send_group).success("Message sent to group"),
    command("chatgroup", "GROUP TEXT", "tell a group", Theme::Talk, send_group)
        .dialect(Dialect::Draft)
        .success("Pesan terkirim"),
    command("groups", "", "your groups", Theme::Groups, |_| read(Query::Groups))
        .success_of(catalog::groups)
        .last_in_overview(),
    command("members", "GROUP", "who is in a group", Theme::Groups, |args| {
        read(Query::Members { group: args.name("GROUP")? })
    })
    .success_of(catalog::members)
    .last_in_overview(),
    command("leavegroup", "GROUP", "leave a group", Theme::Groups, |args| {
        change(Command::LeaveGroup { group: args.name("GROUP")? })
    })
    .success("Berhasil keluar dari grup"),
    command("kick", "GROUP USER", "put a member out (owner)", Theme::OwnAGroup, |args| {
        change(Command::Kick { group: args.name("GROUP")?, user: args.name("USER")? })
    })
    .success("User dikeluarkan dari grup"),
    command("grouppasswd", "GROUP [NEWPASSWORD]", "change or drop it (owner)", Theme::OwnAGroup, change_group_password)
        .password_after(1)
        .success_of(catalog::group_password),
    command("delgroup", "GROUP", "end a group (owner)", Theme::OwnAGroup, |args| {
        change(Command::DeleteGroup { group: args.name("GROUP")? })
    })
    .success("Grup berhasil dihapus"),
    command("showuseractive", "", "who is online", Theme::People, |_| read(Query::Online))
        .dialect(Dialect::Service)
        .success_of(catalog::online),
    command("list", "", "who is online", Theme::People, |_| read(Query::Online))
        .dialect(Dialect::Cli)
        .success_of(catalog::online),
    command("user_on", "", "who is online", Theme::People, |_| read(Query::Online))
        .dialect(Dialect::Layanan)
        .success_of(catalog::online),
    command("online", "", "who is online", Theme::People, |_| read(Query::Online))
        .dialect(Dialect::Draft)
        .success_of(catalog::online),
    command("info", "[USER]", "a user, or who is online", Theme::People, info).success_of(catalog::info),
    command("whoami", "", "who you are", Theme::ComeAndGo, |_| read(Query::Whoami))
        .dialect(Dialect::Draft)
        .success_of(catalog::info),
    command("block", "USER", "hear no more from a user", Theme::People, |args| {
        change(Command::Block { whom: args.address("USER")? })
    })
    .success("User diblokir"),
    command("unblock", "USER", "hear from a user again", Theme::People, |args| {
        change(Command::Unblock { whom: args.address("USER")? })
    })
    .success("User tidak lagi diblokir"),
    command("blocks", "", "whom you block", Theme::People, |_| read(Query::Blocks)).success_of(catalog::blocks),
    command("addrealm", "REALM [HOST PORT]", "link a server, or add a name", Theme::Realms, add_realm)
        .success("Realm added successfully"),
    command("delrealm", "REALM", "forget a realm", Theme::Realms, |args| {
        let name = args.name("REALM")?;
        let lost = catalog::lost(&name).into();
        change(Command::RemoveRealm { name, lost })
    })
    .success("Realm berhasil dihapus"),
    command("sendprivaterealm", "REALM USER TEXT", "tell a user of a realm", Theme::TalkToRealms, |args| {
        let realm = args.name("REALM")?;
        let to = args.name("USER")?.at(realm);
        change(Command::SendDirect { to, text: args.text()? })
    })
    .tells_delivery()
    .success("Message sent to user in realm"),
    command("sendgrouprealm", "REALM GROUP TEXT", "tell a group of a realm", Theme::TalkToRealms, send_group_realm)
        .tells_delivery()
        .success("Message sent to group in realm"),
    command("getrealminbox", "REALM", "read what came from there", Theme::TalkToRealms, |args| {
        session(SessionRequest::RealmInbox { realm: args.name("REALM")? })
    })
    .success_of(catalog::messages),
    command("realms", "", "the realms known here", Theme::Realms, |_| read(Query::Realms)).success_of(catalog::realms),
    command("passwd", "OLD NEW", "change your password", Theme::Other, |args| {
        session(SessionRequest::ChangePassword { old: args.password("OLD")?, new: args.new_password("NEW")? })
    })
    .password_after(0)
    .success("Password berhasil diubah"),
    command("setname", "FULLNAME", "change your full name", Theme::Other, |args| {
        change(Command::SetName { full_name: args.profile("FULLNAME")? })
    })
    .success("Nama berhasil diubah"),
    command("sessions", "", "where you are logged in", Theme::Other, |_| read(Query::Sessions))
        .success_of(catalog::sessions),
    command("revoke", "N", "end a session of the list", Theme::Other, |args| {
        let session = SessionId(args.number("N", "expected a number that sessions lists")?);
        change(Command::RevokeSession { session })
    })
    .success("Session berhasil diakhiri"),
    command("unregister", "PASSWORD", "give up your account", Theme::Other, |args| {
        session(SessionRequest::Unregister { password: args.password("PASSWORD")? })
    })
    .password_after(0)
    .success("Akun berhasil dihapus"),
    command("logout", "", "end the session", Theme::ComeAndGo, |_| change(Command::LogOut))
        .success_in("Logout successful", catalog::LOGGED_OUT),
    command("exit", "", "end the connection", Theme::ComeAndGo, |_| session(SessionRequest::Exit))
        .for_anyone()
        .success("bye"),
    command("quit", "", "end the connection", Theme::ComeAndGo, |_| session(SessionRequest::Exit))
        .for_anyone()
        .success("bye"),
    command("link", "VERSION", "how another server links", Theme::Realms, |args| {
        session(SessionRequest::Link { version: args.number("VERSION", "expected a number")? })
    })
    .for_anyone()
    .success("link"),
    command("kickuser", "USER", "log a user out everywhere", Theme::KeepOut, |args| {
        change(Command::KickUser { user: args.name("USER")? })
    })
    .for_administrators()
    .success("User dikeluarkan"),
    command("ban", "TARGET [for DURATION] [REASON]", "keep out TARGET", Theme::KeepOut, administration::ban)
        .for_administrators()
        .success("Dicekal"),
    command("unban", "TARGET", "let TARGET in again", Theme::KeepOut, administration::unban)
        .for_administrators()
        .success("Cekal dicabut"),
    command("bans", "[before ID] [limit N]", "who is kept out", Theme::KeepOut, administration::bans)
        .for_administrators()
        .success_of(catalog::bans),
    command("lock", "USER", "let nobody log in as USER", Theme::KeepOut, |args| {
        change(Command::LockUser { user: args.name("USER")? })
    })
    .for_administrators()
    .success("Akun dikunci"),
    command("unlock", "USER", "undo lock", Theme::KeepOut, |args| {
        change(Command::UnlockUser { user: args.name("USER")? })
    })
    .for_administrators()
    .success("Kunci akun dibuka"),
    command(
        "adduser",
        "USER PASSWORD [FULLNAME COUNTRY]",
        "make an account",
        Theme::Administer,
        administration::add_user,
    )
    .for_administrators()
    .password_after(1)
    .success("Akun dibuat"),
    command("setpass", "USER PASSWORD", "another password for USER", Theme::Administer, administration::set_password)
        .for_administrators()
        .password_after(1)
        .success("Password berhasil diubah"),
    command("wall", "TEXT", "tell everyone, as the server", Theme::Administer, |args| {
        change(Command::Wall { text: args.text()? })
    })
    .for_administrators()
    .success("Message sent"),
    command("stats", "", "the server in numbers", Theme::Administer, |_| read(Query::Stats))
        .for_administrators()
        .success_of(catalog::stats),
    command("users", "[after USER] [limit N]", "all accounts", Theme::Administer, administration::users)
        .for_administrators()
        .success_of(catalog::users),
    command("invite", "[N] [DAYS]", "a code for N new users", Theme::Administer, administration::invite)
        .for_administrators()
        .success_of(catalog::invited),
    command("invites", "", "the codes that are good", Theme::Administer, |_| read(Query::Invites))
        .for_administrators()
        .success_of(catalog::invites),
    command("uninvite", "ID", "revoke a code", Theme::Administer, administration::uninvite)
        .for_administrators()
        .success("Undangan dicabut"),
    // Its sentence is the usage of a command, and stands in `help`.
    command("help", "[COMMAND]", "this list, or one line of it", Theme::Other, help).for_anyone(),
    command("ping", "", "still there?", Theme::Other, |_| session(SessionRequest::Ping)).for_anyone().success("pong"),
    command("version", "", "which server this is", Theme::Other, |_| session(SessionRequest::Version))
        .for_anyone()
        .success_of(catalog::version),
];

impl CommandSpec {
    /// The row of a word, in any case.
    #[must_use]
    pub fn find(word: &str) -> Option<&'static Self> {
        COMMANDS.iter().find(|spec| spec.word.eq_ignore_ascii_case(word))
    }
}

const RECIPIENT_UNAVAILABLE: &[Wording] = &[
    Wording::in_text(CommandError::UserNotFound, "penerima tidak tersedia"),
    Wording::in_text(CommandError::UserOffline, "penerima tidak tersedia"),
];

fn help(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let word = args.next();
    if word.is_empty() {
        return session(SessionRequest::Help(None));
    }
    let spec =
        CommandSpec::find(word).ok_or_else(|| BadParameter::new("COMMAND", "expected a word that help lists"))?;
    session(SessionRequest::Help(Some(spec.word)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_command_has_a_summary() {
        for spec in COMMANDS {
            assert!(!spec.summary.is_empty(), "{spec:?}");
        }
    }

    #[test]
    fn every_word_stands_once_and_in_lower_case() {
        let mut words = HashSet::new();
        for spec in COMMANDS {
            assert!(words.insert(spec.word) && spec.word == spec.word.to_lowercase(), "{spec:?}");
        }
    }

    #[test]
    fn a_word_is_found_in_any_case() {
        for word in ["send", "SEND", "sEnD"] {
            assert_eq!(CommandSpec::find(word).map(|spec| spec.word), Some("send"));
        }
        for word in ["", "sen", "sends", "sénd", "resubscribe"] {
            assert_eq!(CommandSpec::find(word), None);
        }
    }
}
