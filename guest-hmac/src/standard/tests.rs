//! The published vectors, and the whole list of what must fail, each with its own reason.

use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT: u64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const TOLERANCE: u64 = 300;

#[derive(serde::Deserialize)]
struct Vectors {
    valid: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    secret: String,
    public: Option<String>,
    id: String,
    timestamp: u64,
    body: String,
    signature: String,
}

fn cases() -> Vec<Case> {
    let text = include_str!("../../tests/standard-webhooks.json");
    let vectors: Vectors = serde_json::from_str(text).unwrap();
    assert_eq!(vectors.valid.len(), 3);
    vectors.valid
}

fn at(now: u64) -> Clock {
    Clock {
        now,
        tolerance: TOLERANCE,
    }
}

/// Verifies the one webhook of these tests, with `change` made to its headers.
fn judge(keys: &[Given<'_>], change: impl FnOnce(&mut Headers<'_>)) -> Result<Verified, Refusal> {
    let list = good();
    let mut headers = headers(&list);
    change(&mut headers);
    verify(headers, BODY, keys, at(AT))
}

fn headers(list: &str) -> Headers<'_> {
    Headers {
        id: Some(ID),
        timestamp: Some("1614265330"),
        signature: Some(list),
    }
}

fn good() -> String {
    sign(ID, AT, BODY, &[Given::Text(SECRET)]).unwrap()
}

/// What comes of a list of signatures under the one secret.
fn listed(list: &str) -> Result<Verified, Refusal> {
    verify(headers(list), BODY, &[Given::Text(SECRET)], at(AT))
}

fn fits(version: Version, key: u32, entry: u32) -> Result<Verified, Refusal> {
    Ok(Verified {
        version,
        key,
        entry,
    })
}

#[test]
fn signatures_are_the_published_ones() {
    for case in cases() {
        let body = case.body.as_bytes();
        let signed = sign(&case.id, case.timestamp, body, &[Given::Text(&case.secret)]);
        assert_eq!(signed.as_ref(), Ok(&case.signature));
        let timestamp = case.timestamp.to_string();
        let headers = Headers {
            id: Some(&case.id),
            timestamp: Some(&timestamp),
            signature: Some(&case.signature),
        };
        for key in [Some(&case.secret), case.public.as_ref()]
            .into_iter()
            .flatten()
        {
            let verified = verify(headers, body, &[Given::Text(key)], at(case.timestamp)).unwrap();
            assert_eq!((verified.key, verified.entry), (0, 0));
        }
        if let Some(public) = &case.public {
            assert_eq!(public_key(Given::Text(&case.secret)).as_ref(), Ok(public));
            assert_eq!(public_key(Given::Text(public)).as_ref(), Ok(public));
        }
    }
}

#[test]
fn a_missing_header_is_named() {
    let keys = [Given::Text(SECRET)];
    for (header, reason) in [
        (0, Header::Id),
        (1, Header::Timestamp),
        (2, Header::Signature),
    ] {
        let refused = judge(&keys, |headers| match header {
            0 => headers.id = None,
            1 => headers.timestamp = None,
            _ => headers.signature = None,
        });
        assert_eq!(refused, Err(Refusal::MissingHeader(reason)));
    }
}

#[test]
fn a_timestamp_that_is_none_is_refused_as_such() {
    for text in [
        "hello",
        "1614265330abc",
        "1614265330.9",
        "",
        "-1614265330",
        "-1",
        "1614265330000",
    ] {
        let refused = judge(&[Given::Text(SECRET)], |headers| {
            headers.timestamp = Some(text)
        });
        assert_eq!(refused, Err(Refusal::BadTimestamp), "{text:?}");
    }
}

#[test]
fn too_old_and_too_new_say_by_how_much() {
    let list = good();
    for (now, judgement) in [
        (AT + 299, fits(Version::V1, 0, 0)),
        (AT - 299, fits(Version::V1, 0, 0)),
        (AT + 301, Err(Refusal::TooOld(301))),
        (AT - 301, Err(Refusal::TooNew(301))),
        (u64::MAX, Err(Refusal::TooOld(u64::MAX - AT))),
        (0, Err(Refusal::TooNew(AT))),
    ] {
        let keys = [Given::Text(SECRET)];
        assert_eq!(
            verify(headers(&list), BODY, &keys, at(now)),
            judgement,
            "{now}"
        );
    }
}

