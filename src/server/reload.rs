//! Takes over a changed configuration while the server runs (SIGHUP). It was read and checked whole before; a bad one changes
//! nothing.

use std::sync::Arc;

use tracing::{error, info, warn};

use crate::config::{Config, Server};
use crate::logging::LogGuard;
use crate::net::ServerContext;
use crate::server::{policies, provision};

/// The settings that cannot change while the server runs.
pub(super) const FIXED: [&str; 18] = [
    "server.listen",
    "server.listen_text",
    "server.web",
    "server.data",
    "server.realm",
    "server.durability",
    "metrics.listen",
    "cluster.log",
    "cluster.node",
    "cluster.listen",
    "cluster.advertise",
    "cluster.lease_seconds",
    "cluster.patience_seconds",
    "cluster.authority",
    "cluster.certificate",
    "cluster.key",
    "log.format",
    "tls.self_signed",
];

/// Logs what is different. Returns the names of the settings that change.
fn report_changes(old: &Config, new: &Config) -> usize {
    let mut changed = 0;
    for (name, to) in &new.texts {
        let Some(from) = old.texts.get(name).filter(|from| *from != to) else { continue };
        if FIXED.contains(&name.as_str()) {
            warn!(setting = name, from, to, "this setting changes only with a restart");
        } else {
            info!(setting = name, from, to, "changed");
            changed += 1;
        }
    }
    changed
}

/// The configuration that is in force from now on: the new one, except for what only a restart changes.
fn in_force(old: &Config, mut new: Config) -> Config {
    for name in FIXED {
        if let (Some(old), Some(new)) = (old.texts.get(name), new.texts.get_mut(name)) {
            new.clone_from(old);
        }
    }
    let Server { listen, listen_text, web, data, realm, durability, .. } = old.server.clone();
    new.server = Server { listen, listen_text, web, data, realm, durability, ..new.server };
    new.metrics = old.metrics.clone();
    new.cluster = old.cluster.clone();
    new.log.format = old.log.format;
    new
}

/// Applies a configuration to a running server, and returns it as it is in force.
pub(super) fn apply(old: &Config, new: Config, services: &ServerContext, log: &LogGuard) -> Arc<Config> {
    let changed = report_changes(old, &new);
    new.warnings.iter().for_each(|warning| warn!("{warning}"));
    if old.log.filter != new.log.filter
        && let Err(error) = log.set_filter(&new.log.filter)
    {
        error!(%error, "the log keeps its filter");
    }
    // Before the policy: connections that take that over drop what they took at the rates of before.
    services.budgets.set_rates(policies::rates(&new.limits));
    services.hub.set_inbox_limits(policies::inbox_limits(&new.limits));
    let policy = policies::policy(&new);
    services.hub.set_policy(policy.chat.clone());
    services.policy.store(Arc::new(policy));
    services.admission.set_places(policies::places(&new));
    services.federation.transport.set_networks(new.realms.dial.clone());
    services.federation.manager.set_accept(new.realms.accept);
    services.trusted_proxies.set(new.server.trusted_proxies.clone());
    if let Err(error) = provision::accounts(&services.hub, &new.users) {
        error!(%error, "configured accounts are missing");
    }
    // A node that follows leaves it to the leader, whose configuration is to have the same.
    if new.peers != old.peers && !services.hub.is_following() {
        info!("[[peers]] changed");
        if let Err(error) = provision::peers(&services.hub, &new.peers) {
            error!(%error, "a configured server is not known as configured");
        }
    }
    services.federation.manager.peers_changed();
    info!(changed, "the configuration was reloaded");
    Arc::new(in_force(old, new))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What [`apply`] changes.
    const LIVE: [&str; 36] = [
        "accounts.administrators",
        "accounts.password_min_bytes",
        "accounts.registration",
        "accounts.session_days",
        "connections.line_bytes",
        "connections.max",
        "connections.outbox_megabytes",
        "connections.per_address",
        "connections.per_user",
        "limits.groups_per_day",
        "limits.groups_per_user",
        "limits.megabytes_per_day",
        "limits.megabytes_per_second",
        "limits.messages_per_day",
        "limits.messages_per_second",
        "limits.realms_per_day",
        "limits.realms_per_user",
        "limits.registrations_per_address",
        "limits.unread_megabytes_per_sender",
        "limits.unread_messages_per_sender",
        "log.filter",
        "messages.broadcast",
        "messages.inbox_page",
        "realms.accept",
        "realms.add",
        "realms.dial",
        "retention.confirm",
        "retention.delete_unread",
        "retention.max_age_days",
        "retention.max_messages_per_timeline",
        "server.disk_reserve_megabytes",
        "server.language",
        "server.shutdown_seconds",
        "server.trusted_proxies",
        "tls.certificate",
        "tls.key",
    ];

    #[test]
    fn every_setting_changes_live_or_says_that_it_does_not() {
        let config = Config::default();
        let all: Vec<&str> = config.texts.keys().map(String::as_str).collect();
        let mut known: Vec<&str> = LIVE.into_iter().chain(FIXED).collect();
        known.sort_unstable();
        assert_eq!(all, known);
    }

    #[test]
    fn a_setting_that_needs_a_restart_stays_as_it_was() {
        let with = |variables: [(&str, &str); 3]| {
            let variables = variables.map(|(variable, value)| (variable.into(), value.into()));
            Config::load(None, variables, &[]).unwrap()
        };
        let of = |address, data, reserve| {
            with([
                ("KABAR_SERVER__LISTEN", address),
                ("KABAR_SERVER__DATA", data),
                ("KABAR_SERVER__DISK_RESERVE_MEGABYTES", reserve),
            ])
        };
        let kept = in_force(&of("127.0.0.1:1", "old", "1"), of("127.0.0.1:2", "new", "2"));
        assert_eq!(kept.texts["server.listen"], r#"["127.0.0.1:1"]"#);
        assert_eq!((kept.server.data.to_str(), kept.server.disk_reserve), (Some("old"), 2 * 1024 * 1024));
    }
}
