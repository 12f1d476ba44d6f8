//! Each request has a name, which client, guest and log know alike, and a place in a trace.

use crate::support::{Host, Process, fixture, get, request};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn guest() -> Host {
    Host::of(fixture("fixture-guest")).link(
        "fixture:test/probe",
        &fixture("fixture-dependency"),
        "",
    )
}

#[test]
fn client_and_guest_know_a_request_by_one_name() {
    let host = guest().start();
    let own = [("x-request-id", "mine")];
    let answer = request(host.address(), "GET", "/header?x-request-id", &own, b"");
    assert_eq!(answer.headers["x-request-id"], answer.body.as_str());
    assert_eq!(answer.body.len(), 32, "{}", answer.body);
    let other = get(host.address(), "/header?x-request-id");
    assert_ne!(answer.body, other.body);
}

#[test]
fn a_trace_goes_on_in_the_guest_or_begins_with_the_requests_name() {
    let host = guest().start();
    let parent = [("traceparent", PARENT)];
    let answer = request(host.address(), "GET", "/header?traceparent", &parent, b"");
    assert_eq!(answer.body, PARENT);
    let answer = get(host.address(), "/header?traceparent");
    let name = answer.headers["x-request-id"].to_str().unwrap();
    assert!(
        answer.body.starts_with(&format!("00-{name}-")),
        "{}",
        answer.body
    );
}

#[test]
fn every_line_of_the_log_about_a_request_has_its_name() {
    let mut process = Process::run("tool.signet.request_timeout_ms = 300", "");
    let name = |path: &str, body: &[u8], status: u16| {
        let answer = request(process.address, "POST", path, &[], body);
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        answer.headers["x-request-id"].to_str().unwrap().to_owned()
    };
    let trap = name("/trap", b"", 500);
    let deadline = name("/sleep?60000", b"", 504);
    process.signal("TERM");
    assert_eq!(process.end(), Some(0));
    let log = process.log();
    let about = |name: &str, what: &str| {
        let line = log
            .lines()
            .find(|line| line.contains(name) && line.contains(what));
        assert!(line.is_some(), "{what} of {name} is not in {log}");
    };
    about(&trap, "an instance was ended");
    about(&trap, "was not answered");
    about(&deadline, "was not answered");
}
