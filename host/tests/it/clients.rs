//! What a client cannot do to the host: each limit of a connection, of a head and of a body is reached
//! here, by clients that are slow, greedy, mute or speak no HTTP, and others are served all the while.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};

use crate::support::{Host, fixture, get, post, request};

fn guest() -> Host {
    Host::of(fixture("fixture-guest")).link(
        "fixture:test/probe",
        &fixture("fixture-dependency"),
        "",
    )
}

/// A connection on which this was sent.
fn sent(address: SocketAddr, bytes: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(bytes.as_ref()).unwrap();
    stream
}

/// All that comes, until the host closes the connection.
fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // A connection that is reset has said what it had to say.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// One answer with a length, from a connection that stays open.
fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&answer).to_lowercase();
    let (_, length) = head.split_once("content-length: ").unwrap();
    let length = length.split_once('\r').unwrap().0.parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    answer.extend(body);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Asks until there is room.
fn until_served(address: SocketAddr) {
    while get(address, "/hello").status == 503 {}
}

const HELLO: &str = "GET /hello HTTP/1.1\r\nhost: x\r\n\r\n";

#[test]
fn a_connection_beyond_the_limit_is_told_so_and_closed() {
    let host = guest().host("server.max_connections = 1").start();
    let mut first = sent(host.address(), HELLO);
    assert!(answer(&mut first).ends_with("hello"));
    let turned_away = rest(sent(host.address(), HELLO)).to_lowercase();
    assert!(turned_away.starts_with("http/1.1 503"), "{turned_away}");
    assert!(turned_away.contains("retry-after: 1"), "{turned_away}");
    drop(first);
    until_served(host.address());
}

#[test]
fn a_request_beyond_the_limit_of_the_host_is_503() {
    let host = guest().host("server.max_requests = 1").start();
    let mut first = sent(
        host.address(),
        "GET /never-ends HTTP/1.1\r\nhost: x\r\n\r\n",
    );
    first.read_exact(&mut [0; 12]).unwrap();
    let refused = get(host.address(), "/hello");
    assert_eq!(refused.status, 503);
    assert_eq!(refused.headers["retry-after"], "1");
    drop(first);
    until_served(host.address());
}

#[test]
fn a_head_that_does_not_end_is_given_up() {
    let host = guest().host("server.header_timeout_ms = 300").start();
    for beginning in ["", "G", "GET /hello HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        assert_eq!(rest(sent(host.address(), beginning)), "");
    }
    // A later head on the same connection has no more time.
    let mut stream = sent(host.address(), HELLO);
    answer(&mut stream);
    stream
        .write_all(b"GET /hello HTTP/1.1\r\nhost: x\r\n")
        .unwrap();
    assert_eq!(rest(stream), "");
}

