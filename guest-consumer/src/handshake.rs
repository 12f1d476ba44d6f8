//! Who may bring a signing key, and what it looks like. In come what a handshake offers and its body;
//! out goes the key, or the problem to answer. It never keeps a key, and says neither key nor token.

use std::hint::black_box;

use serde::Deserialize;

use crate::hmac::Hmac;
use crate::keys;
use crate::problem::Problem;

/// The longest key, in characters: none that `hmac` takes is longer.
const KEY_LENGTH: usize = 256;

/// What a handshake offers, and what it is measured against.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// The value of `X-Enrolment-Token`, if it was sent once.
    pub token: Option<&'a [u8]>,
    /// The operator's token; empty if there is none.
    pub configured: &'a str,
    /// Whether there is a key.
    pub has_key: bool,
    /// Whether `X-Signature` is the tag of the handshake's body under that key.
    pub signed: bool,
}

/// Whether the offer is good: the operator's token, or the current key.
///
/// # Errors
/// It is not, and the key that there may be stays.
pub fn admit(offer: Offer<'_>) -> Result<(), Problem> {
    let Offer {
        token,
        configured,
        has_key,
        signed,
    } = offer;
    if has_key && signed {
        return Ok(());
    }
    if configured.is_empty() && (token.is_some() || !has_key) {
        let detail = "no token can enrol a producer: set the variable enrolment_token";
        return Err(Problem::new(
            403,
            "enrolment-closed",
            "enrolment is closed",
            detail,
        ));
    }
    if !configured.is_empty() && token.is_some_and(|token| same(token, configured.as_bytes())) {
        return Ok(());
    }
    let detail = "a handshake needs the token of this consumer's operator in X-Enrolment-Token, or \
                  the tag of its body under the current key in X-Signature";
    Err(
        Problem::new(401, "handshake-refused", "the handshake is refused", detail)
            .with_header("www-authenticate", "EnrolmentToken"),
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(rename = "keyData")]
    key_data: String,
}

/// The key in a handshake's body: 24 to 64 characters that are its bytes, or the text form of a shared secret
/// (`whsec_`) or of a public key (`whpk_`). The body has nothing else in it: a payload that is signed with the
/// current key can therefore never pass for a handshake.
///
/// # Errors
/// There is none, or nothing can be verified with it.
pub fn key(body: &[u8], hmac: &impl Hmac) -> Result<String, Problem> {
    let invalid = |mistake: &str| Problem::invalid(vec![mistake.to_string()]);
    // A sequence would be read as the members in their order, so an object is asked for first. What
    // the reader says of a mistake may quote the key, so it is not passed on.
    let object = body.trim_ascii_start().first() == Some(&b'{');
    let read = object
        .then(|| serde_json::from_slice::<Body>(body).ok())
        .flatten();
    let key = read
        .ok_or_else(|| invalid("body is not {\"keyData\": \"...\"}"))?
        .key_data;
    if key.len() > KEY_LENGTH || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(invalid("keyData is not 24 to 64 visible ASCII characters"));
    }
    if key.starts_with("whsk_") {
        return Err(invalid(
            "keyData is a secret signing key: bring its public half (whpk_)",
        ));
    }
    match hmac.fault(keys::form(key.as_bytes())) {
        None => Ok(key),
        Some(fault) => Err(invalid(&format!("keyData verifies nothing: {fault}"))),
    }
}

