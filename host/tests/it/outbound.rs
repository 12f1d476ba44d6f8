//! What a receiver can do to the guest that calls it, and a guest to the receiver: each ends with a typed
//! error or with data, by a limit where need be, and the host goes on.

use std::time::{Duration, Instant};

use crate::support::{Host, Rude, Served, fixture, get};

fn guest(rude: &Rude) -> Host {
    Host::of(fixture("fixture-guest"))
        .link("fixture:test/probe", &fixture("fixture-dependency"), "")
        .with(&format!(
            "allowed_outbound_hosts = [\"{}\", \"https://{}\"]",
            rude.url(""),
            rude.address
        ))
}

/// Waits for what must come about, and not for ever.
fn until(what: &str, happens: impl Fn() -> bool) {
    let begun = Instant::now();
    while !happens() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::yield_now();
    }
}

fn fetch(host: &Served, rude: &Rude, path: &str) -> String {
    host.get(&format!("/fetch-body?{}", rude.url(path)))
}

const OK: &str = "status 200, 2 bytes";
const SILENT: &str = "ErrorCode::ConnectionReadTimeout";
const TOTAL: &str = "ErrorCode::HttpResponseTimeout";

#[test]
fn whatever_a_receiver_does_the_guest_is_told_and_the_turn_is_given_back() {
    let rude = Rude::start();
    let host = guest(&rude)
        .host("outbound_http.connect_timeout_ms = 5000")
        .host("outbound_http.first_byte_timeout_ms = 1500")
        .host("outbound_http.total_timeout_ms = 8000")
        // One turn: one that is not given back is missed by the next request.
        .host("outbound_http.max_concurrent_requests = 1")
        .host("outbound_http.max_response_body_bytes = 1000000")
        .threads(1)
        .start();
    let incomplete = "status 200, then ErrorCode::HttpResponseIncomplete";
    let protocol = "ErrorCode::HttpProtocolError";
    let headers = "ErrorCode::HttpResponseHeaderSectionSize(None)";
    let body = "status 200, then ErrorCode::HttpResponseBodySize(Some(1000000))";
    for (path, expected) in [
        ("/garbage", protocol),
        ("/two-lengths", protocol),
        (
            "/wrong-chunk",
            "status 200, then ErrorCode::HttpProtocolError",
        ),
        ("/closes", "ErrorCode::HttpResponseIncomplete"),
        ("/resets", "ErrorCode::ConnectionTerminated"),
        (
            "/resets-in-body",
            "status 200, then ErrorCode::ConnectionTerminated",
        ),
        ("/short", incomplete),
        ("/unended-chunks", incomplete),
        ("/endless-headers", headers),
        ("/huge-header", headers),
        ("/endless-body", body),
        ("/endless-chunks", body),
        (
            "/endless-trailers",
            "status 200, then ErrorCode::HttpProtocolError",
        ),
        ("/redirects", "status 302, 0 bytes"),
        ("/large", "status 200, 100000 bytes"),
    ] {
        assert_eq!(fetch(&host, &rude, path), expected, "{path}");
        assert_eq!(fetch(&host, &rude, "/ok"), OK, "after {path}");
    }
    until("connections are left", || rude.held() <= 1);
}

#[test]
fn a_receiver_that_takes_its_time_is_left_at_the_limit() {
    let rude = Rude::start();
    let host = guest(&rude)
        .host("outbound_http.connect_timeout_ms = 200")
        .host("outbound_http.first_byte_timeout_ms = 300")
        .host("outbound_http.between_bytes_timeout_ms = 300")
        .host("outbound_http.total_timeout_ms = 1500")
        .host("outbound_http.max_concurrent_requests = 1")
        .threads(1)
        .start();
    for (path, expected) in [
        ("/silent", SILENT.to_owned()),
        ("/trickling-headers", SILENT.to_owned()),
        ("/flood-of-1xx", SILENT.to_owned()),
        ("/stalls", format!("status 200, then {SILENT}")),
        ("/trickle", format!("status 200, then {TOTAL}")),
    ] {
        assert_eq!(fetch(&host, &rude, path), expected, "{path}");
    }
    assert_eq!(get(host.address(), "/hello").body, "hello");
    until("connections are left", || rude.held() == 0);
}

#[test]
fn a_receiver_that_is_busy_for_ever_is_left_at_the_total_limit() {
    let rude = Rude::start();
    let host = guest(&rude)
        .host("outbound_http.total_timeout_ms = 500")
        .threads(1)
        .start();
    // Zeros before a number may be as many as one likes, and the body is silent.
    for path in ["/trickle", "/endless-chunk-size"] {
        let expected = format!("status 200, then {TOTAL}");
        assert_eq!(fetch(&host, &rude, path), expected, "{path}");
    }
    until("connections are left", || rude.held() == 0);
}

#[test]
fn a_redirect_is_not_followed() {
    let rude = Rude::start();
    let host = guest(&rude).start();
    assert_eq!(fetch(&host, &rude, "/redirects"), "status 302, 0 bytes");
    assert_eq!(rude.connections(), 1);
}

