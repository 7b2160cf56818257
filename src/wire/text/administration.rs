//! The lines of what administrators are answered.

use crate::chat::{BanStatus, InviteStatus, Stats, UserStatus};
use crate::wire::text::line::append_line;

pub(super) fn append_ban(out: &mut Vec<u8>, ban: &BanStatus) {
    let BanStatus { id, target, by, since, until, reason } = ban;
    let by = by.as_ref().map_or("the operator", |by| by.as_str());
    let until = until.map_or("for ever".to_owned(), |until| format!("until {until}"));
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    append_line(out, &[&format!("#{id} {target} {until}, by {by} since {since}{reason}")]);
}

pub(super) fn append_user(out: &mut Vec<u8>, user: &UserStatus) {
    let seen = user.last_seen.map_or("never".to_owned(), |seen| seen.to_string());
    let marks = [
        (user.is_administrator, " administrator"),
        (user.is_locked, " locked"),
        (user.is_banned, " banned"),
        (user.online, " online"),
    ];
    let marks: String = marks.iter().filter(|(is_so, _)| *is_so).map(|(_, word)| *word).collect();
    append_line(out, &[&format!("{} ({}){marks}, seen {seen}", user.user, user.full_name)]);
}

pub(super) fn append_invite(out: &mut Vec<u8>, InviteStatus { id, uses, until, by }: &InviteStatus) {
    let by = by.as_ref().map_or("the operator", |by| by.as_str());
    append_line(out, &[&format!("#{id} for {uses} until {until}, by {by}")]);
}

pub(super) fn append_stats(out: &mut Vec<u8>, stats: &Stats) {
    for (what, number) in [
        ("connections", stats.connections),
        ("sessions", stats.sessions),
        ("groups", stats.groups),
        ("other servers", stats.peers),
        ("links up", stats.links_up),
        ("bans", stats.bans),
        ("locked", stats.locked),
        ("invites", stats.invites),
    ] {
        append_line(out, &[what, ": ", &number.to_string()]);
    }
    append_line(out, &["newest id: ", &stats.head.to_string()]);
    append_line(out, &["up for: ", &stats.uptime.as_secs().to_string(), " s"]);
}
