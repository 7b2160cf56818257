//! The log of refusals, in the form that fail2ban reads: docs/SECURITY.md states it.

use std::net::IpAddr;
use std::time::Instant;

use tracing::info;

use crate::limits::REFUSED_LOG_KEYS;
use crate::log_limit::LogLimit;
use crate::name::FoldedName;
use crate::net::origin::origin;
use crate::wire::DisconnectReason;

/// Logs refusals: each kind once a second for an address.
pub(crate) struct RefusedLog {
    logins: LogLimit<IpAddr>,
    registrations: LogLimit<IpAddr>,
    connections: LogLimit<IpAddr>,
}

impl Default for RefusedLog {
    fn default() -> Self {
        let limit = || LogLimit::of(REFUSED_LOG_KEYS);
        Self { logins: limit(), registrations: limit(), connections: limit() }
    }
}

impl RefusedLog {
    /// A password was wrong, or was not even checked.
    pub(crate) fn login(&self, name: &FoldedName, address: IpAddr, reason: &str) {
        if let Some(left_out) = self.logins.allows(origin(address), Instant::now()) {
            let (name, address) = (name.to_string(), address.to_canonical());
            info!(target: "kabar::refused", name, %address, reason, left_out, "login failed");
        }
    }

    pub(crate) fn registration(&self, address: IpAddr, reason: &str) {
        if let Some(left_out) = self.registrations.allows(origin(address), Instant::now()) {
            info!(target: "kabar::refused", address = %address.to_canonical(), reason, left_out, "registration refused");
        }
    }

    /// A connection was not admitted, or ended to make room.
    pub(crate) fn connection(&self, address: IpAddr, reason: &str) {
        if let Some(left_out) = self.connections.allows(origin(address), Instant::now()) {
            info!(target: "kabar::refused", address = %address.to_canonical(), reason, left_out, "connection refused");
        }
    }
}

/// How the log names it that a connection was ended, if the one at its other end brought it about.
pub(super) fn refusal(reason: DisconnectReason) -> Option<&'static str> {
    match reason {
        DisconnectReason::Evicted => Some("evicted"),
        DisconnectReason::TooManyOfUser => Some("too_many_of_user"),
        DisconnectReason::AddressBanned => Some("banned"),
        _ => None,
    }
}