#[test]
fn a_request_whose_body_never_ends_is_ended_by_a_limit() {
    let rude = Rude::start();
    let host = guest(&rude)
        .host("outbound_http.connect_timeout_ms = 100")
        .host("outbound_http.first_byte_timeout_ms = 300")
        .host("outbound_http.total_timeout_ms = 1000")
        .host("outbound_http.max_concurrent_requests = 1")
        .with("tool.signet.instance_idle_ms = 600000")
        .threads(1)
        .start();
    let upload = |how: &str, path: &str| host.get(&format!("/{how}?{}", rude.url(path)));
    // Nobody answers before the body has ended, or somebody who does not read it.
    for how in ["upload-unfinished", "upload-endless"] {
        let said = upload(how, "/deaf-and-silent");
        assert_eq!(said, SILENT, "{how}");
        until(how, || rude.held() == 0);
    }
    // Somebody answers first: the guest has its answer, the rest goes at the deadline, and the turn
    // with it.
    for how in ["upload-unfinished", "upload-endless"] {
        let said = upload(how, "/deaf");
        assert_eq!(said, OK, "{how}");
        until(how, || rude.held() == 0);
    }
    until("the turn is lost", || fetch(&host, &rude, "/ok") == OK);
}

#[test]
fn a_request_body_is_no_larger_than_its_limit() {
    let rude = Rude::start();
    let host = guest(&rude)
        .host("outbound_http.max_request_body_bytes = 100000")
        .start();
    assert_eq!(
        host.get(&format!("/upload-endless?{}", rude.url("/silent"))),
        "ErrorCode::HttpRequestBodySize(Some(100000))"
    );
}

#[test]
fn a_response_that_is_never_read_gives_its_turn_back_at_the_deadline() {
    let rude = Rude::start();
    let host = guest(&rude)
        .host("outbound_http.total_timeout_ms = 500")
        .host("outbound_http.max_concurrent_requests = 1")
        .with("tool.signet.instance_idle_ms = 600000")
        .threads(1)
        .start();
    let hold = format!("/fetch-and-hold?{}", rude.url("/endless-body"));
    for _ in 0..3 {
        until("the turn is lost", || host.get(&hold) == "status 200");
    }
    until("connections are left", || rude.held() == 0);
}

#[test]
fn a_response_has_no_more_headers_and_bytes_than_its_limits() {
    for (limit, path, expected) in [
        (
            "max_response_headers = 2",
            "/three-headers",
            "ErrorCode::HttpResponseHeaderSectionSize(None)",
        ),
        (
            "max_response_headers = 3",
            "/three-headers",
            "status 200, 0 bytes",
        ),
        (
            "max_response_header_bytes = 18",
            "/three-headers",
            "ErrorCode::HttpResponseHeaderSectionSize(Some(19))",
        ),
        (
            "max_response_header_bytes = 19",
            "/three-headers",
            "status 200, 0 bytes",
        ),
        (
            "max_response_body_bytes = 1",
            "/ok",
            "ErrorCode::HttpResponseBodySize(Some(2))",
        ),
        ("max_response_body_bytes = 2", "/ok", OK),
    ] {
        let rude = Rude::start();
        let host = guest(&rude).host(&format!("outbound_http.{limit}")).start();
        assert_eq!(fetch(&host, &rude, path), expected, "{limit}");
    }
}

#[test]
fn a_component_has_no_more_requests_under_way_than_its_limit_on_all_threads_together() {
    let rude = Rude::start();
    let host = guest(&rude)
        .host("outbound_http.max_concurrent_requests = 2")
        .host("outbound_http.connect_timeout_ms = 100")
        .host("outbound_http.first_byte_timeout_ms = 200")
        .with("tool.signet.instance_idle_ms = 600000")
        .threads(2)
        .start();
    let hold = format!("/fetch-and-hold?{}", rude.url("/trickle"));
    let said: Vec<String> = (0..6).map(|_| host.get(&hold)).collect();
    let held = said.iter().filter(|said| *said == "status 200").count();
    assert_eq!(held, 2, "{said:?}");
    assert_eq!(said[2], "ErrorCode::ConnectionLimitReached");
    assert_eq!(rude.connections(), 2);
}

#[test]
fn a_connection_without_a_request_is_closed_in_time_and_beyond_the_limit() {
    let rude = Rude::start();
    let kept = |limit: &str| {
        let host = guest(&rude)
            .host(&format!("outbound_http.{limit}"))
            .with("tool.signet.instance_idle_ms = 600000")
            .threads(1)
            .start();
        let address = host.address();
        let url = format!("/fetch-body?{}", rude.url("/ok"));
        let asking: Vec<_> = (0..8)
            .map(|_| {
                let url = url.clone();
                std::thread::spawn(move || get(address, &url).body)
            })
            .collect();
        for asked in asking {
            assert_eq!(asked.join().unwrap(), OK);
        }
        host
    };
    let host = kept("max_idle_connections = 1");
    until("more than one is kept", || rude.held() == 1);
    drop(host);
    until("one is kept by nobody", || rude.held() == 0);
    let _host = kept("connection_idle_ms = 100");
    until("some are kept", || rude.held() == 0);
}

#[test]
fn a_handshake_that_nobody_answers_is_a_connection_timeout() {
    let rude = Rude::start();
    let host = guest(&rude)
        .host("outbound_http.connect_timeout_ms = 200")
        .threads(1)
        .start();
    let url = format!("https://{}/silent", rude.address);
    assert_eq!(
        host.get(&format!("/fetch?{url}")),
        "ErrorCode::ConnectionTimeout"
    );
    until("the connection is left", || rude.held() == 0);
}

#[test]
fn bounds_that_no_machine_can_count_to_are_none() {
    let rude = Rude::start();
    let mut host = guest(&rude);
    for bound in signet::manifest::limits::OUTBOUND {
        host = host.host(&format!("outbound_http.{} = {}", bound.key, i64::MAX));
    }
    let host = host.threads(1).start();
    for path in ["/ok", "/ok", "/large", "/three-headers", "/ok"] {
        assert!(
            fetch(&host, &rude, path).starts_with("status 200, "),
            "{path}"
        );
    }
}
