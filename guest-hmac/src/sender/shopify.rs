//! Shopify: `X-Shopify-Hmac-SHA256: BASE64`, of the body alone. It binds no time, and names no version.

use alloc::string::String;

use base64ct::{Base64, Encoding as _};

use super::Claim;
use crate::refusal::Refusal;

pub(super) fn read(signature: &str) -> Result<Claim<'_>, Refusal> {
    if signature.is_empty() {
        return Err(Refusal::NoSignature);
    }
    let mut tag = [0; 32];
    let decoded = Base64::decode(signature, &mut tag).map(<[u8]>::len);
    Ok(Claim::one(None, (decoded == Ok(tag.len())).then_some(tag)))
}

pub(super) fn write(tag: &[u8; 32]) -> String {
    Base64::encode_string(tag)
}
