//! Passwords: hashing, checking, and what may be one. Costly on purpose: never on a thread that serves traffic.

use std::cell::RefCell;

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use secrecy::{ExposeSecret, SecretString};

use crate::chat::PasswordHash;
use crate::id::Hash64;
use crate::limits::{ARGON2, ARGON2_MAX, PASSWORD_BYTES};

/// Hashes a password with Argon2id and a random salt of its own. Takes about 35 ms and 19 MiB.
///
/// # Errors
/// [`HashFailed`] if the system gives no random bytes.
pub fn hash(password: &SecretString) -> Result<PasswordHash, HashFailed> {
    let (memory, passes, lanes) = ARGON2;
    let params = Params::new(memory, passes, lanes, None).map_err(argon2::password_hash::Error::from)?;
    let salt = phc::Salt::generate();
    let hashed = phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: phc::ParamsString::try_from(&params)?,
        salt: Some(salt),
        hash: Some(derive(params, password, &salt)?),
    };
    Ok(PasswordHash(hashed.to_string().into()))
}

/// A digest of secrets of a request, as costly to guess as a password. The same secrets with the same salt have the same.
///
/// # Errors
/// [`HashFailed`] if there is no memory for it.
pub fn digest(secrets: &SecretString, salt: Hash64) -> Result<Hash64, HashFailed> {
    let (memory, passes, lanes) = ARGON2;
    let params = Params::new(memory, passes, lanes, None).map_err(argon2::password_hash::Error::from)?;
    let digest = derive(params, secrets, &salt.0.to_le_bytes())?;
    Ok(Hash64(digest.as_ref().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))))
}

/// Whether the password is the one that was hashed, compared in constant time. A malformed or too costly hash is
/// `false`.
#[must_use]
pub fn verify(password: &SecretString, against: &PasswordHash) -> bool {
    let Ok(hashed) = parse(&against.0) else { return false };
    let (Ok(params), Some(salt)) = (Params::try_from(&hashed), &hashed.salt) else { return false };
    derive(params, password, salt).is_ok_and(|derived| hashed.hash == Some(derived))
}

thread_local! {
    /// The memory of the last hash on this thread. An allocator that is given 19 MiB back and asked for them again
    /// holds many times that.
    static MEMORY: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

fn derive(params: Params, password: &SecretString, salt: &[u8]) -> Result<phc::Output, HashFailed> {
    let blocks = params.block_count();
    let mut bytes = [0; phc::Output::MAX_LENGTH];
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN).min(bytes.len());
    let out = bytes.get_mut(..length).unwrap_or_default();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    MEMORY
        .with_borrow_mut(|memory| {
            memory.resize(blocks, Block::default());
            memory.shrink_to(blocks);
            argon2.hash_password_into_with_memory(password.expose_secret().as_bytes(), salt, out, &mut memory[..])
        })
        .map_err(argon2::password_hash::Error::from)?;
    Ok(phc::Output::new(out).map_err(argon2::password_hash::Error::from)?)
}

/// Parses a hash from outside, such as one from the configuration.
///
/// # Errors
/// [`InvalidHash`] if it is not Argon2id in PHC form, or would cost more than [`ARGON2_MAX`] to check.
pub fn check_hash(text: &str) -> Result<PasswordHash, InvalidHash> {
    parse(text)?;
    Ok(PasswordHash(text.into()))
}

/// Parses a chosen password (PROTOCOL §3).
///
/// # Errors
/// [`InvalidPassword`] if it could not be typed as one word of a request line.
pub fn check(text: &str) -> Result<SecretString, InvalidPassword> {
    let one_word = !text.chars().any(|c| c == ' ' || c.is_control());
    if text.is_empty() || text.len() > PASSWORD_BYTES || !one_word {
        return Err(InvalidPassword);
    }
    Ok(SecretString::from(text))
}

