//! The keys that verify: the current one, and for a while the one before. In comes what is stored; out go keys,
//! in the form in which `hmac` takes them. It never prints one.

use serde::{Deserialize, Serialize};

use crate::hmac::Hmac;

/// How long the key before the current one still verifies, in seconds: a day, so that deliveries which were signed
/// before the handshake can be tried again meanwhile, and a producer that signs with both keys need not hurry.
pub const OVERLAP: u64 = 24 * 60 * 60;

/// The prefixes of keys that are text: a shared secret, and the public half of a key pair.
const SECRET: &str = "whsec_";
const PUBLIC: &str = "whpk_";

/// A key, and what is known of who signs with it.
#[derive(Clone, PartialEq, Eq)]
pub struct Held {
    /// As a handshake brought it.
    pub key: Vec<u8>,
    /// Whether it has signed the three headers of Standard Webhooks. From then on they are required of it, or
    /// whoever captured a request could strip them and replay it for ever.
    pub standard: bool,
}

/// What `signet:webhooks` is told of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form<'a> {
    /// A key with a prefix that says what it is.
    Text(&'a str),
    /// The bytes of a shared secret.
    Secret(&'a [u8]),
}

impl Held {
    /// How `signet:webhooks` takes it.
    #[must_use]
    pub fn form(&self) -> Form<'_> {
        form(&self.key)
    }

    /// Whether `tag` is that of `data` under this key. What everybody knows makes no tags.
    pub fn fits(&self, data: &[u8], tag: &[u8], hmac: &impl Hmac) -> bool {
        !self.key.starts_with(PUBLIC.as_bytes()) && hmac.is_tag(data, &self.key, tag)
    }
}

/// How `signet:webhooks` takes a key.
#[must_use]
pub fn form(key: &[u8]) -> Form<'_> {
    match str::from_utf8(key) {
        Ok(text) if text.starts_with(SECRET) || text.starts_with(PUBLIC) => Form::Text(text),
        _ => Form::Secret(key),
    }
}

/// The key before the current one, as it is stored.
#[derive(Deserialize, Serialize)]
pub struct Previous {
    key: String,
    /// When it ends, in seconds since 1970.
    until: u64,
}

impl Previous {
    /// What is kept of `current` when another key comes at `now`. Nothing, if it could verify nothing: it would
    /// be refused beside the other.
    pub fn of(current: Held, now: u64, hmac: &impl Hmac) -> Option<Self> {
        if hmac.fault(current.form()).is_some() {
            return None;
        }
        Some(Self {
            key: String::from_utf8(current.key).ok()?,
            until: now.saturating_add(OVERLAP),
        })
    }

    /// The key, as long as it verifies: with the three headers of Standard Webhooks only. A tag alone under a key
    /// that was replaced says nothing of when it was made.
    #[must_use]
    pub fn at(self, now: u64) -> Option<Held> {
        (now < self.until).then(|| Held {
            key: self.key.into_bytes(),
            standard: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::Native;

    const NOW: u64 = 1_700_000_000;
    const KEY: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

    fn held(key: &[u8]) -> Held {
        Held {
            key: key.to_vec(),
            standard: false,
        }
    }

    fn after(seconds: u64) -> Option<Held> {
        let stored = Previous::of(held(KEY), NOW, &Native)?;
        let stored = serde_json::to_vec(&stored).unwrap();
        serde_json::from_slice::<Previous>(&stored)
            .unwrap()
            .at(NOW + seconds)
    }

    #[test]
    fn the_key_before_verifies_for_a_day_and_the_standard_only() {
        for (seconds, verifies) in [(0, true), (OVERLAP - 1, true), (OVERLAP, false)] {
            let previous = after(seconds);
            assert_eq!(previous.is_some(), verifies, "{seconds}");
            if let Some(previous) = previous {
                assert!(previous.key == KEY && previous.standard);
            }
        }
    }

    #[test]
    fn a_key_that_verifies_nothing_is_not_kept() {
        for key in [&b"0123456789abcdef"[..], b"whsec_", b"whsec_!", b"\xff"] {
            assert!(Previous::of(held(key), NOW, &Native).is_none(), "{key:?}");
        }
    }

    #[test]
    fn a_public_key_makes_no_tags() {
        let public = b"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
        for (key, fits) in [(KEY, true), (public, false)] {
            let tag = guest_hmac::mac::sign(b"{}", key).unwrap();
            assert_eq!(held(key).fits(b"{}", &tag, &Native), fits);
        }
    }

    #[test]
    fn a_prefix_says_what_a_key_is() {
        assert!(form(KEY) == Form::Secret(KEY));
        assert!(form(b"whsec_x") == Form::Text("whsec_x"));
        assert!(form(b"whpk_x") == Form::Text("whpk_x"));
        // It signs, and is nothing that a receiver should have.
        assert!(form(b"whsk_x") == Form::Secret(b"whsk_x"));
    }
}
