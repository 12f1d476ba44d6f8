//! Stripe: `Stripe-Signature: t=TIMESTAMP,v1=HEX,v1=HEX`, of `TIMESTAMP.BODY`; several `v1` while a secret is
//! replaced, and other schemes, which are passed over: `v0` is not signed with the secret.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use super::Claim;
use crate::mac;
use crate::refusal::Refusal;

/// The most items of the header: a time, and one for each secret of each scheme.
const MAX_ITEMS: usize = 16;

pub(super) fn read(signature: &str) -> Result<Claim<'_>, Refusal> {
    if signature.is_empty() {
        return Err(Refusal::NoSignature);
    }
    let (mut timestamp, mut tags) = (None, Vec::new());
    for (index, item) in signature.split(',').enumerate() {
        if index == MAX_ITEMS {
            return Err(Refusal::TooManyEntries);
        }
        match item.split_once('=') {
            // Of two times, nobody knows which was signed.
            Some(("t", text)) if timestamp.replace(text).is_some() => {
                return Err(Refusal::BadTimestamp);
            }
            Some(("v1", hex)) => {
                tags.push(mac::decode(hex.as_bytes()).ok_or(super::place(index)));
            }
            Some(_) => {}
            None => tags.push(Err(super::place(index))),
        }
    }
    if timestamp.is_none() {
        return Err(Refusal::BadTimestamp);
    }
    if tags.is_empty() {
        return Err(Refusal::UnknownVersions);
    }
    Ok(Claim { timestamp, tags })
}

pub(super) fn write(timestamp: &str, tag: &[u8; 32]) -> String {
    let mut text = "t=".to_owned();
    text.push_str(timestamp);
    text.push_str(",v1=");
    super::push_hex(&mut text, tag);
    text
}
