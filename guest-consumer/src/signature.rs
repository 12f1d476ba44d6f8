//! Whether a payload is what the producer signed. In come the headers that speak of it, the raw body,
//! the time, the keys, and `hmac`; out goes how it was signed, or a [`Refusal`]. It never prints a key,
//! and what a refusal says is for the log only.

use std::fmt;

use crate::hmac::{Hmac, Standard};
use crate::keys::Held;

/// The headers that speak of signatures, each with all the values it was sent with.
#[derive(Debug, Clone, Default)]
pub struct Presented {
    /// `X-Signature`
    pub tag: Vec<Vec<u8>>,
    /// `webhook-id`
    pub id: Vec<Vec<u8>>,
    /// `webhook-timestamp`
    pub timestamp: Vec<Vec<u8>>,
    /// `webhook-signature`
    pub signature: Vec<Vec<u8>>,
}

/// How a payload that was verified was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified<'a> {
    /// The value of `webhook-id`, if it had the three headers of Standard Webhooks.
    pub id: Option<&'a str>,
    /// The place of the key that signed it.
    pub key: usize,
}

/// Why a payload was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A header was sent more than once.
    Repeated,
    /// One of the three headers is not visible ASCII.
    Unreadable,
    /// All three are missing, and this key is not taken without them.
    Required,
    /// The id begins like JSON somewhere.
    Id,
    /// The three headers are not those of this payload: what `hmac` says of them.
    Standard(String),
    /// `X-Signature` is not the tag.
    Tag,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Repeated => "a signature header was sent more than once",
            Self::Unreadable => {
                "webhook-id, webhook-timestamp or webhook-signature is not visible ASCII"
            }
            Self::Required => {
                "webhook-id, webhook-timestamp and webhook-signature are missing, without which this \
                 key is not taken any more"
            }
            Self::Id => "webhook-id has a bracket or a quote, with which JSON begins",
            Self::Standard(why) => why,
            Self::Tag => "X-Signature is not the tag",
        })
    }
}

/// How much of an id is logged, in bytes.
const LOGGED_ID: usize = 128;

impl Presented {
    /// Whether nothing here could be a signature.
    #[must_use]
    pub fn is_unsigned(&self) -> bool {
        self.tag.is_empty() && self.signature.is_empty()
    }

    /// What is logged of the signature: a tag, or the length of what is none.
    #[must_use]
    pub fn summary(&self) -> String {
        let Some(tag) = self.tag.first() else {
            let length = self.signature.first().map_or(0, Vec::len);
            return format!("Received webhook-signature of {length} bytes");
        };
        match str::from_utf8(tag) {
            Ok(text) if tag.len() == 64 && tag.iter().all(u8::is_ascii_hexdigit) => {
                format!("Received tag {text}")
            }
            _ => format!("Received tag of {} bytes", tag.len()),
        }
    }

    /// What is logged of the delivery behind a refusal: the id that it came with, of which nobody knows yet whether
    /// it is true. Empty without one.
    #[must_use]
    pub fn named(&self) -> String {
        self.id.first().map_or_else(String::new, |id| {
            let id = &id[..id.len().min(LOGGED_ID)];
            format!(" (webhook-id {:?})", String::from_utf8_lossy(id))
        })
    }

    /// The three headers, unless none of them was sent.
    fn standard(&self) -> Result<Option<Standard<'_>>, Refusal> {
        let text = |values| match one(values)?.map(str::from_utf8) {
            None => Ok(None),
            Some(Ok(text)) => Ok(Some(text)),
            Some(Err(_)) => Err(Refusal::Unreadable),
        };
        let headers = Standard {
            id: text(&self.id)?,
            timestamp: text(&self.timestamp)?,
            signature: text(&self.signature)?,
        };
        let sent = [headers.id, headers.timestamp, headers.signature];
        // The tag of a body in X-Signature is made with the same key. Such a body could be cut into an id, a
        // timestamp and another body, if an id might begin as JSON does.
        if headers.id.is_some_and(|id| id.contains(['{', '[', '"'])) {
            return Err(Refusal::Id);
        }
        Ok(sent.iter().any(Option::is_some).then_some(headers))
    }
}

/// Whether every signature that the payload was sent with holds, under one of the keys.
///
/// # Errors
/// One does not hold, or is missing.
pub fn verify<'a>(
    presented: &'a Presented,
    body: &[u8],
    now: u64,
    keys: &[Held],
    hmac: &impl Hmac,
) -> Result<Verified<'a>, Refusal> {
    let standard = presented.standard()?;
    let tag = one(&presented.tag)?;
    let signer = match standard {
        None => None,
        Some(headers) => {
            let forms: Vec<_> = keys.iter().map(Held::form).collect();
            let verified = hmac.verify(headers, body, &forms, now);
            Some(verified.map_err(Refusal::Standard)?)
        }
    };
    let fits = |tag| keys.iter().position(|held| held.fits(body, tag, hmac));
    match (signer, tag) {
        (None, tag) => {
            let key = tag.and_then(fits).ok_or(Refusal::Tag)?;
            match keys.get(key) {
                Some(held) if !held.standard => Ok(Verified { id: None, key }),
                _ => Err(Refusal::Required),
            }
        }
        (Some(_), Some(tag)) if fits(tag).is_none() => Err(Refusal::Tag),
        (Some(key), _) => Ok(Verified {
            id: standard.and_then(|headers| headers.id),
            key,
        }),
    }
}

fn one(values: &[Vec<u8>]) -> Result<Option<&[u8]>, Refusal> {
    match values {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        _ => Err(Refusal::Repeated),
    }
}

#[cfg(test)]
mod tests;
