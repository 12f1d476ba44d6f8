//! What the built-in consumer verifies it applies once, and the key before the current one verifies for a while.

use std::path::PathBuf;

use rusqlite::{Connection, params};
use serde_json::json;
use signet::runtime::signer::{Signer, standard::Key};

use crate::support::{Answer, Served, builtin, post};

const TOKEN: &str = "a-token-that-the-operator-set";
const KEY: &str = "FirstKeyFirstKeyFirstKeyFirstKeyFirs";
const SECOND: &str = "SecondKeySecondKeySecondKeySecondKey";
const BODY: &[u8] = br#"{"event":"a.b","data":1}"#;

/// The built-in consumer with a key.
struct Consumer {
    app: Served,
    folder: tempfile::TempDir,
}

impl Consumer {
    fn with(key: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app = builtin(folder.path(), &[("enrolment_token", TOKEN)]);
        let consumer = Self { app, folder };
        let answer = consumer.enrol(key);
        assert_eq!(answer.status, 200, "{}", answer.body);
        consumer
    }

    fn enrol(&self, key: &str) -> Answer {
        let body = json!({ "keyData": key }).to_string();
        let headers = [("x-enrolment-token", TOKEN)];
        let path = "/target?handshake=true";
        post(self.app.addresses()[1], path, &headers, body.as_bytes())
    }

    fn send(&self, id: &str, timestamp: &str, signature: &str, body: &[u8]) -> Answer {
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", signature),
        ];
        post(self.app.addresses()[1], "/target", &headers, body)
    }

    /// Sends what is signed now with this key.
    fn deliver(&self, id: &str, body: &[u8], key: &str) -> Answer {
        let at = now();
        let signature = sign(id, at, body, Key::Secret(key.into()));
        self.send(id, &at.to_string(), &signature, body)
    }

    fn database(&self) -> Connection {
        let state = self.folder.path().join("state");
        let file: PathBuf = state.join("webhook-consumer/sqlite/default.db");
        Connection::open(file).unwrap()
    }

    fn applied(self) -> (usize, String) {
        let output = self.app.stop();
        let applied = "CONSUMER: Applied event \"a.b\"";
        (
            output.lines().filter(|line| *line == applied).count(),
            output,
        )
    }
}

fn sign(id: &str, at: u64, body: &[u8], key: Key) -> String {
    let mut signer = Signer::new().unwrap();
    let signed = signer.sign_standard(id, at, body, &[key]).unwrap();
    signed.unwrap()
}

fn now() -> u64 {
    std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_secs()
}

#[test]
fn a_delivery_that_comes_twice_is_applied_once() {
    let consumer = Consumer::with(KEY);
    for id in ["msg_1", "msg_1", "msg_2"] {
        assert_eq!(consumer.deliver(id, BODY, KEY).status, 200);
    }
    let (applied, output) = consumer.applied();
    assert_eq!(applied, 2, "{output}");
    let again = "CONSUMER: Delivery \"msg_1\" was applied before, and is not applied again";
    assert!(output.lines().any(|line| line == again), "{output}");
}

#[test]
fn of_many_at_once_one_applies_the_delivery() {
    let consumer = Consumer::with(KEY);
    let (address, at) = (consumer.app.addresses()[1], now());
    let (time, signature) = (
        at.to_string(),
        sign("msg_1", at, BODY, Key::Secret(KEY.into())),
    );
    let headers = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", &time),
        ("webhook-signature", &signature),
    ];
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let deliver = || scope.spawn(|| post(address, "/target", &headers, BODY).status);
        let threads: Vec<_> = (0..8).map(|_| deliver()).collect();
        let statuses = threads.into_iter().map(|thread| thread.join().unwrap());
        statuses.collect()
    });
    assert!(statuses.contains(&200), "{statuses:?}");
    let known = |status: &u16| [200, 409].contains(status);
    assert!(statuses.iter().all(known), "{statuses:?}");
    let (applied, output) = consumer.applied();
    assert_eq!(applied, 1, "{output}");
}

