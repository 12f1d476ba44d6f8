//! The token that opens the admin listener. Comes in: text from a file or the environment, and what a client
//! presents; goes out: yes or no. Never printed, wiped when it is dropped, and compared in a time that does
//! not tell how much of a guess is right.

use std::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A token shorter than this can be guessed.
const SHORTEST: usize = 16;

/// What a client has to present.
pub struct Token(Zeroizing<String>);

/// Why a text is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It can be guessed.
    #[error(
        "the admin token is shorter than {SHORTEST} characters: make one with `openssl rand -hex 16`"
    )]
    Short,
    /// It cannot stand in a header.
    #[error("the admin token has characters other than letters, digits and punctuation of ASCII")]
    Characters,
}

impl Token {
    /// Takes a text, without the space around it.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.len() < SHORTEST {
            return Err(TokenError::Short);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Characters);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// Whether an `Authorization` header presents this token (RFC 6750, 2.1).
    pub(super) fn opens(&self, header: Option<&http::HeaderValue>) -> bool {
        let presented = header.map(http::HeaderValue::as_bytes).and_then(|header| {
            let (scheme, token) = header.split_at_checked("Bearer ".len())?;
            scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
        });
        presented.is_some_and(|token| token.ct_eq(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_opens() {
        let token = Token::new(" 0123456789abcdef\n").unwrap();
        let opens =
            |header: &'static str| token.opens(Some(&http::HeaderValue::from_static(header)));
        assert!(opens("Bearer 0123456789abcdef") && opens("bearer 0123456789abcdef"));
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "Basic 0123456789abcdef",
            "Bearer 0123456789abcdeg",
            "Bearer 0123456789abcde",
            "Bearer 0123456789abcdef0",
        ] {
            assert!(!opens(wrong), "{wrong}");
        }
        assert!(!token.opens(None));
    }

    #[test]
    fn what_can_be_guessed_or_not_be_sent_is_no_token() {
        assert_eq!(Token::new("short").unwrap_err(), TokenError::Short);
        assert_eq!(
            Token::new("0123456789 abcdef").unwrap_err(),
            TokenError::Characters
        );
    }

    #[test]
    fn a_token_is_never_printed() {
        let token = Token::new("0123456789abcdef").unwrap();
        assert_eq!(format!("{token:?}"), "***");
    }
}
