//! The join tokens of a node: each is good once, for some time, and in this process only.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ring::hmac;
use ring::rand::SystemRandom;
use secrecy::SecretString;
use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::channel::{Channel, ChannelError, JoinRequest, answer_guest, refuse_guest};
use crate::config::Config;
use crate::id::PeerKey;
use crate::limits::{JOIN_GUESSERS, JOIN_GUESSES, JOIN_GUESTS, JOIN_TOKEN_LIFE, JOIN_TOKENS};
use crate::net::origin;
use crate::server::error::ServerError;
use crate::server::join_token::JoinToken;
use crate::server::places::Places;
use crate::store;

/// The join tokens of a node, and who may show one.
pub(super) struct Joins {
    data: PathBuf,
    realm: Box<str>,
    key: PeerKey,
    /// The address at which other nodes reach this one.
    address: Box<str>,
    secrets: Mutex<Secrets>,
    /// Machines that are being answered.
    guests: Places,
}

/// Secrets that are good, and wrong ones that were shown.
struct Secrets {
    /// Of this process: what is kept of a secret tells nothing without it.
    hashing: hmac::Key,
    good: Vec<(hmac::Tag, Instant)>,
    wrong: HashMap<IpAddr, (u32, Instant)>,
}

/// Why a secret is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("the token is not good here: it was used, an hour has passed, or the node that made it has started again")]
    Wrong,
    #[error("the token is not good here, and neither were many before it from this address")]
    TooMany,
}

impl Joins {
    pub(super) fn new(config: &Config, key: PeerKey, address: &str) -> Result<Self, ServerError> {
        let no_random = |_| ServerError::System { what: "random bytes", source: std::io::Error::other("none") };
        let hashing = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(no_random)?;
        Ok(Self {
            data: config.server.data.clone(),
            realm: config.server.realm.as_str().into(),
            key,
            address: address.into(),
            secrets: Mutex::new(Secrets { hashing, good: Vec::new(), wrong: HashMap::new() }),
            guests: Places::new(JOIN_GUESTS, 1),
        })
    }

    /// Makes a token; `None` if too many are good already.
    pub(super) fn invite(&self) -> Option<JoinToken> {
        let secret = *Uuid::new_v4().as_bytes();
        self.secrets().add(&secret, Instant::now())?;
        let (realm, address) = (self.realm.clone(), self.address.clone());
        Some(JoinToken { realm, key: self.key, address, secret })
    }

    /// Answers a machine that wants to become a node.
    ///
    /// # Errors
    /// If it says nothing, or something else.
    pub(super) async fn answer(&self, channel: Channel, address: IpAddr) -> Result<(), ChannelError> {
        let Some(_place) = self.guests.enter(origin(address)) else {
            debug!(%address, "a machine that wants to become a node is refused: there are too many");
            return refuse_guest(channel, "too many machines want to become nodes at the same time: try again").await;
        };
        answer_guest(channel, |request| self.decide(request, address)).await
    }

    fn decide(&self, request: &JoinRequest, address: IpAddr) -> Result<SecretString, Box<str>> {
        // It is another machine's word: in a log it must stay short, and without control characters.
        let node: String = request.node.chars().filter(|character| !character.is_control()).take(64).collect();
        // First, so that a token is not spent for nothing.
        let key = store::read_key(&self.data).ok().flatten().ok_or("that node cannot read its key file")?;
        if let Err(refusal) = self.secrets().take(&request.secret, origin(address), Instant::now()) {
            match refusal {
                Refusal::Wrong => warn!(%address, node, "a wrong join token was shown: no key was given"),
                // Said often enough by then.
                Refusal::TooMany => debug!(%address, node, "another join token of this address is refused"),
            }
            return Err(refusal.to_string().into());
        }
        info!(target: "kabar::audit", %address, node, "a machine has got the key of this realm by a join token");
        Ok(key)
    }

    fn secrets(&self) -> MutexGuard<'_, Secrets> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Secrets {
    fn add(&mut self, secret: &[u8], now: Instant) -> Option<()> {
        self.good.retain(|(_, until)| *until > now);
        if self.good.len() >= JOIN_TOKENS {
            return None;
        }
        self.good.push((hmac::sign(&self.hashing, secret), now + JOIN_TOKEN_LIFE));
        info!(target: "kabar::audit", "a join token was made: it is good once, for an hour");
        Some(())
    }