#[test]
fn a_claim_is_waited_for_until_its_lease_ends() {
    let consumer = Consumer::with(KEY);
    let claim = "INSERT OR REPLACE INTO DELIVERIES (ID, STATE, CLAIM, AT) VALUES ('msg_1', 'claimed', 1, ?1)";
    let at = |ago: u64| {
        let at = i64::try_from(now() - ago).unwrap();
        consumer.database().execute(claim, params![at]).unwrap();
        consumer.deliver("msg_1", BODY, KEY)
    };
    let taken = at(0);
    assert_eq!(taken.status, 409, "{}", taken.body);
    assert_eq!(taken.headers["retry-after"], "5");
    assert_eq!(at(3600).status, 200);
    assert_eq!(consumer.applied().0, 1);
}

#[test]
fn a_delivery_that_could_not_be_handled_is_given_back() {
    let consumer = Consumer::with(KEY);
    let answer = consumer.deliver("msg_1", b"[]", KEY);
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(answer.json()["type"], "urn:signet:problem:not-an-event");
    assert_eq!(consumer.deliver("msg_1", BODY, KEY).status, 200);
    assert_eq!(consumer.applied().0, 1);
}

#[test]
fn the_key_before_verifies_with_the_standard_only_and_not_the_one_before_that() {
    let consumer = Consumer::with(KEY);
    assert_eq!(consumer.enrol(SECOND).status, 200);
    assert_eq!(consumer.deliver("msg_1", BODY, SECOND).status, 200);
    assert_eq!(consumer.deliver("msg_2", BODY, KEY).status, 200);
    let tag = Signer::new().unwrap().sign(BODY, KEY.as_bytes()).unwrap();
    let tag = String::from_utf8(tag.unwrap()).unwrap();
    let address = consumer.app.addresses()[1];
    let alone = post(address, "/target", &[("x-signature", &tag)], BODY);
    assert_eq!(alone.status, 400, "{}", alone.body);
    assert_eq!(
        consumer
            .enrol("ThirdKeyThirdKeyThirdKeyThirdKeyThir")
            .status,
        200
    );
    assert_eq!(consumer.deliver("msg_3", BODY, SECOND).status, 200);
    assert_eq!(consumer.deliver("msg_4", BODY, KEY).status, 400);
}

#[test]
fn the_published_keys_verify_and_what_must_fail_is_one_opaque_answer() {
    let file = include_str!("../../../guest-consumer/tests/standard-webhooks.json");
    let vectors: serde_json::Value = serde_json::from_str(file).unwrap();
    for (place, vector) in vectors["valid"].as_array().unwrap().iter().enumerate() {
        let text = |name: &str| vector[name].as_str().map(str::to_owned);
        let secret = text("secret").unwrap();
        let consumer = Consumer::with(&text("public").unwrap_or(secret.clone()));
        let (at, key) = (now(), Key::Text(secret));
        let (id, body) = (format!("msg_{place}"), text("body").unwrap());
        let signed = |id: &str, at: u64| sign(id, at, body.as_bytes(), key.clone());
        let (good, time) = (signed(&id, at), at.to_string());
        let send =
            |id: &str, time: &str, list: &str| consumer.send(id, time, list, body.as_bytes());
        let mut bodies = Vec::new();
        for (time, list) in [
            ("hello", &*good),
            (&format!("{time}abc"), &good),
            (&format!("{time}.9"), &good),
            ("", &good),
            (&format!("-{time}"), &good),
            (&(at - 400).to_string(), &signed(&id, at - 400)),
            (&(at + 400).to_string(), &signed(&id, at + 400)),
            (&time, "v1,"),
            (&time, &good[..40]),
            (&time, &format!("v2,{}", &good[3..])),
        ] {
            let answer = send(&id, time, list);
            assert_eq!(answer.status, 400, "{time} {list} {}", answer.body);
            bodies.push(answer.body);
        }
        bodies.push(send("a.1", &time, &good).body);
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
        let listed = format!("v1,AAAA v2,AAAA {good}");
        assert_eq!(send(&id, &time, &listed).status, 200);
        for key in ["", "whsec_"] {
            assert_eq!(consumer.enrol(key).status, 400);
        }
        let (_, output) = consumer.applied();
        assert!(
            output.contains("Refused payload: it was signed "),
            "{output}"
        );
        let named = format!(" (webhook-id {id:?})");
        assert!(output.contains(&named), "{named}: {output}");
    }
}
