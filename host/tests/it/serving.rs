//! How requests are served: versions of WASI, reuse of instances, traps, deadlines, memory, routes,
//! protocols, draining.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::support::{Host, fixture, get, request};

fn guest() -> Host {
    Host::of(fixture("fixture-guest")).link(
        "fixture:test/probe",
        &fixture("fixture-dependency"),
        "",
    )
}

fn old_guest() -> Host {
    Host::of(fixture("fixture-guest-p2"))
}

#[test]
fn guests_of_both_versions_are_served() {
    assert_eq!(guest().start().get("/hello"), "hello");
    assert_eq!(old_guest().start().get("/hello"), "hello from 0.2");
}

#[test]
fn an_instance_of_0_2_serves_one_request() {
    let host = old_guest().start();
    for _ in 0..5 {
        assert_eq!(host.get("/count"), "1");
    }
}

#[test]
fn an_instance_of_0_2_serves_more_where_that_is_asked_for() {
    let host = old_guest()
        .threads(1)
        .with("tool.signet.max_serial_reuse = 3")
        .start();
    let counts: Vec<_> = (0..7).map(|_| host.get("/count")).collect();
    assert_eq!(counts, ["1", "2", "3", "1", "2", "3", "1"]);
    // The instance that falls is alone with its request, and its place is taken by a new one.
    assert_eq!(get(host.address(), "/trap").status, 500);
    assert_eq!(host.get("/count"), "1");
    let host = old_guest().with("tool.signet.max_reuse = 100").start();
    assert_eq!(host.get("/count") + &host.get("/count"), "11");
}

#[test]
fn an_instance_of_0_3_serves_many_requests_and_no_more_than_its_limit() {
    let host = guest().with("tool.signet.max_reuse = 3").start();
    let counts: Vec<u32> = (0..20)
        .map(|_| host.get("/count").parse().unwrap())
        .collect();
    assert!(counts.iter().any(|count| *count > 1), "{counts:?}");
    assert!(counts.iter().all(|count| *count <= 3), "{counts:?}");
}

#[test]
fn one_trap_is_one_500_and_the_next_request_is_served() {
    for host in [guest().start(), old_guest().start()] {
        for _ in 0..3 {
            let answer = get(host.address(), "/trap");
            assert_eq!(answer.status, 500);
            assert!(!answer.body.contains("unreachable"), "{}", answer.body);
            assert!(host.get("/hello").starts_with("hello"));
        }
    }
}

#[test]
fn a_guest_that_never_yields_is_ended_at_its_deadline() {
    let host = guest()
        .with("tool.signet.request_timeout_ms = 2000")
        .start();
    assert_eq!(get(host.address(), "/loop").status, 504);
    assert_eq!(host.get("/hello"), "hello");
}

#[test]
fn a_guest_that_waits_too_long_is_ended_at_its_deadline() {
    let host = guest()
        .with("tool.signet.request_timeout_ms = 2000")
        .start();
    assert_eq!(get(host.address(), "/sleep?60000").status, 504);
    assert_eq!(host.get("/sleep?1"), "slept");
}

#[test]
fn a_busy_guest_lets_others_be_served() {
    let host = guest()
        .with("tool.signet.request_timeout_ms = 5000")
        .start();
    let address = host.address();
    // As many as there are threads, so that every thread has one.
    let busy: Vec<_> = (0..4)
        .map(|_| std::thread::spawn(move || get(address, "/loop").status))
        .collect();
    for _ in 0..3 {
        assert_eq!(host.get("/hello"), "hello");
    }
    assert!(
        busy.iter().any(|thread| !thread.is_finished()),
        "the loops ended before the others were served"
    );
    for thread in busy {
        assert_eq!(thread.join().unwrap(), 504);
    }
}

#[test]
fn memory_is_bounded_over_the_whole_component() {
    let host = guest().with("tool.signet.memory_mb = 32").start();
    assert_eq!(host.get("/grow?16"), "true");
    assert_eq!(host.get("/grow?1024"), "false");
    assert_eq!(host.get("/hello"), "hello");
}