#[test]
fn a_signature_that_is_malformed_or_changed_is_refused_as_what_it_is() {
    let good = good();
    let end = good.len();
    // Only the bits that base64 leaves over differ: another text for the same bytes.
    let loose = good.replace("J1OE=", "J1OF=");
    assert_ne!(loose, good);
    for (list, reason) in [
        ("v1,", Refusal::MalformedEntry(0)),
        ("v1", Refusal::MalformedEntry(0)),
        (",", Refusal::MalformedEntry(0)),
        (&good[3..], Refusal::MalformedEntry(0)),
        (&good[..end - 1], Refusal::MalformedEntry(0)),
        (&good[..end - 2], Refusal::MalformedEntry(0)),
        (&good[..end - 5], Refusal::MalformedEntry(0)),
        (&good[..12], Refusal::MalformedEntry(0)),
        (&loose, Refusal::MalformedEntry(0)),
        (
            &format!("{}A", &good[..end - 1]),
            Refusal::MalformedEntry(0),
        ),
        (
            &format!("v2,x {}", &good[..end - 1]),
            Refusal::MalformedEntry(1),
        ),
        (&good.replace("J1OE=", "J1OA="), Refusal::NoMatch),
        (&good.replace("v1,g", "v1,h"), Refusal::NoMatch),
        (&good.replace("v1,", "V1,"), Refusal::UnknownVersions),
        (&good.replace("v1,", "v1a,"), Refusal::MalformedEntry(0)),
        ("", Refusal::NoSignature),
        ("   ", Refusal::NoSignature),
        (
            "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            Refusal::UnknownVersions,
        ),
        ("v2,x v3,", Refusal::UnknownVersions),
        (&good.replace('=', "=,"), Refusal::MalformedEntry(0)),
        (&good.replace(',', "\t,"), Refusal::UnknownVersions),
        (&format!("{good}\n"), Refusal::MalformedEntry(0)),
    ] {
        assert_eq!(listed(list), Err(reason), "{list:?}");
    }
}

#[test]
fn one_entry_that_fits_is_enough_whatever_stands_beside_it() {
    let good = good();
    let bad = good.replace("v1,g", "v1,h");
    for (list, entry) in [
        (format!("{bad} {} {good}", bad.replace("v1,", "v2,")), 2),
        (format!("v1, v2, nonsense v1a,x {good}"), 4),
        (format!("{good} {bad}"), 0),
        (format!("  {bad}  {good}  "), 1),
    ] {
        assert_eq!(listed(&list), fits(Version::V1, 0, entry), "{list}");
    }
}

#[test]
fn a_list_is_read_to_its_sixteenth_entry_and_no_further() {
    let good = good();
    let many = |count| "v2,x ".repeat(count) + &good;
    assert_eq!(listed(&many(15)), fits(Version::V1, 0, 15));
    assert_eq!(listed(&many(16)), Err(Refusal::TooManyEntries));
    assert_eq!(listed(&many(100_000)), Err(Refusal::TooManyEntries));
}

