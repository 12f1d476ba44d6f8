//! Who may ask the producer for anything. In come the token that its operator set and what a request presents; out
//! goes whether it is served. It never says or keeps a token.

use subtle::ConstantTimeEq;

use crate::problem::Problem;

/// Serves who presents the token as RFC 6750 has it, `Authorization: Bearer TOKEN`; everybody, where none is set: then
/// the host lets nobody but its own machine reach the producer.
///
/// # Errors
/// The token is another, was sent twice, or is missing.
pub fn admit<'a>(
    token: &str,
    mut presented: impl Iterator<Item = &'a [u8]>,
) -> Result<(), Problem> {
    if token.is_empty() {
        return Ok(());
    }
    let (first, more) = (presented.next(), presented.next());
    let bearer = first.and_then(|value| {
        let (scheme, rest) = value.split_at_checked("Bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"Bearer ").then_some(rest)
    });
    match (bearer, more) {
        (Some(bearer), None) if bearer.ct_eq(token.as_bytes()).into() => Ok(()),
        _ => Err(Problem::unauthorized()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(token: &str, presented: &[&[u8]]) -> u16 {
        admit(token, presented.iter().copied()).map_or_else(|problem| problem.status(), |()| 200)
    }

    #[test]
    fn only_the_token_is_served_where_there_is_one() {
        assert_eq!(status("s3cret", &[b"Bearer s3cret"]), 200);
        assert_eq!(status("s3cret", &[b"bearer s3cret"]), 200);
        let wrong: [&[&[u8]]; 7] = [
            &[],
            &[b""],
            &[b"s3cret"],
            &[b"Bearer s3cre"],
            &[b"Bearer s3cret "],
            &[b"Basic s3cret"],
            &[b"Bearer s3cret", b"Bearer s3cret"],
        ];
        for presented in wrong {
            assert_eq!(status("s3cret", presented), 401, "{presented:?}");
        }
    }

    #[test]
    fn everybody_is_served_where_there_is_none() {
        assert_eq!(status("", &[]), 200);
        assert_eq!(status("", &[b"Bearer s3cret"]), 200);
    }
}
