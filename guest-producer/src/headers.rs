//! The headers of a delivery: the tag as the sample sends it, and the three of Standard Webhooks. In
//! come an id, a time and tags from `hmac`; out go names and values. It never sees a key.

/// The headers of one delivery.
#[derive(Debug, PartialEq, Eq)]
pub struct Signed {
    /// `X-Signature`: the tag of the body.
    pub tag: String,
    /// `webhook-id`: the same for every consumer of one event.
    pub id: String,
    /// `webhook-timestamp`: when it was sent, in seconds since 1970.
    pub timestamp: u64,
    /// `webhook-signature`: `v1,` and the tag of [`content`] in base64.
    pub signature: String,
}

impl Signed {
    /// Names and values, in the order of sending.
    #[must_use]
    pub fn pairs(self) -> Vec<(&'static str, String)> {
        vec![
            ("content-type", "application/json".to_string()),
            ("x-signature", self.tag),
            ("webhook-id", self.id),
            ("webhook-timestamp", self.timestamp.to_string()),
            ("webhook-signature", self.signature),
        ]
    }
}

/// What the tag in `webhook-signature` is made of.
#[must_use]
pub fn content(id: &str, timestamp: u64, body: &[u8]) -> Vec<u8> {
    let mut content = format!("{id}.{timestamp}.").into_bytes();
    content.extend_from_slice(body);
    content
}

/// The value of `webhook-signature` for a tag of hexadecimal digits; none if it is no such tag.
#[must_use]
pub fn v1(tag: &str) -> Option<String> {
    let digits: Option<Vec<u32>> = tag.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    let bytes: Vec<u32> = digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    Some(format!("v1,{}", base64(&bytes)))
}

fn base64(bytes: &[u32]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| group.get(at).copied().unwrap_or(0);
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            // n bytes fill n + 1 characters; the rest is padding.
            let index = (bits >> (18 - 6 * at)) & 0x3f;
            let filled = at <= group.len();
            text.push(if filled {
                char::from(ALPHABET[index as usize])
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            let bytes: Vec<u32> = plain.bytes().map(u32::from).collect();
            assert_eq!(base64(&bytes), encoded);
        }
    }

    #[test]
    fn signatures_are_those_of_standard_webhooks() {
        // The published vector "symmetric-2"; its secret is base64 for these bytes.
        let key = b"\x0b\x61\x55\xb0\x14\x08\x86\xbb\x1c\x0a\x19\x50\x20\xc5\x7e\x6f\x9b\x12\x62\xca\x68\x6f\xba\x03";
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        let content = content("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body);
        let tag = guest_hmac::mac::sign(&content, key).unwrap();
        let signature = v1(str::from_utf8(&tag).unwrap()).unwrap();
        assert_eq!(signature, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
    }

    #[test]
    fn what_is_no_tag_gives_no_signature() {
        for tag in [
            "",
            "00",
            &"0".repeat(63),
            &"g".repeat(64),
            &"\u{e9}".repeat(32),
        ] {
            assert_eq!(v1(tag), None);
        }
    }
}
