//! HMAC-SHA256 as bytes to bytes: this room owns what a tag is and when it is right. In come data, a
//! key and perhaps a tag; out go a tag of 64 hexadecimal digits, or yes or no. The other schemes take the
//! bare function from here. It never allocates, never traps on what it is given, and compares tags in
//! constant time only.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The length of a tag: two hexadecimal digits for each byte of SHA-256.
pub const TAG_LENGTH: usize = 64;

/// What [`sign`] says of a key that has no bytes. HMAC itself would accept it, and anyone could make
/// its tags.
pub const EMPTY_KEY: &str =
    "key is empty: anyone could make its tags, so give a key of at least one byte";

/// The tag of `data` under `key`, as 64 upper-case hexadecimal ASCII digits. None for an empty key.
#[must_use]
pub fn sign(data: &[u8], key: &[u8]) -> Option<[u8; TAG_LENGTH]> {
    let digest = keyed(&[data], key)?.finalize().into_bytes();
    let mut tag = [0; TAG_LENGTH];
    for (pair, byte) in tag.chunks_exact_mut(2).zip(digest) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 0x0f)]);
    }
    Some(tag)
}

/// Whether `tag` is the tag of `data` under `key`. Both cases of the digits are accepted; anything
/// that is not 64 of them is false, and so is every tag under an empty key.
#[must_use]
pub fn verify(data: &[u8], key: &[u8], tag: &[u8]) -> bool {
    let (Some(claimed), Some(mac)) = (decode(tag), keyed(&[data], key)) else {
        return false;
    };
    mac.verify_slice(&claimed).is_ok()
}

/// HMAC-SHA256 that has read `parts`, one after the other. None for an empty key.
pub(crate) fn keyed(parts: &[&[u8]], key: &[u8]) -> Option<Hmac<Sha256>> {
    if key.is_empty() {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac)
}

const fn digit(nibble: u8) -> u8 {
    if nibble < 10 {
        b'0' + nibble
    } else {
        b'A' + nibble - 10
    }
}

/// The bytes behind 64 hexadecimal digits of either case.
pub(crate) fn decode(tag: &[u8]) -> Option<[u8; TAG_LENGTH / 2]> {
    if tag.len() != TAG_LENGTH {
        return None;
    }
    let mut bytes = [0; TAG_LENGTH / 2];
    for (byte, pair) in bytes.iter_mut().zip(tag.chunks_exact(2)) {
        for &digit in pair {
            let nibble = (digit as char).to_digit(16)?;
            *byte = (*byte << 4) | u8::try_from(nibble).ok()?;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Vectors {
        cases: Vec<Case>,
    }

    #[derive(serde::Deserialize)]
    struct Case {
        key: String,
        data: String,
        hmac_sha256: String,
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
            .collect()
    }

    fn cases() -> Vec<(Vec<u8>, Vec<u8>, String)> {
        let vectors: Vectors = serde_json::from_str(include_str!("../tests/rfc4231.json")).unwrap();
        assert!(!vectors.cases.is_empty());
        let decoded = |case: Case| (bytes(&case.key), bytes(&case.data), case.hmac_sha256);
        vectors.cases.into_iter().map(decoded).collect()
    }

    #[test]
    fn tags_are_those_of_rfc_4231_in_upper_case() {
        for (key, data, tag) in cases() {
            let signed = sign(&data, &key).unwrap();
            assert_eq!(str::from_utf8(&signed).unwrap(), tag.to_ascii_uppercase());
        }
    }

    #[test]
    fn both_cases_of_a_tag_verify() {
        for (key, data, tag) in cases() {
            assert!(verify(&data, &key, tag.to_ascii_uppercase().as_bytes()));
            assert!(verify(&data, &key, tag.to_ascii_lowercase().as_bytes()));
        }
    }

    #[test]
    fn one_changed_bit_fails() {
        let (key, data) = (b"key".to_vec(), b"data".to_vec());
        let tag = sign(&data, &key).unwrap();
        for bit in 0..8 {
            for at in 0..data.len() {
                let mut other = data.clone();
                other[at] ^= 1 << bit;
                assert!(!verify(&other, &key, &tag));
            }
            for at in 0..key.len() {
                let mut other = key.clone();
                other[at] ^= 1 << bit;
                assert!(!verify(&data, &other, &tag));
            }
        }
        // Every digit of the tag counts, too.
        for at in 0..TAG_LENGTH {
            let mut other = tag;
            other[at] = if other[at] == b'0' { b'1' } else { b'0' };
            assert!(!verify(&data, &key, &other));
        }
    }

    #[test]
    fn a_malformed_tag_is_false() {
        let tag = sign(b"data", b"key").unwrap();
        let mut spaced = tag.to_vec();
        spaced.insert(0, b' ');
        let mut signed = tag;
        signed[0] = b'+';
        let mut foreign = tag;
        foreign[10] = b'G';
        let mut wide = tag;
        wide[20] = 0xff;
        let malformed: [&[u8]; 8] = [
            b"",
            &tag[..63],
            &tag[..32],
            &spaced,
            &signed,
            &foreign,
            &wide,
            &[tag, tag].concat(),
        ];
        for tag in malformed {
            assert!(!verify(b"data", b"key", tag));
        }
    }

    #[test]
    fn an_empty_key_neither_signs_nor_verifies() {
        assert_eq!(sign(b"data", b""), None);
        let under_zero = sign(b"data", &[0]).unwrap();
        // HMAC pads keys with zeros, so this is the tag that an empty key would have had.
        assert!(!verify(b"data", b"", &under_zero));
    }
}
