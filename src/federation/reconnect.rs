//! Dials a server again while its link is down, with growing delays; at once after a link was up (PROTOCOL §6).

use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use crate::chat::PeerAddress;
use crate::limits::{LINK_RETRY, LINK_RETRY_MAX};

/// The next step of the reconnect loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Dial(PeerAddress),
    /// The link is up, or no address is known: wait for a change.
    Wait,
    /// The realm was removed, or the server stops.
    Stop,
}

/// The realm that a reconnect loop serves.
pub(super) trait Reconnect: Sync {
    fn target(&self) -> Target;

    /// Dials and, if a link comes up, runs it to its end. Returns whether one came up.
    fn connect(&self, address: &PeerAddress) -> impl Future<Output = bool> + Send;
}

/// Runs until the target is [`Target::Stop`]. Every change of the target is to notify `changed`.
pub(super) async fn reconnect_loop(realm: &impl Reconnect, changed: &Notify) {
    let mut failures: u32 = 0;
    loop {
        match realm.target() {
            Target::Stop => return,
            Target::Dial(_) => {}
            Target::Wait => {
                changed.notified().await;
                failures = 0;
                continue;
            }
        }
        tokio::select! {
            () = sleep(backoff(failures, fastrand::f64())) => {}
            () = changed.notified() => continue,
        }
        let Target::Dial(address) = realm.target() else { continue };
        failures = if realm.connect(&address).await { 0 } else { failures.saturating_add(1) };
    }
}

/// Doubles with each failure up to [`LINK_RETRY_MAX`]; `random` in `0..1` takes off up to half.
fn backoff(failures: u32, random: f64) -> Duration {
    let longest = LINK_RETRY.saturating_mul(2_u32.saturating_pow(failures)).min(LINK_RETRY_MAX);
    longest.mul_f64(0.5 + 0.5 * random)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::time::{Instant, timeout};

    use super::*;

    #[test]
    fn the_backoff_grows_to_its_bound() {
        assert_eq!(backoff(0, 1.0), LINK_RETRY);
        assert_eq!(backoff(0, 0.0), LINK_RETRY / 2);
        assert_eq!(backoff(1, 1.0), LINK_RETRY * 2);
        for failures in [20, 32, u32::MAX] {
            assert_eq!(backoff(failures, 1.0), LINK_RETRY_MAX);
        }
    }

    /// A server that does not answer. Records when it was dialled.
    struct Unreachable {
        target: Mutex<Target>,
        dialled: Mutex<Vec<Instant>>,
    }

    impl Unreachable {
        fn new(target: Target) -> Self {
            Self { target: Mutex::new(target), dialled: Mutex::default() }
        }
    }

    impl Reconnect for Unreachable {
        fn target(&self) -> Target {
            self.target.lock().unwrap().clone()
        }

        async fn connect(&self, _: &PeerAddress) -> bool {
            self.dialled.lock().unwrap().push(Instant::now());
            false
        }
    }

    fn dial() -> Target {
        Target::Dial(PeerAddress { host: "timur.example".into(), port: 8889 })
    }

    #[tokio::test(start_paused = true)]
    async fn an_unreachable_server_is_dialled_less_and_less_often() {
        let (server, changed) = (Unreachable::new(dial()), Notify::new());
        assert!(timeout(Duration::from_secs(600), reconnect_loop(&server, &changed)).await.is_err());
        let dialled = server.dialled.lock().unwrap();
        for (failures, dials) in (1..).zip(dialled.windows(2)) {
            let (longest, waited) = (backoff(failures, 1.0), dials[1] - dials[0]);
            // A timer of tokio may be late by a millisecond.
            assert!(longest / 2 <= waited && waited <= longest + Duration::from_millis(2), "{failures}: {waited:?}");
        }
        assert!(dialled.len() > 20, "{}", dialled.len());
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_noticed_at_once() {
        let (server, changed) = (Unreachable::new(Target::Wait), Notify::new());
        let change = async {
            sleep(Duration::from_secs(60)).await;
            assert!(server.dialled.lock().unwrap().is_empty());
            *server.target.lock().unwrap() = dial();
            changed.notify_one();
            sleep(LINK_RETRY * 2).await;
            assert!(!server.dialled.lock().unwrap().is_empty());
            *server.target.lock().unwrap() = Target::Stop;
            changed.notify_one();
        };
        let begun = Instant::now();
        tokio::join!(reconnect_loop(&server, &changed), change);
        assert!(begun.elapsed() < Duration::from_secs(61), "{:?}", begun.elapsed());
    }
}
