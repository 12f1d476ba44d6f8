//! Random text: keys and ids. In comes a source of random bytes; out go characters of an alphabet,
//! each as likely as any other. It never makes randomness itself.

/// The length of a signing key, in characters.
pub const KEY_LENGTH: usize = 36;

/// The length of an id, in characters.
pub const ID_LENGTH: usize = 26;

const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A new signing key: 36 letters and digits.
pub fn key(source: impl FnMut(usize) -> Vec<u8>) -> String {
    text(ALPHANUMERIC, KEY_LENGTH, source)
}

/// A new id: 26 lower-case letters and digits.
pub fn id(source: impl FnMut(usize) -> Vec<u8>) -> String {
    text(LOWER, ID_LENGTH, source)
}

/// Whether `text` could be an id.
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.bytes().all(|byte| LOWER.contains(&byte))
}

/// Bytes at or above the largest multiple of the alphabet's length are thrown away: the rest of a
/// division would otherwise favour the first characters.
fn text(alphabet: &[u8], length: usize, mut source: impl FnMut(usize) -> Vec<u8>) -> String {
    let limit = 256 / alphabet.len() * alphabet.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let fair = |byte: &usize| *byte < limit;
        let bytes = source(length - text.len()).into_iter().map(usize::from);
        let characters = bytes
            .filter(fair)
            .map(|byte| alphabet[byte % alphabet.len()]);
        text.extend(characters.take(length - text.len()).map(char::from));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte in turn, so that what is drawn can be counted.
    fn counter() -> impl FnMut(usize) -> Vec<u8> {
        let mut next = 0_u8;
        move |length| {
            let bytes = (0..length).map(|_| {
                let byte = next;
                next = next.wrapping_add(1);
                byte
            });
            bytes.collect()
        }
    }

    #[test]
    fn every_character_is_as_likely() {
        for alphabet in [ALPHANUMERIC, LOWER] {
            // One round of all 256 bytes gives each character equally often.
            let times = 256 / alphabet.len();
            let drawn = text(alphabet, times * alphabet.len(), counter());
            for character in alphabet {
                let count = drawn.bytes().filter(|byte| byte == character).count();
                assert_eq!(count, times);
            }
        }
    }

    #[test]
    fn a_short_read_is_made_up_for() {
        let key = key(|_| vec![255, 7]);
        assert_eq!(key, "H".repeat(KEY_LENGTH));
    }

    #[test]
    fn an_id_is_an_id() {
        assert!(is_id(&id(counter())));
        assert!(!is_id("ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
        assert!(!is_id("abc"));
    }
}
