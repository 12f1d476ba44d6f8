//! Signatures, checked by whoever does not know how the host makes them. Comes in: a key, headers and a body; goes
//! out: what is wrong with them. Written from the specification of Standard Webhooks, with another library than the
//! guests use.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::Sha256;

fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// Whether both signatures of a delivery are those of its bytes; what is wrong, if something is.
pub(crate) fn check(key: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.ok_or_else(|| format!("{name} is missing"))
    };
    let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
    if timestamp.parse::<u64>().is_err() {
        return Err(format!("webhook-timestamp is {timestamp:?}"));
    }
    let signed: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    let expected = format!(
        "v1,{}",
        BASE64_STANDARD.encode(mac(key.as_bytes(), &signed))
    );
    if !header("webhook-signature")?
        .split(' ')
        .any(|one| one == expected)
    {
        return Err("webhook-signature does not hold".to_owned());
    }
    let tag: String = mac(key.as_bytes(), &[body])
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    if header("x-signature")? != tag {
        return Err("x-signature does not hold".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification: its key is the 24 bytes that the text behind `whsec_` stands for.
    #[test]
    fn the_specifications_own_example_holds() {
        let key = BASE64_STANDARD
            .decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .unwrap();
        let signed: [&[u8]; 5] = [
            b"msg_p5jXN8AQM9LWM0D4loKWxJek",
            b".",
            b"1614265330",
            b".",
            br#"{"test": 2432232314}"#,
        ];
        let tag = BASE64_STANDARD.encode(mac(&key, &signed));
        assert_eq!(tag, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_byte_that_was_changed_is_seen() {
        let (key, body) = ("0123456789abcdef0123456789abcdef0123", b"{}");
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", "a".parse().unwrap());
        headers.insert("webhook-timestamp", "1".parse().unwrap());
        let tag = BASE64_STANDARD.encode(mac(key.as_bytes(), &[b"a.1.", body]));
        headers.insert("webhook-signature", format!("v1,{tag}").parse().unwrap());
        let tag: Vec<_> = mac(key.as_bytes(), &[body]);
        let tag: String = tag.iter().map(|byte| format!("{byte:02X}")).collect();
        headers.insert("x-signature", tag.parse().unwrap());
        assert_eq!(check(key, &headers, body), Ok(()));
        assert!(check(key, &headers, b"{ }").is_err());
        headers.insert("x-signature", "00".parse().unwrap());
        assert!(check(key, &headers, body).is_err());
        headers.insert("webhook-id", "b".parse().unwrap());
        assert!(check(key, &headers, body).is_err());
    }
}