    /// Takes a secret, which is not good any more then. A right one is taken whatever was guessed before: nobody guesses one, and
    /// nobody must keep others from joining.
    fn take(&mut self, secret: &[u8], from: IpAddr, now: Instant) -> Result<(), Refusal> {
        // Takes as long for any secret: hmac compares in constant time, and all are looked at.
        let is_it = |(tag, until): &(hmac::Tag, Instant)| {
            hmac::verify(&self.hashing, secret, tag.as_ref()).is_ok() && *until > now
        };
        let are: Vec<bool> = self.good.iter().map(is_it).collect();
        let found = are.iter().position(|is_it| *is_it);
        match found {
            Some(place) => {
                self.good.swap_remove(place);
                Ok(())
            }
            None => Err(self.count_wrong(from, now)),
        }
    }

    fn count_wrong(&mut self, from: IpAddr, now: Instant) -> Refusal {
        self.wrong.retain(|_, (_, since)| now.saturating_duration_since(*since) < JOIN_TOKEN_LIFE);
        if self.wrong.len() >= JOIN_GUESSERS && !self.wrong.contains_key(&from) {
            return Refusal::TooMany;
        }
        let (guesses, _) = self.wrong.entry(from).or_insert((0, now));
        *guesses = guesses.saturating_add(1);
        if *guesses > JOIN_GUESSES { Refusal::TooMany } else { Refusal::Wrong }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn secrets() -> Secrets {
        let hashing = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).unwrap();
        Secrets { hashing, good: Vec::new(), wrong: HashMap::new() }
    }

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn a_secret_is_good_once() {
        let (mut secrets, now) = (secrets(), Instant::now());
        secrets.add(b"one", now).unwrap();
        secrets.add(b"two", now).unwrap();
        assert_eq!(secrets.take(b"one", HERE, now), Ok(()));
        assert_eq!(secrets.take(b"one", HERE, now), Err(Refusal::Wrong));
        assert_eq!(secrets.take(b"two", HERE, now), Ok(()));
    }

    #[test]
    fn a_secret_is_good_for_an_hour() {
        let (mut secrets, now) = (secrets(), Instant::now());
        secrets.add(b"one", now).unwrap();
        secrets.add(b"two", now).unwrap();
        let late = now + JOIN_TOKEN_LIFE;
        assert_eq!(secrets.take(b"one", HERE, late - Duration::from_secs(1)), Ok(()));
        assert_eq!(secrets.take(b"two", HERE, late), Err(Refusal::Wrong));
    }

    #[test]
    fn wrong_secrets_of_an_address_are_logged_a_few_times_an_hour_and_keep_no_right_one_out() {
        let (mut secrets, now) = (secrets(), Instant::now());
        secrets.add(b"one", now).unwrap();
        for _ in 0..JOIN_GUESSES {
            assert_eq!(secrets.take(b"guess", HERE, now), Err(Refusal::Wrong));
        }
        assert_eq!(secrets.take(b"guess", HERE, now), Err(Refusal::TooMany));
        assert_eq!(secrets.take(b"guess", address(7), now), Err(Refusal::Wrong));
        assert_eq!(secrets.take(b"one", HERE, now), Ok(()));
        assert_eq!(secrets.take(b"guess", HERE, now + JOIN_TOKEN_LIFE), Err(Refusal::Wrong));
    }

    #[test]
    fn the_addresses_that_are_counted_are_bounded() {
        let (mut secrets, now) = (secrets(), Instant::now());
        for number in 0..JOIN_GUESSERS as u32 {
            assert_eq!(secrets.take(b"guess", address(number), now), Err(Refusal::Wrong));
        }
        assert_eq!(secrets.take(b"guess", address(u32::MAX), now), Err(Refusal::TooMany));
        assert_eq!(secrets.wrong.len(), JOIN_GUESSERS);
    }

    #[test]
    fn only_so_many_secrets_are_good_at_a_time() {
        let (mut secrets, now) = (secrets(), Instant::now());
        (0..JOIN_TOKENS).for_each(|number| secrets.add(&[number as u8], now).unwrap());
        assert_eq!(secrets.add(b"one more", now), None);
        assert_eq!(secrets.add(b"later", now + JOIN_TOKEN_LIFE), Some(()));
    }
}
