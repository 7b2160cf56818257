//! Dialling a server again and again while its link is down: soon at first, later more seldom, and at once when there
//! was one (PROTOCOL §6).

use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;
use tracing::debug;

use crate::chat::PeerAddress;
use crate::federation::meeting::{Purpose, meet};
use crate::federation::office::Office;
use crate::id::RealmId;
use crate::limits::{LINK_RETRY, LINK_RETRY_MAX};

/// What is to be dialled of a realm.
enum Target {
    Address(PeerAddress),
    /// It dials itself.
    Nowhere,
    /// There is no such link any more.
    Gone,
}

impl Office {
    pub(super) async fn dial_again_and_again(&self, realm: RealmId, changed: &Notify) {
        let mut failures: u32 = 0;
        loop {
            let address = match self.target(realm) {
                _ if self.stopping().is_cancelled() => return,
                Target::Gone => return,
                Target::Address(address) if !self.is_up(realm) => address,
                Target::Address(_) | Target::Nowhere => {
                    changed.notified().await;
                    failures = 0;
                    continue;
                }
            };
            tokio::select! {
                () = sleep(delay(failures, fastrand::f64())) => {}
                // It has dialled itself, is no more, or this server stops.
                () = changed.notified() => continue,
            }
            if self.is_up(realm) {
                continue;
            }
            let met = self.dial_once(realm, &address).await;
            failures = if met { 0 } else { failures + 1 };
        }
    }

    fn target(&self, realm: RealmId) -> Target {
        let target = |link: &crate::chat::Peer| link.info.address.clone().map_or(Target::Nowhere, Target::Address);
        self.hub().read(|state| state.peer(realm).map_or(Target::Gone, target)).0
    }

    /// Dials, and serves the link for as long as it is up; whether there was one.
    async fn dial_once(&self, realm: RealmId, address: &PeerAddress) -> bool {
        let carried = match self.dial(address).await {
            Ok(carried) => carried,
            Err(error) => {
                debug!(%realm, %error, "a realm was dialled in vain");
                self.note_problem(realm, &error.to_string());
                return false;
            }
        };
        let key = carried.key;
        match meet(self, carried, &Purpose::Again(realm)).await {
            Ok(met) => {
                self.bring_up(met).await;
                true
            }
            Err(parting) => {
                self.parted(realm, key, parting);
                false
            }
        }
    }
}

/// Twice as long after each failure, up to a bound, and never quite the same.
fn delay(failures: u32, random: f64) -> Duration {
    let longest = LINK_RETRY.saturating_mul(2_u32.saturating_pow(failures)).min(LINK_RETRY_MAX);
    longest.mul_f64(0.5 + 0.5 * random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_to_its_bound_and_no_further() {
        assert_eq!(delay(0, 1.0), LINK_RETRY);
        assert_eq!(delay(0, 0.0), LINK_RETRY / 2);
        assert_eq!(delay(1, 1.0), LINK_RETRY * 2);
        for failures in [20, 32, u32::MAX] {
            assert_eq!(delay(failures, 1.0), LINK_RETRY_MAX);
        }
    }
}
