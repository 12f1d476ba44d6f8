//! Events as people post them: what was answered with 202 is delivered, signed, to every registration that wants it,
//! or stands in the dead letters with its reason, and can be sent again.

use serde_json::{Value, json};
use signet::app::plan::Plan;

use crate::queue::until;
use crate::support::receiver::{Manner, Received};
use crate::support::{
    Answer, Host, Receiver, Served, builtin, builtin_file, delete, get, hmac, open_in, post,
    request, root,
};

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

/// The producer, whose attempts follow one another at once, with these lines in the table of its queue.
pub(crate) fn producer(policy: &str) -> Host {
    let migrations: Vec<_> = [
        "0001-registrations",
        "0002-registration-state",
        "0003-delivery",
        "0004-rotation",
        "0005-wishes",
        "0006-headers",
    ]
    .map(|name| root().join(format!("guest-producer/migrations/{name}.sql")))
    .into();
    Host::of(builtin_file("producer"))
        .with("sqlite_databases = [\"default\"]")
        .with("allowed_outbound_hosts = [\"http://127.0.0.1:*\"]")
        .link("fermyon:hmac@0.1.0", &hmac(), "")
        .link("signet:webhooks@0.1.0", &hmac(), "")
        .and(&format!(
            "[component.guest.tool.signet]\nmigrations = {{ default = {migrations:?} }}\n\
             [component.guest.tool.signet.queue.deliveries]\nschedule_ms = [0]\nattempts = 3\njitter_percent = 0\n{policy}"
        ))
}

/// Registers a receiver at a path of its own and gives the registration.
pub(crate) fn register(served: &Served, receiver: &Receiver, more: Value) -> Value {
    let mut body = json!({ "url": receiver.url("/hook") });
    let members = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(members);
    let answer = post(
        served.address(),
        "/registrations",
        &[JSON],
        body.to_string().as_bytes(),
    );
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()
}

/// Posts an event.
pub(crate) fn event(served: &Served, headers: &[(&str, &str)], body: &Value) -> Answer {
    let headers: Vec<_> = [JSON].iter().chain(headers).copied().collect();
    post(
        served.address(),
        "/events",
        &headers,
        body.to_string().as_bytes(),
    )
}

/// Posts one that is accepted, and gives its id.
pub(crate) fn accepted(served: &Served, body: &Value) -> String {
    let answer = event(served, &[], body);
    assert_eq!(answer.status, 202, "{}", answer.body);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.headers["location"], format!("/events/{id}"));
    id
}

pub(crate) fn order() -> Value {
    json!({ "type": "order.paid", "data": { "order": 7 } })
}

/// What the event's deliveries are, once there are none that wait or run.
pub(crate) fn settled(served: &Served, id: &str) -> Vec<Value> {
    let show = || get(served.address(), &format!("/events/{id}")).json();
    until("it was not settled", || {
        let counts = &show()["counts"];
        counts["waiting"] == 0 && counts["running"] == 0
    });
    show()["deliveries"].as_array().unwrap().clone()
}

/// The deliveries that a receiver got: all but the handshake.
pub(crate) fn deliveries(receiver: &Receiver) -> Vec<Received> {
    let mut received = receiver.received();
    received.retain(|request| !request.uri.contains("handshake"));
    received
}

pub(crate) fn header<'a>(request: &'a Received, name: &str) -> &'a str {
    request.headers[name].to_str().unwrap()
}