#[test]
fn the_most_specific_route_wins_and_no_route_is_404() {
    let source = fixture("fixture-guest-p2");
    let host = guest()
        .and(&format!(
            "[component.old]\nsource = \"{}\"",
            source.display()
        ))
        .and("[[trigger.http]]\nroute = \"/hello\"\ncomponent = \"old\"")
        .start();
    assert_eq!(host.get("/hello"), "hello from 0.2");
    assert_eq!(host.get("/count"), "1");
    assert!(host.get("/uri").ends_with("/uri"));
}

#[test]
fn the_guest_sees_the_authority_that_the_client_named() {
    let host = guest().start();
    let answer = request(host.address(), "GET", "/uri?x=1", &[], b"");
    assert_eq!(answer.body, format!("http://{}/uri?x=1", host.address()));
}

#[test]
fn http_2_is_served_on_the_same_port() {
    let host = guest().start();
    let address = host.address();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let body = runtime.block_on(async {
        use http_body_util::{BodyExt as _, Empty};
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let io = hyper_util::rt::TokioIo::new(stream);
        let executor = hyper_util::rt::TokioExecutor::new();
        let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io)
            .await
            .unwrap();
        tokio::spawn(connection);
        let request = http::Request::get(format!("http://{address}/hello"));
        let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.version(), http::Version::HTTP_2);
        response.into_body().collect().await.unwrap().to_bytes()
    });
    assert_eq!(body, "hello");
}

#[test]
fn a_request_in_flight_is_answered_when_the_host_stops() {
    let host = guest().start();
    let mut stream = TcpStream::connect(host.address()).unwrap();
    stream
        .write_all(b"GET /sleep?500 HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    // The host has the request when it serves another one that was sent later on each thread.
    for _ in 0..8 {
        host.get("/hello");
    }
    host.running().stop();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("slept"),
        "{answer}"
    );
    host.stop();
}

#[test]
fn two_hosts_live_in_one_process() {
    let (one, two) = (guest().start(), old_guest().start());
    assert_eq!(one.get("/hello"), "hello");
    assert_eq!(two.get("/hello"), "hello from 0.2");
    one.stop();
    assert_eq!(two.get("/hello"), "hello from 0.2");
}

#[test]
fn a_start_function_that_never_ends_is_ended_at_the_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spinner.wasm");
    // Provides the right function, and loops before anyone can call it.
    let component = wat::parse_str(
        r#"(component
            (core module $m
                (memory (export "memory") 1)
                (func $forever (loop br 0))
                (func (export "probe") (param i32 i32) (result i32) i32.const 0)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
                (start $forever))
            (core instance $i (instantiate $m))
            (type $probe async (func async (param "url" string) (result (list string))))
            (func $probe (type $probe) (canon lift (core func $i "probe")
                (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
            (instance $probe (export "probe" (func $probe)))
            (export "fixture:test/probe@1.0.0" (instance $probe)))"#
            .replace("(type $probe async (func async", "(type $probe (func async"),
    );
    std::fs::write(&path, component.unwrap()).unwrap();
    let host = Host::of(fixture("fixture-guest"))
        .link("fixture:test/probe", &path, "")
        .with("tool.signet.request_timeout_ms = 2000")
        .start();
    assert_eq!(get(host.address(), "/hello").status, 504);
}

#[test]
fn a_stopped_host_takes_no_connections_while_it_drains() {
    let host = guest().start();
    let mut stream = TcpStream::connect(host.address()).unwrap();
    stream
        .write_all(b"GET /sleep?1500 HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .unwrap();
    for _ in 0..8 {
        host.get("/hello");
    }
    let address = host.address();
    host.running().stop();
    // The threads stop to accept one after the other; then nobody answers while the request goes on.
    while TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("slept"), "{answer}");
}
