//! The laws of verification, with the real `hmac` and the published vectors.

use super::*;
use crate::hmac::TOLERANCE;
use crate::native::Native;
use guest_hmac::mac;
use guest_hmac::standard::{self as rules, key::Given};

const NOW: u64 = 1_700_000_000;
const TIME: &str = "1700000000";
const KEY: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const OTHER: &[u8] = b"zyxwvutsrqponmlkjihgfedcba9876543210";
const BODY: &[u8] = br#"{"event":"e","data":null}"#;

#[derive(serde::Deserialize)]
struct Vectors {
    valid: Vec<Vector>,
    must_fail: Vec<String>,
    must_pass: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Vector {
    secret: String,
    public: Option<String>,
    id: String,
    timestamp: u64,
    body: String,
    signature: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../tests/standard-webhooks.json")).unwrap()
}

fn held(key: &[u8], standard: bool) -> Held {
    Held {
        key: key.to_vec(),
        standard,
    }
}

fn tag(data: &[u8], key: &[u8]) -> Vec<u8> {
    mac::sign(data, key).unwrap().to_vec()
}

/// The headers of Standard Webhooks, as they are sent.
fn standard(id: &str, timestamp: &str, signature: &str) -> Presented {
    let value = |text: &str| vec![text.as_bytes().to_vec()];
    Presented {
        tag: Vec::new(),
        id: value(id),
        timestamp: value(timestamp),
        signature: value(signature),
    }
}

/// The value of `webhook-signature` for these bytes under `key`, whatever they are.
fn v1(content: &[u8], key: &[u8]) -> String {
    use base64ct::{Base64, Encoding as _};
    let digits = tag(content, key);
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    let bytes: Vec<u8> = digits.chunks(2).map(byte).collect();
    format!("v1,{}", Base64::encode_string(&bytes))
}

fn signed(id: &str, timestamp: &str, body: &[u8], key: &[u8]) -> Presented {
    let content = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
    standard(id, timestamp, &v1(&content, key))
}

fn judged<'a>(presented: &'a Presented, body: &[u8]) -> Result<Verified<'a>, Refusal> {
    verify(presented, body, NOW, &[held(KEY, false)], &Native)
}

/// Refused by `hmac`, which says why.
fn refused(presented: &Presented, body: &[u8], why: &str) {
    match judged(presented, body) {
        Err(Refusal::Standard(said)) => assert!(said.contains(why), "{said:?} is not {why:?}"),
        other => panic!("{presented:?}: {other:?}"),
    }
}

fn good() -> Presented {
    signed("msg_1", TIME, BODY, KEY)
}

#[test]
fn the_published_vectors_verify() {
    let vectors = vectors();
    for vector in &vectors.valid {
        let key = vector.public.as_ref().unwrap_or(&vector.secret);
        let keys = [held(key.as_bytes(), false)];
        let timestamp = vector.timestamp.to_string();
        let judged = |signature: &str, body: &str, now| {
            let presented = standard(&vector.id, &timestamp, signature);
            let verified = verify(&presented, body.as_bytes(), now, &keys, &Native);
            verified.map(|verified| assert_eq!(verified.id, Some(vector.id.as_str())))
        };
        let (signature, body, now) = (&vector.signature, &vector.body, vector.timestamp);
        assert_eq!(judged(signature, body, now), Ok(()));
        assert!(judged(signature, "other", now).is_err());
        for skewed in [now - TOLERANCE - 1, now + TOLERANCE + 1] {
            assert!(judged(signature, body, skewed).is_err());
        }
        for end in 0..signature.len() {
            assert!(judged(&signature[..end], body, now).is_err(), "{end}");
        }
        // In what stands before the padding are two or four bits that no byte needs.
        let last = signature.trim_end_matches('=').len() - 1;
        for other in ["A", "B", "V", "/", "="] {
            let mut changed = signature.clone();
            changed.replace_range(last..=last, other);
            if changed != *signature {
                assert!(judged(&changed, body, now).is_err(), "{changed}");
            }
        }
    }
    assert_eq!(vectors.valid.len(), 3);
}

