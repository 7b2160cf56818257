//! The parsers of commands for administrators (PROTOCOL §8).

use std::time::Duration;

use crate::chat::{BanSubject, Command, Network, Query};
use crate::id::Seq;
use crate::limits::{
    ADMIN_LIST, ADMIN_LIST_MAX, BAN_SECONDS_MAX, INVITE_DAYS, INVITE_DAYS_MAX, INVITE_USES_MAX, REASON_BYTES,
};
use crate::wire::action::{Action, SessionRequest};
use crate::wire::args::{Args, BadParameter, parse_address, parse_name};
use crate::wire::parameters::{DAYS, DURATION, ID, N, OPTION, PASSWORD, REASON, TARGET, USER};
use crate::wire::parsers::{change, parse_limit, profile, read, session};
use crate::wire::phrase::{counted, ours};

/// `TARGET [for DURATION] [REASON]`.
pub(super) fn ban(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let subject = subject(args)?;
    let mut after = *args;
    let lifetime = if after.next().eq_ignore_ascii_case("for") {
        *args = after;
        Some(duration(args.next())?)
    } else {
        None
    };
    let reason = args.take_rest();
    if reason.len() > REASON_BYTES {
        return Err(BadParameter::new(
            REASON,
            counted!(REASON_BYTES, "expected at most {} bytes", "harus paling banyak {} byte"),
        ));
    }
    change(Command::Ban { subject, lifetime, reason: reason.into() })
}

pub(super) fn unban(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    change(Command::Unban { subject: subject(args)? })
}

/// An address goes before a user of such a name, who is `user:NAME` then.
fn subject(args: &mut Args<'_>) -> Result<BanSubject, BadParameter> {
    let word = args.next();
    if let Some(realm) = word.strip_prefix("realm:") {
        return parse_name(TARGET, realm).map(BanSubject::Realm);
    }
    if let Some(user) = word.strip_prefix("user:") {
        return parse_address(TARGET, user).map(BanSubject::User);
    }
    if let Some(network) = Network::parse(word) {
        return Ok(BanSubject::Network(network));
    }
    parse_address(TARGET, word).map(BanSubject::User).map_err(|_| {
        BadParameter::new(
            TARGET,
            ours(
                "expected USER, USER@REALM, an address, a network such as 10.0.0.0/8, or realm:REALM",
                "harus PENGGUNA, PENGGUNA@REALM, sebuah alamat, jaringan seperti 10.0.0.0/8, atau realm:REALM",
            ),
        )
    })
}

/// A number and a unit: `90s`, `30m`, `12h`, `7d`, `4w`.
fn duration(word: &str) -> Result<Duration, BadParameter> {
    let seconds = || {
        let (at, unit) = word.char_indices().next_back()?;
        let number: u64 = word.get(..at)?.parse().ok()?;
        let unit = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 24 * 3_600,
            'w' => 7 * 24 * 3_600,
            _ => return None,
        };
        number.checked_mul(unit).filter(|seconds| (1..=BAN_SECONDS_MAX).contains(seconds))
    };
    let expected = ours(
        "expected a number and one of s m h d w, such as 30m or 7d, 100 years at most",
        "harus angka dan salah satu dari s m h d w, seperti 30m atau 7d, paling lama 100 tahun",
    );
    seconds().map(Duration::from_secs).ok_or_else(|| BadParameter::new(DURATION, expected))
}

pub(super) fn add_user(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let (user, password) = (args.new_name(USER)?, args.new_password(PASSWORD)?);
    session(SessionRequest::AddUser { user, password, profile: profile(args)? })
}

pub(super) fn set_password(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    session(SessionRequest::SetPassword { user: args.name(USER)?, password: args.new_password(PASSWORD)? })
}

