//! The faults of the sample that ours does not have: each has its answer here, and each test fails when
//! the answer is taken out.

use std::net::SocketAddr;

use serde_json::json;
use signet::runtime::signer::Signer;

use crate::support::{
    Answer, Receiver, Served, builtin, delete, get, post, receiver::Manner, root,
};

const JSON: (&str, &str) = ("content-type", "application/json");
const TOKEN: &str = "a-token-that-the-operator-set";

struct Loop {
    app: Served,
    _folder: tempfile::TempDir,
}

impl Loop {
    fn start() -> Self {
        Self::with(&[("enrolment_token", TOKEN)])
    }

    /// An app whose producer may also reach a receiver of the test.
    fn reaching(receiver: &Receiver) -> Self {
        Self::with(&[
            ("enrolment_token", TOKEN),
            ("consumer_port", &receiver.address.port().to_string()),
        ])
    }

    fn with(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            app: builtin(folder.path(), variables),
            _folder: folder,
        }
    }

    fn producer(&self) -> SocketAddr {
        self.app.addresses()[0]
    }

    fn consumer(&self) -> SocketAddr {
        self.app.addresses()[1]
    }

    fn target(&self) -> String {
        format!("http://localhost:{}/target", self.consumer().port())
    }

    fn register(&self, url: &str, event: &str) -> Answer {
        post(
            self.producer(),
            "/registrations",
            &[JSON],
            json!({ "url": url, "event": event }).to_string().as_bytes(),
        )
    }

    /// Registers the built-in consumer and returns its key.
    fn enrolled(&self) -> String {
        let answer = self.register(&self.target(), "*");
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["signingKey"].as_str().unwrap().to_owned()
    }

    fn fire(&self, event: &str) -> serde_json::Value {
        let answer = post(
            self.producer(),
            "/fire",
            &[JSON],
            json!({ "event": event, "data": 1 }).to_string().as_bytes(),
        );
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    fn handshake(&self, headers: &[(&str, &str)], key: &str) -> Answer {
        post(
            self.consumer(),
            "/target?handshake=true",
            headers,
            json!({ "keyData": key }).to_string().as_bytes(),
        )
    }

    fn send(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        post(self.consumer(), "/target", headers, body)
    }
}

fn tag(body: &[u8], key: &str) -> String {
    let tag = Signer::new()
        .unwrap()
        .sign(body, key.as_bytes())
        .unwrap()
        .unwrap();
    String::from_utf8(tag).unwrap()
}

const STRANGERS_KEY: &str = "StrangersKeyStrangersKeyStrangersKey";

