//! Translates the configuration into the limits and permissions of the modules below.

use std::time::Duration;

use tracing::warn;

use crate::chat::{self, InboxLimits};
use crate::config::{Allowed, Config, Connections, Limits};
use crate::limits::RESERVED_DESCRIPTORS;
use crate::name::Name;
use crate::net::{Places, Policy, Rate, Rates};
use crate::server::error::ServerError;

pub(super) fn policy(config: &Config) -> Policy {
    Policy {
        language: config.server.language,
        line_bytes: config.connections.line_bytes,
        inbox_page: config.messages.inbox_page,
        session_idle: config.accounts.session_idle,
        password_min_bytes: config.accounts.password_min_bytes,
        registration: config.accounts.registration,
        chat: chat::Policy {
            administrators: config.accounts.administrators.iter().map(Name::folded).collect(),
            broadcast_restricted: config.messages.broadcast == Allowed::Administrators,
            realms_restricted: config.realms.add == Allowed::Administrators,
            quotas: chat::Quotas { groups: config.limits.groups_per_user, realms: config.limits.realms_per_user },
        },
    }
}

pub(super) fn rates(limits: &Limits) -> Rates {
    let rate = |most: Option<u64>, period| most.map(|most| Rate { most, period });
    let (second, day) = (Duration::from_secs(1), Duration::from_secs(24 * 3600));
    Rates {
        messages: [rate(limits.messages_per_second, second), rate(limits.messages_per_day, day)],
        bytes: [rate(limits.bytes_per_second, second), rate(limits.bytes_per_day, day)],
        groups: rate(limits.groups_per_day.map(u64::from), day),
        realms: rate(limits.realms_per_day.map(u64::from), day),
        registrations: rate(limits.registrations_per_address.map(u64::from), day),
    }
}

pub(super) fn inbox_limits(limits: &Limits) -> InboxLimits {
    InboxLimits { messages: limits.unread_messages_per_sender, bytes: limits.unread_bytes_per_sender }
}

pub(super) fn places(config: &Config) -> Places {
    let Connections { per_address, per_user, outbox_bytes, .. } = config.connections;
    Places { most: connections(config), per_address, per_user, outbox_bytes }
}

/// Raises the limit of open files as far as the system allows.
///
/// # Errors
/// If it leaves no room for a connection.
pub(super) fn check_descriptors() -> Result<(), ServerError> {
    let allowed = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(u64::MAX);
    if allowed > RESERVED_DESCRIPTORS as u64 { Ok(()) } else { Err(ServerError::Descriptors { allowed }) }
}

/// As many connections as are configured, and as the process may have descriptors for.
fn connections(config: &Config) -> usize {
    let allowed = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1_024);
    let allowed = usize::try_from(allowed).unwrap_or(usize::MAX).saturating_sub(RESERVED_DESCRIPTORS);
    if allowed < config.connections.max {
        warn!("the system allows {allowed} connections, fewer than the {} configured", config.connections.max);
    }
    allowed.min(config.connections.max)
}
