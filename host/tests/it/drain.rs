//! How a host ends: what it took on is answered, and nobody keeps it from ending.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use signet::server::router::Router;
use signet::server::{self, Inside, Limits, Shared, Site};

use crate::events::{JSON, deliveries, order, producer};
use crate::queue::until;
use crate::support::receiver::Manner;
use crate::support::{Host, Process, Receiver, fixture, get, post};

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
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        match stream.read_line(&mut head) {
            Ok(read) if read > 0 => {}
            _ => return Outcome::Lost(head.len()),
        }
    }
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    head.make_ascii_lowercase();
    // On a machine that is busy the body may come after the head, and has no length then.
    let expected: &[u8] = match head.contains("transfer-encoding: chunked") {
        true => b"5\r\nslept\r\n0\r\n\r\n",
        false => b"slept",
    };
    let mut body = vec![0; expected.len()];
    if stream.read_exact(&mut body).is_err() || body != expected {
        return Outcome::Lost(head.len());
    }
    Outcome::Answered {
        last: head.contains("connection: close"),
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

/// Posts JSON and gives what comes back.
fn say(process: &Process, path: &str, body: &Value) -> Value {
    let answer = post(process.address, path, &[JSON], body.to_string().as_bytes());
    assert!(matches!(answer.status, 201 | 202), "{}", answer.body);
    answer.json()
}

/// A producer of this policy whose host stops after so long at the latest, who has sent `running` events to a receiver
/// that does not answer yet. Gives the registration, and the ids of all events, those that wait included.
fn in_the_middle(
    receiver: &Receiver,
    (policy, most_ms): (&str, u64),
    (running, waiting): (usize, usize),
) -> (Process, String, Vec<String>) {
    let host = format!("server.shutdown_timeout_ms = {most_ms}");
    let process = producer(&format!("lane_concurrency = {running}\n{policy}"))
        .host(&host)
        .process();
    let wish = json!({ "url": receiver.url("/hook") });
    let registration = say(&process, "/registrations", &wish);
    receiver.now(Manner::WhenTold);
    let accept = |_| {
        say(&process, "/events", &order())["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let events = (0..running + waiting).map(accept).collect();
    until("not all were sent", || {
        deliveries(receiver).len() == running
    });
    let registration = registration["id"].as_str().unwrap().to_owned();
    (process, registration, events)
}

/// How often each event was sent, in the order of their ids.
fn sent(receiver: &Receiver, events: &[String]) -> Vec<usize> {
    let deliveries = deliveries(receiver);
    let ids: Vec<_> = deliveries
        .iter()
        .map(|request| request.headers["webhook-id"].to_str().unwrap())
        .collect();
    let times = |event: &String| {
        ids.iter()
            .filter(|id| id.starts_with(event.as_str()))
            .count()
    };
    events.iter().map(times).collect()
}

/// Waits until all are delivered; each had one attempt, and that one was good.
fn all_done_at_once(process: &Process, registration: &str, events: &[String]) {
    let path = format!("/registrations/{registration}/attempts");
    let shown = || get(process.address, &path).json()["deliveries"].clone();
    let made = json!(["done"]);
    until("not all are done", || {
        let deliveries = shown();
        let deliveries = deliveries.as_array().unwrap();
        deliveries.len() == events.len() && deliveries.iter().all(|one| one["state"] == "done")
    });
    for delivery in shown().as_array().unwrap() {
        let attempts = delivery["made"].as_array().unwrap();
        let ends: Vec<_> = attempts.iter().map(|attempt| &attempt["ended"]).collect();
        assert_eq!(json!(ends), made, "{delivery}");
    }
}

#[test]
fn what_is_being_delivered_when_the_host_stops_is_delivered_once_and_nothing_is_begun() {
    let receiver = Receiver::answers(200);
    let (mut process, registration, events) = in_the_middle(&receiver, ("", 3_600_000), (4, 2));
    process.signal("TERM");
    // It has taken note when it takes no more connections.
    until("it does not stop", || {
        TcpStream::connect(process.address).is_err()
    });
    receiver.now(Manner::Answers(200));
    // It does not wait for longer than there is something to wait for.
    assert_eq!(process.end_within(Duration::from_secs(60)), Some(0));
    assert_eq!(
        deliveries(&receiver).len(),
        4,
        "{:?}",
        sent(&receiver, &events)
    );
    process.restart();
    all_done_at_once(&process, &registration, &events);
    assert_eq!(sent(&receiver, &events), [1; 6]);
}

#[test]
fn what_cannot_be_delivered_before_the_host_stops_is_sent_by_the_next_start_at_once() {
    let receiver = Receiver::answers(200);
    // Neither an attempt that failed nor a lease that has to end would be tried again within this test.
    let policy = "timeout_ms = 3600000\nlease_ms = 3700000";
    let (mut process, registration, events) = in_the_middle(&receiver, (policy, 200), (4, 0));
    process.signal("TERM");
    assert_eq!(process.end_within(Duration::from_secs(60)), Some(0));
    receiver.now(Manner::Answers(200));
    process.restart();
    all_done_at_once(&process, &registration, &events);
    assert_eq!(sent(&receiver, &events), [2; 4]);
}