#[test]
fn bytes_that_trickle_in_do_not_prolong_a_head() {
    let host = guest().host("server.header_timeout_ms = 300").start();
    let mut stream = sent(host.address(), "GET /hello HTTP/1.1\r\nhost: x\r\nx-slow: ");
    // Ends only because the host closes the connection.
    while stream.write_all(b"x").is_ok() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn a_connection_without_a_request_is_closed() {
    let host = guest().host("server.idle_timeout_ms = 100").start();
    let mut stream = sent(host.address(), HELLO);
    assert!(answer(&mut stream).ends_with("hello"));
    assert_eq!(rest(stream), "");
}

#[test]
fn a_body_that_falls_silent_is_408() {
    let host = guest().host("server.body_timeout_ms = 200").start();
    for head in [
        "content-length: 10\r\n\r\nbegun",
        "transfer-encoding: chunked\r\n\r\n5\r\nbegun\r\n",
    ] {
        let request = format!("POST /read HTTP/1.1\r\nhost: x\r\n{head}");
        let answer = rest(sent(host.address(), request));
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    assert_eq!(post(host.address(), "/read", &[], b"whole").body, "5");
}

#[test]
fn a_client_that_takes_nothing_loses_its_connection() {
    let host = guest()
        .host("server.write_timeout_ms = 300")
        .host("server.max_requests = 1")
        .with("tool.signet.response_timeout_ms = 3600000")
        .start();
    let mut mute = sent(host.address(), "GET /endless HTTP/1.1\r\nhost: x\r\n\r\n");
    mute.read_exact(&mut [0; 12]).unwrap();
    assert_eq!(get(host.address(), "/hello").status, 503);
    // It is still there, and its request is not.
    until_served(host.address());
    drop(mute);
}

#[test]
fn a_head_over_its_bounds_is_refused() {
    let host = guest()
        .host("server.max_headers = 20")
        .host("server.max_header_bytes = 10000")
        .host("server.max_target_bytes = 1000")
        .start();
    let address = host.address();
    let large = "x".repeat(9_000);
    assert_eq!(
        request(address, "GET", "/hello", &[("a", &large)], b"").status,
        200
    );
    let too_large = [("a", large.as_str()), ("b", &large[..1_000])];
    assert_eq!(
        request(address, "GET", "/hello", &too_large, b"").status,
        431
    );
    let many = [("a", "b"); 19];
    assert_eq!(request(address, "GET", "/hello", &many, b"").status, 200);
    let too_many = [("a", "b"); 30];
    assert_eq!(
        request(address, "GET", "/hello", &too_many, b"").status,
        431
    );
    let path = format!("/hello?{}", "x".repeat(993));
    assert_eq!(get(address, &path).status, 200);
    assert_eq!(get(address, &format!("{path}x")).status, 414);
}

#[test]
fn a_head_that_no_buffer_holds_is_refused() {
    let host = guest().start();
    let request = format!(
        "GET /hello HTTP/1.1\r\nhost: x\r\nx-large: {}",
        "x".repeat(1 << 20)
    );
    let mut stream = TcpStream::connect(host.address()).unwrap();
    // The host may close the connection before all is sent.
    let _ = stream.write_all(request.as_bytes());
    let answer = rest(stream);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    assert_eq!(host.get("/hello"), "hello");
}

#[test]
fn a_response_over_its_bounds_is_not_sent() {
    let host = guest()
        .host("server.max_headers = 20")
        .with("tool.signet.max_response_body_bytes = 100000")
        .start();
    let address = host.address();
    assert_eq!(get(address, "/headers?10").status, 200);
    assert_eq!(get(address, "/headers?30").status, 500);
    assert_eq!(host.get("/long?100000").len(), 100_000);
    assert_eq!(get(address, "/long?100001").status, 500);
    let endless = rest(sent(address, "GET /endless HTTP/1.1\r\nhost: x\r\n\r\n"));
    assert!(endless.starts_with("HTTP/1.1 200"), "{endless:.100}");
    assert!(!endless.ends_with("0\r\n\r\n"), "the body looks complete");
}

#[test]
fn a_request_body_over_its_bound_is_413() {
    let host = guest()
        .with("tool.signet.max_request_body_bytes = 1000")
        .start();
    let address = host.address();
    assert_eq!(post(address, "/read", &[], &[b'x'; 1000]).body, "1000");
    for path in ["/read", "/hello"] {
        assert_eq!(
            post(address, path, &[], &[b'x'; 1001]).status,
            413,
            "{path}"
        );
    }
    // One that does not say how large it is, is read as far as allowed.
    let chunk = format!("3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1001));
    let request =
        format!("POST /read HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{chunk}");
    let answer = rest(sent(address, request));
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[test]
fn a_body_that_no_guest_reads_does_not_cost_the_answer() {
    let host = guest().start();
    for _ in 0..20 {
        let answer = post(host.address(), "/hello", &[], &vec![b'x'; 1 << 20]);
        assert_eq!((answer.status, answer.body.as_str()), (200, "hello"));
    }
}

#[test]
fn requests_that_come_all_at_once_are_answered_one_after_the_other() {
    let host = guest().start();
    let all = HELLO.repeat(200) + "GET /hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answers = rest(sent(host.address(), all));
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 201);
}

#[test]
fn what_is_no_http_is_refused_and_others_are_served() {
    let host = guest().start();
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /hello HTTP/9.9\r\nhost: x\r\n\r\n",
        b"GET /hello HTTP/1.1\r\n\r\n",
        b"GET /hello HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
        b"GET http://x/hello HTTP/1.1\r\nhost: y\r\n\r\n",
        b"GET * HTTP/1.1\r\nhost: x\r\n\r\n",
        b"CONNECT x:80 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /hello HTTP/1.1\r\nhost: x\r\n\x01bad: x\r\n\r\n",
        b"POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n12345",
        b"POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
        b"POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n",
        b"POST /read HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let stream = sent(host.address(), garbage);
        stream.shutdown(Shutdown::Write).unwrap();
        let answer = rest(stream);
        let shown = String::from_utf8_lossy(garbage);
        assert!(!answer.contains(" 200 "), "{shown}: {answer}");
        assert_eq!(host.get("/hello"), "hello");
    }
    // A good request in front of it has its answer.
    let answers = rest(sent(host.address(), format!("{HELLO}\0\0\0\r\n\r\n")));
    assert!(answers.starts_with("HTTP/1.1 200"), "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 400").count(), 1, "{answers}");
}

#[test]
fn a_body_with_chunks_that_are_none_reaches_the_guest_as_an_error() {
    let host = guest().start();
    let request = "POST /read HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";
    let answer = rest(sent(host.address(), request));
    assert!(!answer.ends_with("\r\n\r\n0"), "{answer}");
    assert_eq!(host.get("/hello"), "hello");
}

#[test]
fn a_client_that_goes_away_gives_its_places_back() {
    let host = guest()
        .host("server.max_connections = 8\nserver.max_requests = 8")
        .start();
    // Gone before the answer, in the middle of it, in the middle of its own body.
    for request in [
        "GET /sleep?3600000 HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /never-ends HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /endless HTTP/1.1\r\nhost: x\r\n\r\n",
        "POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf",
    ] {
        for _ in 0..8 {
            drop(sent(host.address(), request));
        }
        until_served(host.address());
    }
}