fn parse(text: &str) -> Result<phc::PasswordHash, InvalidHash> {
    let hashed = phc::PasswordHash::new(text).map_err(|_| InvalidHash)?;
    let params = Params::try_from(&hashed).map_err(|_| InvalidHash)?;
    let (memory, passes, lanes) = ARGON2_MAX;
    let affordable = params.m_cost() <= memory && params.t_cost() <= passes && params.p_cost() <= lanes;
    let salted = hashed.salt.is_some_and(|salt| salt.len() >= argon2::MIN_SALT_LEN);
    let known = hashed.algorithm.as_str() == "argon2id" && hashed.version == Some(Version::V0x13.into());
    if !(affordable && salted && known && hashed.hash.is_some()) {
        return Err(InvalidHash);
    }
    Ok(hashed)
}

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct HashFailed(#[from] argon2::password_hash::Error);

/// Why a text is no usable hash. Does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected what `kabar hash-password` prints: $argon2id$v=19$m=…,t=…,p=…$SALT$HASH, with m, t and p \
     at most {}, {} and {}",
    ARGON2_MAX.0, ARGON2_MAX.1, ARGON2_MAX.2
)]
pub struct InvalidHash;

/// Why a text is no password. Does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a password of 1 to {PASSWORD_BYTES} bytes without white space")]
pub struct InvalidPassword;

#[cfg(test)]
mod tests {
    use super::*;

    const SALT_AND_HASH: &str = "c29tZXNhbHQ$AAECAwQFBgcICQoLDA0ODw";

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn a_password_is_verified_against_its_own_hash_only() {
        let hashed = hash(&secret("surabaya")).unwrap();
        assert!(verify(&secret("surabaya"), &hashed));
        assert!(!verify(&secret("Surabaya"), &hashed));
    }

    #[test]
    fn each_hash_has_a_salt_of_its_own_and_the_stated_costs() {
        let (first, second) = (hash(&secret("x")).unwrap(), hash(&secret("x")).unwrap());
        assert_ne!(first, second);
        assert!(first.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[test]
    fn what_was_hashed_here_is_accepted_from_a_configuration() {
        let hashed = hash(&secret("cytus")).unwrap();
        assert_eq!(check_hash(&hashed.0), Ok(hashed));
    }

    #[test]
    fn hashes_of_other_tools_are_accepted() {
        let hashed = format!("$argon2id$v=19$m=65536,t=4,p=4${SALT_AND_HASH}");
        assert_eq!(check_hash(&hashed), Ok(PasswordHash(hashed.as_str().into())));
    }

    #[test]
    fn unusable_hashes_are_refused_and_verify_nothing() {
        let costs = [("19456", "2", "1000"), ("4194304", "2", "1"), ("19456", "4000000000", "1")];
        let costly = costs.map(|(m, t, p)| format!("$argon2id$v=19$m={m},t={t},p={p}${SALT_AND_HASH}"));
        let malformed = [
            "",
            "surabaya",
            "$argon2id$v=19$m=19456,t=2,p=1",
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ",
            "$argon2id$v=19$m=19456,t=2,p=1$c2Fs$AAECAwQFBgcICQoLDA0ODw",
            "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAECAwQFBgcICQoLDA0ODw",
            "$argon2id$v=7$m=19456,t=2,p=1$c29tZXNhbHQ$AAECAwQFBgcICQoLDA0ODw",
            "$2b$12$abcdefghijklmnopqrstuv",
        ];
        for bad in costly.iter().map(String::as_str).chain(malformed) {
            assert_eq!(check_hash(bad), Err(InvalidHash), "{bad}");
            assert!(!verify(&secret("surabaya"), &PasswordHash(bad.into())), "{bad}");
        }
    }

    #[test]
    fn a_password_is_one_word_of_a_line() {
        for good in ["x", "surabaya", "pässword", &"x".repeat(PASSWORD_BYTES)] {
            assert_eq!(check(good).unwrap().expose_secret(), good);
        }
        for bad in ["", "a b", "a\tb", "a\n", "a\u{0}", "a\u{85}", &"x".repeat(PASSWORD_BYTES + 1)] {
            assert_eq!(check(bad).unwrap_err(), InvalidPassword, "{bad:?}");
        }
    }
}
