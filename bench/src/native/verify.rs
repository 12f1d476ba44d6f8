//! HMAC-SHA256, natively. Comes in: a body, a key, a tag; goes out: the tag, or whether it is the right one.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use sha2::Sha256;

use super::status;

/// 200 where `X-Signature` is the tag of the body, 401 where it is not.
pub(super) async fn answer(request: Request<Incoming>, key: &[u8]) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return status(StatusCode::BAD_REQUEST);
    };
    let tag = head.headers.get("x-signature").map(|tag| tag.as_bytes());
    let good = is_tag(tag.unwrap_or_default(), key, &body.to_bytes());
    status(if good {
        StatusCode::OK
    } else {
        StatusCode::UNAUTHORIZED
    })
}

fn mac(key: &[u8], body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(body);
    Some(mac)
}

/// The tag of a body, as 64 upper-case digits.
pub(crate) fn tag(key: &[u8], body: &[u8]) -> String {
    let bytes = mac(key, body).map(|mac| mac.finalize().into_bytes());
    let digits = bytes.iter().flatten().map(|byte| format!("{byte:02X}"));
    digits.collect()
}

fn is_tag(tag: &[u8], key: &[u8], body: &[u8]) -> bool {
    let pairs = tag.chunks(2).map(|pair| {
        let text = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(text, 16).ok()
    });
    let bytes: Option<Vec<u8>> = pairs.collect();
    bytes.is_some_and(|bytes| holds(&bytes, key, body))
}

/// Whether these bytes are the tag of a body.
pub(super) fn holds(tag: &[u8], key: &[u8], body: &[u8]) -> bool {
    mac(key, body).is_some_and(|mac| mac.verify_slice(tag).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, the second case.
    const TAG: &str = "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843";

    #[test]
    fn the_tag_is_the_standards() {
        assert_eq!(tag(b"Jefe", b"what do ya want for nothing?"), TAG);
    }

    #[test]
    fn only_the_right_tag_is_one() {
        let body = b"what do ya want for nothing?";
        assert!(is_tag(TAG.as_bytes(), b"Jefe", body));
        assert!(!is_tag(TAG.as_bytes(), b"jefe", body));
        assert!(!is_tag(b"", b"Jefe", body) && !is_tag(b"xy", b"Jefe", body));
    }
}
