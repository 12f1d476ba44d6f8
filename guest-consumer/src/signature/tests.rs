//! The laws of verification, with the real HMAC and the published vectors.

use super::*;
use guest_hmac::mac;

const NOW: u64 = 1_700_000_000;
const TERMS: Terms = Terms {
    now: NOW,
    standard_required: false,
};
const KEY: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const BODY: &[u8] = br#"{"event":"e","data":null}"#;

#[derive(serde::Deserialize)]
struct Vectors {
    valid: Vec<Vector>,
}

#[derive(serde::Deserialize)]
struct Vector {
    secret: String,
    id: String,
    timestamp: u64,
    body: String,
    signature: String,
}

fn vectors() -> impl Iterator<Item = (Vec<u8>, Vector)> {
    let text = include_str!("../../tests/standard-webhooks.json");
    let vectors: Vectors = serde_json::from_str(text).unwrap();
    let symmetric = |vector: Vector| {
        let secret = vector.secret.strip_prefix("whsec_")?;
        Some((encoding::base64(secret).unwrap(), vector))
    };
    vectors.valid.into_iter().filter_map(symmetric)
}

fn tag(data: &[u8], key: &[u8]) -> String {
    String::from_utf8(mac::sign(data, key).unwrap().to_vec()).unwrap()
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

/// The value of `webhook-signature` for these bytes under [`KEY`].
fn v1(content: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: String = tag(content, KEY)
        .chars()
        .map(|digit| format!("{:04b}", digit.to_digit(16).unwrap()))
        .collect();
    let characters = digits.as_bytes().chunks(6).map(|bits| {
        let bits = format!("{:0<6}", str::from_utf8(bits).unwrap());
        char::from(ALPHABET[usize::from_str_radix(&bits, 2).unwrap()])
    });
    format!("v1,{}=", characters.collect::<String>())
}

fn signed(id: &str, timestamp: &str, body: &[u8]) -> Presented {
    let content = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
    standard(id, timestamp, &v1(&content))
}

fn judged(presented: &Presented, body: &[u8], terms: Terms) -> Result<Verified, Refusal> {
    verify(presented, body, terms, |data, tag| {
        mac::verify(data, KEY, tag)
    })
}

#[test]
fn the_published_vectors_verify() {
    let mut count = 0;
    for (key, vector) in vectors() {
        count += 1;
        let terms = Terms {
            now: vector.timestamp,
            ..TERMS
        };
        let judge = |data: &[u8], tag: &[u8]| mac::verify(data, &key, tag);
        let timestamp = vector.timestamp.to_string();
        let presented = standard(&vector.id, &timestamp, &vector.signature);
        let body = vector.body.as_bytes();
        assert_eq!(
            verify(&presented, body, terms, judge),
            Ok(Verified { standard: true })
        );
        assert_eq!(
            verify(&presented, b"other", terms, judge),
            Err(Refusal::Signature)
        );
        let no_key = |data: &[u8], tag: &[u8]| mac::verify(data, b"", tag);
        assert_eq!(
            verify(&presented, body, terms, no_key),
            Err(Refusal::Signature)
        );
        for end in 0..vector.signature.len() {
            let presented = standard(&vector.id, &timestamp, &vector.signature[..end]);
            assert_eq!(
                verify(&presented, body, terms, judge),
                Err(Refusal::Signature)
            );
        }
        // The last character before the padding has two bits that no byte needs.
        let position = vector.signature.len() - 2;
        for other in ['A', 'B', 'V', '/', '='] {
            let mut signature = vector.signature.clone();
            if signature[position..].starts_with(other) {
                continue;
            }
            signature.replace_range(position..=position, &other.to_string());
            let presented = standard(&vector.id, &timestamp, &signature);
            assert_eq!(
                verify(&presented, body, terms, judge),
                Err(Refusal::Signature)
            );
        }
    }
    assert_eq!(count, 2);
}

#[test]
fn one_entry_of_a_list_is_enough() {
    let good = signed("msg_1", "1700000000", BODY);
    let entry = String::from_utf8(good.signature[0].clone()).unwrap();
    let bad = v1(b"something else");
    let unknown = entry.replace("v1,", "v2,");
    let list = format!("{bad} {unknown} v1a,x {entry}");
    let presented = standard("msg_1", "1700000000", &list);
    assert_eq!(
        judged(&presented, BODY, TERMS),
        Ok(Verified { standard: true })
    );
    for list in [unknown.as_str(), bad.as_str(), "v1,", "v1", "", " "] {
        let presented = standard("msg_1", "1700000000", list);
        assert_eq!(judged(&presented, BODY, TERMS), Err(Refusal::Signature));
    }
    let flood = format!("{}{entry}", format!("{bad} ").repeat(ENTRY_LIMIT));
    let presented = standard("msg_1", "1700000000", &flood);
    assert_eq!(judged(&presented, BODY, TERMS), Err(Refusal::Signature));
}

#[test]
fn any_bytes_can_be_a_body() {
    for body in [&b""[..], b"\xff\xfe\x00", BODY] {
        assert!(judged(&signed("msg_1", "1700000000", body), body, TERMS).is_ok());
    }
}

#[test]
fn one_of_the_three_headers_calls_for_all() {
    let whole = || Presented {
        tag: vec![tag(BODY, KEY).into_bytes()],
        ..signed("msg_1", "1700000000", BODY)
    };
    assert!(judged(&whole(), BODY, TERMS).is_ok());
    let without = |lack: fn(&mut Presented)| {
        let mut presented = whole();
        lack(&mut presented);
        judged(&presented, BODY, TERMS)
    };
    assert_eq!(without(|it| it.id.clear()), Err(Refusal::Incomplete));
    assert_eq!(without(|it| it.timestamp.clear()), Err(Refusal::Incomplete));
    assert_eq!(without(|it| it.signature.clear()), Err(Refusal::Incomplete));
}

#[test]
fn a_header_that_is_repeated_is_refused() {
    let mut presented = signed("msg_1", "1700000000", BODY);
    presented.id.push(b"msg_1".to_vec());
    assert_eq!(judged(&presented, BODY, TERMS), Err(Refusal::Repeated));
    let tag = tag(BODY, KEY).into_bytes();
    let presented = Presented {
        tag: vec![tag.clone(), tag],
        ..Presented::default()
    };
    assert_eq!(judged(&presented, BODY, TERMS), Err(Refusal::Repeated));
}

#[test]
fn a_timestamp_is_digits_and_near() {
    for timestamp in [
        "",
        "hello",
        "1700000000abc",
        "1700000000.9",
        "-1700000000",
        "+1700000000",
        " 1700000000",
        "0001700000000",
    ] {
        let presented = signed("msg_1", timestamp, BODY);
        assert_eq!(
            judged(&presented, BODY, TERMS),
            Err(Refusal::Timestamp),
            "{timestamp}"
        );
    }
    for (seconds, near) in [
        (NOW - 299, true),
        (NOW + 299, true),
        (NOW - 301, false),
        (NOW + 301, false),
    ] {
        let presented = signed("msg_1", &seconds.to_string(), BODY);
        assert_eq!(judged(&presented, BODY, TERMS).is_ok(), near, "{seconds}");
    }
}

#[test]
fn an_id_cannot_move_the_cuts() {
    for id in ["", "a.1", "a b", "\u{e9}", "{", &"a".repeat(ID_LIMIT + 1)] {
        let presented = signed(id, "1700000000", BODY);
        assert_eq!(judged(&presented, BODY, TERMS), Err(Refusal::Id), "{id}");
    }
    // The tag of a body, sent as the tag of an id, a timestamp and a shorter body.
    let body = br#"{"event":"a.1700000000.b","data":null}"#;
    let presented = standard(r#"{"event":"a"#, "1700000000", &v1(body));
    assert_eq!(
        judged(&presented, br#"b","data":null}"#, TERMS),
        Err(Refusal::Id)
    );
}

#[test]
fn a_tag_alone_verifies_until_the_standard_is_required() {
    let presented = Presented {
        tag: vec![tag(BODY, KEY).into_bytes()],
        ..Presented::default()
    };
    assert_eq!(
        judged(&presented, BODY, TERMS),
        Ok(Verified { standard: false })
    );
    assert_eq!(judged(&presented, b"other", TERMS), Err(Refusal::Tag));
    let terms = Terms {
        standard_required: true,
        ..TERMS
    };
    assert_eq!(judged(&presented, BODY, terms), Err(Refusal::Required));
}

#[test]
fn a_wrong_tag_fails_beside_a_right_signature() {
    let presented = Presented {
        tag: vec![b"0".repeat(64)],
        ..signed("msg_1", "1700000000", BODY)
    };
    assert_eq!(judged(&presented, BODY, TERMS), Err(Refusal::Tag));
}

#[test]
fn nothing_is_never_verified() {
    let presented = Presented::default();
    assert!(presented.is_unsigned());
    assert_eq!(judged(&presented, BODY, TERMS), Err(Refusal::Tag));
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