pub(super) fn bans(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let (mut before, mut limit) = (None, ADMIN_LIST);
    while !args.is_empty() {
        match args.next().to_ascii_lowercase().as_str() {
            "before" => before = Some(args.id()?),
            "limit" => limit = parse_limit(args)?.min(ADMIN_LIST_MAX),
            _ => {
                return Err(BadParameter::new(
                    OPTION,
                    ours("expected before ID or limit N", "harus before ID atau limit N"),
                ));
            }
        }
    }
    read(Query::Bans { before, limit })
}

pub(super) fn users(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let (mut after, mut limit) = (None, ADMIN_LIST);
    while !args.is_empty() {
        match args.next().to_ascii_lowercase().as_str() {
            "after" => after = Some(args.name(USER)?),
            "limit" => limit = parse_limit(args)?.min(ADMIN_LIST_MAX),
            _ => {
                return Err(BadParameter::new(
                    OPTION,
                    ours("expected after USER or limit N", "harus after PENGGUNA atau limit N"),
                ));
            }
        }
    }
    read(Query::Users { after, limit })
}

pub(super) fn invite(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let mut number = |name, if_left_out, most| {
        let word = args.next();
        if word.is_empty() {
            return Ok(if_left_out);
        }
        let number = word.parse::<u32>().ok().filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| {
            BadParameter::new(name, counted!(most, "expected a number from 1 to {}", "harus angka dari 1 sampai {}"))
        })
    };
    let uses = number(N, 1, INVITE_USES_MAX)?;
    let days = number(DAYS, INVITE_DAYS, INVITE_DAYS_MAX)?;
    session(SessionRequest::Invite { uses, days })
}

pub(super) fn uninvite(args: &mut Args<'_>) -> Result<Action, BadParameter> {
    let expected = ours("expected a number that invites lists", "harus nomor yang ditampilkan invites");
    change(Command::RevokeInvite { invite: Seq(args.number(ID, expected)?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Action, BadParameter> {
        ban(&mut Args::of(line))
    }

    #[test]
    fn a_ban_names_whom_for_how_long_and_why() {
        for (line, target, seconds, why) in [
            ("messi", "messi", None, ""),
            ("bob@timur for 7d spam and more", "bob@timur", Some(7 * 86_400), "spam and more"),
            ("user:10.0.0.1 for ever", "10.0.0.1", None, "?"),
            ("10.0.0.0/8 FOR 90s", "10.0.0.0/8", Some(90), ""),
            ("2001:db8::1 flood", "2001:db8::/64", None, "flood"),
            ("realm:timur for 4w", "timur", Some(4 * 604_800), ""),
        ] {
            let Ok(Action::Change(Command::Ban { subject, lifetime, reason })) = parsed(line) else {
                assert_eq!(why, "?", "{line}");
                continue;
            };
            let named = match subject {
                BanSubject::User(address) => match address.realm {
                    Some(realm) => format!("{}@{realm}", address.name),
                    None => address.name.to_string(),
                },
                BanSubject::Network(network) => network.to_string(),
                BanSubject::Realm(realm) => realm.to_string(),
            };
            assert_eq!(
                (&*named, lifetime.map(|lifetime| lifetime.as_secs()), &*reason),
                (target, seconds, why),
                "{line}"
            );
        }
    }

    #[test]
    fn a_bad_ban_is_told_which_parameter_is_wrong() {
        for (line, parameter) in [
            ("", "TARGET"),
            ("10.0.0.0/33", "TARGET"),
            ("realm:", "TARGET"),
            ("messi for", "DURATION"),
            ("messi for 0d", "DURATION"),
            ("messi for 7", "DURATION"),
            ("messi for 7y", "DURATION"),
            ("messi for 99999999999999999999d", "DURATION"),
            ("messi for 9999999w", "DURATION"),
            ("messi for -1d", "DURATION"),
        ] {
            assert_eq!(parsed(line).unwrap_err().name.documents(), parameter, "{line}");
        }
        assert_eq!(parsed(&format!("messi {}", "x".repeat(REASON_BYTES + 1))).unwrap_err().name, REASON);
    }
}