/// One case for each line of the published list; a line more there is a case missing here.
#[test]
fn all_that_the_standard_says_must_fail_fails() {
    // Any one of the three headers missing.
    let lacks: [fn(&mut Presented); 3] = [
        |it| it.id.clear(),
        |it| it.timestamp.clear(),
        |it| it.signature.clear(),
    ];
    for lack in lacks {
        let mut presented = good();
        lack(&mut presented);
        refused(&presented, BODY, "is missing");
    }
    for timestamp in ["hello", "1700000000abc", "1700000000.9", "", "-1700000000"] {
        let presented = signed("msg_1", timestamp, BODY, KEY);
        refused(&presented, BODY, "the timestamp is not");
    }
    for (seconds, why) in [(NOW - 301, "301 s ago"), (NOW + 301, "301 s in the future")] {
        refused(&signed("msg_1", &seconds.to_string(), BODY, KEY), BODY, why);
    }
    // Of signatures, the empty, the truncated and the changed are in the vectors' own test.
    let unknown = String::from_utf8(good().signature[0].clone()).unwrap();
    let unknown = unknown.replace("v1,", "v2,");
    refused(&standard("msg_1", TIME, &unknown), BODY, "known version");
    for secret in ["", "whsec_"] {
        let keys = [held(secret.as_bytes(), false)];
        let presented = good();
        let verdict = verify(&presented, BODY, NOW, &keys, &Native);
        assert!(matches!(verdict, Err(Refusal::Standard(_))), "{verdict:?}");
    }
    let moved = standard("a.1", TIME, &v1(format!("a.1.{TIME}.x").as_bytes(), KEY));
    refused(&moved, b"x", "the id is not");
    assert_eq!(vectors().must_fail.len(), 7);
}

#[test]
fn all_that_the_standard_says_must_pass_passes() {
    let entry = String::from_utf8(good().signature[0].clone()).unwrap();
    let bad = v1(b"something else", KEY);
    let list = format!("{bad} {} v1a,x {entry}", entry.replace("v1,", "v2,"));
    let listed = standard("msg_1", TIME, &list);
    assert!(judged(&listed, BODY).is_ok());
    for body in [&b"\xff\xfe\x00"[..], b""] {
        assert!(judged(&signed("msg_1", TIME, body, KEY), body).is_ok());
    }
    assert_eq!(vectors().must_pass.len(), 3);
}

#[test]
fn a_list_is_looked_at_up_to_its_sixteenth_entry() {
    let entry = String::from_utf8(good().signature[0].clone()).unwrap();
    let bad = v1(b"something else", KEY);
    for (others, passes) in [(15, true), (16, false)] {
        let list = format!("{}{entry}", format!("{bad} ").repeat(others));
        let presented = standard("msg_1", TIME, &list);
        assert_eq!(judged(&presented, BODY).is_ok(), passes, "{others}");
    }
}

#[test]
fn one_of_the_three_headers_calls_for_all() {
    let whole = Presented {
        tag: vec![tag(BODY, KEY)],
        ..good()
    };
    assert!(judged(&whole, BODY).is_ok());
    let mut presented = whole;
    presented.id.clear();
    presented.timestamp.clear();
    refused(&presented, BODY, "the header with the id is missing");
}

#[test]
fn a_header_that_is_repeated_or_no_text_is_refused() {
    let mut presented = good();
    presented.id.push(b"msg_1".to_vec());
    assert_eq!(judged(&presented, BODY), Err(Refusal::Repeated));
    let presented = Presented {
        tag: vec![tag(BODY, KEY), tag(BODY, KEY)],
        ..Presented::default()
    };
    assert_eq!(judged(&presented, BODY), Err(Refusal::Repeated));
    let mut presented = good();
    presented.signature = vec![b"v1,\xff".to_vec()];
    assert_eq!(judged(&presented, BODY), Err(Refusal::Unreadable));
}

