//! Slack: `X-Slack-Signature: v0=HEX`, of `v0:TIMESTAMP:BODY`, with the timestamp in a header of its own.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use super::Claim;
use crate::mac;
use crate::refusal::Refusal;

const PREFIX: &str = "v0=";

pub(super) fn read<'a>(signature: &str, timestamp: &'a str) -> Result<Claim<'a>, Refusal> {
    match signature.split_once('=') {
        Some(("v0", hex)) => Ok(Claim::one(Some(timestamp), mac::decode(hex.as_bytes()))),
        Some(_) => Err(Refusal::UnknownVersions),
        None if signature.is_empty() => Err(Refusal::NoSignature),
        None => Err(Refusal::MalformedEntry(0)),
    }
}

pub(super) fn write(tag: &[u8; 32]) -> String {
    let mut text = PREFIX.to_owned();
    super::push_hex(&mut text, tag);
    text
}