#[test]
fn what_was_accepted_is_delivered_and_signed_to_standard_webhooks() {
    let receiver = Receiver::answers(200);
    let served = producer("").start();
    let registration = register(&served, &receiver, json!({ "event": "order.*" }));
    let key = registration["signingKey"].as_str().unwrap();
    let id = accepted(&served, &order());
    let delivery = &settled(&served, &id)[0];
    assert_eq!(delivery["state"], "done", "{delivery}");
    assert_eq!(delivery["registration"], registration["id"]);
    let got = deliveries(&receiver);
    let [got] = &got[..] else { panic!("{got:?}") };
    assert_eq!(header(got, "webhook-id"), id);
    let official = standardwebhooks::Webhook::from_bytes(key.as_bytes().to_vec()).unwrap();
    official.verify(&got.body, &got.headers).unwrap();
    let payload: Value = serde_json::from_slice(&got.body).unwrap();
    assert_eq!(
        (&payload["type"], &payload["data"]),
        (&order()["type"], &order()["data"])
    );
    let shown = get(served.address(), &format!("/events/{id}")).json();
    assert_eq!(
        (&shown["type"], &shown["acceptedAt"]),
        (&payload["type"], &payload["timestamp"])
    );
}

#[test]
fn an_event_goes_to_those_that_want_it() {
    let (orders, users) = (Receiver::answers(200), Receiver::answers(200));
    let served = producer("").start();
    register(&served, &orders, json!({ "event": "order.*" }));
    register(&served, &users, json!({ "event": "user.added" }));
    assert_eq!(settled(&served, &accepted(&served, &order())).len(), 1);
    let nobodys = json!({ "type": "nobody.asked", "data": null });
    assert!(settled(&served, &accepted(&served, &nobodys)).is_empty());
    assert_eq!(
        (deliveries(&orders).len(), deliveries(&users).len()),
        (1, 0)
    );
}

