//! How a host ends: what it took on is answered, and nobody keeps it from ending.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use signet::server::router::Router;
use signet::server::{self, Inside, Limits, Shared, Site};

use crate::support::{Host, Process, fixture, get};

/// How many requests there are in all, if nobody stops the host.
const REQUESTS: usize = 10_000;

/// How many clients send them.
const CLIENTS: usize = 16;

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// Answered in full; whether the host said that this was the connection's last.
    Answered { last: bool },
    /// The connection ended, after so many bytes of the answer.
    Lost(usize),
}

const REQUEST: &[u8] = b"GET /sleep?2 HTTP/1.1\r\nhost: x\r\n\r\n";

/// One request on a connection, and its answer.
fn ask(stream: &mut BufReader<TcpStream>) -> Outcome {
    match stream.get_mut().write_all(REQUEST) {
        Ok(()) => answer(stream),
        Err(_) => Outcome::Lost(0),
    }
}

/// The answer to a request that was sent.
fn answer(stream: &mut BufReader<TcpStream>) -> Outcome {
    let (mut head, mut body) = (String::new(), [0; 5]);
    while !head.ends_with("\r\n\r\n") {
        match stream.read_line(&mut head) {
            Ok(read) if read > 0 => {}
            _ => return Outcome::Lost(head.len()),
        }
    }
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    if stream.read_exact(&mut body).is_err() || &body != b"slept" {
        return Outcome::Lost(head.len());
    }
    Outcome::Answered {
        last: head.to_lowercase().contains("connection: close"),
    }
}

/// Asks until all is asked or the host takes no more connections; returns what was lost.
fn client(address: SocketAddr, answered: &AtomicUsize) -> Vec<Outcome> {
    let mut lost = Vec::new();
    while let Ok(stream) = TcpStream::connect(address) {
        let mut stream = BufReader::new(stream);
        for number in 0.. {
            if answered.load(Ordering::Relaxed) >= REQUESTS {
                return lost;
            }
            match ask(&mut stream) {
                Outcome::Answered { last } => {
                    answered.fetch_add(1, Ordering::Relaxed);
                    if last {
                        break;
                    }
                }
                // Connected to the system's queue in the moment in which it was closed: never accepted.
                Outcome::Lost(0) if number == 0 => break,
                outcome => {
                    lost.push(outcome);
                    break;
                }
            }
        }
    }
    lost
}

#[test]
fn no_request_that_was_accepted_is_lost_when_the_host_is_told_to_stop() {
    let mut process = Process::run("", "");
    let (address, answered) = (process.address, AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| scope.spawn(|| client(address, &answered)))
            .collect();
        while answered.load(Ordering::Relaxed) < REQUESTS / 2 {
            std::thread::yield_now();
        }
        process.signal("TERM");
        for client in clients {
            assert_eq!(client.join().unwrap(), []);
        }
    });
    let answered = answered.into_inner();
    assert!(
        answered < REQUESTS,
        "the host was not stopped in the middle"
    );
    assert_eq!(process.end(), Some(0));
}

#[test]
fn a_guest_that_never_ends_does_not_keep_the_host_from_ending() {
    let mut process = Process::run(
        "tool.signet.request_timeout_ms = 3600000\ntool.signet.response_timeout_ms = 3600000",
        "server.shutdown_timeout_ms = 500",
    );
    let address = process.address;
    let busy: Vec<_> = ["/loop", "/never-ends", "/sleep?3600000", "/print-for-ever"]
        .map(|path| {
            let mut stream = TcpStream::connect(address).unwrap();
            write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
            stream
        })
        .into();
    for _ in 0..8 {
        assert_eq!(get(address, "/hello").status, 200);
    }
    process.signal("TERM");
    assert_eq!(process.end_within(Duration::from_secs(60)), Some(0));
    assert!(process.log().contains("connections were cut"));
    for mut stream in busy {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.ends_with(b"0\r\n\r\n"), "the body looks complete");
    }
}

#[test]
fn who_waits_to_be_accepted_when_the_host_stops_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(REQUEST).unwrap();
            stream
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let site = Site {
        listener,
        tls: None,
        router: Router::new(Vec::new()),
        components: Vec::new(),
        inside: Inside::default(),
    };
    let shared = Arc::new(Shared::new(Limits::default(), Arc::default()));
    let stop = tokio::sync::watch::Sender::new(true);
    let drain = Duration::from_secs(60);
    runtime
        .block_on(server::serve(vec![site], stop.subscribe(), drain, shared))
        .unwrap();
    for mut stream in waiting {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
        assert!(
            answer.to_lowercase().contains("connection: close"),
            "{answer}"
        );
    }
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_second_signal_ends_the_host_at_once() {
    let mut process = Process::run(
        "tool.signet.request_timeout_ms = 3600000",
        "server.shutdown_timeout_ms = 3600000",
    );
    let mut stream = TcpStream::connect(process.address).unwrap();
    stream
        .write_all(b"GET /sleep?3600000 HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    for _ in 0..8 {
        assert_eq!(get(process.address, "/hello").status, 200);
    }
    process.signal("TERM");
    // It has taken note when it takes no more connections.
    while TcpStream::connect(process.address).is_ok() {
        std::thread::yield_now();
    }
    process.signal("INT");
    assert_eq!(process.end_within(Duration::from_secs(60)), Some(1));
}

/// A host that stops keeps connections without a request for longer than this.
const SOON: Duration = Duration::from_millis(200);

#[test]
fn a_request_on_its_way_when_the_host_stops_is_answered() {
    // A machine that was too slow to send in time says nothing: once more.
    while !is_answered_though_the_host_stops() {}
}

/// Asks on connections of which the host knows that they are the last; whether that was in time.
fn is_answered_though_the_host_stops() -> bool {
    let guest = Host::of(fixture("fixture-guest"));
    let host = guest
        .link("fixture:test/probe", &fixture("fixture-dependency"), "")
        .start();
    let address = host.address();
    let connect = || BufReader::new(TcpStream::connect(address).unwrap());
    // Some connections have served a request and wait for another, some are new.
    let mut streams: Vec<_> = (0..100).map(|_| connect()).collect();
    for stream in &mut streams[..50] {
        assert_eq!(ask(stream), Outcome::Answered { last: false });
    }
    let since = Instant::now();
    host.running().stop();
    // All threads know when nobody listens any more.
    while TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    let sent = streams
        .iter_mut()
        .all(|stream| stream.get_mut().write_all(REQUEST).is_ok());
    if since.elapsed() >= SOON {
        return false;
    }
    assert!(sent, "a connection was closed at once");
    for stream in &mut streams {
        assert_eq!(answer(stream), Outcome::Answered { last: true });
    }
    true
}
