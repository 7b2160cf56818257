//! The log of refusals, in the form that fail2ban reads: docs/SECURITY.md states it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use tracing::field::{DisplayValue, display};
use tracing::info;

use crate::limits::REFUSED_LOG_KEYS;
use crate::log_limit::LogLimit;
use crate::name::FoldedName;
use crate::net::origin::origin;
use crate::net::trusted_proxies::TrustedProxies;
use crate::wire::DisconnectReason;

/// Logs refusals: each kind once a second for an address. The address of a trusted proxy is logged as `proxy`, which is not
/// what fail2ban looks for: a firewall that keeps out a proxy keeps out everybody behind it.
pub(crate) struct RefusedLog {
    proxies: Arc<TrustedProxies>,
    logins: LogLimit<IpAddr>,
    registrations: LogLimit<IpAddr>,
    connections: LogLimit<IpAddr>,
}

impl Default for RefusedLog {
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

impl RefusedLog {
    pub(crate) fn new(proxies: Arc<TrustedProxies>) -> Self {
        let limit = || LogLimit::of(REFUSED_LOG_KEYS);
        Self { proxies, logins: limit(), registrations: limit(), connections: limit() }
    }

    /// A password was wrong, or was not even checked.
    pub(crate) fn login(&self, name: &FoldedName, address: IpAddr, reason: &str) {
        if let Some(left_out) = self.logins.allows(origin(address), Instant::now()) {
            let name = name.to_string();
            let (address, proxy) = self.named(address);
            info!(target: "kabar::refused", name, address, proxy, reason, left_out, "login failed");
        }
    }

    pub(crate) fn registration(&self, address: IpAddr, reason: &str) {
        if let Some(left_out) = self.registrations.allows(origin(address), Instant::now()) {
            let (address, proxy) = self.named(address);
            info!(target: "kabar::refused", address, proxy, reason, left_out, "registration refused");
        }
    }

    /// An address as the field `address`, or as the field `proxy`.
    fn named(&self, address: IpAddr) -> (Option<DisplayValue<IpAddr>>, Option<DisplayValue<IpAddr>>) {
        let address = address.to_canonical();
        let named = Some(display(address));
        if self.proxies.contain(address) { (None, named) } else { (named, None) }
    }

    /// A connection was not admitted, or ended to make room.
    pub(crate) fn connection(&self, address: IpAddr, reason: &str) {
        if let Some(left_out) = self.connections.allows(origin(address), Instant::now()) {
            let (address, proxy) = self.named(address);
            info!(target: "kabar::refused", address, proxy, reason, left_out, "connection refused");
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
