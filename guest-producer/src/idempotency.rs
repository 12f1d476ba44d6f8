//! By which a repeated request is known: `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header). In come its
//! values; out goes a key for the queue. It never looks at a body.

use crate::problem::Problem;

/// The longest key, in characters. The queue's own limit is above it.
const KEY_LIMIT: usize = 200;

/// The key in a header's values, none if there is no value.
///
/// # Errors
/// There are several, or the one is no key.
pub fn key<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Result<Option<String>, Problem> {
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let invalid = |mistake: String| Err(Problem::invalid(vec![mistake]));
    if values.next().is_some() {
        return invalid("Idempotency-Key was sent more than once".into());
    }
    match str::from_utf8(value) {
        Ok(text)
            if (1..=KEY_LIMIT).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            Ok(Some(text.to_string()))
        }
        _ => invalid(format!(
            "Idempotency-Key is not 1 to {KEY_LIMIT} visible ASCII characters"
        )),
    }
}

/// A key that no header can bring: it has a space.
#[must_use]
pub fn own(what: &str, of: &str) -> String {
    format!("{what} {of}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&[u8]]) -> Result<Option<String>, Problem> {
        key(values.iter().copied())
    }

    #[test]
    fn a_key_is_one_visible_text() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[b"order-1"]), Ok(Some("order-1".into())));
        let long = vec![b'a'; KEY_LIMIT + 1];
        for values in [
            &[&b""[..]][..],
            &[b"a b"],
            &[b"\xff"],
            &[&long],
            &[b"a", b"a"],
        ] {
            assert_eq!(read(values).unwrap_err().status(), 400);
        }
        let own = own("disabled", "x");
        assert!(read(&[own.as_bytes()]).is_err());
    }
}