#[test]
fn an_id_cannot_move_the_cuts() {
    for id in ["", "a.1", "a b", "\u{e9}", &"a".repeat(257)] {
        refused(&signed(id, TIME, BODY, KEY), BODY, "the id is not");
    }
    // The tag of a body, sent as the tag of an id, a timestamp and a shorter body.
    let body = br#"{"event":"a.1700000000.b","data":null}"#;
    let presented = standard(r#"{"event":"a"#, TIME, &v1(body, KEY));
    let verdict = judged(&presented, br#"b","data":null}"#);
    assert_eq!(verdict, Err(Refusal::Id));
    for id in ["{", "a[", "\""] {
        let presented = signed(id, TIME, BODY, KEY);
        assert_eq!(judged(&presented, BODY), Err(Refusal::Id), "{id}");
    }
}

#[test]
fn each_key_verifies_and_is_named() {
    let keys = [held(KEY, false), held(OTHER, true)];
    for (place, key) in [KEY, OTHER].into_iter().enumerate() {
        let mut presented = signed("msg_1", TIME, BODY, key);
        let verified = |presented: &Presented| {
            let verified = verify(presented, BODY, NOW, &keys, &Native).unwrap();
            assert_eq!(verified.id, Some("msg_1"));
            verified.key
        };
        assert_eq!(verified(&presented), place);
        // A producer may sign with both keys and tag with either.
        for tagged_with in [KEY, OTHER] {
            presented.tag = vec![tag(BODY, tagged_with)];
            assert_eq!(verified(&presented), place);
        }
    }
    let stranger = signed("msg_1", TIME, BODY, b"StrangersKeyStrangersKeyStrangersKey");
    let verdict = verify(&stranger, BODY, NOW, &keys, &Native);
    assert!(matches!(verdict, Err(Refusal::Standard(_))), "{verdict:?}");
}

#[test]
fn a_tag_alone_verifies_until_its_key_has_signed_the_standard() {
    let of = |key| Presented {
        tag: vec![tag(BODY, key)],
        ..Presented::default()
    };
    let keys = [held(KEY, false), held(OTHER, true)];
    let judged = |key, keys: &[Held]| {
        let presented = of(key);
        let verdict = verify(&presented, BODY, NOW, keys, &Native);
        verdict.map(|verified| (verified.id.is_some(), verified.key))
    };
    assert_eq!(judged(KEY, &keys), Ok((false, 0)));
    assert_eq!(judged(OTHER, &keys), Err(Refusal::Required));
    assert_eq!(judged(KEY, &[held(KEY, true)]), Err(Refusal::Required));
    assert_eq!(judged(OTHER, &keys[..1]), Err(Refusal::Tag));
    // The first that fits decides: the key before cannot loosen what its equal requires.
    assert_eq!(
        judged(KEY, &[held(KEY, true), held(KEY, false)]),
        Err(Refusal::Required)
    );
}

#[test]
fn what_everybody_knows_signs_nothing_but_what_its_other_half_signed() {
    let public = b"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    let secret = vectors().valid[2].secret.clone();
    let keys = [held(public, false)];
    let presented = Presented {
        tag: vec![tag(BODY, public)],
        ..Presented::default()
    };
    assert_eq!(
        verify(&presented, BODY, NOW, &keys, &Native),
        Err(Refusal::Tag)
    );
    let signature = rules::sign("msg_1", NOW, BODY, &[Given::Text(&secret)]).unwrap();
    let presented = standard("msg_1", TIME, &signature);
    assert!(verify(&presented, BODY, NOW, &keys, &Native).is_ok());
}

#[test]
fn a_wrong_tag_fails_beside_a_right_signature() {
    let presented = Presented {
        tag: vec![b"0".repeat(64)],
        ..good()
    };
    assert_eq!(judged(&presented, BODY), Err(Refusal::Tag));
}

#[test]
fn nothing_is_never_verified() {
    let presented = Presented::default();
    assert!(presented.is_unsigned());
    assert_eq!(judged(&presented, BODY), Err(Refusal::Tag));
    let nobody = verify(&presented, BODY, NOW, &[], &Native);
    assert_eq!(nobody, Err(Refusal::Tag));
}

#[test]
fn only_a_tag_is_logged_as_it_came() {
    let summary = |tag: &[u8]| {
        let presented = Presented {
            tag: vec![tag.to_vec()],
            ..Presented::default()
        };
        presented.summary()
    };
    assert_eq!(
        summary(&b"0aF9".repeat(16)),
        format!("Received tag {}", "0aF9".repeat(16))
    );
    assert_eq!(summary(b"x\nCONSUMER: "), "Received tag of 12 bytes");
    assert_eq!(summary(&[0xff; 64]), "Received tag of 64 bytes");
    let presented = standard("msg_1", "1700000000", "v1,");
    assert_eq!(presented.summary(), "Received webhook-signature of 3 bytes");
}
