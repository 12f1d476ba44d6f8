//! What a guest cannot do to its host, to its neighbours and to its clients: each limit of an instance is
//! reached here, and a guest that falls takes nobody along.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::support::{Host, fixture, get, request};

fn guest() -> Host {
    Host::of(fixture("fixture-guest")).link(
        "fixture:test/probe",
        &fixture("fixture-dependency"),
        "",
    )
}

/// What comes back for a GET on a connection of its own, byte for byte.
fn raw(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    // A connection that is reset has said what it had to say.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// A response that has begun and goes on until its connection is dropped.
fn begun(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /never-ends HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let (mut seen, mut piece) = (String::new(), [0; 1024]);
    while !seen.contains("begun") {
        let read = stream.read(&mut piece).unwrap();
        assert_ne!(read, 0, "{seen}");
        seen.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    stream
}

/// Asks until the host has room.
fn until_served(address: SocketAddr, path: &str) {
    loop {
        match get(address, path).status {
            503 => {}
            status => return assert_eq!(status, 200),
        }
    }
}

#[test]
fn a_guest_that_falls_in_a_short_response_is_a_500() {
    let host = guest().start();
    // On a busy machine, a head may have gone out before; the body never looks complete.
    let tries: Vec<_> = (0..10)
        .map(|_| raw(host.address(), "/half?5"))
        .inspect(|answer| assert!(!answer.ends_with("0\r\n\r\n"), "{answer}"))
        .collect();
    let clean = |answer: &String| answer.starts_with("HTTP/1.1 500");
    assert!(tries.iter().any(clean), "{tries:?}");
    assert_eq!(host.get("/hello"), "hello");
}

#[test]
fn a_guest_that_falls_in_a_long_response_does_not_make_it_look_complete() {
    let host = guest().start();
    let answer = raw(host.address(), "/half?100000");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:.100}");
    assert!(answer.len() > 16 * 1024, "{}", answer.len());
    assert!(!answer.ends_with("0\r\n\r\n"), "the body looks complete");
}

#[test]
fn a_short_response_is_sent_with_its_length() {
    let answer = raw(guest().start().address(), "/hello");
    assert!(
        answer.to_lowercase().contains("content-length: 5"),
        "{answer}"
    );
}

#[test]
fn a_stream_begins_before_it_ends() {
    let host = guest().start();
    begun(host.address());
}

#[test]
fn a_response_that_never_ends_is_cut_at_its_deadline() {
    let host = guest()
        .with("tool.signet.response_timeout_ms = 300")
        .start();
    for path in ["/never-ends", "/endless"] {
        let answer = raw(host.address(), path);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:.100}");
        assert!(!answer.ends_with("0\r\n\r\n"), "the body looks complete");
    }
    assert_eq!(host.get("/hello"), "hello");
}

#[test]
fn a_response_may_take_longer_than_its_beginning() {
    let host = guest().with("tool.signet.request_timeout_ms = 200").start();
    assert_eq!(host.get("/late?600"), "begun, ended");
}

#[test]
fn a_guest_that_leaks_resources_is_ended_by_a_limit() {
    let host = guest().with("tool.signet.max_handles = 1000").start();
    for path in ["/leak", "/leak-streams"] {
        assert_eq!(host.get(&format!("{path}?100")), "leaked");
        assert_eq!(get(host.address(), &format!("{path}?5000")).status, 500);
    }
    assert_eq!(host.get("/hello"), "hello");
}

#[test]
fn there_are_no_more_instances_than_the_limit_of_the_component_or_of_the_host() {
    for guest in [
        guest().with("tool.signet.max_instances = 1"),
        guest().host("server.max_instances = 1"),
    ] {
        let host = guest.with("tool.signet.max_concurrent = 1").start();
        let address = host.address();
        let busy = std::thread::spawn(move || until_served(address, "/sleep?1000"));
        let refused = loop {
            let answer = get(address, "/hello");
            if answer.status == 503 {
                break answer;
            }
            assert!(!busy.is_finished(), "two instances at once");
        };
        assert_eq!(refused.headers["retry-after"], "1");
        busy.join().unwrap();
        until_served(address, "/hello");
    }
}

