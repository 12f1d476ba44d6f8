//! Signing keys at rest. In come the operator's secrets, a key and what row it is of; out goes a text that only those
//! secrets open: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) under a key that HKDF-SHA256 (RFC 5869) makes of the
//! secret. It never logs a key or a secret.

use base64ct::{Base64Unpadded, Encoding};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;

/// What stands before a sealed key. A key that is not sealed has letters and digits alone.
const MARK: &str = "x1";

/// The length of a nonce, in bytes: so long that random ones do not meet.
pub const NONCE: usize = 24;

/// A secret shorter than this can be guessed, in characters.
const SHORTEST: usize = 32;

/// The operator's secrets. The first one seals, all of them open.
pub struct Ring(Vec<Secret>);

struct Secret {
    /// By which a row says which secret sealed it: a fingerprint that tells nothing else.
    id: String,
    cipher: XChaCha20Poly1305,
}

impl Ring {
    /// Reads the variable `encryption_keys`: secrets with spaces between, none for keys that are not sealed.
    ///
    /// # Errors
    /// One can be guessed.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.split_whitespace()
            .map(Secret::new)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// What is stored of a key. `of` is the registration's id: what was sealed for one opens for no other.
    ///
    /// # Errors
    /// The nonce has another length than [`NONCE`].
    pub fn seal(&self, key: &str, of: &str, nonce: &[u8]) -> Result<String, String> {
        let Some(secret) = self.0.first() else {
            return Ok(key.to_string());
        };
        let nonce = XNonce::try_from(nonce).map_err(|_| "the nonce has another length")?;
        let payload = Payload {
            msg: key.as_bytes(),
            aad: of.as_bytes(),
        };
        let sealed = secret.cipher.encrypt(&nonce, payload);
        let sealed = sealed.map_err(|_| "the key cannot be sealed")?;
        let bytes = [nonce.as_slice(), &sealed].concat();
        let text = Base64Unpadded::encode_string(&bytes);
        Ok(format!("{MARK}:{}:{text}", secret.id))
    }

    /// The key of what is stored.
    ///
    /// # Errors
    /// The secret that sealed it is not in the ring, or it was changed.
    pub fn open(&self, stored: &str, of: &str) -> Result<String, String> {
        let Some((MARK, rest)) = stored.split_once(':') else {
            return Ok(stored.to_string());
        };
        let (id, text) = rest.split_once(':').unwrap_or((rest, ""));
        let secret = self.0.iter().find(|secret| secret.id == id);
        let secret = secret.ok_or_else(|| {
            format!("the signing key of registration {of} was sealed with secret {id}, which is not in encryption_keys: add it behind the current one")
        })?;
        let damaged =
            || format!("the signing key of registration {of} does not open: its row was changed");
        let bytes = Base64Unpadded::decode_vec(text).map_err(|_| damaged())?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE).ok_or_else(damaged)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| damaged())?;
        let payload = Payload {
            msg: sealed,
            aad: of.as_bytes(),
        };
        let key = secret
            .cipher
            .decrypt(&nonce, payload)
            .map_err(|_| damaged())?;
        String::from_utf8(key).map_err(|_| damaged())
    }

    /// Whether a stored key would be stored otherwise now: under the first secret.
    #[must_use]
    pub fn is_stale(&self, stored: &str) -> bool {
        let first = self.0.first();
        first.is_some_and(|secret| !stored.starts_with(&format!("{MARK}:{}:", secret.id)))
    }
}

impl Secret {
    fn new(text: &str) -> Result<Self, String> {
        if text.len() < SHORTEST {
            return Err(format!(
                "a secret in encryption_keys is shorter than {SHORTEST} characters: make one with \
                 `openssl rand -hex 32`"
            ));
        }
        let extract = Hkdf::<Sha256>::new(None, text.as_bytes());
        let (mut key, mut id) = ([0; 32], [0; 4]);
        for (purpose, output) in [("key", &mut key[..]), ("id", &mut id[..])] {
            let info = format!("signet producer signing keys: {purpose}");
            // HKDF-SHA256 gives up to 8160 bytes.
            let made = extract.expand(info.as_bytes(), output);
            made.map_err(|_| "a key cannot be made of a secret")?;
        }
        Ok(Self {
            id: base16ct::lower::encode_string(&id),
            cipher: XChaCha20Poly1305::new(&key.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "0123456789abcdef0123456789abcdef";
    const NEW: &str = "fedcba9876543210fedcba9876543210";

    fn ring(text: &str) -> Ring {
        Ring::parse(text).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_for_its_row_alone() {
        let ring = ring(OLD);
        let stored = ring.seal("key", "a", &[7; NONCE]).unwrap();
        assert!(!stored.contains("key"));
        assert_eq!(ring.open(&stored, "a").as_deref(), Ok("key"));
        assert!(ring.open(&stored, "b").is_err());
        let mut changed = stored.clone();
        let last = if changed.ends_with('A') { "B" } else { "A" };
        changed.replace_range(changed.len() - 1.., last);
        for damaged in [&changed[..], &stored[..20], "x1:"] {
            assert!(ring.open(damaged, "a").is_err(), "{damaged}");
        }
    }

    #[test]
    fn a_secret_is_replaced_while_the_old_one_still_opens() {
        let stored = ring(OLD).seal("key", "a", &[7; NONCE]).unwrap();
        let both = ring(&format!("{NEW} {OLD}"));
        assert_eq!(both.open(&stored, "a").as_deref(), Ok("key"));
        assert!(both.is_stale(&stored));
        let again = both.seal("key", "a", &[8; NONCE]).unwrap();
        assert!(!both.is_stale(&again));
        assert_eq!(ring(NEW).open(&again, "a").as_deref(), Ok("key"));
        let refused = ring(NEW).open(&stored, "a").unwrap_err();
        assert!(refused.contains("encryption_keys"), "{refused}");
    }

    #[test]
    fn without_a_secret_keys_are_kept_as_they_are_and_sealed_once_there_is_one() {
        let none = ring("");
        assert_eq!(none.seal("key", "a", &[]).as_deref(), Ok("key"));
        assert_eq!(none.open("key", "a").as_deref(), Ok("key"));
        assert!(!none.is_stale("key"));
        assert!(ring(OLD).is_stale("key"));
        assert_eq!(ring(OLD).open("key", "a").as_deref(), Ok("key"));
    }

    #[test]
    fn a_secret_that_can_be_guessed_is_refused() {
        assert!(Ring::parse("short").is_err());
        assert!(Ring::parse(&format!("{OLD} short")).is_err());
    }
}
