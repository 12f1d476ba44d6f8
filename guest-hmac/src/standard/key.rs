//! Keys of Standard Webhooks: text or bytes in, a key that can be used out, or what is wrong with it. It never
//! prints one, and decodes without a branch or a table that depends on it.

use alloc::vec::Vec;

use base64ct::{Base64, Base64Unpadded, Encoding as _};
use ed25519_dalek::{SigningKey, VerifyingKey};

use crate::refusal::{KeyError, KeyFault};

/// The prefix of a `v1` secret as text.
pub(super) const SECRET: &str = "whsec_";
/// The prefix of a secret `v1a` key as text.
pub(super) const SIGNING: &str = "whsk_";
/// The prefix of a public `v1a` key as text.
pub(super) const PUBLIC: &str = "whpk_";

/// A key as the caller gives it.
#[derive(Clone, Copy)]
pub enum Given<'a> {
    /// With its prefix; without one it is a `v1` secret.
    Text(&'a str),
    /// A `v1` secret.
    Secret(&'a [u8]),
    /// A secret ed25519 key: its seed, perhaps with its public half behind it.
    Signing(&'a [u8]),
    /// A public ed25519 key.
    Public(&'a [u8]),
}

/// A key that can be used.
pub(super) enum Key {
    Secret(Vec<u8>),
    Signing(SigningKey),
    Public(VerifyingKey),
}

/// All of the caller's keys; one that cannot be used spoils the list.
pub(super) fn read_all(given: &[Given<'_>]) -> Result<Vec<Key>, KeyError> {
    if given.is_empty() {
        let fault = KeyFault::NoneGiven;
        return Err(KeyError { index: 0, fault });
    }
    let each = given.iter().enumerate();
    each.map(|(index, given)| {
        read(*given).map_err(|fault| KeyError {
            index: super::place(index),
            fault,
        })
    })
    .collect()
}

pub(super) fn read(given: Given<'_>) -> Result<Key, KeyFault> {
    match given {
        Given::Text(text) => {
            if let Some(text) = text.strip_prefix(SIGNING) {
                signing(&decode(text)?)
            } else if let Some(text) = text.strip_prefix(PUBLIC) {
                public(&decode(text)?)
            } else {
                // The official libraries take a secret without its prefix, too.
                secret(decode(text.strip_prefix(SECRET).unwrap_or(text))?)
            }
        }
        Given::Secret(bytes) => secret(bytes.to_vec()),
        Given::Signing(bytes) => signing(bytes),
        Given::Public(bytes) => public(bytes),
    }
}

fn decode(text: &str) -> Result<Vec<u8>, KeyFault> {
    // The official library for Python takes a key without its padding, too.
    let decoded = if text.ends_with('=') {
        Base64::decode_vec(text)
    } else {
        Base64Unpadded::decode_vec(text)
    };
    decoded.map_err(|_| KeyFault::NotBase64)
}

fn secret(bytes: Vec<u8>) -> Result<Key, KeyFault> {
    match bytes.len() {
        0 => Err(KeyFault::Empty),
        1..24 => Err(KeyFault::TooShort),
        24..=64 => Ok(Key::Secret(bytes)),
        _ => Err(KeyFault::TooLong),
    }
}

fn signing(bytes: &[u8]) -> Result<Key, KeyFault> {
    if bytes.is_empty() {
        return Err(KeyFault::Empty);
    }
    if let Ok(seed) = bytes.try_into() {
        return Ok(Key::Signing(SigningKey::from_bytes(seed)));
    }
    let both = bytes.try_into().map_err(|_| KeyFault::WrongLength)?;
    let key = SigningKey::from_keypair_bytes(both).map_err(|_| KeyFault::HalvesDiffer)?;
    Ok(Key::Signing(key))
}

fn public(bytes: &[u8]) -> Result<Key, KeyFault> {
    if bytes.is_empty() {
        return Err(KeyFault::Empty);
    }
    let bytes = bytes.try_into().map_err(|_| KeyFault::WrongLength)?;
    match VerifyingKey::from_bytes(bytes) {
        Ok(key) if !key.is_weak() => Ok(Key::Public(key)),
        _ => Err(KeyFault::NotAPublicKey),
    }
}
