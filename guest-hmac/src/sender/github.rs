//! GitHub: `X-Hub-Signature-256: sha256=HEX`, of the body alone. It binds no time.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use super::Claim;
use crate::mac;
use crate::refusal::Refusal;

const PREFIX: &str = "sha256=";

pub(super) fn read(signature: &str) -> Result<Claim<'_>, Refusal> {
    match signature.split_once('=') {
        Some(("sha256", hex)) => Ok(Claim::one(None, mac::decode(hex.as_bytes()))),
        // The older header, with SHA-1, is not evidence of anything any more.
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