/// Compares without telling by its time where two texts differ.
fn same(left: &[u8], right: &[u8]) -> bool {
    let differ = |differences, (left, right): (&u8, &u8)| black_box(differences | (left ^ right));
    left.len() == right.len() && left.iter().zip(right).fold(0, differ) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::Native;

    const NOTHING: Offer<'_> = Offer {
        token: None,
        configured: "",
        has_key: false,
        signed: false,
    };

    fn status(offer: Offer<'_>) -> u16 {
        admit(offer).map_or_else(|problem| problem.status(), |()| 200)
    }

    #[test]
    fn the_operators_token_enrols() {
        let offer = Offer {
            configured: "s3cret",
            ..NOTHING
        };
        for has_key in [false, true] {
            let offer = Offer { has_key, ..offer };
            assert_eq!(
                status(Offer {
                    token: Some(b"s3cret"),
                    ..offer
                }),
                200
            );
            for token in [&b""[..], b"s3cre", b"s3cret ", b"S3cret"] {
                assert_eq!(
                    status(Offer {
                        token: Some(token),
                        ..offer
                    }),
                    401
                );
            }
            assert_eq!(status(offer), 401);
        }
    }

    #[test]
    fn without_a_token_set_none_enrols() {
        assert_eq!(status(NOTHING), 403);
        assert_eq!(
            status(Offer {
                token: Some(b""),
                ..NOTHING
            }),
            403
        );
        assert_eq!(
            status(Offer {
                token: Some(b"x"),
                has_key: true,
                ..NOTHING
            }),
            403
        );
        assert!(
            admit(NOTHING)
                .unwrap_err()
                .detail()
                .contains("enrolment_token")
        );
    }

    #[test]
    fn the_current_key_replaces_itself() {
        assert_eq!(
            status(Offer {
                has_key: true,
                signed: true,
                ..NOTHING
            }),
            200
        );
        assert_eq!(
            status(Offer {
                has_key: true,
                ..NOTHING
            }),
            401
        );
        let with_token_set = Offer {
            configured: "s3cret",
            has_key: true,
            ..NOTHING
        };
        assert_eq!(
            status(Offer {
                signed: true,
                ..with_token_set
            }),
            200
        );
        // Without a key there is nothing that could have signed.
        assert_eq!(
            status(Offer {
                signed: true,
                ..NOTHING
            }),
            403
        );
    }

    fn read(body: &str) -> Result<String, Problem> {
        key(body.as_bytes(), &Native)
    }

    #[test]
    fn a_key_is_visible_ascii_and_alone_in_its_object() {
        assert_eq!(
            read(r#"{"keyData":"0123456789abcdefghijklmn"}"#).unwrap(),
            "0123456789abcdefghijklmn"
        );
        for body in [
            "",
            "[]",
            "7",
            "{}",
            r#"["0123456789abcdefghijklmn"]"#,
            r#"{"keyData":7}"#,
            r#"{"keyData":"0123456789 abcdefghijklmn"}"#,
            r#"{"keyData":"0123456789abcdefghijklmn\n"}"#,
            r#"{"keyData":"0123456789abcdefghijklmn","x":1}"#,
            r#"{"event":"e","data":{"keyData":"0123456789abcdefghijklmn"}}"#,
            r#"{"keyData":"0123456789abcdefghijklmn","keyData":"0123456789abcdefghijklmn"}"#,
        ] {
            assert_eq!(read(body).unwrap_err().status(), 400, "{body}");
        }
    }

    #[test]
    fn a_key_is_one_that_verifies() {
        let body = |key: &str| format!(r#"{{"keyData":"{key}"}}"#);
        for (length, good) in [
            (23, false),
            (24, true),
            (64, true),
            (65, false),
            (257, false),
        ] {
            assert_eq!(read(&body(&"a".repeat(length))).is_ok(), good, "{length}");
        }
        for key in [
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
        ] {
            assert_eq!(read(&body(key)).unwrap(), key);
        }
        for key in [
            "",
            "whsec_",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!",
            "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOi",
            "whpk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            // Secret keys, which a receiver should not have; the second could pass for a shared secret.
            "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
            "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=",
        ] {
            let problem = read(&body(key)).unwrap_err();
            assert_eq!(problem.status(), 400, "{key}");
            assert!(key.is_empty() || !problem.detail().contains(key));
        }
    }

    #[test]
    fn a_malformed_body_is_not_quoted() {
        let problem = read(r#"{"keyDat":"0123456789abcdef"}"#).unwrap_err();
        assert!(!problem.detail().contains("0123456789abcdef"));
    }
}
