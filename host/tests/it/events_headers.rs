//! What a delivery carries beside its signature: the trace of its event, and what its registration adds.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::events::{
    JSON, NEW, OLD, accepted, deliveries, event, header, is_on_disk, order, producer, register,
    sealing, settled,
};
use crate::support::receiver::{Manner, Received};
use crate::support::{Answer, Receiver, Served, get, post};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// The headers of somebody who is in a trace.
fn traced(parent: &str) -> [(&str, &str); 2] {
    [("traceparent", parent), ("tracestate", "a=1,b@c=2")]
}

fn parent() -> String {
    format!("00-{TRACE}-{SPAN}-01")
}

/// The trace, the span and the flags of a delivery.
fn trace(request: &Received) -> [&str; 3] {
    let parts: Vec<_> = header(request, "traceparent").split('-').collect();
    let ["00", trace, span, flags] = parts[..] else {
        panic!("{parts:?}")
    };
    assert_eq!((trace.len(), span.len()), (32, 16), "{parts:?}");
    [trace, span, flags]
}

/// Holds that these deliveries are of the trace of [`traced`], each a span of its own.
fn are_parts(got: &[Received]) {
    let mut spans = BTreeSet::from([SPAN, "0000000000000000"]);
    for got in got {
        let [id, span, flags] = trace(got);
        assert_eq!((id, flags), (TRACE, "01"));
        assert!(spans.insert(span), "{span} came before");
        assert_eq!(header(got, "tracestate"), "a=1,b@c=2");
    }
}

fn id(answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.body);
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn resend(served: &Served, id: &str) {
    let due = post(served.address(), &format!("/events/{id}/resend"), &[], b"");
    assert_eq!(due.json()["due"], 1, "{}", due.body);
}

#[test]
fn every_attempt_is_a_span_of_its_own_in_the_trace_of_its_event() {
    let receiver = Receiver::answers(200);
    let served = producer("").start();
    register(&served, &receiver, json!({}));
    receiver.now(Manner::Answers(500));
    let event = id(&event(&served, &traced(&parent()), &order()));
    assert_eq!(settled(&served, &event)[0]["state"], "dead");
    receiver.now(Manner::Answers(200));
    resend(&served, &event);
    assert_eq!(settled(&served, &event)[0]["state"], "done");
    let got = deliveries(&receiver);
    assert_eq!(got.len(), 4);
    are_parts(&got);
}

#[test]
fn what_is_sent_at_once_or_as_a_test_is_in_the_trace_of_its_request() {
    let (one, other) = (Receiver::answers(200), Receiver::answers(200));
    let served = producer("").start();
    let registration = register(&served, &one, json!({}));
    register(&served, &other, json!({}));
    let (parent, of) = (parent(), registration["id"].as_str().unwrap());
    let traced = traced(&parent);
    let fired = post(served.address(), "/fire", &traced, b"");
    assert_eq!(fired.json()["delivered"], 2, "{}", fired.body);
    let path = format!("/registrations/{of}/test");
    settled(&served, &id(&post(served.address(), &path, &traced, b"")));
    let got = [deliveries(&one), deliveries(&other)].concat();
    assert_eq!(got.len(), 3);
    are_parts(&got);
}

#[test]
fn a_trace_that_is_none_begins_with_the_request() {
    let receiver = Receiver::answers(200);
    let served = producer("").start();
    register(&served, &receiver, json!({}));
    for parent in [format!("00-{}-{SPAN}-01", "0".repeat(32)), parent() + "-x"] {
        let before = deliveries(&receiver).len();
        let answer = event(&served, &traced(&parent), &order());
        settled(&served, &id(&answer));
        let got = &deliveries(&receiver)[before];
        assert_eq!(trace(got)[0], answer.headers["x-request-id"]);
        assert!(!got.headers.contains_key("tracestate"));
    }
    let first = accepted(&served, &order());
    let second = accepted(&served, &order());
    for id in [first, second] {
        settled(&served, &id);
    }
    let traces: BTreeSet<_> = deliveries(&receiver)
        .iter()
        .map(|got| trace(got)[0].to_owned())
        .collect();
    assert_eq!(traces.len(), 4);
}

const TOKEN: &str = "Bearer s3cret-of-the-gateway";

/// Holds that these requests have what the registration of [`added`] adds.
fn have_added(got: &[Received]) {
    for got in got {
        assert_eq!(header(got, "x-team"), "a b", "{}", got.uri);
        assert_eq!(header(got, "authorization"), TOKEN, "{}", got.uri);
    }
}

fn added() -> Value {
    json!({ "headers": { "X-Team": "a b", "authorization": TOKEN } })
}

#[test]
fn a_registration_adds_headers_to_each_of_its_deliveries() {
    let (receiver, other) = (Receiver::answers(200), Receiver::answers(200));
    let served = producer("").start();
    let registration = register(&served, &receiver, added());
    register(&served, &other, json!({}));
    receiver.now(Manner::Answers(500));
    let id = accepted(&served, &order());
    settled(&served, &id);
    receiver.now(Manner::Answers(200));
    resend(&served, &id);
    settled(&served, &id);
    let path = format!("/registrations/{}", registration["id"].as_str().unwrap());
    for path in ["/fire".to_owned(), format!("{path}/rotate")] {
        let answer = post(served.address(), &path, &[], b"");
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let got = receiver.received();
    // Three attempts and one more, what was fired, and two handshakes.
    assert_eq!(got.len(), 7);
    have_added(&got);
    assert!(
        other
            .received()
            .iter()
            .all(|got| !got.headers.contains_key("x-team"))
    );
    // Anybody who may see the registration sees the names alone.
    let names = json!(["authorization", "x-team"]);
    assert_eq!(registration["headers"], names);
    for path in [path.as_str(), "/registrations"] {
        let shown = get(served.address(), path);
        assert!(!shown.body.contains("s3cret"), "{}", shown.body);
        assert!(
            shown
                .body
                .contains(r#""headers":["authorization","x-team"]"#),
            "{}",
            shown.body
        );
    }
}

#[test]
fn a_header_that_is_not_the_registrations_to_set_is_refused_by_its_name() {
    let receiver = Receiver::answers(200);
    let served = producer("").start();
    for name in [
        "webhook-id",
        "X-Signature",
        "traceparent",
        "content-length",
        "Host",
        "x a",
    ] {
        let body = json!({ "url": receiver.url("/hook"), "headers": { name: "x" } }).to_string();
        let answer = post(served.address(), "/registrations", &[JSON], body.as_bytes());
        assert_eq!(answer.status, 400, "{name}: {}", answer.body);
        let said = answer.json()["errors"][0].to_string();
        assert!(said.contains(name), "{said}");
    }
    assert!(receiver.received().is_empty());
}

#[test]
fn the_values_of_headers_are_sealed_on_disk_and_under_another_secret_when_it_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::answers(200);
    let start = |secrets: &str| sealing(folder.path(), &receiver, secrets);
    let app = start(OLD);
    register(&app, &receiver, added());
    app.stop();
    assert!(!is_on_disk(folder.path(), TOKEN));
    assert!(is_on_disk(folder.path(), "x-team"));

    let app = start(&format!("{NEW} {OLD}"));
    let resealed = post(app.address(), "/registrations/reseal", &[], b"");
    assert_eq!(resealed.json()["resealed"], 1, "{}", resealed.body);
    app.stop();
    let app = start(NEW);
    let fired = post(app.address(), "/fire", &[], b"");
    assert_eq!(fired.json()["delivered"], 1, "{}", fired.body);
    assert!(!deliveries(&receiver).is_empty());
    have_added(&receiver.received());
}
