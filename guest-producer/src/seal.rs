//! Signing keys and headers at rest. In come the operator's secrets, a text and what it is; out goes a text that only
//! those secrets open: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) under a key that HKDF-SHA256 (RFC 5869) makes of the
//! secret. It never logs what it seals, or a secret.

use std::fmt;

use base64ct::{Base64Unpadded, Encoding};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;

/// What stands before a sealed text. A key that is not sealed has letters and digits alone, and an object in JSON begins
/// with a brace.
const MARK: &str = "x1";

/// The length of a nonce, in bytes: so long that random ones do not meet.
pub const NONCE: usize = 24;

/// A secret shorter than this can be guessed, in characters.
const SHORTEST: usize = 32;

/// What a text is, with the id of its registration: what was sealed as one opens as no other.
#[derive(Debug, Clone, Copy)]
pub enum What<'a> {
    /// The key that signs.
    Key(&'a str),
    /// The headers that are added to each delivery.
    Headers(&'a str),
}

impl What<'_> {
    /// What is authenticated with it. The one of a key is the id alone, as it was when nothing else was sealed.
    fn context(self) -> String {
        match self {
            Self::Key(id) => id.to_string(),
            Self::Headers(id) => format!("{id}/headers"),
        }
    }
}

impl fmt::Display for What<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(formatter, "the signing key of registration {id}"),
            Self::Headers(id) => {
                write!(formatter, "the text with the headers of registration {id}")
            }
        }
    }
}

/// The operator's secrets. The first one seals, all of them open.
pub struct Ring(Vec<Secret>);

struct Secret {
    /// By which a row says which secret sealed it: a fingerprint that tells nothing else.
    id: String,
    cipher: XChaCha20Poly1305,
}

impl Ring {
    /// Reads the variable `encryption_keys`: secrets with spaces between, none for texts that are not sealed.
    ///
    /// # Errors
    /// One can be guessed.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.split_whitespace()
            .map(Secret::new)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// What is stored of a text.
    ///
    /// # Errors
    /// The nonce has another length than [`NONCE`].
    pub fn seal(&self, text: &str, of: What<'_>, nonce: &[u8]) -> Result<String, String> {
        let Some(secret) = self.0.first() else {
            return Ok(text.to_string());
        };
        let nonce = XNonce::try_from(nonce).map_err(|_| "the nonce has another length")?;
        let context = of.context();
        let payload = Payload {
            msg: text.as_bytes(),
            aad: context.as_bytes(),
        };
        let sealed = secret.cipher.encrypt(&nonce, payload);
        let sealed = sealed.map_err(|_| "the text cannot be sealed")?;
        let bytes = [nonce.as_slice(), &sealed].concat();
        let text = Base64Unpadded::encode_string(&bytes);
        Ok(format!("{MARK}:{}:{text}", secret.id))
    }

    /// The text of what is stored.
    ///
    /// # Errors
    /// The secret that sealed it is not in the ring, or it was changed.
    pub fn open(&self, stored: &str, of: What<'_>) -> Result<String, String> {
        let Some((MARK, rest)) = stored.split_once(':') else {
            return Ok(stored.to_string());
        };
        let (id, text) = rest.split_once(':').unwrap_or((rest, ""));
        let secret = self.0.iter().find(|secret| secret.id == id);
        let secret = secret.ok_or_else(|| {
            format!("{of} was sealed with secret {id}, which is not in encryption_keys: add it behind the current one")
        })?;
        let damaged = || format!("{of} does not open: its row was changed");
        let bytes = Base64Unpadded::decode_vec(text).map_err(|_| damaged())?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE).ok_or_else(damaged)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| damaged())?;
        let context = of.context();
        let payload = Payload {
            msg: sealed,
            aad: context.as_bytes(),
        };
        let text = secret
            .cipher
            .decrypt(&nonce, payload)
            .map_err(|_| damaged())?;
        String::from_utf8(text).map_err(|_| damaged())
    }

    /// Whether a stored text would be stored otherwise now: under the first secret.
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

    const A: What<'static> = What::Key("a");

    fn ring(text: &str) -> Ring {
        Ring::parse(text).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_for_its_row_alone() {
        let ring = ring(OLD);
        let stored = ring.seal("key", A, &[7; NONCE]).unwrap();
        assert!(!stored.contains("key"));
        assert_eq!(ring.open(&stored, A).as_deref(), Ok("key"));
        for other in [What::Key("b"), What::Headers("a")] {
            assert!(ring.open(&stored, other).is_err(), "{other}");
        }
        let mut changed = stored.clone();
        let last = if changed.ends_with('A') { "B" } else { "A" };
        changed.replace_range(changed.len() - 1.., last);
        for damaged in [&changed[..], &stored[..20], "x1:"] {
            assert!(ring.open(damaged, A).is_err(), "{damaged}");
        }
    }

    #[test]
    fn a_secret_is_replaced_while_the_old_one_still_opens() {
        let stored = ring(OLD).seal("key", A, &[7; NONCE]).unwrap();
        let both = ring(&format!("{NEW} {OLD}"));
        assert_eq!(both.open(&stored, A).as_deref(), Ok("key"));
        assert!(both.is_stale(&stored));
        let again = both.seal("key", A, &[8; NONCE]).unwrap();
        assert!(!both.is_stale(&again));
        assert_eq!(ring(NEW).open(&again, A).as_deref(), Ok("key"));
        let refused = ring(NEW).open(&stored, A).unwrap_err();
        assert!(refused.contains("encryption_keys"), "{refused}");
    }

    #[test]
    fn without_a_secret_keys_are_kept_as_they_are_and_sealed_once_there_is_one() {
        let none = ring("");
        assert_eq!(none.seal("key", A, &[]).as_deref(), Ok("key"));
        assert_eq!(none.open("key", A).as_deref(), Ok("key"));
        assert!(!none.is_stale("key"));
        assert!(ring(OLD).is_stale("key"));
        assert_eq!(ring(OLD).open("key", A).as_deref(), Ok("key"));
    }

    #[test]
    fn a_secret_that_can_be_guessed_is_refused() {
        assert!(Ring::parse("short").is_err());
        assert!(Ring::parse(&format!("{OLD} short")).is_err());
    }
}
