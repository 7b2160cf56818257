//! The lines of what administrators are answered.

use crate::chat::{BanStatus, InviteStatus, Stats, UserStatus};
use crate::name::Name;
use crate::settings::Language;
use crate::wire::phrase::{say, shown_time};
use crate::wire::text::line::append_line;
use crate::wire::text::words;

pub(super) fn append_ban(out: &mut Vec<u8>, ban: &BanStatus, language: Language) {
    let BanStatus { id, target, by, since, until, reason } = ban;
    let (by, since) = (name_of(by.as_ref(), language), shown_time(*since, language));
    let until = match until {
        Some(until) => {
            let until = shown_time(*until, language);
            say!(language, "until {until}", "until {until}", "sampai {until}")
        }
        None => say!(language, "for ever", "for ever", "selamanya"),
    };
    let line = say!(
        language,
        "#{id} {target} {until}, by {by} since {since}",
        "#{id} {target} {until}, by {by} since {since}",
        "#{id} {target} {until}, oleh {by} sejak {since}"
    );
    if reason.is_empty() { append_line(out, &[&line]) } else { append_line(out, &[&line, ": ", reason]) }
}

pub(super) fn append_user(out: &mut Vec<u8>, user: &UserStatus, language: Language) {
    let marks = [
        (user.is_administrator, words::IS_ADMINISTRATOR),
        (user.is_locked, words::IS_LOCKED),
        (user.is_banned, words::IS_BANNED),
        (user.online, words::MARKED_ONLINE),
    ];
    let marks: String = marks.iter().filter(|(is_so, _)| *is_so).map(|(_, word)| word.text(language)).collect();
    let never = || words::NEVER.text(language).to_owned();
    let seen = user.last_seen.map_or_else(never, |seen| shown_time(seen, language));
    let seen = say!(language, ", seen {seen}", ", seen {seen}", ", terlihat {seen}");
    append_line(out, &[&user.user.to_string(), " (", &user.full_name, ")", &marks, &seen]);
}

pub(super) fn append_invite(out: &mut Vec<u8>, invite: &InviteStatus, language: Language) {
    let InviteStatus { id, uses, until, by } = invite;
    let (by, until) = (name_of(by.as_ref(), language), shown_time(*until, language));
    append_line(
        out,
        &[&say!(
            language,
            "#{id} for {uses} until {until}, by {by}",
            "#{id} for {uses} until {until}, by {by}",
            "#{id} untuk {uses} orang sampai {until}, oleh {by}"
        )],
    );
}

fn name_of(administrator: Option<&Name>, language: Language) -> &str {
    administrator.map_or(words::THE_OPERATOR.text(language), Name::as_str)
}

pub(super) fn append_stats(out: &mut Vec<u8>, stats: &Stats, language: Language) {
    for (what, number) in [
        (words::CONNECTIONS, stats.connections),
        (words::SESSIONS, stats.sessions),
        (words::GROUPS, stats.groups),
        (words::PEERS, stats.peers),
        (words::LINKS_UP, stats.links_up),
        (words::BANS, stats.bans),
        (words::LOCKED, stats.locked),
        (words::INVITES, stats.invites),
    ] {
        append_line(out, &[what.text(language), ": ", &number.to_string()]);
    }
    append_line(out, &[words::NEWEST_ID.text(language), &stats.head.to_string()]);
    let uptime = stats.uptime.as_secs().to_string();
    append_line(out, &[words::UP_FOR.text(language), &uptime, words::SECONDS.text(language)]);
}