#[test]
fn a_key_that_cannot_be_used_is_named_with_its_place() {
    let of = |bytes: usize| format!("whsec_{}", Base64::encode_string(&vec![7; bytes]));
    let halves = [[7; 32], [8; 32]].concat();
    for (key, fault) in [
        (Given::Text(""), KeyFault::Empty),
        (Given::Text("whsec_"), KeyFault::Empty),
        (Given::Text("whsk_"), KeyFault::Empty),
        (Given::Text("whpk_"), KeyFault::Empty),
        (Given::Text("whsec_not base64"), KeyFault::NotBase64),
        (
            Given::Text(&SECRET[..SECRET.len() - 1]),
            KeyFault::NotBase64,
        ),
        (
            Given::Text("whfoo_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            KeyFault::NotBase64,
        ),
        (
            Given::Text(" whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            KeyFault::NotBase64,
        ),
        (Given::Text("whsk_é"), KeyFault::NotBase64),
        (Given::Text(&of(23)), KeyFault::TooShort),
        (Given::Text(&of(65)), KeyFault::TooLong),
        (
            Given::Text("whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            KeyFault::WrongLength,
        ),
        (
            Given::Text("whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            KeyFault::WrongLength,
        ),
        (Given::Secret(&[7; 23]), KeyFault::TooShort),
        (Given::Secret(&[7; 65]), KeyFault::TooLong),
        (Given::Secret(&[]), KeyFault::Empty),
        (Given::Signing(&[7; 33]), KeyFault::WrongLength),
        (Given::Signing(&halves), KeyFault::HalvesDiffer),
        (Given::Public(&[7; 31]), KeyFault::WrongLength),
        (Given::Public(&[0; 32]), KeyFault::NotAPublicKey),
        (Given::Public(&[2; 32]), KeyFault::NotAPublicKey),
    ] {
        let error = KeyError { index: 1, fault };
        let keys = [Given::Text(SECRET), key];
        assert_eq!(judge(&keys, |_| ()), Err(Refusal::BadKey(error)));
        assert_eq!(sign(ID, AT, BODY, &keys), Err(SignError::BadKey(error)));
    }
    let error = KeyError {
        index: 0,
        fault: KeyFault::NoneGiven,
    };
    assert_eq!(judge(&[], |_| ()), Err(Refusal::BadKey(error)));
    assert_eq!(sign(ID, AT, BODY, &[]), Err(SignError::BadKey(error)));
    // Without its padding it is the same key.
    let padded = of(32);
    let signed = |key: &str| sign(ID, AT, BODY, &[Given::Text(key)]).unwrap();
    assert_eq!(signed(padded.trim_end_matches('=')), signed(&padded));
    for length in [24, 32, 64] {
        let key = [Given::Text(&of(length))];
        let list = sign(ID, AT, BODY, &key).unwrap();
        assert_eq!(
            verify(headers(&list), BODY, &key, at(AT)),
            fits(Version::V1, 0, 0)
        );
    }
}

#[test]
fn a_secret_is_the_same_with_its_prefix_without_it_and_as_bytes() {
    let bare = &SECRET[6..];
    let bytes = Base64::decode_vec(bare).unwrap();
    for key in [Given::Text(bare), Given::Secret(&bytes)] {
        assert_eq!(sign(ID, AT, BODY, &[key]).unwrap(), good());
        assert_eq!(judge(&[key], |_| ()), fits(Version::V1, 0, 0));
    }
}

#[test]
fn an_id_with_a_full_stop_neither_signs_nor_verifies() {
    let key = [Given::Text(SECRET)];
    // `a.1` at AT with `x`, and `a` at 1 with `AT.x`, are the same bytes.
    let list = sign("a", 1, b"1614265330.x", &key).unwrap();
    let moved = Headers {
        id: Some("a.1"),
        timestamp: Some("1614265330"),
        signature: Some(&list),
    };
    assert_eq!(verify(moved, b"x", &key, at(AT)), Err(Refusal::BadId));
    let long = "a".repeat(257);
    for id in ["a.1", ".", "", "a b", "a\n", "a\0", "é", "\u{7f}", &long] {
        assert_eq!(sign(id, AT, BODY, &key), Err(SignError::BadId), "{id:?}");
        let headers = Headers {
            id: Some(id),
            ..moved
        };
        assert_eq!(
            verify(headers, b"x", &key, at(AT)),
            Err(Refusal::BadId),
            "{id:?}"
        );
    }
    assert!(sign(&long[..256], AT, BODY, &key).is_ok());
    assert_eq!(
        sign(ID, 1_000_000_000_000, BODY, &key),
        Err(SignError::BadTimestamp)
    );
}

#[test]
fn a_body_of_any_bytes_and_an_empty_one_verify() {
    let signing = make_signing_key(&[9; 32]).unwrap();
    for body in [&b""[..], b"\xff\xfe\x00", &[0x2e; 3], &[0xc3; 100_000]] {
        for key in [Given::Text(SECRET), Given::Text(&signing)] {
            let list = sign(ID, AT, body, &[key]).unwrap();
            assert!(verify(headers(&list), body, &[key], at(AT)).is_ok());
            let mut other = body.to_vec();
            other.push(0);
            assert_eq!(
                verify(headers(&list), &other, &[key], at(AT)),
                Err(Refusal::NoMatch)
            );
        }
    }
}

#[test]
fn several_keys_sign_and_any_of_them_verifies() {
    let old = make_secret(&[1; 24]).unwrap();
    let new = make_secret(&[2; 64]).unwrap();
    let signing = make_signing_key(&[3; 32]).unwrap();
    let public = public_key(Given::Text(&signing)).unwrap();
    let all = [Given::Text(&old), Given::Text(&signing), Given::Text(&new)];
    let list = sign(ID, AT, BODY, &all).unwrap();
    let versions: Vec<_> = list
        .split(' ')
        .map(|entry| entry.split_once(',').unwrap().0)
        .collect();
    assert_eq!(versions, ["v1", "v1a", "v1"]);
    let found = |keys: &[Given<'_>]| verify(headers(&list), BODY, keys, at(AT));
    assert_eq!(found(&[Given::Text(&old)]), fits(Version::V1, 0, 0));
    assert_eq!(found(&[Given::Text(&new)]), fits(Version::V1, 0, 2));
    assert_eq!(found(&[Given::Text(&public)]), fits(Version::V1a, 0, 1));
    assert_eq!(found(&[Given::Text(&signing)]), fits(Version::V1a, 0, 1));
    let stranger = make_secret(&[4; 32]).unwrap();
    assert_eq!(
        found(&[Given::Text(&stranger), Given::Text(&new)]),
        fits(Version::V1, 1, 2)
    );
    assert_eq!(found(&[Given::Text(&stranger)]), Err(Refusal::NoMatch));
    let stranger = make_signing_key(&[4; 32]).unwrap();
    assert_eq!(found(&[Given::Text(&stranger)]), Err(Refusal::NoMatch));
    // A signature of one version is nothing to a key of the other.
    assert_eq!(
        listed(list.split(' ').nth(1).unwrap()),
        Err(Refusal::NoKeyForVersion)
    );
    let error = KeyError {
        index: 1,
        fault: KeyFault::CannotSign,
    };
    let keys = [Given::Text(&new), Given::Text(&public)];
    assert_eq!(sign(ID, AT, BODY, &keys), Err(SignError::BadKey(error)));
}

#[test]
fn one_changed_bit_of_anything_that_is_signed_fails() {
    let signing = make_signing_key(&[5; 32]).unwrap();
    let public = public_key(Given::Text(&signing)).unwrap();
    let pairs = [
        (Given::Text(SECRET), Given::Text(SECRET)),
        (Given::Text(&signing), Given::Text(&public)),
    ];
    for (signs, verifies) in pairs {
        let list = sign("id", AT, b"body", &[signs]).unwrap();
        let judge = |id: &str, at_text: &str, body: &[u8], list: &str| {
            let headers = Headers {
                id: Some(id),
                timestamp: Some(at_text),
                signature: Some(list),
            };
            verify(headers, body, &[verifies], at(AT))
        };
        assert!(judge("id", "1614265330", b"body", &list).is_ok());
        assert_eq!(
            judge("ie", "1614265330", b"body", &list),
            Err(Refusal::NoMatch)
        );
        assert_eq!(
            judge("id", "1614265331", b"body", &list),
            Err(Refusal::NoMatch)
        );
        // The same number, written in another way, was not signed.
        assert_eq!(
            judge("id", "01614265330", b"body", &list),
            Err(Refusal::NoMatch)
        );
        assert_eq!(
            judge("id", "1614265330", b"bodz", &list),
            Err(Refusal::NoMatch)
        );
        let (version, encoded) = list.split_once(',').unwrap();
        let bytes = Base64::decode_vec(encoded).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            let list = format!("{version},{}", Base64::encode_string(&other));
            assert_eq!(
                judge("id", "1614265330", b"body", &list),
                Err(Refusal::NoMatch)
            );
        }
    }
}

#[test]
fn keys_are_made_of_random_bytes_of_the_right_length_only() {
    assert_eq!(make_secret(&[0; 23]), Err(KeyFault::TooShort));
    assert_eq!(make_secret(&[0; 65]), Err(KeyFault::TooLong));
    assert_eq!(make_secret(&[]), Err(KeyFault::Empty));
    assert_eq!(make_signing_key(&[0; 31]), Err(KeyFault::WrongLength));
    assert_eq!(make_signing_key(&[]), Err(KeyFault::Empty));
    let whole = Base64::decode_vec(&make_signing_key(&[6; 32]).unwrap()[5..]).unwrap();
    assert_eq!(whole.len(), 64);
    assert_eq!(make_signing_key(&whole), Err(KeyFault::WrongLength));
    // The seed alone is the same key.
    let signed = |key| sign(ID, AT, BODY, &[key]).unwrap();
    assert_eq!(
        signed(Given::Signing(&whole)),
        signed(Given::Signing(&whole[..32]))
    );
    assert_eq!(public_key(Given::Text(SECRET)), Err(KeyFault::WrongLength));
}

#[test]
fn a_signature_that_fits_a_key_of_small_order_is_not_one() {
    // Under the neutral element, R = B * s is right for every message.
    let neutral: [u8; 32] = std::array::from_fn(|at| u8::from(at == 0));
    let error = KeyError {
        index: 0,
        fault: KeyFault::NotAPublicKey,
    };
    let refused = judge(&[Given::Public(&neutral)], |_| ());
    assert_eq!(refused, Err(Refusal::BadKey(error)));
}
