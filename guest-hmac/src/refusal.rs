//! Why something was not signed or not accepted, each reason a case of its own, and what it says in a log.
//! Comes in: a reason; goes out: a sentence. It never holds a key or a signature, and never decides.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use crate::timestamp;

/// A header of a webhook, by what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The webhook's id.
    Id,
    /// When it was signed.
    Timestamp,
    /// One signature or several.
    Signature,
}

/// Why a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// No key was given at all.
    NoneGiven,
    /// It has no bytes.
    Empty,
    /// What stands behind its prefix is not base64.
    NotBase64,
    /// A `v1` secret of fewer than 24 bytes.
    TooShort,
    /// A `v1` secret of more than 64 bytes.
    TooLong,
    /// Not as long as an ed25519 key.
    WrongLength,
    /// The public half of a secret key does not belong to its seed.
    HalvesDiffer,
    /// No public key of ed25519, or one under which anybody could sign.
    NotAPublicKey,
    /// A public key, which verifies and does not sign.
    CannotSign,
}

/// A key that cannot be used, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyError {
    /// Its place in the caller's list, from 0.
    pub index: u32,
    /// Why.
    pub fault: KeyFault,
}

/// Why nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignError {
    /// A key cannot be used, or not for signing.
    BadKey(KeyError),
    /// The id does not have its form.
    BadId,
    /// The timestamp has too many digits, or is missing where one is signed.
    BadTimestamp,
}

/// Why a webhook was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A key cannot be used, whatever the webhook says.
    BadKey(KeyError),
    /// A header did not come.
    MissingHeader(Header),
    /// The id does not have its form.
    BadId,
    /// The timestamp is not one to twelve decimal digits.
    BadTimestamp,
    /// Signed this many seconds ago.
    TooOld(u64),
    /// Signed this many seconds in the future.
    TooNew(u64),
    /// The list of signatures is empty.
    NoSignature,
    /// The list of signatures is longer than anybody needs it.
    TooManyEntries,
    /// Nothing can be compared, and the entry at this place is malformed.
    MalformedEntry(u32),
    /// All entries are of unknown versions.
    UnknownVersions,
    /// All entries are of versions for which there is no key.
    NoKeyForVersion,
    /// No signature is that of this webhook under these keys.
    NoMatch,
}

impl From<KeyError> for SignError {
    fn from(error: KeyError) -> Self {
        Self::BadKey(error)
    }
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        Self::BadKey(error)
    }
}

impl KeyFault {
    const fn words(self) -> &'static str {
        match self {
            Self::NoneGiven => "no key was given: give at least one",
            Self::Empty => "is empty: anyone could sign with it",
            Self::NotBase64 => {
                "is not base64: give it as whsec_, whsk_ or whpk_ and base64, or as the bytes"
            }
            Self::TooShort => "has fewer than 24 bytes: make one of 24 to 64 random bytes",
            Self::TooLong => "has more than 64 bytes: make one of 24 to 64 random bytes",
            Self::WrongLength => {
                "is not as long as an ed25519 key: a secret one has 32 bytes, or 64 with its public half, and a public one has 32"
            }
            Self::HalvesDiffer => {
                "has a public half that does not belong to its seed: copy the whole key again"
            }
            Self::NotAPublicKey => "is no public key of ed25519: copy the whole key again",
            Self::CannotSign => "is public and cannot sign: give the secret one (whsk_)",
        }
    }
}

impl KeyError {
    fn explain(self) -> String {
        let words = self.fault.words();
        match self.fault {
            KeyFault::NoneGiven => words.to_owned(),
            _ => numbered("key ", self.index, words),
        }
    }
}

impl SignError {
    /// The reason in a sentence, with the cure.
    #[must_use]
    pub fn explain(self) -> String {
        match self {
            Self::BadKey(error) => error.explain(),
            Self::BadId => {
                "the id cannot be signed: 1 to 256 characters of visible ASCII, no full stop"
                    .to_owned()
            }
            Self::BadTimestamp => {
                "the timestamp cannot be signed: give seconds since 1970, of at most 12 digits"
                    .to_owned()
            }
        }
    }
}

impl Refusal {
    /// The reason in a sentence, for the log of whoever verifies.
    #[must_use]
    pub fn explain(self) -> String {
        match self {
            Self::BadKey(error) => error.explain(),
            Self::MissingHeader(Header::Id) => "the header with the id is missing".to_owned(),
            Self::MissingHeader(Header::Timestamp) => "the header with the timestamp is missing".to_owned(),
            Self::MissingHeader(Header::Signature) => "the header with the signature is missing".to_owned(),
            Self::BadId => "the id is not 1 to 256 characters of visible ASCII without a full stop".to_owned(),
            Self::BadTimestamp => "the timestamp is not 1 to 12 decimal digits".to_owned(),
            Self::TooOld(by) => seconds(by, "ago"),
            Self::TooNew(by) => seconds(by, "in the future"),
            Self::NoSignature => "the list of signatures is empty".to_owned(),
            Self::TooManyEntries => "the list of signatures has more than 16 entries".to_owned(),
            Self::MalformedEntry(at) => numbered(
                "signature ",
                at,
                "is malformed: a version, a comma or an equals sign, and as many bytes as the version has, encoded",
            ),
            Self::UnknownVersions => "no signature is of a known version".to_owned(),
            Self::NoKeyForVersion => "no key is for the version of a signature".to_owned(),
            Self::NoMatch => {
                "no signature is that of this webhook under these keys: it was changed on its way, or signed with another key"
                    .to_owned()
            }
        }
    }
}

/// People count from one.
fn numbered(what: &str, index: u32, words: &str) -> String {
    let mut text = what.to_owned();
    timestamp::push_decimal(&mut text, u64::from(index).saturating_add(1));
    text.push(' ');
    text.push_str(words);
    text
}

fn seconds(by: u64, direction: &str) -> String {
    let mut text = "it was signed ".to_owned();
    timestamp::push_decimal(&mut text, by);
    text.push_str(" s ");
    text.push_str(direction);
    text.push_str(", which is more than the tolerance: a replay, or a clock that is wrong");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_count_from_one_and_read_numbers() {
        let fault = KeyFault::TooShort;
        let text = Refusal::BadKey(KeyError { index: 1, fault }).explain();
        assert!(text.starts_with("key 2 has fewer than 24 bytes"), "{text}");
        let text = Refusal::MalformedEntry(u32::MAX).explain();
        assert!(text.starts_with("signature 4294967296 is malformed"));
        assert!(
            Refusal::TooOld(u64::MAX)
                .explain()
                .contains("18446744073709551615 s ago")
        );
        let none = KeyError {
            index: 0,
            fault: KeyFault::NoneGiven,
        };
        assert_eq!(
            SignError::BadKey(none).explain(),
            "no key was given: give at least one"
        );
    }
}