#[test]
fn a_key_stands_for_one_event_whoever_has_come_since() {
    let (first, second) = (Receiver::answers(200), Receiver::answers(200));
    let served = producer("").start();
    register(&served, &first, json!({}));
    let keyed = |body: &Value| event(&served, &[("idempotency-key", "order-7")], body);
    let answer = keyed(&order());
    assert!(!answer.headers.contains_key("idempotent-replayed"));
    register(&served, &second, json!({}));
    let again = keyed(&order());
    assert_eq!((again.status, &again.body), (202, &answer.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = keyed(&json!({ "type": "order.paid", "data": {} }));
    assert_eq!(
        (other.status, &other.json()["id"]),
        (409, &answer.json()["id"])
    );
    settled(&served, answer.json()["id"].as_str().unwrap());
    assert_eq!(
        (deliveries(&first).len(), deliveries(&second).len()),
        (1, 0)
    );
}

#[test]
fn a_failed_delivery_is_tried_again_with_the_same_id() {
    let receiver = Receiver::answers(200);
    let served = producer("").start();
    register(&served, &receiver, json!({}));
    for status in [500, 302, 404] {
        receiver.now(Manner::Answers(status));
        let before = deliveries(&receiver).len();
        let id = accepted(&served, &order());
        let delivery = &settled(&served, &id)[0];
        assert_eq!(
            (&delivery["state"], &delivery["attempts"]),
            (&json!("dead"), &json!(3))
        );
        let reason = delivery["reason"].as_str().unwrap();
        assert!(reason.contains(&format!("status {status}")), "{reason}");
        let got = deliveries(&receiver).split_off(before);
        assert_eq!(got.len(), 3);
        assert!(got.iter().all(|got| header(got, "webhook-id") == id));
        assert!(got.iter().all(|got| got.uri == "/hook"));
    }
}

#[test]
fn a_registration_has_a_schedule_of_its_own() {
    let receiver = Receiver::answers(200);
    let served = producer("").start();
    let registration = register(&served, &receiver, json!({ "schedule": [0, 0, 0, 0, 0] }));
    assert_eq!(registration["schedule"], json!([0, 0, 0, 0, 0]));
    receiver.now(Manner::Answers(500));
    let delivery = &settled(&served, &accepted(&served, &order()))[0];
    assert_eq!(delivery["attempts"], 5, "{delivery}");
}

#[test]
fn dead_letters_are_sent_again_by_event_and_by_registration() {
    let receiver = Receiver::answers(200);
    let served = producer("").start();
    let registration = register(&served, &receiver, json!({}));
    let of = registration["id"].as_str().unwrap();
    receiver.now(Manner::Answers(500));
    let events = [accepted(&served, &order()), accepted(&served, &order())];
    for id in &events {
        assert_eq!(settled(&served, id)[0]["state"], "dead");
    }
    receiver.now(Manner::Answers(200));
    let due = |path: String| {
        let answer = post(served.address(), &path, &[], b"");
        assert_eq!(answer.status, 202, "{}", answer.body);
        answer.json()["due"].clone()
    };
    assert_eq!(due(format!("/events/{}/resend", events[0])), 1);
    assert_eq!(settled(&served, &events[0])[0]["state"], "done");
    let later = "since=2999-01-01T00:00:00Z";
    assert_eq!(due(format!("/registrations/{of}/recover?{later}")), 0);
    let since = "since=2020-01-01T00:00:00Z";
    assert_eq!(due(format!("/registrations/{of}/recover?{since}")), 1);
    let delivery = &settled(&served, &events[1])[0];
    assert_eq!(
        (&delivery["state"], &delivery["attempts"]),
        (&json!("done"), &json!(4))
    );
    // One that was done comes again only if it is asked for by name.
    assert_eq!(due(format!("/events/{}/resend", events[1])), 0);
    assert_eq!(
        due(format!("/events/{}/resend?registration={of}", events[1])),
        1
    );
    assert_eq!(settled(&served, &events[1])[0]["attempts"], 5);
}

#[test]
fn the_attempts_of_a_registration_are_shown_a_page_at_a_time() {
    let receiver = Receiver::answers(200);
    let served = producer("").start();
    let registration = register(&served, &receiver, json!({}));
    receiver.now(Manner::Answers(503));
    let events = [accepted(&served, &order()), accepted(&served, &order())];
    for id in &events {
        settled(&served, id);
    }
    let path = format!(
        "/registrations/{}/attempts",
        registration["id"].as_str().unwrap()
    );
    let page = |query: &str| get(served.address(), &format!("{path}?limit=1{query}")).json();
    let first = page("");
    let shown = first["deliveries"].as_array().unwrap();
    assert_eq!((shown.len(), &shown[0]["event"]), (1, &json!(events[0])));
    let made = shown[0]["made"].as_array().unwrap();
    assert_eq!(made.len(), 3);
    assert_eq!(
        (&made[0]["ended"], &made[2]["ended"]),
        (&json!("retry"), &json!("retry"))
    );
    assert!(made[0]["note"].as_str().unwrap().contains("status 503"));
    let second = page(&format!("&after={}", first["next"].as_str().unwrap()));
    assert_eq!(second["deliveries"][0]["event"], json!(events[1]));
    assert_eq!(second["next"], Value::Null);
}

#[test]
fn who_answers_410_is_disabled_and_others_hear_of_it() {
    let (gone, operator) = (Receiver::answers(200), Receiver::answers(200));
    let served = producer("").start();
    let registration = register(&served, &gone, json!({}));
    register(&served, &operator, json!({ "event": "signet.*" }));
    gone.now(Manner::Answers(410));
    let id = accepted(&served, &order());
    let delivery = &settled(&served, &id)[0];
    assert_eq!(
        (&delivery["state"], &delivery["attempts"]),
        (&json!("dead"), &json!(1))
    );
    until("nobody heard of it", || deliveries(&operator).len() == 1);
    let said: Value = serde_json::from_slice(&deliveries(&operator)[0].body).unwrap();
    assert_eq!(said["type"], "signet.registration.disabled");
    assert_eq!(said["data"]["registration"], registration["id"]);
    let path = format!("/registrations/{}", registration["id"].as_str().unwrap());
    let shown = get(served.address(), &path).json();
    assert!(
        shown["disabled"]["reason"]
            .as_str()
            .unwrap()
            .contains("410"),
        "{shown}"
    );
    // It gets nothing more until it is enabled.
    assert!(settled(&served, &accepted(&served, &order())).is_empty());
    gone.now(Manner::Answers(200));
    assert_eq!(
        post(served.address(), &format!("{path}/enable"), &[], b"").status,
        204
    );
    assert_eq!(get(served.address(), &path).json()["disabled"], Value::Null);
    assert_eq!(
        settled(&served, &accepted(&served, &order()))[0]["state"],
        "done"
    );
    // The same delivery may disable it again, and others hear of that too.
    gone.now(Manner::Answers(410));
    let resend = format!("/events/{id}/resend");
    assert_eq!(post(served.address(), &resend, &[], b"").status, 202);
    until("nobody heard of it again", || {
        deliveries(&operator).len() == 2
    });
}

#[test]
fn a_test_goes_to_one_registration_whatever_it_wants() {
    let (one, other) = (Receiver::answers(200), Receiver::answers(200));
    let served = producer("").start();
    let registration = register(&served, &one, json!({ "event": "order.paid" }));
    register(&served, &other, json!({}));
    let path = format!(
        "/registrations/{}/test",
        registration["id"].as_str().unwrap()
    );
    let answer = post(served.address(), &path, &[], b"");
    assert_eq!(answer.status, 202, "{}", answer.body);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(settled(&served, &id)[0]["state"], "done");
    let got = deliveries(&one);
    assert_eq!((got.len(), deliveries(&other).len()), (1, 0));
    let payload: Value = serde_json::from_slice(&got[0].body).unwrap();
    assert_eq!(payload["type"], "signet.test");
}

#[test]
fn what_waits_for_who_is_removed_is_a_dead_letter() {
    let receiver = Receiver::answers(200);
    let served = producer("").start();
    let registration = register(&served, &receiver, json!({ "schedule": [3600] }));
    let id = accepted(&served, &order());
    let path = format!("/registrations/{}", registration["id"].as_str().unwrap());
    assert_eq!(delete(served.address(), &path).status, 204);
    let delivery = &settled(&served, &id)[0];
    assert_eq!(
        delivery["reason"], "the registration was removed",
        "{delivery}"
    );
    assert!(deliveries(&receiver).is_empty());
}

#[test]
fn what_cannot_be_accepted_is_told_and_nothing_is_kept() {
    let receiver = Receiver::answers(200);
    let served = producer("").start();
    register(&served, &receiver, json!({}));
    let large = json!({ "type": "a", "data": "x".repeat(1024 * 1024) });
    let twice: &[(&str, &str)] = &[("idempotency-key", "a"), ("idempotency-key", "b")];
    let none: &[(&str, &str)] = &[];
    for (status, headers, body) in [
        (413, none, large.to_string()),
        (400, none, "not json".to_owned()),
        (400, none, "[]".to_owned()),
        (400, none, json!({ "type": "a b", "data": 1 }).to_string()),
        (
            400,
            none,
            json!({ "type": "signet.test", "data": 1 }).to_string(),
        ),
        (400, none, json!({ "type": "a" }).to_string()),
        (400, &[("idempotency-key", "a b")], order().to_string()),
        (400, twice, order().to_string()),
    ] {
        let answer = post(served.address(), "/events", headers, body.as_bytes());
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    for (status, path) in [
        (404, "/events/0123456789abcdef0123456789abcdef"),
        (404, "/registrations/0123456789abcdefghijklmnop/attempts"),
    ] {
        assert_eq!(get(served.address(), path).status, status, "{path}");
    }
    assert!(deliveries(&receiver).is_empty());
}

#[test]
fn a_token_that_is_set_opens_everything_and_nothing_is_open_without_it() {
    let served = producer("")
        .with("[component.guest.variables]\nadmin_token = \"s3cret-of-the-operator\"")
        .start();
    let with = |value: &str| {
        let headers = [("authorization", value)];
        let answer = request(served.address(), "GET", "/registrations", &headers, b"");
        if answer.status == 401 {
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
        answer.status
    };
    assert_eq!(with("Bearer s3cret-of-the-operator"), 200);
    assert_eq!(with("Bearer s3cret"), 401);
    for (method, path) in [
        ("POST", "/events"),
        ("POST", "/fire"),
        ("POST", "/registrations"),
        ("DELETE", "/registrations"),
        ("GET", "/nothing"),
    ] {
        let answer = request(served.address(), method, path, &[], b"{}");
        assert_eq!(answer.status, 401, "{method} {path}");
    }
}

#[test]
fn without_a_token_the_producer_is_served_on_loopback_alone() {
    let start = |listen: &str, token: &[(&str, &str)]| {
        let listen: Vec<_> = [listen, "127.0.0.1:0"].map(|at| at.parse().unwrap()).into();
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan::builtin(&listen).unwrap();
        open_in(folder.path(), plan, token).map(|_| ())
    };
    let refused = start("0.0.0.0:0", &[]).unwrap_err();
    let said = format!("{refused:#}");
    for part in ["webhook-producer", "0.0.0.0", "SPIN_VARIABLE_ADMIN_TOKEN"] {
        assert!(said.contains(part), "{said}");
    }
    start("[::ffff:127.0.0.1]:0", &[]).unwrap();
    start("127.0.0.1:0", &[]).unwrap();
    start("0.0.0.0:0", &[("admin_token", "s3cret-of-the-operator")]).unwrap();
}

#[test]
fn an_attempt_that_the_queue_would_end_first_is_refused_at_the_start() {
    let start = |milliseconds: &str| {
        let listen: Vec<_> = ["127.0.0.1:0"; 2].map(|at| at.parse().unwrap()).into();
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan::builtin(&listen).unwrap();
        let given = [("delivery_timeout_ms", milliseconds)];
        open_in(folder.path(), plan, &given).map(|_| ())
    };
    for milliseconds in ["30000", "0", "15s"] {
        let said = format!("{:#}", start(milliseconds).unwrap_err());
        for part in [
            "`delivery_timeout_ms`",
            "`deliveries`",
            "30000 (timeout_ms)",
        ] {
            assert!(said.contains(part), "{said}");
        }
    }
    start("29999").unwrap();
    start("").unwrap();
}

#[test]
fn a_key_is_replaced_and_both_sign_for_a_while() {
    let receiver = Receiver::answers(200);
    let served = producer("").start();
    let registration = register(&served, &receiver, json!({}));
    let path = format!("/registrations/{}", registration["id"].as_str().unwrap());
    let rotate = || post(served.address(), &format!("{path}/rotate"), &[], b"");
    let rotated = rotate();
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    let (old, new) = (&registration["signingKey"], &rotated.json()["signingKey"]);
    assert_ne!(old, new);
    let offered = receiver.received();
    let offered = offered.last().unwrap();
    let said: Value = serde_json::from_slice(&offered.body).unwrap();
    assert_eq!(
        (offered.uri.as_str(), &said["keyData"]),
        ("/hook?handshake=true", new)
    );
    assert!(offered.headers.contains_key("x-signature"));
    settled(&served, &accepted(&served, &order()));
    let got = &deliveries(&receiver)[0];
    assert_eq!(header(got, "webhook-signature").split(' ').count(), 2);
    for key in [old, new] {
        let key = key.as_str().unwrap().as_bytes().to_vec();
        let official = standardwebhooks::Webhook::from_bytes(key).unwrap();
        official.verify(&got.body, &got.headers).unwrap();
    }
    // A consumer that does not take the new key keeps the one it has.
    receiver.now(Manner::Answers(500));
    assert_eq!(rotate().status, 502);
    receiver.now(Manner::Answers(200));
    settled(&served, &accepted(&served, &order()));
    let got = &deliveries(&receiver)[1];
    let key = new.as_str().unwrap().as_bytes().to_vec();
    let official = standardwebhooks::Webhook::from_bytes(key).unwrap();
    official.verify(&got.body, &got.headers).unwrap();
}

#[test]
fn a_key_whose_time_is_over_is_removed_by_the_next_delivery() {
    let receiver = Receiver::answers(200);
    let host = producer("");
    let database = host.folder().join(".signet/test/sqlite/default.db");
    let served = host.start();
    let registration = register(&served, &receiver, json!({}));
    let path = format!("/registrations/{}", registration["id"].as_str().unwrap());
    let rotated = post(served.address(), &format!("{path}/rotate"), &[], b"");
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    let database = rusqlite::Connection::open(database).unwrap();
    let old_keys = || {
        let count = "SELECT count(OLD_KEY) FROM REGISTRATIONS";
        let count = database.query_row(count, [], |row| row.get::<_, i64>(0));
        count.unwrap()
    };
    settled(&served, &accepted(&served, &order()));
    assert_eq!(old_keys(), 1);
    let over = "UPDATE REGISTRATIONS SET OLD_KEY_UNTIL = 1";
    database.execute(over, []).unwrap();
    settled(&served, &accepted(&served, &order()));
    assert_eq!(old_keys(), 0);
    let got = &deliveries(&receiver)[1];
    assert_eq!(header(got, "webhook-signature").split(' ').count(), 1);
}

/// Registers the built-in consumer and gives the registration's id.
fn enrolled(app: &Served) -> String {
    let url = format!("http://localhost:{}/target", app.addresses()[1].port());
    let body = json!({ "url": url }).to_string();
    let registered = post(app.address(), "/registrations", &[JSON], body.as_bytes());
    assert_eq!(registered.status, 201, "{}", registered.body);
    registered.json()["id"].as_str().unwrap().to_owned()
}

#[test]
fn the_built_in_consumer_takes_over_a_new_key() {
    let folder = tempfile::tempdir().unwrap();
    let app = builtin(folder.path(), &[]);
    let (producer, id) = (app.address(), enrolled(&app));
    let rotated = post(producer, &format!("/registrations/{id}/rotate"), &[], b"");
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    let fired = post(producer, "/fire", &[], b"");
    assert_eq!(fired.json()["delivered"], 1, "{}", fired.body);
}

#[test]
fn a_consumer_whose_answer_about_a_new_key_was_lost_takes_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let token = "0123456789abcdef";
    let app = builtin(folder.path(), &[("enrolment_token", token)]);
    let (producer, consumer) = (app.addresses()[0], app.addresses()[1]);
    let id = enrolled(&app);
    // As it is when the producer did not hear that the key was taken.
    let unheard = json!({ "keyData": "00000000-0000-4000-8000-000000000000" }).to_string();
    let headers = [JSON, ("x-enrolment-token", token)];
    let taken = post(
        consumer,
        "/target?handshake=true",
        &headers,
        unheard.as_bytes(),
    );
    assert_eq!(taken.status, 200, "{}", taken.body);
    let rotated = post(producer, &format!("/registrations/{id}/rotate"), &[], b"");
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    let fired = post(producer, "/fire", &[], b"");
    assert_eq!(fired.json()["delivered"], 1, "{}", fired.body);
}

#[test]
fn an_event_as_large_as_may_be_is_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let app = builtin(folder.path(), &[]);
    enrolled(&app);
    let (begin, end) = (r#"{"type":"large","data":{"a":""#, r#""}}"#);
    let filling = "a".repeat((1 << 20) - begin.len() - end.len());
    let event = format!("{begin}{filling}{end}");
    let answer = post(app.address(), "/events", &[JSON], event.as_bytes());
    assert_eq!(answer.status, 202, "{}", answer.body);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(settled(&app, &id)[0]["state"], "done");
}

/// Two secrets to seal with.
pub(crate) const OLD: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const NEW: &str = "fedcba9876543210fedcba9876543210";

/// The built-in app, which seals with these secrets and may reach a receiver.
pub(crate) fn sealing(folder: &std::path::Path, receiver: &Receiver, secrets: &str) -> Served {
    let port = receiver.address.port().to_string();
    let variables = [("consumer_port", &port[..]), ("encryption_keys", secrets)];
    builtin(folder, &variables)
}

#[test]
fn keys_are_sealed_on_disk_and_under_another_secret_when_it_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::answers(200);
    let start = |secrets: &str| sealing(folder.path(), &receiver, secrets);
    let fire = |app: &Served| post(app.address(), "/fire", &[], b"");
    let app = start(OLD);
    let body = json!({ "url": receiver.url("/hook") }).to_string();
    let registered = post(app.address(), "/registrations", &[JSON], body.as_bytes());
    assert_eq!(registered.status, 201, "{}", registered.body);
    let id = registered.json()["id"].as_str().unwrap().to_owned();
    let rotated = post(
        app.address(),
        &format!("/registrations/{id}/rotate"),
        &[],
        b"",
    );
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    app.stop();
    // The one before signs for a day, and is as secret.
    for answer in [registered, rotated] {
        let key = answer.json()["signingKey"].as_str().unwrap().to_owned();
        assert!(!is_on_disk(folder.path(), &key));
    }
    assert!(is_on_disk(folder.path(), "/hook"));

    let app = start(&format!("{NEW} {OLD}"));
    for count in [1, 0] {
        let resealed = post(app.address(), "/registrations/reseal", &[], b"");
        assert_eq!(resealed.json()["resealed"], count, "{}", resealed.body);
    }
    app.stop();
    let app = start(NEW);
    assert_eq!(fire(&app).json()["delivered"], 1);
    let got = &deliveries(&receiver)[0];
    assert_eq!(header(got, "webhook-signature").split(' ').count(), 2);
    app.stop();
    let refused = fire(&start(OLD));
    assert_eq!(refused.status, 500);
    assert!(refused.body.contains("encryption_keys"), "{}", refused.body);
}

#[test]
fn what_is_sealed_anew_is_no_key_whose_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::answers(200);
    let app = sealing(folder.path(), &receiver, OLD);
    let registration = register(&app, &receiver, json!({}));
    let path = format!("/registrations/{}", registration["id"].as_str().unwrap());
    let rotated = post(app.address(), &format!("{path}/rotate"), &[], b"");
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    let database = folder
        .path()
        .join("state/webhook-producer/sqlite/default.db");
    let database = rusqlite::Connection::open(database).unwrap();
    // Nobody has the secret of this one.
    let over = "UPDATE REGISTRATIONS SET OLD_KEY = 'x1:gone:AAAA', OLD_KEY_UNTIL = ?1";
    let reseal = || post(app.address(), "/registrations/reseal", &[], b"");
    database.execute(over, [i64::MAX]).unwrap();
    assert_eq!(reseal().status, 500);
    database.execute(over, [1]).unwrap();
    let resealed = reseal();
    assert_eq!(resealed.status, 200, "{}", resealed.body);
    let kept = "SELECT count(OLD_KEY) FROM REGISTRATIONS";
    let kept = database.query_row(kept, [], |row| row.get::<_, i64>(0));
    assert_eq!(kept.unwrap(), 0);
}

/// Whether a text stands in a file below a folder.
pub(crate) fn is_on_disk(folder: &std::path::Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_on_disk(&path, text);
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    })
}

#[test]
fn the_document_says_what_can_be_asked_for() {
    const EVENT: &str = "0123456789abcdef0123456789abcdef";
    const REGISTRATION: &str = "0123456789abcdefghijklmnop";
    let served = producer("").start();
    let document = get(served.address(), "/openapi.json").json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 10, "{paths:?}");
    for (path, methods) in paths {
        let path = path.replace("{event}", EVENT);
        let path = path.replace("{registration}", REGISTRATION);
        for method in ["GET", "POST", "DELETE", "PUT"] {
            let answer = request(served.address(), method, &path, &[], b"");
            let said = methods.get(method.to_ascii_lowercase());
            assert_eq!(said.is_none(), answer.status == 405, "{method} {path}");
            let status = answer.status.to_string();
            let known = said.is_none_or(|said| said["responses"].get(&status).is_some());
            assert!(known, "{method} {path} answered {status}");
        }
    }
}
