//! A host that is killed in the middle of its work: what it acknowledged is there when it comes back, and
//! nothing is there by half.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;

use crate::support::{Process, get};

/// How often the host is killed.
const ROUNDS: u64 = 100;
/// How many write at once.
const CLIENTS: u64 = 4;

/// One change, by who made it and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    round: u64,
    client: u64,
    step: u64,
}

impl Change {
    fn key(self) -> String {
        format!("{}-{}-{}", self.round, self.client, self.step)
    }

    /// Long enough to take more than one page of a database.
    fn value(self) -> String {
        self.key().repeat(600)
    }

    /// Which of its kinds it is: a key, a statement that makes two rows, a transaction that does.
    fn path(self) -> String {
        let Self {
            round,
            client,
            step,
        } = self;
        match step % 3 {
            0 => format!("/kv?default&{}&{}", self.key(), self.value()),
            1 => format!(
                "/sql?default&INSERT+INTO+t+VALUES({round},{client},{step},1),({round},{client},{step},2)"
            ),
            _ => format!(
                "/sql?default&BEGIN+IMMEDIATE&INSERT+INTO+t+VALUES({round},{client},{step},1)\
                 &INSERT+INTO+t+VALUES({round},{client},{step},2)&COMMIT"
            ),
        }
    }

    fn is_key(self) -> bool {
        self.step.is_multiple_of(3)
    }

    fn acknowledgement(self) -> String {
        if self.is_key() {
            format!("Some(\"{}\")", self.value())
        } else {
            "[]".to_owned()
        }
    }
}

/// The body of the answer, if there was a whole one.
fn ask(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
    Ok(body.unwrap_or_default().to_owned())
}

/// Writes until the host is gone, and reports what was acknowledged.
fn write(address: SocketAddr, round: u64, client: u64, acknowledged: &mpsc::Sender<Change>) {
    for step in 0.. {
        let change = Change {
            round,
            client,
            step,
        };
        match ask(address, &change.path()) {
            Ok(answer) if answer == change.acknowledgement() => {
                let _ = acknowledged.send(change);
            }
            // Cut short: the host is gone.
            Ok(answer) if change.acknowledgement().starts_with(&answer) => return,
            Ok(answer) => panic!("{change:?}: {answer}"),
            Err(_) => return,
        }
    }
}

/// The rows of a round, as `client,step,part`.
fn rows(address: SocketAddr, round: u64) -> BTreeSet<(u64, u64, u64)> {
    let sql = format!("/sql?default&SELECT+client,step,part+FROM+t+WHERE+round={round}");
    let answer = get(address, &sql).body;
    let list: Vec<String> = serde_json::from_str(&answer).unwrap();
    let number = |text: Option<&str>| text.unwrap().parse().unwrap();
    list.iter()
        .map(|row| {
            let mut parts = row.split(',');
            (
                number(parts.next()),
                number(parts.next()),
                number(parts.next()),
            )
        })
        .collect()
}

/// What was acknowledged is there, and what is there is whole.
fn verify(address: SocketAddr, round: u64, acknowledged: &[Change]) {
    let rows = rows(address, round);
    for &(client, step, part) in &rows {
        let other = (client, step, 3 - part);
        assert!(rows.contains(&other), "half of a change: {client} {step}");
    }
    for change in acknowledged {
        if change.is_key() {
            let answer = get(address, &format!("/kv?default&{}", change.key())).body;
            assert_eq!(answer, change.acknowledgement(), "{change:?}");
        } else {
            assert!(
                rows.contains(&(change.client, change.step, 1)),
                "{change:?}"
            );
        }
    }
    // Each client was in the middle of one more: there or not, but never by half.
    for client in 0..CLIENTS {
        let own = acknowledged.iter().filter(|change| change.client == client);
        let next = Change {
            round,
            client,
            step: own.count() as u64,
        };
        if next.is_key() {
            let answer = get(address, &format!("/kv?default&{}", next.key())).body;
            assert!(answer == "None" || answer == next.acknowledgement());
        }
    }
}

#[test]
fn what_was_acknowledged_survives_a_hundred_kills() {
    let grants = ["--sqlite", "default", "--key-value", "default"];
    let mut host = Process::start(&grants, &[]);
    get(
        host.address,
        "/sql?default&CREATE+TABLE+t(round,client,step,part)",
    );
    let mut everything = Vec::new();
    for round in 0..ROUNDS {
        let (report, reports) = mpsc::channel();
        let address = host.address;
        let mut acknowledged: Vec<Change> = std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                let report = report.clone();
                scope.spawn(move || write(address, round, client, &report));
            }
            drop(report);
            // The moment differs from round to round, always with others in the middle of something.
            let first = reports.iter().take(1 + (round * 7 % 23) as usize).collect();
            host.kill();
            first
        });
        acknowledged.extend(reports.iter());
        host.restart();
        verify(host.address, round, &acknowledged);
        everything.push(acknowledged);
    }
    for (round, acknowledged) in (0..).zip(&everything) {
        verify(host.address, round, acknowledged);
    }
    let sound = get(host.address, "/sql?default&PRAGMA+integrity_check").body;
    assert_eq!(sound, "[\"ok\"]");
    let changes: usize = everything.iter().map(Vec::len).sum();
    assert!(changes as u64 > ROUNDS, "only {changes} were acknowledged");
}
