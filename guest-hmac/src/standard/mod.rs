//! Standard Webhooks 1.0.0: a webhook is its id, its timestamp and its body; `v1` signs them with HMAC-SHA256,
//! `v1a` with ed25519. Comes in: headers, bytes, keys, a clock; goes out: a list of signatures, or which of them
//! is right under which key, or a refusal. It never reads a clock, never makes a key of its own, and compares in
//! constant time.

pub mod key;
mod list;
mod message;

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64, Encoding as _};
use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use hmac::Mac as _;

use crate::mac;
use crate::refusal::{Header, KeyError, KeyFault, Refusal, SignError};
use crate::timestamp::{self, Clock};
use key::{Given, Key};
use list::Entry;
use message::Message;

/// The three headers, as far as they came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    /// `webhook-id`
    pub id: Option<&'a str>,
    /// `webhook-timestamp`
    pub timestamp: Option<&'a str>,
    /// `webhook-signature`
    pub signature: Option<&'a str>,
}

/// The versions of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HMAC-SHA256.
    V1,
    /// ed25519.
    V1a,
}

/// What was found right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The version of the signature that fits.
    pub version: Version,
    /// The place of the key that fits.
    pub key: u32,
    /// The place of the signature that fits.
    pub entry: u32,
}

/// The value of `webhook-signature`: a signature for each key, in their order.
pub fn sign(id: &str, at: u64, body: &[u8], keys: &[Given<'_>]) -> Result<String, SignError> {
    let keys = key::read_all(keys)?;
    if !message::is_id(id) {
        return Err(SignError::BadId);
    }
    let at = timestamp::text(at).ok_or(SignError::BadTimestamp)?;
    let message = Message {
        id,
        timestamp: &at,
        body,
    };
    let mut list = String::new();
    for (index, key) in keys.iter().enumerate() {
        let unable = |fault| KeyError {
            index: place(index),
            fault,
        };
        if index > 0 {
            list.push(' ');
        }
        match key {
            Key::Secret(secret) => {
                let mac = mac::keyed(&message.parts(), secret).ok_or(unable(KeyFault::Empty))?;
                list.push_str("v1,");
                list.push_str(&Base64::encode_string(&mac.finalize().into_bytes()));
            }
            Key::Signing(key) => {
                let signature = key.sign(&message.content());
                list.push_str("v1a,");
                list.push_str(&Base64::encode_string(&signature.to_bytes()));
            }
            Key::Public(_) => return Err(unable(KeyFault::CannotSign).into()),
        }
    }
    Ok(list)
}

/// Which signature is that of this webhook, and under which key.
pub fn verify(
    headers: Headers<'_>,
    body: &[u8],
    keys: &[Given<'_>],
    clock: Clock,
) -> Result<Verified, Refusal> {
    let keys = key::read_all(keys)?;
    let there = |value: Option<_>, header| value.ok_or(Refusal::MissingHeader(header));
    let id = there(headers.id, Header::Id)?;
    let at = there(headers.timestamp, Header::Timestamp)?;
    let list = there(headers.signature, Header::Signature)?;
    if !message::is_id(id) {
        return Err(Refusal::BadId);
    }
    clock.judge(timestamp::parse(at)?)?;
    let entries = list::read(list)?;
    // The text that came is what was signed, not the number it means.
    let message = Message {
        id,
        timestamp: at,
        body,
    };
    for (index, key) in keys.iter().enumerate() {
        let (version, entry) = match key {
            Key::Secret(secret) => (Version::V1, find_tag(&entries, &message, secret)),
            Key::Signing(key) => (
                Version::V1a,
                find_signature(&entries, &message, &key.verifying_key()),
            ),
            Key::Public(key) => (Version::V1a, find_signature(&entries, &message, key)),
        };
        if let Some(entry) = entry {
            let (key, entry) = (place(index), place(entry));
            return Ok(Verified {
                version,
                key,
                entry,
            });
        }
    }
    Err(list::why_none_fits(&entries, &keys))
}

/// A `v1` secret of random bytes, as text.
pub fn make_secret(random: &[u8]) -> Result<String, KeyFault> {
    key::read(Given::Secret(random))?;
    Ok(key::SECRET.to_owned() + &Base64::encode_string(random))
}

/// A secret `v1a` key of random bytes, as text, its public half with it.
pub fn make_signing_key(random: &[u8]) -> Result<String, KeyFault> {
    match key::read(Given::Signing(random))? {
        // Of a whole key the second half would not be random.
        Key::Signing(key) if random.len() == ed25519_dalek::SECRET_KEY_LENGTH => {
            Ok(key::SIGNING.to_owned() + &Base64::encode_string(&key.to_keypair_bytes()))
        }
        _ => Err(KeyFault::WrongLength),
    }
}

/// The public key of a `v1a` key, as text.
pub fn public_key(given: Given<'_>) -> Result<String, KeyFault> {
    let public = match key::read(given)? {
        Key::Signing(key) => key.verifying_key(),
        Key::Public(key) => key,
        // A secret that two share has no public half.
        Key::Secret(_) => return Err(KeyFault::WrongLength),
    };
    Ok(key::PUBLIC.to_owned() + &Base64::encode_string(public.as_bytes()))
}

fn find_tag(entries: &[Entry], message: &Message<'_>, secret: &[u8]) -> Option<usize> {
    if !entries.iter().any(|entry| matches!(entry, Entry::V1(_))) {
        return None;
    }
    // The body is read once for each key, however many signatures there are.
    let mac = mac::keyed(&message.parts(), secret)?;
    entries.iter().position(|entry| match entry {
        Entry::V1(tag) => mac.clone().verify_slice(tag).is_ok(),
        _ => false,
    })
}

fn find_signature(entries: &[Entry], message: &Message<'_>, key: &VerifyingKey) -> Option<usize> {
    if !entries.iter().any(|entry| matches!(entry, Entry::V1a(_))) {
        return None;
    }
    let content: Vec<u8> = message.content();
    entries.iter().position(|entry| match entry {
        Entry::V1a(bytes) => key
            .verify_strict(&content, &Signature::from_bytes(bytes))
            .is_ok(),
        _ => false,
    })
}

/// A place in a list of this component's memory, which has fewer than 2^32 bytes.
fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