#[test]
fn an_instance_serves_no_more_requests_at_once_than_its_limit() {
    let most = |limit: &str| -> usize {
        let host = guest().with(limit).threads(1).start();
        let address = host.address();
        let ask = move || get(address, "/together?50").body.parse().unwrap();
        let ask_again = move || (0..6).map(|_| ask()).max().unwrap();
        let asking: Vec<_> = (0..8).map(|_| std::thread::spawn(ask_again)).collect();
        let answers = asking.into_iter().map(|thread| thread.join().unwrap());
        answers.max().unwrap()
    };
    assert_eq!(most("tool.signet.max_concurrent = 1"), 1);
    let most = most("tool.signet.max_concurrent = 3");
    assert!((2..=3).contains(&most), "{most}");
}

#[test]
fn an_instance_without_work_is_dropped() {
    let host = guest()
        .with("tool.signet.instance_idle_ms = 20")
        .threads(1)
        .start();
    host.get("/count");
    // Each try waits twice as long as the one before, on a machine that is as busy as it is.
    let dropped = (5..14).any(|power| {
        std::thread::sleep(std::time::Duration::from_millis(1 << power));
        host.get("/count") == "1"
    });
    assert!(dropped);
}

#[test]
fn a_component_has_no_more_requests_than_its_limit() {
    let host = guest().with("tool.signet.max_requests = 1").start();
    let address = host.address();
    let begun = begun(address);
    assert_eq!(get(address, "/hello").status, 503);
    drop(begun);
    until_served(address, "/hello");
}

#[test]
fn a_trap_takes_no_other_request_along_that_may_be_repeated() {
    // One thread and much room: all requests meet in a few instances.
    let host = guest().threads(1).start();
    let address = host.address();
    let sleepers: Vec<_> = (0..8)
        .map(|_| std::thread::spawn(move || get(address, "/sleep?300").status))
        .collect();
    while sleepers.iter().any(|sleeper| !sleeper.is_finished()) {
        assert_eq!(get(address, "/trap").status, 500);
    }
    for sleeper in sleepers {
        assert_eq!(sleeper.join().unwrap(), 200);
    }
}

#[test]
fn only_what_http_allows_is_tried_once_more() {
    let host = guest()
        .with("key_value_stores = [\"default\"]")
        .threads(1)
        .start();
    let address = host.address();
    let tries = |method: &str| {
        // A request before it: the instance had company.
        host.get("/hello");
        let path = format!("/note-and-trap?{method}");
        assert_eq!(request(address, method, &path, &[], b"").status, 500);
        host.get(&format!("/kv?default&{method}"))
    };
    assert_eq!(tries("POST"), r#"Some("x")"#);
    assert_eq!(tries("GET"), r#"Some("xx")"#);
}

#[test]
fn a_line_is_no_longer_than_its_limit() {
    let host = guest().with("tool.signet.max_line_bytes = 8").start();
    host.get("/print?0123456789abcdefghij");
    let printed = host.stop();
    for piece in ["guest: 01234567\n", "guest: 89abcdef\n", "guest: ghij\n"] {
        assert!(printed.contains(piece), "{printed}");
    }
}

#[test]
fn a_component_prints_no_more_lines_in_a_second_than_its_limit() {
    let host = guest().with("tool.signet.max_lines_per_second = 5").start();
    host.get("/print-lines?10000");
    let printed = host.stop();
    let lines = printed.lines().count();
    // So many seconds have passed on no machine.
    assert!((5..5000).contains(&lines), "{lines} lines");
}

#[test]
fn bounds_of_databases_and_stores_stand_in_signet_toml() {
    let host = guest()
        .with("key_value_stores = [\"default\"]")
        .with("sqlite_databases = [\"default\"]")
        .host("sqlite.statement_timeout_ms = 100\nsqlite.max_rows = 2")
        .host("key_value.max_value_bytes = 3")
        .start();
    let endless =
        "WITH+RECURSIVE+n(x)+AS+(VALUES(1)+UNION+ALL+SELECT+x+FROM+n)+SELECT+count(*)+FROM+n";
    for path in ["/sql", "/sql-sync"] {
        let answer = host.get(&format!("{path}?default&{endless}"));
        assert!(
            answer.contains("statement ran longer than 100 ms"),
            "{answer}"
        );
        let answer = host.get(&format!("{path}?default&VALUES(1),(2)"));
        assert_eq!(answer, "[\"1\", \"2\"]");
        let answer = host.get(&format!("{path}?default&VALUES(1),(2),(3)"));
        assert!(answer.contains("more than 2 rows"), "{answer}");
    }
    let answer = host.get("/kv?default&key&long");
    assert!(
        answer.contains("value has 4 bytes: it takes at most 3"),
        "{answer}"
    );
}
