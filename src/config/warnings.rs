//! Warnings of settings that are valid and hardly meant, for `kabar check` and the log at the start.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use crate::config::peers::Peer;
use crate::config::sections::Accounts;
use crate::settings::Registration;

/// Why a peer is never dialled at its address, if so.
pub(super) fn unreachable(peer: &Peer, dial: &[IpNet]) -> Option<String> {
    let (host, _) = peer.address.as_ref()?;
    let is_allowed = |address: IpAddr| dial.iter().any(|network| network.contains(&address.to_canonical()));
    let literal = host.parse::<IpAddr>().ok();
    let found = match literal.or_else(|| (&**host == "localhost").then_some(Ipv4Addr::LOCALHOST.into())) {
        Some(address) if !is_allowed(address) => "lies in no network of [realms] dial",
        None if dial.iter().all(|network| network.addr().is_loopback()) => {
            "is a name, and [realms] dial has no network of other machines"
        }
        _ => return None,
    };
    let Peer { name, .. } = peer;
    Some(format!(
        "[[peers]] {name}: {host} {found}, so {name} is never dialled: add its network there, or leave the address out and \
         have {name} dial this server"
    ))
}

/// Whether nobody can come by an account.
pub(super) fn nobody(accounts: &Accounts, configured: usize) -> Option<String> {
    let is_closed = accounts.registration == Registration::Closed && configured == 0;
    is_closed.then(|| {
        "[accounts] registration: closed, and there are no [[users]]: only accounts that the store has already can log in"
            .to_owned()
    })
}
