//! A host that is left running: among many good requests some are bad, among many clients most are slow, and
//! nothing of them stays.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::support::{Connection, Process, get};

/// How many good requests one storm has.
const GOOD: usize = 5_000;

/// How many connections send them.
const CONNECTIONS: usize = 16;

/// A path, the statuses it may have, none where the response breaks off, and how many times it is asked for. A
/// guest whose memory may not grow is told so, and goes on; a short response whose guest falls breaks off only
/// where the machine is so busy that its head went out before.
const BAD: &[(&str, &[Option<u16>], usize)] = &[
    ("/loop", &[Some(504)], 3),
    ("/print-for-ever", &[Some(504)], 1),
    ("/sleep?3600000", &[Some(504)], 3),
    ("/trap", &[Some(500)], 60),
    ("/grow?100000", &[Some(200)], 20),
    ("/hoard", &[Some(500)], 20),
    ("/leak?1000000", &[Some(500)], 10),
    ("/leak-streams?1000000", &[Some(500)], 10),
    ("/half?10", &[Some(500), None], 20),
    ("/half?100000", &[None], 20),
    ("/never-ends", &[None], 3),
    ("/endless", &[None], 3),
];

/// The good requests, and their answers.
const WELL: &[(&str, &str)] = &[
    ("/hello", "hello"),
    ("/kv?default&key&value", "Some(\"value\")"),
    ("/sql?default&SELECT+1", "[\"1\"]"),
];

async fn good(address: SocketAddr, left: Arc<AtomicUsize>) {
    let mut connection = Connection::open(address).await;
    loop {
        let number = left.fetch_sub(1, Ordering::Relaxed);
        if number == 0 || number > GOOD {
            return;
        }
        let (path, answer) = WELL[number % WELL.len()];
        let got = connection.get(path).await;
        assert_eq!(got, Some((200, answer.to_owned())), "{path}");
    }
}

async fn bad(address: SocketAddr, (path, statuses, times): (&str, &[Option<u16>], usize)) {
    for _ in 0..times {
        let got = Connection::open(address).await.get(path).await;
        let status = got.map(|(status, _)| status);
        assert!(statuses.contains(&status), "{path}: {status:?}");
    }
}

/// Good and bad requests at the same time; all of them have ended when it returns.
fn storm(address: SocketAddr) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let left = Arc::new(AtomicUsize::new(GOOD));
        let mut tasks = JoinSet::new();
        for _ in 0..CONNECTIONS {
            tasks.spawn(good(address, Arc::clone(&left)));
        }
        for case in BAD {
            tasks.spawn(bad(address, *case));
        }
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
    });
}

/// Waits until the host has nothing left to do: it computes no more than its clock does.
fn quiet(process: &Process) {
    for _ in 0..300 {
        let before = process.ticks();
        std::thread::sleep(Duration::from_millis(300));
        if process.ticks() - before <= 3 {
            return;
        }
    }
    panic!("the host still computes, long after the last request");
}

#[test]
fn bad_requests_among_ten_thousand_good_ones_leave_nothing_behind() {
    let process = Process::run(
        "key_value_stores = [\"default\"]\nsqlite_databases = [\"default\"]\n\
         tool.signet.request_timeout_ms = 10000\ntool.signet.response_timeout_ms = 1000\n\
         tool.signet.memory_mb = 64",
        // What is kept of a memory for the next instance is nothing that was left behind.
        "server.memory_reset = \"drop\"",
    );
    // The first storm fills what a host keeps: caches, connections, threads.
    storm(process.address);
    quiet(&process);
    let level = process.memory();
    storm(process.address);
    quiet(&process);
    let after = process.memory();
    let room = 32 << 20;
    assert!(after <= level + room, "{level} bytes before, {after} after");
}

/// How many good requests are sent beside those that compute without end, and how many of these.
const BESIDE: (usize, usize) = (10_000, 1_000);

/// How many requests that never end are computing at any time.
const LOOPING: usize = 125;

#[test]
fn a_thousand_requests_that_compute_without_end_keep_ten_thousand_from_nothing() {
    let process = Process::run("tool.signet.request_timeout_ms = 6000", "");
    let address = process.address;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for (path, status, connections, times) in [
            ("/hello", 200, CONNECTIONS, BESIDE.0),
            ("/loop", 504, LOOPING, BESIDE.1),
        ] {
            let left = Arc::new(AtomicUsize::new(times));
            for _ in 0..connections {
                let left = Arc::clone(&left);
                tasks.spawn(async move {
                    let mut connection = Connection::open(address).await;
                    let another = |left: usize| left.checked_sub(1);
                    while left
                        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, another)
                        .is_ok()
                    {
                        let got = connection.get(path).await;
                        let got = got.map(|(status, _)| status);
                        assert_eq!(got, Some(status), "{path}");
                    }
                });
            }
        }
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
    });
}

/// How many connections send one byte a second.
const SLOW: usize = 2_000;

/// How many bytes each of them has sent before the good requests may end.
const ROUNDS: usize = 4;

#[test]
fn two_thousand_clients_that_send_a_byte_a_second_keep_nobody_from_being_served() {
    // This process needs as many sockets as the host does.
    signet::server::descriptors::raise(SLOW);
    // They have time enough to be slow on a machine that is slow as well.
    let process = Process::run(
        "tool.signet.request_timeout_ms = 120000",
        "server.header_timeout_ms = 120000",
    );
    // Half of them are slow with the head, half with the body.
    let head = b"GET /hello HTTP/1.1\r\nhost: x\r\nx-slow: ".as_slice();
    let body = b"POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n".as_slice();
    let mut slow: Vec<_> = (0..SLOW)
        .map(|number| {
            let mut stream = TcpStream::connect(process.address).unwrap();
            let beginning = if number % 2 == 0 { head } else { body };
            stream.write_all(beginning).unwrap();
            stream
        })
        .collect();
    let rounds = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                std::thread::sleep(Duration::from_secs(1));
                for stream in &mut slow {
                    stream.write_all(b"x").unwrap();
                }
                rounds.fetch_add(1, Ordering::Relaxed);
            }
        });
        while rounds.load(Ordering::Relaxed) < ROUNDS {
            let answer = get(process.address, "/hello");
            assert_eq!((answer.status, answer.body.as_str()), (200, "hello"));
        }
    });
    // They were connected all the time: none has an answer, and none was turned away.
    for stream in &mut slow {
        stream.set_nonblocking(true).unwrap();
        let error = stream.read(&mut [0; 1]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    }
}
