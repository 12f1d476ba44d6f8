//! How well-known senders sign: HMAC-SHA256, each over a text and in a header of its own. Comes in: a header,
//! bytes, keys, a clock; goes out: the key under which it is right, or a refusal; or the header itself. Which
//! sender has which form is in a file each; here is what they share. It never reads a clock.

mod github;
mod shopify;
mod slack;
mod stripe;

use alloc::string::String;
use alloc::vec::Vec;

use hmac::Mac as _;

use crate::mac;
use crate::refusal::{Header, KeyError, KeyFault, Refusal, SignError};
use crate::timestamp::{self, Clock};

/// Whose webhooks they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// `X-Hub-Signature-256`
    Github,
    /// `X-Shopify-Hmac-SHA256`
    Shopify,
    /// `X-Slack-Signature`
    Slack,
    /// `Stripe-Signature`
    Stripe,
}

/// The sender's headers, as far as they came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    /// The header with the signature.
    pub signature: Option<&'a str>,
    /// Slack's header with the timestamp.
    pub timestamp: Option<&'a str>,
}

/// What a header says.
struct Claim<'a> {
    /// When it was signed, as text, if that is signed.
    timestamp: Option<&'a str>,
    /// The tags; of one that is malformed, its place in the header.
    tags: Vec<Result<[u8; 32], u32>>,
}

impl<'a> Claim<'a> {
    /// That of a header with one tag.
    fn one(timestamp: Option<&'a str>, tag: Option<[u8; 32]>) -> Self {
        let tags = Vec::from([tag.ok_or(0)]);
        Self { timestamp, tags }
    }
}

/// The place of the key under which one of the signatures is right.
pub fn verify(
    sender: Sender,
    headers: Headers<'_>,
    body: &[u8],
    keys: &[&[u8]],
    clock: Clock,
) -> Result<u32, Refusal> {
    check_keys(keys)?;
    let there = |value: Option<_>, header| value.ok_or(Refusal::MissingHeader(header));
    let signature = there(headers.signature, Header::Signature)?;
    let claim = match sender {
        Sender::Github => github::read(signature)?,
        Sender::Shopify => shopify::read(signature)?,
        Sender::Slack => slack::read(signature, there(headers.timestamp, Header::Timestamp)?)?,
        Sender::Stripe => stripe::read(signature)?,
    };
    if let Some(text) = claim.timestamp {
        clock.judge(timestamp::parse(text)?)?;
    }
    let parts = parts(sender, claim.timestamp.unwrap_or_default(), body);
    for (index, key) in keys.iter().enumerate() {
        let Some(mac) = mac::keyed(&parts, key) else {
            continue;
        };
        let fits = |tag: &[u8; 32]| mac.clone().verify_slice(tag).is_ok();
        if claim.tags.iter().flatten().any(fits) {
            return Ok(place(index));
        }
    }
    match claim.tags.first() {
        Some(Err(at)) if claim.tags.iter().all(Result::is_err) => Err(Refusal::MalformedEntry(*at)),
        _ => Err(Refusal::NoMatch),
    }
}

/// The value of the sender's header with the signature. `at` is for those who sign a time.
pub fn sign(sender: Sender, at: Option<u64>, body: &[u8], key: &[u8]) -> Result<String, SignError> {
    check_keys(&[key])?;
    let text = match sender {
        Sender::Github | Sender::Shopify => String::new(),
        Sender::Slack | Sender::Stripe => at
            .and_then(timestamp::text)
            .ok_or(SignError::BadTimestamp)?,
    };
    let fault = KeyFault::Empty;
    let mac = mac::keyed(&parts(sender, &text, body), key).ok_or(KeyError { index: 0, fault })?;
    let tag = mac.finalize().into_bytes().into();
    Ok(match sender {
        Sender::Github => github::write(&tag),
        Sender::Shopify => shopify::write(&tag),
        Sender::Slack => slack::write(&tag),
        Sender::Stripe => stripe::write(&text, &tag),
    })
}

/// What is signed.
fn parts<'a>(sender: Sender, timestamp: &'a str, body: &'a [u8]) -> [&'a [u8]; 4] {
    let timestamp = timestamp.as_bytes();
    match sender {
        Sender::Github | Sender::Shopify => [b"", b"", b"", body],
        Sender::Slack => [b"v0:", timestamp, b":", body],
        Sender::Stripe => [b"", timestamp, b".", body],
    }
}

fn check_keys(keys: &[&[u8]]) -> Result<(), KeyError> {
    let (index, fault) = match keys.iter().position(|key| key.is_empty()) {
        Some(index) => (place(index), KeyFault::Empty),
        None if keys.is_empty() => (0, KeyFault::NoneGiven),
        None => return Ok(()),
    };
    Err(KeyError { index, fault })
}

/// Appends a tag as these senders write it, in lower case.
fn push_hex(text: &mut String, tag: &[u8; 32]) {
    for byte in tag {
        for nibble in [byte >> 4, byte & 0x0f] {
            text.push(char::from_digit(nibble.into(), 16).unwrap_or_default());
        }
    }
}

/// A place in a list of this component's memory, which has fewer than 2^32 bytes.
fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
