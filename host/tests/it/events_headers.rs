//! What a delivery carries beside its signature: the trace of its event.

use std::collections::BTreeSet;

use serde_json::json;

use crate::events::{accepted, deliveries, event, header, order, producer, register, settled};
use crate::support::receiver::{Manner, Received};
use crate::support::{Answer, Receiver, Served, post};

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