#[test]
fn a_key_is_shown_once_and_never_listed_or_printed() {
    let l = Loop::start();
    let key = l.enrolled();
    let id = get(l.producer(), "/registrations").json()[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for path in ["/registrations".to_owned(), format!("/registrations/{id}")] {
        let listed = get(l.producer(), &path).body;
        assert!(
            !listed.contains(&key) && !listed.contains("igningKey"),
            "{listed}"
        );
    }
    l.fire("any.event");
    let output = l.app.stop();
    assert!(
        !output.contains(&key) && !output.contains(TOKEN),
        "{output}"
    );
}

#[test]
fn a_handshake_without_token_or_signature_does_not_change_the_key() {
    let l = Loop::start();
    let key = l.enrolled();
    let wrong = tag(
        json!({ "keyData": STRANGERS_KEY }).to_string().as_bytes(),
        STRANGERS_KEY,
    );
    for headers in [
        &[][..],
        &[("x-enrolment-token", "a guess")],
        &[("x-enrolment-token", "")],
        &[("x-signature", &wrong)],
    ] {
        let answer = l.handshake(headers, STRANGERS_KEY);
        assert!([401, 403].contains(&answer.status), "{}", answer.body);
    }
    assert_eq!(
        l.send(&[("x-signature", &tag(b"{}", STRANGERS_KEY))], b"{}")
            .status,
        400
    );
    assert_eq!(
        l.send(&[("x-signature", &tag(b"{}", &key))], b"{}").status,
        200
    );
}

#[test]
fn a_key_is_replaced_with_the_token_or_by_the_current_key() {
    let l = Loop::start();
    let key = l.enrolled();
    let second = "SecondKeySecondKeySecondKeySecondKey";
    let body = json!({ "keyData": second }).to_string();
    assert_eq!(
        l.handshake(&[("x-signature", &tag(body.as_bytes(), &key))], second)
            .status,
        200
    );
    assert_eq!(
        l.send(&[("x-signature", &tag(b"{}", second))], b"{}")
            .status,
        200
    );
    assert_eq!(
        l.send(&[("x-signature", &tag(b"{}", &key))], b"{}").status,
        400
    );
    assert_eq!(
        l.handshake(&[("x-enrolment-token", TOKEN)], STRANGERS_KEY)
            .status,
        200
    );
    assert_eq!(
        l.send(&[("x-signature", &tag(b"{}", STRANGERS_KEY))], b"{}")
            .status,
        200
    );
}

#[test]
fn a_consumer_without_a_token_lets_nobody_enrol() {
    let l = Loop::with(&[("enrolment_token", "")]);
    assert_eq!(
        l.handshake(&[("x-enrolment-token", "")], STRANGERS_KEY)
            .status,
        403
    );
    assert_eq!(l.handshake(&[], STRANGERS_KEY).status, 403);
}

#[test]
fn the_token_goes_to_the_operators_own_consumer_alone() {
    let stranger = Receiver::answers(200);
    let own = Receiver::answers(200);
    // The manifest of the built-in producer, with a second host that it may call.
    let folder = tempfile::tempdir().unwrap();
    let guests = signet::builtin::COMPONENTS.iter();
    guests.for_each(|(name, bytes)| {
        std::fs::write(folder.path().join(format!("{name}.wasm")), bytes).unwrap()
    });
    let producer = root().join("guest-producer");
    let text = std::fs::read_to_string(producer.join("spin.toml")).unwrap();
    let text = text.replace("../target/guests", &folder.path().to_string_lossy());
    let text = text.replace(
        "\"migrations/",
        &format!("\"{}/migrations/", producer.display()),
    );
    let hosts = format!("allowed_outbound_hosts = [\"{}\",", stranger.url(""));
    let text = text.replace("allowed_outbound_hosts = [", &hosts);
    let manifest = folder.path().join("spin.toml");
    std::fs::write(&manifest, text).unwrap();
    let variables = [
        ("enrolment_token", TOKEN),
        ("consumer_port", &own.address.port().to_string()),
    ];
    let app = crate::support::serve(&manifest, &variables);
    for receiver in [&stranger, &own] {
        let body = json!({ "url": receiver.url("/hook") }).to_string();
        let answer = post(app.address(), "/registrations", &[JSON], body.as_bytes());
        assert_eq!(answer.status, 201, "{}", answer.body);
        let received = &receiver.received()[0];
        assert_eq!(received.uri, "/hook?handshake=true");
        let shown = received.headers.values().any(|value| value == TOKEN);
        assert_eq!(shown, receiver.address == own.address);
    }
}

#[test]
fn a_failed_handshake_leaves_no_row_behind() {
    let receiver = Receiver::answers(500);
    let l = Loop::reaching(&receiver);
    assert_eq!(l.register(&receiver.url("/hook"), "*").status, 502);
    assert_eq!(get(l.producer(), "/registrations").json(), json!([]));
    // And the way is free for the next try.
    receiver.now(Manner::Answers(200));
    assert_eq!(l.register(&receiver.url("/hook"), "*").status, 201);
}

#[test]
fn registering_twice_is_a_conflict_and_keeps_the_first() {
    let l = Loop::start();
    let key = l.enrolled();
    let again = l.register(&l.target(), "*");
    assert_eq!(again.status, 409, "{}", again.body);
    assert_eq!(again.headers["content-type"], "application/problem+json");
    assert_eq!(
        l.send(&[("x-signature", &tag(b"{}", &key))], b"{}").status,
        200
    );
}

#[test]
fn a_consumer_that_fails_stops_no_other() {
    let receiver = Receiver::answers(200);
    let l = Loop::reaching(&receiver);
    for path in ["/one", "/two", "/three"] {
        assert_eq!(l.register(&receiver.url(path), "*").status, 201);
    }
    receiver.now(Manner::Answers(503));
    let results = l.fire("x.y");
    assert_eq!(results["results"].as_array().unwrap().len(), 3);
    assert_eq!(
        receiver
            .received()
            .iter()
            .filter(|received| !received.uri.contains("handshake"))
            .count(),
        3
    );
    assert_eq!(
        (&results["delivered"], &results["failed"]),
        (&json!(0), &json!(3))
    );
}

#[test]
fn a_silent_consumer_ends_at_its_timeout_and_stops_no_other() {
    let receiver = Receiver::answers(200);
    let l = Loop::reaching(&receiver);
    for path in ["/silent", "/other"] {
        assert_eq!(l.register(&receiver.url(path), "*").status, 201);
    }
    receiver.now(Manner::SilentOn("/silent"));
    let results = l.fire("x.y");
    assert_eq!(
        (&results["delivered"], &results["failed"]),
        (&json!(1), &json!(1)),
        "{results}"
    );
    assert!(results["results"][0]["error"].is_string(), "{results}");
    assert_eq!(results["results"][1]["status"], json!(200), "{results}");
}

#[test]
fn the_event_filter_is_honoured() {
    let receiver = Receiver::answers(200);
    let l = Loop::reaching(&receiver);
    for (path, event) in [
        ("/all", "*"),
        ("/exact", "order.paid"),
        ("/prefix", "order.*"),
        ("/other", "user.created"),
    ] {
        assert_eq!(l.register(&receiver.url(path), event).status, 201);
    }
    l.fire("order.paid");
    let mut sent: Vec<_> = receiver
        .received()
        .into_iter()
        .map(|received| received.uri)
        .filter(|uri| !uri.contains('?'))
        .collect();
    sent.sort();
    assert_eq!(sent, ["/all", "/exact", "/prefix"]);
    let refused = l.register(&receiver.url("/bad"), "order.*.paid");
    assert_eq!(refused.status, 400, "{}", refused.body);
}

#[test]
fn a_request_without_signature_or_before_any_handshake_has_its_answer() {
    let l = Loop::start();
    assert_eq!(
        l.send(&[("x-signature", &tag(b"{}", STRANGERS_KEY))], b"{}")
            .status,
        409
    );
    l.enrolled();
    let unsigned = l.send(&[], b"{}");
    assert_eq!(unsigned.status, 400);
    assert_eq!(unsigned.json()["title"], "signature is missing");
    for malformed in ["", "nonsense", "00"] {
        assert_eq!(l.send(&[("x-signature", malformed)], b"{}").status, 400);
    }
}

/// What a receiver of the test was sent, replayed to the built-in consumer under the same key.
struct Captured {
    l: Loop,
    key: String,
}

impl Captured {
    fn headers(&self, timestamp: i64, body: &[u8]) -> [(&'static str, String); 4] {
        let id = "msg_1";
        let content = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
        let signature = base64(&tag(&content, &self.key));
        [
            ("x-signature", tag(body, &self.key)),
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", format!("v1,{signature}")),
        ]
    }

    fn send(&self, headers: &[(&'static str, String)], body: &[u8]) -> u16 {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.l.send(&headers, body).status
    }
}

/// The Base64 of what a tag's hexadecimal digits mean.
fn base64(hex: &str) -> String {
    use base64::Engine as _;
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

fn now() -> i64 {
    i64::try_from(
        std::time::SystemTime::UNIX_EPOCH
            .elapsed()
            .unwrap()
            .as_secs(),
    )
    .unwrap()
}

#[test]
fn a_captured_request_is_refused_when_it_is_old() {
    let l = Loop::start();
    let key = l.enrolled();
    let captured = Captured { l, key };
    let body = br#"{"event":"a.b","data":1}"#;
    assert_eq!(captured.send(&captured.headers(now(), body), body), 200);
    for skew in [-400, 400] {
        assert_eq!(
            captured.send(&captured.headers(now() + skew, body), body),
            400
        );
    }
    let mut moved = captured.headers(now() - 400, body);
    moved[2].1 = now().to_string();
    assert_eq!(
        captured.send(&moved, body),
        400,
        "a timestamp that was not signed"
    );
    // Once the producer has shown that it signs time, a request without time is a replay.
    assert_eq!(
        captured.send(&captured.headers(now(), body)[..1], body),
        400
    );
    for missing in 1..4 {
        let mut headers = captured.headers(now(), body).to_vec();
        headers.remove(missing);
        assert_eq!(captured.send(&headers, body), 400);
    }
}

#[test]
fn what_is_sent_carries_the_standard_headers() {
    let receiver = Receiver::answers(200);
    let l = Loop::reaching(&receiver);
    let key = l.register(&receiver.url("/hook"), "*").json()["signingKey"]
        .as_str()
        .unwrap()
        .to_owned();
    l.fire("a.b");
    let sent = receiver.received().pop().unwrap();
    let header = |name: &str| sent.headers[name].to_str().unwrap().to_owned();
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    assert!((timestamp.parse::<i64>().unwrap() - now()).abs() < 60);
    let content = [format!("{id}.{timestamp}.").as_bytes(), &sent.body].concat();
    assert_eq!(
        header("webhook-signature"),
        format!("v1,{}", base64(&tag(&content, &key)))
    );
    assert_eq!(header("x-signature"), tag(&sent.body, &key));
    let payload: serde_json::Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(payload, json!({ "event": "a.b", "data": 1 }));
}

#[test]
fn the_producer_calls_only_where_its_manifest_lets_it() {
    let other = Receiver::answers(200);
    let l = Loop::start();
    for url in [
        other.url("/hook"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://[::1]:3002/".to_owned(),
    ] {
        let answer = l.register(&url, "*");
        assert_eq!(answer.status, 403, "{url}: {}", answer.body);
        assert!(
            answer.body.contains("allowed_outbound_hosts"),
            "{}",
            answer.body
        );
    }
    for url in [
        "ftp://localhost/",
        "not a url",
        "http://user:secret@localhost:3002/",
        "",
    ] {
        assert_eq!(l.register(url, "*").status, 400, "{url}");
    }
    assert!(other.received().is_empty());
    assert_eq!(get(l.producer(), "/registrations").json(), json!([]));
    assert_eq!(delete(l.producer(), "/registrations").status, 204);
}
