//! The fields of what administrators are answered.

use serde::Serialize;

use crate::chat::{BanStatus, InviteStatus, Stats, UserStatus};
use crate::id::{InviteCode, Seq};
use crate::json::Object;
use crate::name::Name;

#[derive(Serialize)]
struct BanEntry<'a> {
    id: Seq,
    target: &'a str,
    by: Option<&'a Name>,
    since: String,
    until: Option<String>,
    reason: &'a str,
}

#[derive(Serialize)]
struct UserEntry<'a> {
    user: &'a Name,
    full_name: &'a str,
    online: bool,
    sessions: usize,
    last_seen: Option<String>,
    administrator: bool,
    locked: bool,
    banned: bool,
}

#[derive(Serialize)]
struct InviteEntry<'a> {
    id: Seq,
    uses: u32,
    until: String,
    by: Option<&'a Name>,
}

pub(super) fn append_bans(frame: &mut Object<'_>, bans: &[BanStatus], before: Option<Seq>) {
    let entries: Vec<_> = bans
        .iter()
        .map(|ban| BanEntry {
            id: ban.id,
            target: &ban.target,
            by: ban.by.as_ref(),
            since: ban.since.to_string(),
            until: ban.until.map(|until| until.to_string()),
            reason: &ban.reason,
        })
        .collect();
    frame.field("data", &entries);
    if let Some(before) = before {
        frame.field("more", &true).field("before", &before);
    }
}

pub(super) fn append_users(frame: &mut Object<'_>, users: &[UserStatus], after: Option<&Name>) {
    let entries: Vec<_> = users
        .iter()
        .map(|user| UserEntry {
            user: &user.user,
            full_name: &user.full_name,
            online: user.online,
            sessions: user.sessions,
            last_seen: user.last_seen.map(|seen| seen.to_string()),
            administrator: user.is_administrator,
            locked: user.is_locked,
            banned: user.is_banned,
        })
        .collect();
    frame.field("data", &entries);
    if let Some(after) = after {
        frame.field("more", &true).field("after", after);
    }
}

pub(super) fn append_invites(frame: &mut Object<'_>, invites: &[InviteStatus]) {
    let entries: Vec<_> = invites
        .iter()
        .map(|InviteStatus { id, uses, until, by }| InviteEntry {
            id: *id,
            uses: *uses,
            until: until.to_string(),
            by: by.as_ref(),
        })
        .collect();
    frame.field("data", &entries);
}

pub(super) fn append_invite(frame: &mut Object<'_>, code: &InviteCode, invite: &InviteStatus) {
    let mut data = frame.object("data");
    data.text("code", code.expose()).field("id", &invite.id).field("uses", &invite.uses);
    data.text("until", invite.until.text().as_str());
}

pub(super) fn append_stats(frame: &mut Object<'_>, stats: &Stats) {
    let mut data = frame.object("data");
    for (key, number) in [
        ("users", stats.users),
        ("online", stats.online),
        ("connections", stats.connections),
        ("sessions", stats.sessions),
        ("groups", stats.groups),
        ("peers", stats.peers),
        ("links_up", stats.links_up),
        ("bans", stats.bans),
        ("locked", stats.locked),
        ("invites", stats.invites),
    ] {
        data.field(key, &number);
    }
    data.field("newest_id", &stats.head).field("uptime_seconds", &stats.uptime.as_secs());
}
