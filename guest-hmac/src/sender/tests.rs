//! What the senders publish, and what must fail for each of them.

use super::*;

/// A webhook whose signature is known from elsewhere.
struct Example {
    sender: Sender,
    key: &'static str,
    timestamp: Option<u64>,
    body: String,
    signature: &'static str,
}

fn examples() -> [Example; 4] {
    // docs.github.com, "Validating webhook deliveries".
    let github = Example {
        sender: Sender::Github,
        key: "It's a Secret to Everybody",
        timestamp: None,
        body: "Hello, World!".to_owned(),
        signature: "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    };
    // Shopify publishes none with its key; this one is in the documentation of SQLPage.
    let shopify = Example {
        sender: Sender::Shopify,
        key: "test-webhook-secret",
        timestamp: None,
        body: r#"{"id":1234567890,"email":"customer@example.com","total_price":"123.45"}"#
            .to_owned(),
        signature: "QNyObTlKbMx2qDlPF/ZOZcBqg5OgPg+2oky3zldc0Gw=",
    };
    // docs.slack.dev, "Verifying requests from Slack".
    let slack = Example {
        sender: Sender::Slack,
        key: "8f742231b10e8888abcd99yyyzzz85a5",
        timestamp: Some(1_531_420_618),
        body: "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
               &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
               &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
               &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
            .to_owned(),
        signature: "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    };
    // The event with which Stripe's library for .NET tests itself, its lines ended as Windows ends them.
    let stripe = Example {
        sender: Sender::Stripe,
        key: "whsec_H68eTX02a4bCbiQOOoSAsIytOvuWZrQC",
        timestamp: Some(1_493_329_224),
        body: include_str!("../../tests/stripe-event.json").replace('\n', "\r\n"),
        signature: "t=1493329224,v1=86390d1392d759addd01dde4cfa5aa14d98a3b6cedd07a4aad73749cee26abe6",
    };
    [github, shopify, slack, stripe]
}

/// Verifies an example with other headers, keys and time, where they are given.
struct Trial<'a> {
    example: &'a Example,
    signature: Option<String>,
    timestamp: Option<String>,
    keys: Vec<&'a [u8]>,
    now: u64,
}

impl<'a> Trial<'a> {
    fn of(example: &'a Example) -> Self {
        let timestamp = example
            .timestamp
            .filter(|_| example.sender == Sender::Slack);
        Self {
            example,
            signature: Some(example.signature.to_owned()),
            timestamp: timestamp.map(|at| at.to_string()),
            keys: vec![example.key.as_bytes()],
            now: example.timestamp.unwrap_or_default(),
        }
    }

    fn signed(example: &'a Example, signature: &str) -> Result<u32, Refusal> {
        let signature = Some(signature.to_owned());
        Self {
            signature,
            ..Self::of(example)
        }
        .judge()
    }

    fn judge(&self) -> Result<u32, Refusal> {
        self.judge_body(self.example.body.as_bytes())
    }

    fn judge_body(&self, body: &[u8]) -> Result<u32, Refusal> {
        let headers = Headers {
            signature: self.signature.as_deref(),
            timestamp: self.timestamp.as_deref(),
        };
        let clock = Clock {
            now: self.now,
            tolerance: 300,
        };
        verify(self.example.sender, headers, body, &self.keys, clock)
    }
}

#[test]
fn what_the_senders_publish_verifies_and_is_what_we_sign() {
    for example in &examples() {
        let (body, key) = (example.body.as_bytes(), example.key.as_bytes());
        let signed = sign(example.sender, example.timestamp, body, key);
        assert_eq!(signed.as_deref(), Ok(example.signature));
        assert_eq!(Trial::of(example).judge(), Ok(0));
    }
}

#[test]
fn what_was_changed_on_its_way_does_not_match() {
    for example in &examples() {
        let mut trial = Trial::of(example);
        assert_eq!(trial.judge_body(b""), Err(Refusal::NoMatch));
        assert_eq!(trial.judge_body(b"\xff\xfe"), Err(Refusal::NoMatch));
        let body = example.body.clone() + " ";
        assert_eq!(trial.judge_body(body.as_bytes()), Err(Refusal::NoMatch));
        trial.keys = vec![b"another key"];
        assert_eq!(trial.judge(), Err(Refusal::NoMatch));
        // Any of several keys will do, and is named.
        trial.keys = vec![b"another key", example.key.as_bytes()];
        assert_eq!(trial.judge(), Ok(1));
    }
}

#[test]
fn a_signature_without_its_form_is_refused_as_what_it_is() {
    let [github, shopify, slack, stripe] = examples();
    let hex = github.signature.strip_prefix("sha256=").unwrap();
    let v1 = stripe.signature.strip_prefix("t=1493329224,").unwrap();
    let many = format!("{},{}", stripe.signature, ["v0=x"; 15].join(","));
    for (example, signature, reason) in [
        (&github, "", Refusal::NoSignature),
        (&github, hex, Refusal::MalformedEntry(0)),
        (&github, "sha256=", Refusal::MalformedEntry(0)),
        (&github, &github.signature[..70], Refusal::MalformedEntry(0)),
        (
            &github,
            &format!("{}0", github.signature),
            Refusal::MalformedEntry(0),
        ),
        (
            &github,
            &format!("{}g", &github.signature[..70]),
            Refusal::MalformedEntry(0),
        ),
        (
            &github,
            &format!("{}8", &github.signature[..70]),
            Refusal::NoMatch,
        ),
        (&github, &format!("sha1={hex}"), Refusal::UnknownVersions),
        (&shopify, "", Refusal::NoSignature),
        (
            &shopify,
            &shopify.signature[..43],
            Refusal::MalformedEntry(0),
        ),
        (
            &shopify,
            "QNyObTlKbMx2qDlPF/ZOZcBqg5OgPg+2oky3zldc0Gx=",
            Refusal::MalformedEntry(0),
        ),
        (
            &shopify,
            "ANyObTlKbMx2qDlPF/ZOZcBqg5OgPg+2oky3zldc0Gw=",
            Refusal::NoMatch,
        ),
        (&slack, "", Refusal::NoSignature),
        (&slack, "v0", Refusal::MalformedEntry(0)),
        (&slack, &slack.signature[..66], Refusal::MalformedEntry(0)),
        (
            &slack,
            &slack.signature.replace("v0", "v1"),
            Refusal::UnknownVersions,
        ),
        (&slack, &slack.signature.replace('a', "b"), Refusal::NoMatch),
        (&stripe, "", Refusal::NoSignature),
        (&stripe, v1, Refusal::BadTimestamp),
        (&stripe, &format!("t=,{v1}"), Refusal::BadTimestamp),
        (
            &stripe,
            &format!("t=1493329224.0,{v1}"),
            Refusal::BadTimestamp,
        ),
        (
            &stripe,
            &format!("t=-1493329224,{v1}"),
            Refusal::BadTimestamp,
        ),
        (
            &stripe,
            &format!("t=1,{}", stripe.signature),
            Refusal::BadTimestamp,
        ),
        (&stripe, "t=1493329224", Refusal::UnknownVersions),
        (
            &stripe,
            &stripe.signature.replace("v1", "v0"),
            Refusal::UnknownVersions,
        ),
        (&stripe, "t=1493329224,v1=", Refusal::MalformedEntry(1)),
        (
            &stripe,
            "t=1493329224,v0=x,nonsense",
            Refusal::MalformedEntry(2),
        ),
        (
            &stripe,
            &stripe.signature.replace("v1=8", "v1=9"),
            Refusal::NoMatch,
        ),
        (
            &stripe,
            &stripe.signature.replace("1493329224", "1493329225"),
            Refusal::NoMatch,
        ),
        (&stripe, &many, Refusal::TooManyEntries),
    ] {
        assert_eq!(
            Trial::signed(example, signature),
            Err(reason),
            "{signature:?}"
        );
    }
}

#[test]
fn stripe_may_send_several_signatures_of_which_one_is_enough() {
    let [.., stripe] = examples();
    let (time, good) = stripe.signature.split_once(',').unwrap();
    let bad = good.replace("v1=8", "v1=9");
    for list in [
        format!("{time},{bad},{good}"),
        format!("{good},v0=x,{time}"),
        format!("{time},v1=short,nonsense,{good}"),
    ] {
        assert_eq!(Trial::signed(&stripe, &list), Ok(0), "{list}");
    }
}

#[test]
fn a_header_that_did_not_come_is_named() {
    for example in &examples() {
        let mut trial = Trial::of(example);
        if example.sender == Sender::Slack {
            trial.timestamp = None;
            assert_eq!(
                trial.judge(),
                Err(Refusal::MissingHeader(Header::Timestamp))
            );
        }
        trial.signature = None;
        assert_eq!(
            trial.judge(),
            Err(Refusal::MissingHeader(Header::Signature))
        );
    }
}

#[test]
fn where_a_time_is_signed_it_is_judged() {
    for example in &examples() {
        let mut trial = Trial::of(example);
        let Some(at) = example.timestamp else {
            trial.now = u64::MAX;
            assert_eq!(trial.judge(), Ok(0), "no time is signed");
            continue;
        };
        for (now, judgement) in [
            (at + 299, Ok(0)),
            (at - 299, Ok(0)),
            (at + 301, Err(Refusal::TooOld(301))),
            (at - 301, Err(Refusal::TooNew(301))),
        ] {
            trial.now = now;
            assert_eq!(trial.judge(), judgement);
        }
        let (body, key) = (example.body.as_bytes(), example.key.as_bytes());
        for at in [None, Some(1_000_000_000_000)] {
            assert_eq!(
                sign(example.sender, at, body, key),
                Err(SignError::BadTimestamp)
            );
        }
    }
    let [_, _, slack, _] = examples();
    for text in ["", "hello", "1531420618.5", "-1531420618"] {
        let timestamp = Some(text.to_owned());
        let trial = Trial {
            timestamp,
            ..Trial::of(&slack)
        };
        assert_eq!(trial.judge(), Err(Refusal::BadTimestamp), "{text:?}");
    }
}

#[test]
fn an_empty_key_neither_signs_nor_verifies() {
    let error = |index, fault| KeyError { index, fault };
    for example in &examples() {
        let mut trial = Trial::of(example);
        trial.keys.push(b"");
        let refused = trial.judge();
        assert_eq!(refused, Err(Refusal::BadKey(error(1, KeyFault::Empty))));
        trial.keys.clear();
        let refused = trial.judge();
        assert_eq!(refused, Err(Refusal::BadKey(error(0, KeyFault::NoneGiven))));
        let signed = sign(example.sender, example.timestamp, b"", b"");
        assert_eq!(signed, Err(SignError::BadKey(error(0, KeyFault::Empty))));
    }
}
