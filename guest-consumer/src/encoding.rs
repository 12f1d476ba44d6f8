//! Base64 into bytes, bytes into hexadecimal digits: Standard Webhooks writes tags the one way,
//! `hmac` reads them the other. In comes text; out come bytes, or nothing if the text is not strict.
//! It never judges a tag.

/// Reads base64 as RFC 4648 has it: with padding, and with zeros in the bits that fill up the last
/// character. So there is one text for some bytes, and only one.
#[must_use]
pub fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let groups = text.as_bytes().chunks(4);
    let last = groups.len().checked_sub(1);
    for (place, group) in groups.enumerate() {
        let padding = group
            .iter()
            .rev()
            .take_while(|&&character| character == b'=')
            .count();
        if group.len() != 4 || padding > 2 || (padding > 0 && Some(place) != last) {
            return None;
        }
        let mut bits = 0;
        for &character in &group[..4 - padding] {
            bits = bits << 6 | sextet(character)?;
        }
        bits <<= 6 * padding;
        let [_, group @ ..] = u32::to_be_bytes(bits);
        let (filled, rest) = group.split_at(3 - padding);
        if rest.iter().any(|&byte| byte != 0) {
            return None;
        }
        bytes.extend_from_slice(filled);
    }
    Some(bytes)
}

/// Writes bytes as upper-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn sextet(character: u8) -> Option<u32> {
    let value = match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
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
            assert_eq!(base64(encoded).unwrap(), plain.as_bytes());
        }
        assert_eq!(base64("+/+/").unwrap(), [0xfb, 0xff, 0xbf]);
    }

    #[test]
    fn base64_is_strict() {
        for text in [
            "Zg", "Zg=", "Zg===", "Z===", "====", "=", "Zg==Zg==", "Zm9v\n", " Zm9v", "Zm-_",
            "Zh==", "Zm9=", "Z\u{e9}9",
        ] {
            assert_eq!(base64(text), None, "{text:?}");
        }
    }

    #[test]
    fn hexadecimal_digits_are_upper_case() {
        assert_eq!(hex(&[0x00, 0xaf, 0x10]), "00AF10");
    }
}
