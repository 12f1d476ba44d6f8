//! Whether a payload is what the producer signed. In come the headers that speak of it, the raw body,
//! the time, and a judge of tags; out goes how it was signed, or a [`Refusal`]. It never sees a key,
//! and what a refusal says is for the log only.

use std::fmt;

use crate::encoding;

/// How far a timestamp may be from now, in seconds, either way.
pub const TOLERANCE: u64 = 300;

/// How many entries of `webhook-signature` are looked at: each costs a tag over the whole body.
const ENTRY_LIMIT: usize = 16;

/// The longest `webhook-id`, in characters.
const ID_LIMIT: usize = 256;

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

/// What verification depends on beside the request.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// The seconds since 1970.
    pub now: u64,
    /// Whether this producer has sent the three headers of Standard Webhooks before. From then on
    /// they are required, or whoever captured a request could strip them and replay it for ever.
    pub standard_required: bool,
}

/// How a payload that was verified was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Whether it had the three headers of Standard Webhooks.
    pub standard: bool,
}

/// Why a payload was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A header was sent more than once.
    Repeated,
    /// One or two of the three headers are missing.
    Incomplete,
    /// All three are missing, and this producer sends them.
    Required,
    /// The id is none.
    Id,
    /// The timestamp is none.
    Timestamp,
    /// The timestamp is too far from now.
    Time,
    /// No `v1` entry is the tag.
    Signature,
    /// `X-Signature` is not the tag.
    Tag,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Repeated => "a signature header was sent more than once",
            Self::Incomplete => {
                "some of webhook-id, webhook-timestamp and webhook-signature are missing"
            }
            Self::Required => {
                "webhook-id, webhook-timestamp and webhook-signature are missing, and this producer \
                 has sent them before"
            }
            Self::Id => "webhook-id is not an id",
            Self::Timestamp => "webhook-timestamp is not a number of seconds",
            Self::Time => "webhook-timestamp is more than 300 seconds from now",
            Self::Signature => "no v1 entry of webhook-signature is the tag",
            Self::Tag => "X-Signature is not the tag",
        })
    }
}

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

    fn standard(&self) -> Result<Option<Standard<'_>>, Refusal> {
        match (one(&self.id)?, one(&self.timestamp)?, one(&self.signature)?) {
            (None, None, None) => Ok(None),
            (Some(id), Some(timestamp), Some(signature)) => Ok(Some(Standard {
                id: read_id(id).ok_or(Refusal::Id)?,
                timestamp: read_timestamp(timestamp).ok_or(Refusal::Timestamp)?,
                digits: timestamp,
                entries: read_entries(signature),
            })),
            _ => Err(Refusal::Incomplete),
        }
    }
}

struct Standard<'a> {
    id: &'a [u8],
    timestamp: u64,
    /// The timestamp as it was sent and signed.
    digits: &'a [u8],
    /// The tags of the `v1` entries, in hexadecimal digits.
    entries: Vec<String>,
}

/// Whether every signature that the payload was sent with holds. `is_tag(data, tag)` judges a tag of
/// hexadecimal digits under the key.
///
/// # Errors
/// One does not hold, or is missing.
pub fn verify(
    presented: &Presented,
    body: &[u8],
    terms: Terms,
    is_tag: impl Fn(&[u8], &[u8]) -> bool,
) -> Result<Verified, Refusal> {
    let standard = presented.standard()?;
    match &standard {
        None if terms.standard_required => return Err(Refusal::Required),
        None => {}
        Some(standard) if standard.timestamp.abs_diff(terms.now) > TOLERANCE => {
            return Err(Refusal::Time);
        }
        Some(standard) => {
            let content = [standard.id, b".", standard.digits, b".", body].concat();
            if !standard
                .entries
                .iter()
                .any(|tag| is_tag(&content, tag.as_bytes()))
            {
                return Err(Refusal::Signature);
            }
        }
    }
    match one(&presented.tag)? {
        Some(tag) if !is_tag(body, tag) => Err(Refusal::Tag),
        None if standard.is_none() => Err(Refusal::Tag),
        _ => Ok(Verified {
            standard: standard.is_some(),
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

/// An id has no dot, which would let the signed bytes be cut elsewhere; and none of the characters
/// that begin JSON, or the tag of a body could pass for the tag of an id, a timestamp and a body.
fn read_id(id: &[u8]) -> Option<&[u8]> {
    let allowed = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'.' | b'{' | b'[' | b'"');
    ((1..=ID_LIMIT).contains(&id.len()) && id.iter().all(allowed)).then_some(id)
}

fn read_timestamp(digits: &[u8]) -> Option<u64> {
    if !(1..=12).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

fn read_entries(list: &[u8]) -> Vec<String> {
    let tag = |entry: &str| {
        let bytes = encoding::base64(entry.strip_prefix("v1,")?)?;
        (bytes.len() == 32).then(|| encoding::hex(&bytes))
    };
    let list = str::from_utf8(list).unwrap_or_default();
    list.split(' ').filter_map(tag).take(ENTRY_LIMIT).collect()
}

#[cfg(test)]
mod tests;
